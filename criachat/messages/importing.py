"""Importing the history of a conversation: batch by batch, telling after each how far it has come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import msgspec

from criachat.kit.actors import Actor
from criachat.kit.db import Database
from criachat.kit.errors import TooLarge
from criachat.kit.http.uploads import Upload
from criachat.messages.errors import MessageInvalid
from criachat.messages.history import Entry, read_line, reason_of
from criachat.messages.operations.importing import take_in

BATCH = 200
# All of it is in memory while it is taken in; longer histories come in several files.
MOST_BYTES = 32 * 1024 * 1024

_encode = msgspec.json.Encoder().encode


class Progress(msgspec.Struct, kw_only=True):
    """How far an import has come; `errors` are those of its last lines, by their number."""

    lines: int = 0
    stored: int = 0
    known: int = 0
    refused: int = 0
    errors: list[LineError] = []
    done: bool = False


class LineError(msgspec.Struct, frozen=True):
    """Why a line was not taken in."""

    line: int
    error: str


async def read_lines(upload: Upload) -> list[bytes]:
    """The lines of a file; refused when it is too large."""
    if upload.size_bytes > MOST_BYTES:
        raise TooLarge
    return b"".join([chunk async for chunk in upload.chunks()]).splitlines()


async def import_lines(
    database: Database, display_id: int, lines: Sequence[bytes], *, actor: Actor
) -> AsyncGenerator[bytes]:
    """Take the lines in, each batch in a transaction of its own; after each, a line that tells how far it has come."""
    progress = Progress()
    for start in range(0, len(lines), BATCH):
        batch = lines[start : start + BATCH]
        entries, refused = _read(batch, start + 1)
        async with database.transaction() as tx:
            taken = await take_in(tx, display_id, entries, actor=actor)
        refused |= taken.refused
        progress.lines = start + len(batch)
        progress.stored += taken.stored
        progress.known += taken.known
        progress.refused += len(refused)
        progress.errors = [LineError(line, refused[line]) for line in sorted(refused)]
        yield _encode(progress) + b"\n"
    progress.errors, progress.done = [], True
    yield _encode(progress) + b"\n"


def _read(lines: Sequence[bytes], first: int) -> tuple[dict[int, Entry], dict[int, str]]:
    """What stands on the lines, and what is wrong with others; empty ones say nothing."""
    entries: dict[int, Entry] = {}
    refused: dict[int, str] = {}
    for number, line in enumerate(lines, first):
        try:
            if line.strip():
                entries[number] = read_line(line)
        except MessageInvalid as refusal:
            refused[number] = reason_of(refusal)
    return entries, refused
