"""The files that rules and macros send: held for as long as one of them names them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from criachat.automation.errors import AttachmentInvalid
from criachat.automation.models import files_of
from criachat.automation.queries import files as queries
from criachat.kit.db import Db, Tx
from criachat.messages import access as messages
from criachat.messages.models import Upload
from criachat.messages.operations.uploads import hold_uploads, release_uploads


async def hold_files(tx: Tx, account_id: int, *, before: Collection[int], after: Collection[int]) -> None:
    """Keep the files that are named now, and let go those that nothing names any more.

    Called once what names them is written. Their rows are locked before it is asked who else names them, so that a rule
    that begins to at the same moment keeps them.
    """
    gone = set(before) - set(after)
    await hold_uploads(tx, account_id, sorted(gone))
    if not await hold_uploads(tx, account_id, sorted(set(after) - set(before))):
        raise AttachmentInvalid
    if gone:
        named = await queries.list_named(tx, account_id, sorted(gone))
        await release_uploads(tx, account_id, sorted(gone - set(named)))


async def find_files(db: Db, account_id: int, lists: Sequence[Sequence[dict[str, Any]]]) -> dict[int, Upload]:
    """The files that any of these lists of actions send, by number; no file, no statement."""
    wanted = {number for actions in lists for number in files_of(actions)}
    return await messages.list_uploads(db, account_id, sorted(wanted))
