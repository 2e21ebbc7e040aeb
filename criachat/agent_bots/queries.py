"""The SQL of bots, and of the inboxes they answer in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

import msgspec

from criachat.agent_bots.models import MOST_BOTS, AgentBot
from criachat.kit import clock
from criachat.kit.db import Db, Tx

# A bot of the installation belongs to no account, although each has a row of it.
COLUMNS: LiteralString = """agent_bots.id,
    CASE WHEN system_bot_id IS NULL THEN agent_bots.account_id END AS account_id, agent_bots.name,
    agent_bots.description, agent_bots.outgoing_url, agent_bots.bot_config, agent_bots.avatar_key, agent_bots.secret,
    agent_bots.access_token, agent_bots.access_token_id
FROM agent_bots
"""
LIST_BOTS: LiteralString = "SELECT " + COLUMNS + "WHERE agent_bots.account_id = $1\nORDER BY agent_bots.id\nLIMIT $2"
FIND_BOT: LiteralString = "SELECT " + COLUMNS + "WHERE agent_bots.account_id = $1 AND agent_bots.id = $2"
LOCK_BOT: LiteralString = FIND_BOT + " AND system_bot_id IS NULL\nFOR UPDATE"
FIND_BOT_OF_INBOX: LiteralString = (
    "SELECT "
    + COLUMNS
    + """JOIN agent_bot_inboxes AS connected ON connected.account_id = $1 AND connected.agent_bot_id = agent_bots.id
WHERE agent_bots.account_id = $1 AND connected.inbox_id = $2
"""
)
SYSTEM_BOT: LiteralString = """
SELECT id, NULL::bigint AS account_id, name, description, outgoing_url, bot_config, avatar_key, secret, access_token,
    access_token_id
