"""Files in two steps: announced by somebody of the team, then put by whoever has the address they were told."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from criachat.conversations import access as conversations
from criachat.kit import clock
from criachat.kit.actors import AGENT, ANYONE, Actor
from criachat.kit.db import Database, Tx
from criachat.kit.errors import NoSuchPage
from criachat.kit.files import Blob, ContentDiffers, Files, FileTooLarge
from criachat.kit.http.answers import Answer
from criachat.kit.http.binding import LARGEST_ID
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Routes
from criachat.kit.media import UNKNOWN, safe_filename
from criachat.kit.settings import Settings
from criachat.kit.times import iso
from criachat.messages.errors import ByteSizeInvalid, ChecksumInvalid, FilenameMissing, MediaTypeInvalid
from criachat.messages.models import Announcement, Reservation
from criachat.messages.operations import uploads
from criachat.messages.queries.uploads import find_reservation
from criachat.messages.schemas import AnnouncedOut, AnnouncementParams, ArrivalOut
from criachat.messages.uploading import MEGABYTE, Named, keep_file

# How long at least the address is good; at most it is twice as long.
PUT_WITHIN = timedelta(minutes=15)
MD5_BYTES = 16
# The client sends it back as a header.
MEDIA_TYPE = re.compile(r"[!-~]{1,127}/[ -~]{1,127}")

announcing_routes = Routes(
    "/api/v1/accounts/{account_id}/conversations/{conversation_id}/direct_uploads", tag="Messages", scope="messages"
)
arrival_routes = Routes("/rails/active_storage/disk", tag="Files")


@announcing_routes.post(actors=AGENT, wrapper="blob", plain_errors=True)
async def announce_file(
    tx: Tx, actor: Actor, files: Files, settings: Settings, conversation_id: int, params: AnnouncementParams
) -> AnnouncedOut:
    """Announce a file, then put it to `direct_upload.url` with `direct_upload.headers`, within minutes and once.

    From then on a message that names its `signed_id` among its `attachments` carries a copy.
    """
    await conversations.load_conversation(tx, actor, conversation_id)
    announced = _checked(params, max_bytes=settings.maximum_file_upload_mb * MEGABYTE)
    reservation = await uploads.reserve_upload(tx, actor.account_id, announced)
    blob = Blob(reservation.account_id, reservation.id)
    return AnnouncedOut(
        id=reservation.id,
        key=reservation.file_key,
        filename=reservation.filename,
        content_type=reservation.content_type,
        metadata=params.metadata or {},
        service_name=files.service,
        byte_size=reservation.byte_size,
        checksum=reservation.checksum,
        created_at=iso(reservation.created_at),
        signed_id=files.signed_id(blob, purpose="upload", valid_for=uploads.NAMED_FOR),
        direct_upload=ArrivalOut(
            url=files.arrival_url(blob, valid_for=PUT_WITHIN),
            headers={"Content-Type": reservation.content_type, "Content-MD5": reservation.checksum},
        ),
    )


@arrival_routes.put("/{signed_id}", actors=ANYONE, takes_content=True)
async def take_file(database: Database, files: Files, request: Request, signed_id: str) -> Answer:
    """Put the file that was announced; answered with 204 once it is kept.

    Any other content is refused and not kept, and the address is good for another try.
    """
    blob = files.verify(signed_id, purpose="arrival")
    async with database.reading() as db:
        reservation = await find_reservation(db, blob.account_id, blob.id) if blob is not None else None
    if reservation is None:
        raise NoSuchPage
    _check_headers(request, reservation)
    stored = await keep_file(
        files,
        reservation.file_key,
        _in_time(request.content(reservation.byte_size), reservation.expires_at),
        Named(reservation.filename, reservation.content_type),
        max_bytes=reservation.byte_size,
        checksum=reservation.checksum,
    )
    async with database.transaction() as tx:
        await uploads.keep_arrived(tx, reservation, stored)
    return Answer(status=204)


def _checked(params: AnnouncementParams, *, max_bytes: int) -> Announcement:
    """What is announced, or why it is not taken."""
    content_type = params.content_type.strip() or UNKNOWN
    if not params.filename.strip():
        raise FilenameMissing
    if not 0 <= params.byte_size <= LARGEST_ID:
        raise ByteSizeInvalid
    if params.byte_size > max_bytes:
        raise FileTooLarge
    if not _is_md5(params.checksum):
        raise ChecksumInvalid
    if not MEDIA_TYPE.fullmatch(content_type):
        raise MediaTypeInvalid
    return Announcement(
        filename=safe_filename(params.filename),
        content_type=content_type,
        byte_size=params.byte_size,
        checksum=params.checksum,
    )


def _is_md5(checksum: str) -> bool:
    try:
        digest = base64.b64decode(checksum, validate=True)
    except ValueError:
        return False
    # Of the ways to write it, the one that what arrives is compared with.
    return len(digest) == MD5_BYTES and base64.b64encode(digest).decode() == checksum


def _check_headers(request: Request, reservation: Reservation) -> None:
    """Refuse what says itself that it is another file, before it is read."""
    told = request.headers
    is_same = (
        told.get("content-type", "").strip().lower() == reservation.content_type.lower()
        and told.get("content-md5", reservation.checksum) == reservation.checksum
    )
    if not is_same:
        raise ContentDiffers


async def _in_time(content: AsyncIterator[bytes], until: datetime) -> AsyncIterator[bytes]:
    """The content, for as long as its place is kept; nobody would remove what came after that."""
    async for chunk in content:
        if clock.now() >= until:
            raise NoSuchPage
        if chunk:
            yield chunk
