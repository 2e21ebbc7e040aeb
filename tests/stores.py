"""What is in the file store, and what is left in it once the time of files has passed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from harness import Given

from criachat.kit import clock
from criachat.kit.jobs import JobContext
from criachat.messages.jobs import remove_files

# By then nobody waits any more for the bytes of a file, nor for the message that names it.
UNCLAIMED = timedelta(hours=2)


def folder_of(given: Given) -> Path:
    return given.world.parts.settings.data_directory() / "files" / str(given.account_id)


def files_of(given: Given) -> list[bytes]:
    """The contents of the account's files that there are, half-written ones included."""
    return sorted(path.read_bytes() for path in folder_of(given).rglob("*") if path.is_file())


async def swept(given: Given, later: timedelta = UNCLAIMED) -> None:
    """The job that removes files has run then, twice."""
    parts = given.world.parts
    clock.travel(later)
    context = JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)
    for _ in range(2):
        await remove_files(context)
