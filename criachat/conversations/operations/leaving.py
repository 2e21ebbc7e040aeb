"""Members, teams and bots who are gone: conversations let go of them."""

from __future__ import annotations

from typing import Final

from criachat.conversations.operations.deleting import remove_some_of_left_contact
from criachat.conversations.queries import leaving
from criachat.conversations.queries.leaving import Kind
from criachat.kit.db import Tx

KINDS: Final[tuple[Kind, ...]] = ("member", "team", "bot")
BATCH = 200


async def let_go_of_some(tx: Tx, account_id: int) -> bool:
    """Take one who has left out of a batch of conversations; False when nobody is named any more who has left.

    The conversations of a contact who has left go.

    Nobody is told of each: whoever reads a conversation has not seen them since they left.
    """
    for kind in KINDS:
        left_id = await leaving.lock_left(tx, account_id, kind)
        if left_id is not None:
            if not await leaving.let_go(tx, account_id, kind, left_id, limit=BATCH):
                await leaving.forget(tx, account_id, kind, left_id)
            return True
    return await remove_some_of_left_contact(tx, account_id)
