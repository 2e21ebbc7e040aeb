"""The SQL that takes members, teams and bots who are gone out of conversations, a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, LiteralString

from criachat.kit.db import Db, Tx

Kind = Literal["member", "team", "bot"]

# Who was taken back meanwhile has not left any more; who is just let go of elsewhere is passed over.
LOCK_LEFT_MEMBER = """
SELECT user_id FROM named_members WHERE account_id = $1 AND left_at IS NOT NULL
ORDER BY user_id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
"""
LOCK_LEFT_TEAM = """
SELECT team_id FROM named_teams WHERE account_id = $1 AND left_at IS NOT NULL
ORDER BY team_id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
"""
LOCK_LEFT_BOT = """
SELECT agent_bot_id FROM named_bots WHERE account_id = $1 AND left_at IS NOT NULL
ORDER BY agent_bot_id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
"""
LET_GO_OF_MEMBER = "SELECT let_go_of_member($1, $2, $3)"
LET_GO_OF_TEAM = "SELECT let_go_of_team($1, $2, $3)"
LET_GO_OF_BOT = "SELECT let_go_of_bot($1, $2, $3)"
# The last of what names them goes with it.
FORGET_MEMBER = "DELETE FROM named_members WHERE account_id = $1 AND user_id = $2 AND left_at IS NOT NULL"
FORGET_TEAM = "DELETE FROM named_teams WHERE account_id = $1 AND team_id = $2 AND left_at IS NOT NULL"
FORGET_BOT = "DELETE FROM named_bots WHERE account_id = $1 AND agent_bot_id = $2 AND left_at IS NOT NULL"
# Across accounts: those from which somebody has left.
LIST_ACCOUNTS_LEFT = """
SELECT account_id FROM named_members WHERE left_at IS NOT NULL
UNION SELECT account_id FROM named_teams WHERE left_at IS NOT NULL
UNION SELECT account_id FROM named_bots WHERE left_at IS NOT NULL
UNION SELECT account_id FROM named_contacts WHERE left_at IS NOT NULL
ORDER BY account_id
"""

LOCKS: Final[Mapping[Kind, LiteralString]] = {
    "member": LOCK_LEFT_MEMBER,
    "team": LOCK_LEFT_TEAM,
    "bot": LOCK_LEFT_BOT,
}
LETTING_GO: Final[Mapping[Kind, LiteralString]] = {
    "member": LET_GO_OF_MEMBER,
    "team": LET_GO_OF_TEAM,
    "bot": LET_GO_OF_BOT,
}
FORGETTING: Final[Mapping[Kind, LiteralString]] = {"member": FORGET_MEMBER, "team": FORGET_TEAM, "bot": FORGET_BOT}


async def lock_left(tx: Tx, account_id: int, kind: Kind) -> int | None:
    """One who has left and is named still, kept from coming back until the transaction ends; None when nobody is."""
    return await tx.fetch_value(LOCKS[kind], account_id)


async def let_go(tx: Tx, account_id: int, kind: Kind, left_id: int, *, limit: int) -> int:
    """Take who has left out of so many conversations; how many rows named them."""
    return await tx.fetch_value(LETTING_GO[kind], account_id, left_id, limit)


async def forget(tx: Tx, account_id: int, kind: Kind, left_id: int) -> None:
    """Remove what stood for who has left, and with it the last names."""
    await tx.execute(FORGETTING[kind], account_id, left_id)


async def list_accounts_left(db: Db) -> list[int]:
    """Accounts in which somebody is named who has left."""
    return await db.fetch_values(LIST_ACCOUNTS_LEFT)
