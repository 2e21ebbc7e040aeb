"""The files of a request: stored before its transaction begins, and removed again when no message comes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, Protocol, cast
from urllib.parse import unquote, urlsplit

import msgspec

from criachat.kit import clock
from criachat.kit import files as kept
from criachat.kit.actors import Actor
from criachat.kit.db import Database
from criachat.kit.errors import NotFound, Refused
from criachat.kit.files import Files
from criachat.kit.http.uploads import Upload as UploadedFile
from criachat.kit.media import file_type, image_size, safe_filename, sniff
from criachat.kit.outside import Outside, OutsideFailed
from criachat.kit.settings import Settings
from criachat.messages.errors import AttachmentsNotAList, DownloadFailed, TooManyAttachments, UnknownSignedId
from criachat.messages.models import External, StoredFile, Upload
from criachat.messages.queries import attachments
from criachat.messages.queries.uploads import list_uploads

MOST_ATTACHMENTS = 15
MEGABYTE = 1024 * 1024
FETCH_SECONDS = 30
# By then the request has ended, and its message names the file or nobody does.
UNCLAIMED_FOR = timedelta(hours=1)


class Named(msgspec.Struct, frozen=True):
    """What its sender says of a file."""

    filename: str
    declared_type: str


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
    database: Database, files: Files, settings: Settings, outside: Outside, actor: Actor, params: BringsFiles
) -> KeptFiles:
    """Store the files that came with a request; what they are is told from their bytes, their names are ours.

    The signed id of a file that was uploaded before stands for a copy of it. It is written down first that they are to
    be removed, and a message that names them takes that back. So a process that dies in between leaves nothing behind.
    """
    try:
        parts = _parts(params.attachments)
        uploads = await _uploads(database, files, actor.account_id, [each for each in parts if isinstance(each, str)])
        names = [_named(uploads[part] if isinstance(part, str) else part) for part in parts]
        keys = await claim_keys(database, actor.account_id, [name.filename for name in names])
        max_bytes = settings.maximum_file_upload_mb * MEGABYTE
        stored: list[StoredFile] = []
        for key, part, name in zip(keys, parts, names, strict=True):
            match part:
                case str():
                    stored.append(await keep_copy(files, key, uploads[part]))
                case External():
                    content, told = await _fetched(outside, part, name, max_bytes)
                    stored.append(await keep_file(files, key, content, told, max_bytes=max_bytes))
                case _:
                    stored.append(await keep_file(files, key, part.chunks(), name, max_bytes=max_bytes))
        return KeptFiles(tuple(stored))
    except Refused as refusal:
        return KeptFiles(refusal=refusal)


async def claim_keys(database: Database, account_id: int, filenames: Sequence[str]) -> list[str]:
    """Keys for files with these names, written down as to be removed unless something names them within the hour."""
    keys = [kept.new_key(account_id, filename) for filename in filenames]
    if keys:
        async with database.transaction() as tx:
            await attachments.insert_files_to_remove(tx, account_id, keys, clock.now() + UNCLAIMED_FOR)
    return keys


async def keep_file(
    files: Files,
    key: str,
    content: AsyncIterator[bytes] | bytes,
    named: Named,
    *,
    max_bytes: int,
    checksum: str | None = None,
) -> StoredFile:
    """Store this content under a claimed key; with `checksum`, its MD5 in base64, no other than that."""
    name = safe_filename(named.filename)
    stored = await files.put(key, content, max_bytes=max_bytes, checksum=checksum)
    content_type = sniff(stored.head, named.declared_type, name)
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


async def keep_copy(files: Files, key: str, upload: Upload) -> StoredFile:
    """Store a copy of an upload under a claimed key; refused when the upload is gone."""
    try:
        await files.copy(upload.file_key, key)
    except NotFound as refusal:
        raise UnknownSignedId from refusal
    return upload.stored_under(key)


def _named(part: UploadedFile | Upload | External) -> Named:
    match part:
        case External():
            return Named(PurePosixPath(unquote(urlsplit(part.url).path)).name or "file", "application/octet-stream")
        case Upload():
            return Named(part.filename, part.content_type)
        case _:
            return Named(part.filename, part.declared_type)


async def _fetched(outside: Outside, external: External, named: Named, max_bytes: int) -> tuple[bytes, Named]:
    """The content of a file that is somewhere else, and what its keeper says of it."""
    try:
        answer = await outside.get(external.url, headers={}, timeout_seconds=FETCH_SECONDS, max_bytes=max_bytes)
    except OutsideFailed as failure:
        raise DownloadFailed from failure
    if answer.status != 200:
        raise DownloadFailed
    declared = next((value for name, value in answer.headers if name.lower() == "content-type"), named.declared_type)
    return answer.body, Named(named.filename, declared.split(";", 1)[0].strip())


def _parts(sent: Any) -> list[UploadedFile | External | str]:
    """Files, addresses of files, and signed ids of files that were uploaded before."""
    if sent is None or sent == "":
        return []
    if not isinstance(sent, list):
        raise AttachmentsNotAList
    parts = cast(list[Any], sent)
    if len(parts) > MOST_ATTACHMENTS:
        raise TooManyAttachments
    known = [each for each in parts if isinstance(each, UploadedFile | External | str)]
    if len(known) < len(parts):
        raise UnknownSignedId
    return known


async def _uploads(database: Database, files: Files, account_id: int, signed_ids: Sequence[str]) -> dict[str, Upload]:
    """The uploads behind signed ids, all of them."""
    if not signed_ids:
        return {}
    blobs = {signed_id: files.verify(signed_id, purpose="upload") for signed_id in signed_ids}
    ids = {signed_id: blob.id for signed_id, blob in blobs.items() if blob and blob.account_id == account_id}
    async with database.reading() as db:
        found = {each.id: each for each in await list_uploads(db, account_id, sorted(set(ids.values())))}
    uploads = {signed_id: found[upload_id] for signed_id, upload_id in ids.items() if upload_id in found}
    if len(uploads) < len(blobs):
        raise UnknownSignedId
    return uploads
