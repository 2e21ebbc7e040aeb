"""The files of a request: stored before its transaction begins, and removed again when no message comes of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol, cast

import msgspec

from criachat.kit import clock
from criachat.kit import files as kept
from criachat.kit.actors import Actor
from criachat.kit.db import Database
from criachat.kit.errors import Refused
from criachat.kit.files import Files
from criachat.kit.http.uploads import Upload
from criachat.kit.media import file_type, image_size, safe_filename, sniff
from criachat.kit.settings import Settings
from criachat.messages.errors import AttachmentsNotAList, TooManyAttachments, UnknownSignedId
from criachat.messages.models import StoredFile
from criachat.messages.queries import attachments

MOST_ATTACHMENTS = 15
MEGABYTE = 1024 * 1024
# By then the request has ended, and its message names the file or nobody does.
UNCLAIMED_FOR = timedelta(hours=1)


class BringsFiles(Protocol):
    """Parameters that may bring files."""

    @property
    def attachments(self) -> Any: ...


class KeptFiles(msgspec.Struct, frozen=True):
    """The files that came with a request, stored already, or why they are not taken.

    Handlers ask for it by its type. Storing may take long, and no connection to the database waits for it.
    """

    files: tuple[StoredFile, ...] = ()
    refusal: Refused | None = None

    def taken(self) -> tuple[StoredFile, ...]:
        """The files, or the refusal: when it is its turn, behind that of a caller who may not speak at all."""
        if self.refusal is not None:
            raise self.refusal
        return self.files


async def keep_files(
    database: Database, files: Files, settings: Settings, actor: Actor, params: BringsFiles
) -> KeptFiles:
    """Store the files that came with a request; what they are is told from their bytes, their names are ours.

    It is written down first that they are to be removed, and a message that names them takes that back. So a process
    that dies in between leaves nothing behind.
    """
    try:
        uploads = _uploads(params.attachments)
        named = [(kept.new_key(actor.account_id, upload.filename), upload) for upload in uploads]
        if named:
            async with database.transaction() as tx:
                keys = [key for key, _ in named]
                await attachments.insert_files_to_remove(tx, actor.account_id, keys, clock.now() + UNCLAIMED_FOR)
        max_bytes = settings.maximum_file_upload_mb * MEGABYTE
        return KeptFiles(tuple([await _keep(files, key, upload, max_bytes) for key, upload in named]))
    except Refused as refusal:
        return KeptFiles(refusal=refusal)


def _uploads(sent: Any) -> list[Upload]:
    if sent is None or sent == "":
        return []
    if not isinstance(sent, list):
        raise AttachmentsNotAList
    parts = cast(list[Any], sent)
    if len(parts) > MOST_ATTACHMENTS:
        raise TooManyAttachments
    uploads = [each for each in parts if isinstance(each, Upload)]
    if len(uploads) < len(parts):
        raise UnknownSignedId
    return uploads


async def _keep(files: Files, key: str, upload: Upload, max_bytes: int) -> StoredFile:
    name = safe_filename(upload.filename)
    stored = await files.put(key, upload.chunks(), max_bytes=max_bytes)
    content_type = sniff(stored.head, upload.declared_type, name)
    width, height = image_size(stored.head, content_type) or (None, None)
    return StoredFile(
        file_key=key,
        filename=name,
        content_type=content_type,
        file_type=file_type(content_type),
        byte_size=stored.byte_size,
        width=width,
        height=height,
    )
