"""Files of messages, over HTTP: signed addresses that need no token and expire."""

from __future__ import annotations

import re

from criachat.kit.actors import ANYONE
from criachat.kit.db import Database
from criachat.kit.errors import NoSuchPage
from criachat.kit.files import Files
from criachat.kit.http.answers import Stream
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Routes
from criachat.kit.media import serving_headers
from criachat.messages.errors import NoSuchPart
from criachat.messages.models import Upload
from criachat.messages.queries import attachments
from criachat.messages.queries.attachments import KeptFile
from criachat.messages.queries.uploads import list_uploads

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

routes = Routes("/rails/active_storage", tag="Files")


@routes.get("/blobs/redirect/{signed_id}/{filename}", actors=ANYONE)
async def show_file(database: Database, files: Files, request: Request, signed_id: str) -> Stream:
    """The file behind a signed address, or the part of it that a player asks for; only harmless kinds open inline."""
    return await _shown(database, files, request, signed_id)


@routes.get("/representations/redirect/{signed_id}/{size}/{filename}", actors=ANYONE)
async def show_thumbnail(database: Database, files: Files, request: Request, signed_id: str) -> Stream:
    """A picture of the file. Pictures are not made smaller yet, so it is the file itself."""
    return await _shown(database, files, request, signed_id)


async def _shown(database: Database, files: Files, request: Request, signed_id: str) -> Stream:
    kept = await _kept(database, files, signed_id)
    if kept is None:
        raise NoSuchPage
    headers = serving_headers(kept.content_type, kept.filename)
    content_type = headers.pop("Content-Type")
    headers |= {"Accept-Ranges": "bytes", "Cache-Control": "private, max-age=3600"}
    part = part_of(request.headers.get("range", ""), kept.byte_size)
    if part is None:
        headers["Content-Length"] = str(kept.byte_size)
        return Stream(await files.open(kept.file_key), content_type=content_type, headers=headers.items())
    start, length = part
    headers["Content-Length"] = str(length)
    headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{kept.byte_size}"
    content = await files.open(kept.file_key, start=start, length=length)
    return Stream(content, content_type=content_type, status=206, headers=headers.items())


async def _kept(database: Database, files: Files, signed_id: str) -> KeptFile | Upload | None:
    """The file of a message, or one that no message carries yet."""
    blob, upload = files.verify(signed_id), files.verify(signed_id, purpose="upload")
    async with database.reading() as db:
        if blob is not None:
            return await attachments.find_file(db, blob.account_id, blob.id)
        found = await list_uploads(db, upload.account_id, [upload.id]) if upload is not None else []
    return found[0] if found else None


def part_of(header: str, size: int) -> tuple[int, int] | None:
    """Where the part that a `Range` header asks for begins, and its length; None when all of the file is asked for.

    Several parts at once, which no player asks for, are answered with all of it, as the protocol allows.
    """
    asked = RANGE.fullmatch(header)
    if asked is None or asked[0] == "bytes=-":
        return None
    if asked[1]:
        start, end = int(asked[1]), min(int(asked[2] or size) + 1, size)
    else:
        start, end = max(size - int(asked[2]), 0), size
    if start >= end:
        raise NoSuchPart
    return start, end - start
