"""The file of an import: stored before its transaction begins, and removed again when no import comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from criachat.contacts.errors import ImportFileMissing, ImportFileUnreadable
from criachat.contacts.schemas.transfers import ImportParams
from criachat.contacts.spreadsheets import Malformed, delimiter_of, refuse_other_encodings
from criachat.kit.actors import Actor
from criachat.kit.db import Database
from criachat.kit.errors import Refused
from criachat.kit.files import Files, new_key
from criachat.kit.http.uploads import Upload
from criachat.kit.upkeep import remove_file_later

HEAD_BYTES: Final = 64 * 1024
# By then the request has ended, and its import names the file or nobody does.
UNCLAIMED_FOR: Final = timedelta(hours=1)


class KeptImport(msgspec.Struct, frozen=True):
    """The file that came with a request, stored already, or why it is not taken."""

    key: str = ""
    delimiter: str = ","
    refusal: Refused | None = None

    def taken(self) -> tuple[str, str]:
        """The key of the file and what separates its cells; or the refusal."""
        if self.refusal is not None:
            raise self.refusal
        return self.key, self.delimiter


async def keep_import(database: Database, files: Files, actor: Actor, params: ImportParams) -> KeptImport:
    """Store the file that came with a request; that it is to be removed is written down first."""
    try:
        upload = params.import_file
        if not isinstance(upload, Upload) or upload.size_bytes == 0:
            raise ImportFileMissing
        head = await upload.head(HEAD_BYTES)
        _check(head)
        key = new_key(actor.account_id, "contacts.csv")
        async with database.transaction() as tx:
            await remove_file_later(tx, key, unless_kept_for=UNCLAIMED_FOR)
        await files.put(key, upload.chunks())
    except Refused as refusal:
        return KeptImport(refusal=refusal)
    return KeptImport(key=key, delimiter=delimiter_of(head))


def _check(head: bytes) -> None:
    try:
        refuse_other_encodings(head)
    except Malformed as failure:
        raise ImportFileUnreadable(str(failure)) from failure