FROM system_bots
"""
FIND_SYSTEM_BOT: LiteralString = SYSTEM_BOT + "WHERE id = $1"
LOCK_SYSTEM_BOT: LiteralString = FIND_SYSTEM_BOT + "\nFOR UPDATE"
# Across accounts: an operator's app names bots by their id alone.
LIST_BOTS_BY_ID: LiteralString = (
    "SELECT "
    + COLUMNS
    + "WHERE agent_bots.id = ANY($1::bigint[]) AND system_bot_id IS NULL\nUNION ALL"
    + SYSTEM_BOT
    + "WHERE id = ANY($1::bigint[])\nORDER BY id\nLIMIT 1000"
)
COUNT_BOTS = "SELECT count(*) FROM agent_bots WHERE account_id = $1"
RESERVE_ID = "SELECT nextval('agent_bots_id_seq')"
INSERT_BOT = """
INSERT INTO agent_bots (account_id, id, name, description, outgoing_url, bot_config, avatar_key, secret, access_token,
    access_token_id, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
"""
INSERT_SYSTEM_BOT = """
INSERT INTO system_bots (id, name, description, outgoing_url, bot_config, avatar_key, secret, access_token,
    access_token_id, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
"""
# Across accounts: every account knows the bots of the installation, so that what it keeps can name them.
INTRODUCE = """
INSERT INTO agent_bots (account_id, id, name, description, avatar_key, system_bot_id, created_at, updated_at)
SELECT accounts.id, system_bots.id, system_bots.name, system_bots.description, system_bots.avatar_key, system_bots.id,
    $3, $3
FROM system_bots
CROSS JOIN accounts
WHERE ($1::bigint IS NULL OR system_bots.id = $1) AND ($2::bigint[] IS NULL OR accounts.id = ANY($2))
ON CONFLICT DO NOTHING
"""
SAVE_BOT = """
UPDATE agent_bots
SET name = $3, description = $4, outgoing_url = $5, bot_config = $6, avatar_key = $7, secret = $8, access_token = $9,
    access_token_id = $10, version = version + 1,
    updated_at = greatest($11, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
SAVE_SYSTEM_BOT = """
UPDATE system_bots
SET name = $2, description = $3, outgoing_url = $4, bot_config = $5, avatar_key = $6, secret = $7, access_token = $8,
    access_token_id = $9, updated_at = greatest($10, updated_at + interval '1 millisecond')
WHERE id = $1
"""
# Across accounts: the bot is called the same in all of them.
RENAME_EVERYWHERE = """
UPDATE agent_bots SET name = $2, description = $3, avatar_key = $4, version = version + 1,
    updated_at = greatest($5, updated_at + interval '1 millisecond')
WHERE system_bot_id = $1
"""
DELETE_BOT = "DELETE FROM agent_bots WHERE account_id = $1 AND id = $2"
DELETE_SYSTEM_BOT = "DELETE FROM system_bots WHERE id = $1"
# Across accounts: a bot of the installation may answer in inboxes of many.
LIST_CONNECTIONS = """
SELECT account_id, array_agg(inbox_id ORDER BY inbox_id) AS inbox_ids
FROM agent_bot_inboxes
WHERE agent_bot_id = $1
GROUP BY account_id
ORDER BY account_id
"""
CONNECT = """
INSERT INTO agent_bot_inboxes (account_id, inbox_id, agent_bot_id, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, inbox_id) DO UPDATE SET agent_bot_id = excluded.agent_bot_id
"""
DISCONNECT = "DELETE FROM agent_bot_inboxes WHERE account_id = $1 AND inbox_id = ANY($2::bigint[])"


class Connections(msgspec.Struct, frozen=True):
    """The inboxes of one account in which a bot answers."""

    account_id: int
    inbox_ids: list[int]


async def list_bots(db: Db, account_id: int) -> list[AgentBot]:
    """The account's bots and those of the installation, oldest first."""
    return await db.fetch_all(AgentBot, LIST_BOTS, account_id, MOST_BOTS)


async def count_bots(db: Db, account_id: int) -> int:
    """How many bots the account sees."""
    return await db.fetch_value(COUNT_BOTS, account_id)


async def find_bot(db: Db, account_id: int, bot_id: int) -> AgentBot | None:
    """A bot of the account or of the installation, or None."""
    return await db.fetch_one_or_none(AgentBot, FIND_BOT, account_id, bot_id)


async def lock_bot(tx: Tx, account_id: int, bot_id: int) -> AgentBot | None:
    """A bot of the account itself, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(AgentBot, LOCK_BOT, account_id, bot_id)


async def find_bot_of_inbox(db: Db, account_id: int, inbox_id: int) -> AgentBot | None:
    """The bot that answers in the inbox, or None."""
    return await db.fetch_one_or_none(AgentBot, FIND_BOT_OF_INBOX, account_id, inbox_id)


async def lock_system_bot(tx: Tx, bot_id: int) -> AgentBot | None:
    """A bot of the installation, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(AgentBot, LOCK_SYSTEM_BOT, bot_id)


async def list_bots_by_id(db: Db, bot_ids: Sequence[int]) -> list[AgentBot]:
    """Those of these bots that there are, whosever they are, oldest first."""
    return await db.fetch_all(AgentBot, LIST_BOTS_BY_ID, bot_ids)


async def reserve_id(tx: Tx) -> int:
    """The id of the next bot, for which its secrets are sealed before it is there."""
    return await tx.fetch_value(RESERVE_ID)


async def insert_bot(tx: Tx, bot: AgentBot) -> None:
    """Write a new bot; one of the installation becomes known in every account."""
    if bot.account_id is not None:
        await tx.execute(INSERT_BOT, bot.account_id, bot.id, *_values(bot), clock.now())
        return
    await tx.execute(INSERT_SYSTEM_BOT, bot.id, *_values(bot), clock.now())
    await tx.execute(INTRODUCE, bot.id, None, clock.now())


async def introduce_system_bots(tx: Tx, account_ids: Sequence[int]) -> None:
    """Make the bots of the installation known in these accounts."""
    await tx.execute(INTRODUCE, None, account_ids, clock.now())


async def save_bot(tx: Tx, bot: AgentBot) -> None:
    """Write what a bot became; one of the installation everywhere."""
    if bot.account_id is not None:
        await tx.execute(SAVE_BOT, bot.account_id, bot.id, *_values(bot), clock.now())
        return
    await tx.execute(SAVE_SYSTEM_BOT, bot.id, *_values(bot), clock.now())
    await tx.execute(RENAME_EVERYWHERE, bot.id, bot.name, bot.description, bot.avatar_key, clock.now())


async def delete_bot(tx: Tx, bot: AgentBot) -> None:
    """Remove a bot with its connections; what it said stays, its conversations are nobody's."""
    if bot.account_id is not None:
        await tx.execute(DELETE_BOT, bot.account_id, bot.id)
    else:
        await tx.execute(DELETE_SYSTEM_BOT, bot.id)


async def list_connections(db: Db, bot_id: int) -> list[Connections]:
    """In which inboxes a bot answers, account by account."""
    return await db.fetch_all(Connections, LIST_CONNECTIONS, bot_id)


async def connect(tx: Tx, account_id: int, inbox_id: int, bot_id: int) -> None:
    """Have the bot answer in the inbox, in place of any other."""
    await tx.execute(CONNECT, account_id, inbox_id, bot_id, clock.now())


async def disconnect(tx: Tx, account_id: int, inbox_ids: Sequence[int]) -> None:
    """Have no bot answer in these inboxes."""
    await tx.execute(DISCONNECT, account_id, inbox_ids)


def _values(bot: AgentBot) -> tuple[object, ...]:
    described = bot.name, bot.description, bot.outgoing_url, bot.bot_config, bot.avatar_key
    return (*described, bot.secret, bot.access_token, bot.access_token_id)
