"""Files of messages, over HTTP: signed addresses that need no token and expire."""

from __future__ import annotations

from criachat.kit.actors import ANYONE
from criachat.kit.db import Database
from criachat.kit.errors import NoSuchPage
from criachat.kit.files import Files
from criachat.kit.http.answers import Stream
from criachat.kit.http.routes import Routes
from criachat.kit.media import serving_headers
from criachat.messages import queries

file_routes = Routes("/rails/active_storage", tag="Files")


@file_routes.get("/blobs/redirect/{signed_id}/{filename}", actors=ANYONE)
async def show_file(database: Database, files: Files, signed_id: str) -> Stream:
    """The file behind a signed address; only what is harmless is shown inline."""
    return await _stream(database, files, signed_id)


@file_routes.get("/representations/redirect/{signed_id}/{size}/{filename}", actors=ANYONE)
async def show_thumbnail(database: Database, files: Files, signed_id: str) -> Stream:
    """A picture of the file. Pictures are not made smaller yet, so it is the file itself."""
    return await _stream(database, files, signed_id)


async def _stream(database: Database, files: Files, signed_id: str) -> Stream:
    blob = files.verify(signed_id)
    if blob is None:
        raise NoSuchPage
    async with database.reading() as db:
        kept = await queries.find_file(db, blob.account_id, blob.id)
    if kept is None:
        raise NoSuchPage
    content_type = kept.content_type or "application/octet-stream"
    headers = dict(serving_headers(content_type, kept.filename or "file"))
    shown_as = headers.pop("Content-Type", headers.pop("content-type", content_type))
    return Stream(await files.open(kept.file_key), content_type=shown_as, headers=headers.items())
