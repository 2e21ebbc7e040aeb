"""The SQL of inboxes, their channels and their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from criachat.inboxes.models import Inbox, Removed, Usage, WorkingHours
from criachat.kit import clock
from criachat.kit.db import Db, Tx

# An inbox shows what its portal is called; portals are kept by a slice above, and only read here.
# $2 is the agent whose memberships bound what is visible, null for those who see every inbox.
INBOX: LiteralString = """
SELECT inboxes.id, inboxes.account_id, inboxes.channel_id, inboxes.channel_type, inboxes.name, inboxes.avatar_key,
    inboxes.greeting_enabled, inboxes.greeting_message, inboxes.working_hours_enabled, inboxes.working_hours,
    inboxes.out_of_office_message, inboxes.timezone, inboxes.enable_email_collect, inboxes.csat_survey_enabled,
    inboxes.csat_config, inboxes.enable_auto_assignment, inboxes.auto_assignment_config,
    inboxes.allow_messages_after_resolved, inboxes.lock_to_single_conversation, inboxes.sender_name_type,
    inboxes.business_name, inboxes.portal_id, inboxes.has_active_bot, inboxes.version, inboxes.created_at,
    inboxes.updated_at, api_channels.identifier, api_channels.webhook_url,
    coalesce(api_channels.hmac_mandatory, (channels.settings ->> 'hmac_mandatory')::boolean) AS hmac_mandatory,
    coalesce(api_channels.hmac_token, channels.hmac_token) AS hmac_token, api_channels.secret,
    api_channels.additional_attributes, api_channels.deduplicate_source_ids, channels.settings AS channel,
    channels.secrets AS channel_secrets, accounts.name AS account_name, accounts.domain AS account_domain,
    portals.name AS portal_name, portals.slug AS portal_slug,
    $2::bigint IS NULL OR EXISTS (SELECT FROM inbox_members WHERE inbox_members.account_id = $1
        AND inbox_members.inbox_id = inboxes.id AND inbox_members.user_id = $2) AS is_visible
FROM inboxes
JOIN accounts ON accounts.id = inboxes.account_id
LEFT JOIN api_channels ON inboxes.channel_type = 'Channel::Api' AND api_channels.account_id = $1
    AND api_channels.id = inboxes.channel_id
LEFT JOIN channels ON inboxes.channel_type <> 'Channel::Api' AND channels.account_id = $1
    AND channels.id = inboxes.channel_id
LEFT JOIN portals ON portals.account_id = $1 AND portals.id = inboxes.portal_id
WHERE inboxes.account_id = $1 AND inboxes.deleted_at IS NULL
"""
FIND_INBOX: LiteralString = INBOX + "  AND inboxes.id = $3"
LIST_INBOXES: LiteralString = INBOX + "ORDER BY lower(inboxes.name), inboxes.id\nLIMIT 2000"
# Websites of an account are few, so each of their forms is looked at.
FIND_ASKING = """
SELECT inboxes.id
FROM inboxes
JOIN channels ON channels.account_id = $1 AND channels.id = inboxes.channel_id
WHERE inboxes.account_id = $1 AND inboxes.channel_type = 'Channel::WebWidget' AND inboxes.deleted_at IS NULL
  AND inboxes.id > $4
  AND channels.settings -> 'pre_chat_form_options' -> 'pre_chat_fields'
      @> jsonb_build_array(jsonb_build_object('name', $2::text, 'field_type', $3::text))
