"""What messages do later."""

from __future__ import annotations

import msgspec

from criachat.kit.jobs import JobContext, Jobs

jobs = Jobs("messages")


class DeleteFiles(msgspec.Struct, frozen=True):
    """Files that no attachment names any more."""

    keys: list[str]


@jobs.define()
async def delete_files(context: JobContext, params: DeleteFiles) -> None:
    """Remove the files of a message that was taken back; a second run finds them gone."""
    for key in params.keys:
        await context.files.delete(key)
