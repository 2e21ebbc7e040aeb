"""Keeping the files of a message before it is said."""

from __future__ import annotations

from typing import Any, cast

from criachat.kit import files as kept
from criachat.kit.files import Files
from criachat.kit.http.uploads import Upload
from criachat.kit.media import file_type, image_size, safe_filename, sniff
from criachat.kit.settings import Settings
from criachat.messages.errors import AttachmentsNotAList, TooManyAttachments
from criachat.messages.models import StoredFile

MOST_ATTACHMENTS = 15
MEGABYTE = 1024 * 1024


async def keep_files(files: Files, settings: Settings, *, account_id: int, attachments: Any) -> tuple[StoredFile, ...]:
    """Store the files that came with a request; what they are is told from their bytes, their names are ours.

    A message that is refused afterwards leaves files nobody points to; they are swept up by age.
    """
    if attachments is None or attachments == "":
        return ()
    if not isinstance(attachments, list):
        raise AttachmentsNotAList
    uploads = cast(list[Any], attachments)
    if len(uploads) > MOST_ATTACHMENTS:
        raise TooManyAttachments
    if not all(isinstance(each, Upload) for each in uploads):
        raise AttachmentsNotAList("Attachments must be files; this signed id is not known")
    return tuple([await _keep(files, settings, account_id, each) for each in uploads])


async def _keep(files: Files, settings: Settings, account_id: int, upload: Upload) -> StoredFile:
    name = safe_filename(upload.filename)
    key = kept.new_key(account_id, name)
    stored = await files.put(key, upload.chunks(), max_bytes=settings.maximum_file_upload_mb * MEGABYTE)
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
