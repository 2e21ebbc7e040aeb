"""Places in the event log as callers hold them: one opaque text, with a checksum against cut or mistyped ones."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from datetime import UTC, datetime
from typing import Final

from criachat.kit.errors import Malformed
from criachat.kit.events import Cursor

VERSION: Final = 1
PLACE: Final = struct.Struct(">BIQQI")
CHECKSUM: Final = struct.Struct(">I")
LARGEST_EPOCH: Final = 2**31 - 1
LARGEST_ID: Final = 2**63 - 1
LENGTH: Final = -(-(PLACE.size + CHECKSUM.size) * 8 // 6)


class BadCursor(Malformed):
    """The cursor is not one of ours"""


def cursor_text(cursor: Cursor) -> str:
    """The cursor as it goes over the wire."""
    place = PLACE.pack(VERSION, cursor.epoch, cursor.xid, cursor.id, int(cursor.at.timestamp()))
    return base64.urlsafe_b64encode(place + CHECKSUM.pack(zlib.crc32(place))).rstrip(b"=").decode()


def read_cursor(text: str) -> Cursor:
    """The place a caller's cursor names; refused when we cannot have written it."""
    if len(text) != LENGTH or not text.isascii():
        raise BadCursor
    try:
        packed = base64.b64decode(text + "=" * (-LENGTH % 4), altchars=b"-_", validate=True)
    except binascii.Error as failure:
        raise BadCursor from failure
    place, checksum = packed[: PLACE.size], packed[PLACE.size :]
    version, epoch, xid, event_id, at = PLACE.unpack(place)
    if checksum != CHECKSUM.pack(zlib.crc32(place)) or version != VERSION:
        raise BadCursor
    if epoch > LARGEST_EPOCH or event_id > LARGEST_ID:
        raise BadCursor
    return Cursor(epoch, xid, event_id, datetime.fromtimestamp(at, UTC))
