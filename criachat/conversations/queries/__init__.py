"""The SQL that reads one conversation, with everybody in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from criachat.conversations.models import Conversation
from criachat.kit.db import Db, Tx

# A conversation is always read with everybody in it, and with whether the person $2 of the account $1 belongs to its
# inbox or team; every join is a look-up by primary key.
OWN_COLUMNS: LiteralString = """
    conversations.account_id, conversations.id, conversations.display_id, conversations.uuid, conversations.status,
    conversations.priority, conversations.labels, conversations.snoozed_until, conversations.additional_attributes,
    conversations.custom_attributes, conversations.unread_count, conversations.agent_last_seen_at,
    conversations.assignee_last_seen_at, conversations.contact_last_seen_at, conversations.last_activity_at,
    conversations.last_incoming_at, conversations.first_reply_created_at, conversations.waiting_since,
    conversations.last_messages, conversations.recent_minute, conversations.recent_count,
    conversations.sla_policy_id, conversations.version, conversations.created_at, conversations.updated_at,
    conversations.inbox_id, conversations.contact_id, conversations.contact_inbox_id
"""
# Whom it names. Of those who have left, a job takes the names away later: who reads it sees nobody in their place.
NAMED: LiteralString = """,
    conversations.assignee_id, conversations.assignee_agent_bot_id, conversations.team_id
"""
COLUMNS: LiteralString = (
    OWN_COLUMNS
    + """,
    account_users.user_id AS assignee_id, agent_bots.id AS assignee_agent_bot_id, teams.id AS team_id,
    accounts.name AS account_name, accounts.locale AS account_locale,
    inboxes.name AS inbox_name, inboxes.channel_type, inboxes.has_active_bot,
    api_channels.additional_attributes ->> 'agent_reply_time_window' AS reply_window_hours,
    coalesce(api_channels.deduplicate_source_ids, false) AS deduplicates_source_ids,
    contacts.name AS contact_name, contacts.email AS contact_email, contacts.phone_number AS contact_phone_number,
    contacts.identifier AS contact_identifier, contacts.blocked AS contact_blocked,
    contacts.avatar_key AS contact_avatar_key, contacts.additional_attributes AS contact_additional_attributes,
    contacts.custom_attributes AS contact_custom_attributes,
    contacts.last_activity_at AS contact_last_activity_at, contacts.created_at AS contact_created_at,
    contact_inboxes.source_id, contact_inboxes.hmac_verified, contact_inboxes.pubsub_token,
    contact_inboxes.created_at AS contact_inbox_created_at, contact_inboxes.updated_at AS contact_inbox_updated_at,
    users.name AS assignee_name, users.display_name AS assignee_display_name, users.email AS assignee_email,
    users.provider AS assignee_provider, users.confirmed_at IS NOT NULL AS assignee_is_confirmed,
    users.custom_attributes AS assignee_custom_attributes, account_users.role AS assignee_role,
    account_users.custom_role_id AS assignee_custom_role_id,
    account_users.availability AS assignee_availability, account_users.auto_offline AS assignee_auto_offline,
    users.avatar_key AS assignee_avatar_key,
    agent_bots.name AS bot_name, agent_bots.description AS bot_description, agent_bots.avatar_key AS bot_avatar_key,
    agent_bots.outgoing_url AS bot_outgoing_url, agent_bots.system_bot_id IS NOT NULL AS is_system_bot,
    teams.name AS team_name, teams.description AS team_description, teams.allow_auto_assign AS team_allow_auto_assign,
    EXISTS (SELECT FROM inbox_members WHERE inbox_members.account_id = $1
        AND inbox_members.inbox_id = conversations.inbox_id AND inbox_members.user_id = $2) AS is_inbox_member,
    EXISTS (SELECT FROM team_members WHERE team_members.account_id = $1
        AND team_members.team_id = conversations.team_id AND team_members.user_id = $2) AS is_team_member
"""
)
JOINS: LiteralString = """
JOIN accounts ON accounts.id = conversations.account_id
JOIN inboxes ON inboxes.account_id = conversations.account_id AND inboxes.id = conversations.inbox_id
    AND inboxes.deleted_at IS NULL
LEFT JOIN api_channels ON inboxes.channel_type = 'Channel::Api' AND api_channels.account_id = conversations.account_id
    AND api_channels.id = inboxes.channel_id
JOIN contacts ON contacts.account_id = conversations.account_id AND contacts.id = conversations.contact_id
JOIN contact_inboxes ON contact_inboxes.account_id = conversations.account_id
    AND contact_inboxes.id = conversations.contact_inbox_id
LEFT JOIN account_users ON account_users.account_id = conversations.account_id
    AND account_users.user_id = conversations.assignee_id
LEFT JOIN users ON users.id = account_users.user_id
LEFT JOIN agent_bots ON agent_bots.account_id = conversations.account_id
    AND agent_bots.id = conversations.assignee_agent_bot_id