ORDER BY inboxes.id
LIMIT 1
"""
LIST_INBOXES_BY_ID: LiteralString = INBOX + "  AND inboxes.id = ANY($3::bigint[])"
HAS_PORTAL = "SELECT EXISTS (SELECT FROM portals WHERE account_id = $1 AND id = $2)"
RESERVE_CHANNEL_ID = "SELECT nextval('api_channels_id_seq')"
INSERT_API_CHANNEL = """
INSERT INTO api_channels (account_id, id, identifier, hmac_token, secret) VALUES ($1, $2, $3, $4, $5)
"""
INSERT_CHANNEL = "INSERT INTO channels (account_id, id, hmac_token) VALUES ($1, $2, $3)"
INSERT_INBOX = """
INSERT INTO inboxes (account_id, channel_id, channel_type, name, working_hours, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
RETURNING id
"""
SAVE_INBOX = """
UPDATE inboxes
SET name = $3, greeting_enabled = $4, greeting_message = $5, working_hours_enabled = $6, working_hours = $7,
    out_of_office_message = $8, timezone = $9, enable_email_collect = $10, csat_survey_enabled = $11,
    csat_config = $12, enable_auto_assignment = $13, auto_assignment_config = $14,
    allow_messages_after_resolved = $15, lock_to_single_conversation = $16, sender_name_type = $17,
    business_name = $18, avatar_key = $19, portal_id = $20, version = version + 1,
    updated_at = greatest($21, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
SAVE_API_CHANNEL = """
UPDATE api_channels
SET webhook_url = $3, hmac_mandatory = $4, additional_attributes = $5, deduplicate_source_ids = $6, identifier = $7,
    hmac_token = $8
WHERE account_id = $1 AND id = $2
"""
SAVE_CHANNEL = "UPDATE channels SET settings = $3, secrets = $4, hmac_token = $5 WHERE account_id = $1 AND id = $2"
LOCK_INBOX = "SELECT id FROM inboxes WHERE account_id = $1 AND id = $2 FOR UPDATE"
MARK_DELETED = """
UPDATE inboxes SET deleted_at = $3, version = version + 1 WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL
"""
# Sessions go first, in batches: with them everything that was said.
DELETE_INBOX = """
DELETE FROM inboxes
WHERE account_id = $1 AND id = $2 AND deleted_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM contact_inboxes WHERE account_id = $1 AND inbox_id = $2)
RETURNING channel_id, avatar_key
"""
IS_LEFT = "SELECT true FROM inboxes WHERE account_id = $1 AND id = $2 AND deleted_at IS NOT NULL"
DELETE_API_CHANNEL = "DELETE FROM api_channels WHERE account_id = $1 AND id = $2"
DELETE_CHANNEL = "DELETE FROM channels WHERE account_id = $1 AND id = $2"
MARK_BOT = """
UPDATE inboxes
SET has_active_bot = $3, version = version + 1, updated_at = greatest($4, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = ANY($2::bigint[]) AND has_active_bot <> $3
"""
FIND_USAGE = """
SELECT limits,
    (SELECT count(*) FROM account_users WHERE account_users.account_id = $1) AS agents,
    (SELECT count(*) FROM inboxes WHERE inboxes.account_id = $1 AND inboxes.deleted_at IS NULL
        AND inboxes.channel_type <> 'Channel::WebWidget') AS non_web_inboxes
FROM accounts
WHERE id = $1
"""
LIST_MEMBER_IDS = "SELECT user_id FROM inbox_members WHERE account_id = $1 AND inbox_id = $2 ORDER BY user_id"
INSERT_MEMBERS = """
INSERT INTO inbox_members (account_id, inbox_id, user_id, created_at)
SELECT $1, $2, new.user_id, $4 FROM unnest($3::bigint[]) AS new (user_id)
ON CONFLICT DO NOTHING
"""
DELETE_MEMBERS = "DELETE FROM inbox_members WHERE account_id = $1 AND inbox_id = $2 AND user_id = ANY($3::bigint[])"
DELETE_OTHER_MEMBERS = """
DELETE FROM inbox_members WHERE account_id = $1 AND inbox_id = $2 AND NOT user_id = ANY($3::bigint[])
"""
IS_MEMBER = """
SELECT EXISTS (SELECT FROM inbox_members WHERE account_id = $1 AND inbox_id = $2 AND user_id = $3)
"""
LIST_COMMON_MEMBER_IDS = """
SELECT user_id FROM inbox_members
WHERE account_id = $1 AND inbox_id = ANY($2::bigint[])
GROUP BY user_id
HAVING count(*) = cardinality($2::bigint[])
"""


async def find_inbox(db: Db, account_id: int, inbox_id: int, *, limited_to: int | None = None) -> Inbox | None:
    """The inbox, and whether the agent may see it."""
    return await db.fetch_one_or_none(Inbox, FIND_INBOX, account_id, limited_to, inbox_id)


async def list_inboxes(db: Db, account_id: int, *, limited_to: int | None) -> list[Inbox]:
    """The account's inboxes by name, each with whether the agent may see it."""
    return await db.fetch_all(Inbox, LIST_INBOXES, account_id, limited_to)


async def list_inboxes_by_id(
    db: Db, account_id: int, inbox_ids: Sequence[int], *, limited_to: int | None
) -> list[Inbox]:
    """Those of these inboxes that the account has, each with whether the agent may see it."""
    return await db.fetch_all(Inbox, LIST_INBOXES_BY_ID, account_id, limited_to, inbox_ids)


async def has_portal(db: Db, account_id: int, portal_id: int) -> bool:
    """Whether the account has this help centre."""
    return await db.fetch_value(HAS_PORTAL, account_id, portal_id)


async def reserve_channel_id(tx: Tx) -> int:
    """The id of the next channel; its secrets are sealed for it before it is there."""
    return await tx.fetch_value(RESERVE_CHANNEL_ID)


async def insert_api_channel(
    tx: Tx, account_id: int, channel_id: int, *, identifier: str, hmac_token: bytes, secret: bytes
) -> None:
    """A new API channel with everything else at its default."""
    await tx.execute(INSERT_API_CHANNEL, account_id, channel_id, identifier, hmac_token, secret)


async def insert_channel(tx: Tx, account_id: int, channel_id: int, *, hmac_token: bytes | None) -> None:
    """A new channel of another kind, to be set up."""
    await tx.execute(INSERT_CHANNEL, account_id, channel_id, hmac_token)


async def insert_inbox(
    tx: Tx, account_id: int, *, channel_id: int, channel_type: str, name: str, week: Sequence[WorkingHours]
) -> int:
    """A new inbox with everything else at its default; its id."""
    return await tx.fetch_value(INSERT_INBOX, account_id, channel_id, channel_type, name, week, clock.now())


async def save_inbox(tx: Tx, inbox: Inbox) -> None:
    """Write what an inbox and its channel became."""
    await tx.execute(
        SAVE_INBOX,
        inbox.account_id,
        inbox.id,
        inbox.name,
        inbox.greeting_enabled,
        inbox.greeting_message,
        inbox.working_hours_enabled,
        inbox.working_hours,
        inbox.out_of_office_message,
        inbox.timezone,
        inbox.enable_email_collect,
        inbox.csat_survey_enabled,
        inbox.csat_config,
        inbox.enable_auto_assignment,
        inbox.auto_assignment_config,
        inbox.allow_messages_after_resolved,
        inbox.lock_to_single_conversation,
        inbox.sender_name_type,
        inbox.business_name,
        inbox.avatar_key,
        inbox.portal_id,
        clock.now(),
    )
    key = inbox.account_id, inbox.channel_id
    if inbox.channel is None:
        await tx.execute(
            SAVE_API_CHANNEL,
            *key,
            inbox.webhook_url,
            inbox.hmac_mandatory,
            inbox.additional_attributes,
            inbox.deduplicate_source_ids,
            inbox.identifier,
            inbox.hmac_token,
        )
    else:
        await tx.execute(SAVE_CHANNEL, *key, inbox.channel, inbox.channel_secrets, inbox.hmac_token)


async def lock_inbox(tx: Tx, account_id: int, inbox_id: int) -> None:
    """Keep others from changing it until the transaction ends."""
    await tx.fetch_value(LOCK_INBOX, account_id, inbox_id)


async def mark_deleted(tx: Tx, inbox: Inbox) -> bool:
    """Hide it; False when it was hidden already."""
    return await tx.execute(MARK_DELETED, inbox.account_id, inbox.id, clock.now()) > 0


async def mark_bot(tx: Tx, account_id: int, inbox_ids: Sequence[int], *, has_active_bot: bool) -> bool:
    """Write whether a bot answers first in these inboxes; False when that was so already."""
    return await tx.execute(MARK_BOT, account_id, inbox_ids, has_active_bot, clock.now()) > 0


async def delete_inbox(tx: Tx, account_id: int, inbox_id: int) -> Removed | None:
    """Remove a hidden inbox with its channel; None when it is not there, or sessions of it are."""
    removed = await tx.fetch_one_or_none(Removed, DELETE_INBOX, account_id, inbox_id)
    if removed is not None:
        await tx.execute(DELETE_API_CHANNEL, account_id, removed.channel_id)
        await tx.execute(DELETE_CHANNEL, account_id, removed.channel_id)
    return removed


async def is_left(db: Db, account_id: int, inbox_id: int) -> bool:
    """Whether a hidden inbox is still there."""
    return await db.fetch_value(IS_LEFT, account_id, inbox_id) is not None


async def list_member_ids(db: Db, inbox: Inbox) -> list[int]:
    """Who is in it."""
    return await db.fetch_values(LIST_MEMBER_IDS, inbox.account_id, inbox.id)


async def find_asking(db: Db, account_id: int, name: str, field_type: str, *, after: int) -> int | None:
    """The next website whose form asks this, in the order of ids; None when there are no more."""
    return await db.fetch_value(FIND_ASKING, account_id, name, field_type, after)


async def is_member(db: Db, account_id: int, inbox_id: int, user_id: int) -> bool:
    """Whether this person is in it."""
    return await db.fetch_value(IS_MEMBER, account_id, inbox_id, user_id)


async def list_common_member_ids(db: Db, account_id: int, inbox_ids: Sequence[int]) -> list[int]:
    """Who is in every one of these inboxes."""
    return await db.fetch_values(LIST_COMMON_MEMBER_IDS, account_id, list(dict.fromkeys(inbox_ids)))


async def insert_members(tx: Tx, inbox: Inbox, user_ids: Sequence[int]) -> None:
    """Add people."""
    await tx.execute(INSERT_MEMBERS, inbox.account_id, inbox.id, user_ids, clock.now())


async def delete_members(tx: Tx, inbox: Inbox, user_ids: Sequence[int]) -> None:
    """Take people out."""
    await tx.execute(DELETE_MEMBERS, inbox.account_id, inbox.id, user_ids)


async def delete_other_members(tx: Tx, inbox: Inbox, user_ids: Sequence[int]) -> None:
    """Take everybody else out."""
    await tx.execute(DELETE_OTHER_MEMBERS, inbox.account_id, inbox.id, user_ids)


async def find_usage(db: Db, account_id: int) -> Usage:
    """What the account is allowed, and how much of it there is."""
    return await db.fetch_one(Usage, FIND_USAGE, account_id)