LEFT JOIN teams ON teams.account_id = conversations.account_id AND teams.id = conversations.team_id
"""
FIND_CONVERSATION: LiteralString = (
    "SELECT"
    + COLUMNS
    + "FROM conversations"
    + JOINS
    + "WHERE conversations.account_id = $1 AND conversations.display_id = $3"
)
# The same, with a number of the sequence $4 taken along, so that what is written next knows its id beforehand.
FIND_CONVERSATION_AND_RESERVE: LiteralString = (
    "SELECT nextval($4::text::regclass) AS reserved_id,"
    + COLUMNS
    + "FROM conversations"
    + JOINS
    + "WHERE conversations.account_id = $1 AND conversations.display_id = $3"
)
FIND_CONVERSATION_BY_ID: LiteralString = (
    "SELECT" + COLUMNS + "FROM conversations" + JOINS + "WHERE conversations.account_id = $1 AND conversations.id = $3"
)
LIST_CONVERSATIONS_BY_ID: LiteralString = (
    "SELECT"
    + COLUMNS
    + "FROM conversations"
    + JOINS
    + "WHERE conversations.account_id = $1 AND conversations.id = ANY($3::bigint[]) ORDER BY conversations.id"
)
LOCK_CONVERSATION = "SELECT id FROM conversations WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE"
LOCK_CONTACT_INBOX = "SELECT id FROM contact_inboxes WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE"
OPENING_LOCK = 7_415
HOLD_OPENING = "SELECT pg_advisory_xact_lock($1, hashtext($2))"
# A blocked contact's conversations begin resolved: with them, the newest goes on.
FIND_NEWEST_OF_CONTACT = """
SELECT display_id FROM conversations
WHERE account_id = $1 AND contact_id = $2 AND inbox_id = $3 AND (status <> 'resolved' OR $4)
ORDER BY last_activity_at DESC, id DESC
LIMIT 1
"""
FIND_NEWEST_OF_SESSION = """
SELECT display_id FROM conversations WHERE account_id = $1 AND contact_inbox_id = $2 ORDER BY id DESC LIMIT 1
"""


async def find_conversation(db: Db, account_id: int, user_id: int | None, display_id: int) -> Conversation | None:
    """The conversation with this number, and whether the person belongs to its inbox or team."""
    return await db.fetch_one_or_none(Conversation, FIND_CONVERSATION, account_id, user_id, display_id)


async def find_conversation_and_reserve(
    db: Db, account_id: int, user_id: int | None, display_id: int, sequence: str
) -> Conversation | None:
    """The same, with the next number of a sequence as its `reserved_id`."""
    return await db.fetch_one_or_none(
        Conversation, FIND_CONVERSATION_AND_RESERVE, account_id, user_id, display_id, sequence
    )


async def find_conversation_by_id(
    db: Db, account_id: int, user_id: int | None, conversation_id: int
) -> Conversation | None:
    """The conversation with this database id."""
    return await db.fetch_one_or_none(Conversation, FIND_CONVERSATION_BY_ID, account_id, user_id, conversation_id)


async def lock_conversation(tx: Tx, account_id: int, conversation_id: int) -> None:
    """Keep others from changing it until the transaction ends."""
    await tx.fetch_value(LOCK_CONVERSATION, account_id, conversation_id)


async def lock_contact_inbox(tx: Tx, account_id: int, contact_inbox_id: int) -> None:
    """Keep others from opening a conversation in this session until the transaction ends."""
    await tx.fetch_value(LOCK_CONTACT_INBOX, account_id, contact_inbox_id)


async def hold_opening(tx: Tx, account_id: int, inbox_id: int, contact_id: int) -> None:
    """Keep others who find or open a conversation of this contact in this inbox waiting until the transaction ends.

    Not by a lock on a row: who writes a message holds the conversation when they come to the contact.
    """
    await tx.fetch_value(HOLD_OPENING, OPENING_LOCK, f"{account_id}:{inbox_id}:{contact_id}")


async def find_newest_of_contact(
    db: Db, account_id: int, contact_id: int, inbox_id: int, *, with_resolved: bool
) -> int | None:
    """The number of the conversation in this inbox in which the contact, or somebody to them, spoke last."""
    return await db.fetch_value(FIND_NEWEST_OF_CONTACT, account_id, contact_id, inbox_id, with_resolved)


async def find_newest_of_session(db: Db, account_id: int, contact_inbox_id: int) -> int | None:
    """The number of the session's newest conversation, whatever its status."""
    return await db.fetch_value(FIND_NEWEST_OF_SESSION, account_id, contact_inbox_id)


async def list_conversations_by_id(db: Db, account_id: int, conversation_ids: Sequence[int]) -> list[Conversation]:
    """Those of these database ids that there are, oldest first; whether anybody belongs to them is not asked."""
    return await db.fetch_all(Conversation, LIST_CONVERSATIONS_BY_ID, account_id, None, conversation_ids)
