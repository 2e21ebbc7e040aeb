"""The SQL that reads conversations: one, a page of them, and their counts."""

from __future__ import annotations

from typing import LiteralString

from criachat.conversations.models import Conversation, Counts, ListFilter
from criachat.kit.db import Db
from criachat.kit.paging import containing

# A conversation is always read with everybody in it; every join is a look-up by primary key.
COLUMNS: LiteralString = """
    conversations.account_id, conversations.id, conversations.display_id, conversations.uuid, conversations.status,
    conversations.priority, conversations.labels, conversations.snoozed_until, conversations.additional_attributes,
    conversations.custom_attributes, conversations.unread_count, conversations.agent_last_seen_at,
    conversations.assignee_last_seen_at, conversations.contact_last_seen_at, conversations.last_activity_at,
    conversations.last_incoming_at, conversations.first_reply_created_at, conversations.waiting_since,
    conversations.last_messages, conversations.recent_minute, conversations.recent_count,
    conversations.sla_policy_id, conversations.version, conversations.created_at, conversations.updated_at,
    accounts.name AS account_name, accounts.locale AS account_locale,
    conversations.inbox_id, inboxes.name AS inbox_name, inboxes.channel_type, inboxes.has_active_bot,
    api_channels.additional_attributes ->> 'agent_reply_time_window' AS reply_window_hours,
    coalesce(api_channels.deduplicate_source_ids, false) AS deduplicates_source_ids,
    conversations.contact_id, contacts.name AS contact_name, contacts.email AS contact_email,
    contacts.phone_number AS contact_phone_number, contacts.identifier AS contact_identifier,
    contacts.blocked AS contact_blocked, contacts.avatar_key AS contact_avatar_key,
    contacts.additional_attributes AS contact_additional_attributes,
    contacts.custom_attributes AS contact_custom_attributes,
    contacts.last_activity_at AS contact_last_activity_at, contacts.created_at AS contact_created_at,
    conversations.contact_inbox_id, contact_inboxes.source_id, contact_inboxes.hmac_verified,
    contact_inboxes.pubsub_token, contact_inboxes.created_at AS contact_inbox_created_at,
    contact_inboxes.updated_at AS contact_inbox_updated_at,
    conversations.assignee_id, users.name AS assignee_name, users.display_name AS assignee_display_name,
    users.email AS assignee_email, users.provider AS assignee_provider,
    users.confirmed_at IS NOT NULL AS assignee_is_confirmed, users.custom_attributes AS assignee_custom_attributes,
    account_users.role AS assignee_role, account_users.availability AS assignee_availability,
    account_users.auto_offline AS assignee_auto_offline,
    conversations.assignee_agent_bot_id, agent_bots.name AS bot_name, agent_bots.description AS bot_description,
    conversations.team_id, teams.name AS team_name, teams.description AS team_description,
    teams.allow_auto_assign AS team_allow_auto_assign
"""
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
# $1 the account, $2 the person whose memberships are asked for, or null.
MEMBERSHIPS: LiteralString = """,
    EXISTS (SELECT FROM inbox_members WHERE inbox_members.account_id = $1
        AND inbox_members.inbox_id = conversations.inbox_id AND inbox_members.user_id = $2) AS is_inbox_member,
    EXISTS (SELECT FROM team_members WHERE team_members.account_id = $1
        AND team_members.team_id = conversations.team_id AND team_members.user_id = $2) AS is_team_member
"""
FIND_CONVERSATION: LiteralString = (
    "SELECT "
    + COLUMNS
    + MEMBERSHIPS
    + " FROM conversations "
    + JOINS
    + "WHERE conversations.account_id = $1 AND conversations.display_id = $3"
)
# The same, with a number of the sequence $4 taken along, so that what is written next knows its id beforehand.
FIND_CONVERSATION_AND_RESERVE: LiteralString = (
    "SELECT "
    + COLUMNS
    + MEMBERSHIPS
    + ", nextval($4::text::regclass) AS reserved_id FROM conversations "
    + JOINS
    + "WHERE conversations.account_id = $1 AND conversations.display_id = $3"
)
FIND_CONVERSATION_BY_ID: LiteralString = (
    "SELECT "
    + COLUMNS
    + MEMBERSHIPS
    + " FROM conversations "
    + JOINS
    + "WHERE conversations.account_id = $1 AND conversations.id = $3"
)
LOCK_CONVERSATION = "SELECT id FROM conversations WHERE account_id = $1 AND id = $2 FOR UPDATE"
LOCK_CONTACT_INBOX = "SELECT id FROM contact_inboxes WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE"
FIND_NEWEST_OF_SESSION = """
SELECT display_id FROM conversations WHERE account_id = $1 AND contact_inbox_id = $2 ORDER BY id DESC LIMIT 1
"""

# The page is found first, through one index; only its rows are joined.
PAGE_HEAD: LiteralString = """
WITH page AS MATERIALIZED (
    SELECT conversations.id
    FROM conversations
    WHERE conversations.account_id = $1
"""
COUNT_HEAD: LiteralString = """
SELECT count(*) FILTER (WHERE conversations.assignee_id = $2) AS mine_count,
    count(*) FILTER (WHERE conversations.assignee_id IS NULL) AS unassigned_count, count(*) AS all_count
FROM conversations
WHERE conversations.account_id = $1
"""
SUM_HEAD: LiteralString = """
SELECT coalesce(sum(difference) FILTER (WHERE conversations.assignee_id = $2), 0)::bigint AS mine_count,
    coalesce(sum(difference) FILTER (WHERE conversations.assignee_id IS NULL), 0)::bigint AS unassigned_count,
    coalesce(sum(difference), 0)::bigint AS all_count
FROM conversation_counts AS conversations
WHERE conversations.account_id = $1
"""
# The agent whose inboxes bound the list stands between the two.
VISIBLE_TO: tuple[LiteralString, LiteralString] = (
    "conversations.inbox_id IN (SELECT inbox_id FROM inbox_members WHERE account_id = $1 AND user_id = ",
    ")",
)
SORTS: dict[str, LiteralString] = {
    "last_activity_at_asc": "last_activity_at ASC, id ASC",
    "last_activity_at_desc": "last_activity_at DESC, id DESC",
    "created_at_asc": "created_at ASC, id ASC",
    "created_at_desc": "created_at DESC, id DESC",
    "priority_asc": "priority ASC NULLS LAST, last_activity_at DESC, id DESC",
    "priority_desc": "priority DESC NULLS LAST, last_activity_at DESC, id DESC",
    "waiting_since_asc": "waiting_since ASC NULLS LAST, created_at ASC, id ASC",
    "waiting_since_desc": "waiting_since DESC NULLS LAST, created_at ASC, id ASC",
}
DEFAULT_SORT = "last_activity_at_desc"
ALIASES = {
    "latest": DEFAULT_SORT,
    "sort_on_created_at": "created_at_asc",
    "sort_on_priority": "priority_desc",
    "sort_on_waiting_since": "waiting_since_asc",
}


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


async def lock_conversation(db: Db, account_id: int, conversation_id: int) -> None:
    """Keep others from changing it until the transaction ends."""
    await db.fetch_value(LOCK_CONVERSATION, account_id, conversation_id)


async def lock_contact_inbox(db: Db, account_id: int, contact_inbox_id: int) -> None:
    """Keep others from opening a conversation in this session until the transaction ends."""
    await db.fetch_value(LOCK_CONTACT_INBOX, account_id, contact_inbox_id)


async def find_newest_of_session(db: Db, account_id: int, contact_inbox_id: int) -> int | None:
    """The number of the session's newest conversation, whatever its status."""
    return await db.fetch_value(FIND_NEWEST_OF_SESSION, account_id, contact_inbox_id)


class Chosen:
    """The conditions of one list: literal fragments, and the values they bind."""

    def __init__(self, filters: ListFilter, *, account_id: int, user_id: int | None, limited_to: int | None) -> None:
        self.values: list[object] = [account_id, user_id]
        self.sql: LiteralString = ""
        self.can_be_summed = True
        if limited_to is not None:
            self._add(*VISIBLE_TO, limited_to)
        if filters.status is not None:
            self._add("conversations.status = ANY(", "::text[])", filters.status)
        if filters.inbox_id is not None:
            self._add("conversations.inbox_id = ", "", filters.inbox_id)
        if filters.team_id is not None:
            self._add("conversations.team_id = ", "", filters.team_id)
        self._add_uncounted(filters)

    def _add(self, before: LiteralString, after: LiteralString, value: object) -> None:
        self.values.append(value)
        self.sql += "  AND " + before + PLACEHOLDERS[len(self.values)] + after + "\n"

    def _add_uncounted(self, filters: ListFilter) -> None:
        """What the sums of `conversation_counts` cannot tell apart."""
        conditions: tuple[tuple[LiteralString, object, LiteralString], ...] = (
            ("conversations.labels && ", filters.labels, "::text[]"),
            ("conversations.contact_id = ", filters.contact_id, ""),
            ("conversations.contact_inbox_id = ", filters.contact_inbox_id, ""),
            ("conversations.updated_at > ", filters.updated_after, ""),
            (
                "EXISTS (SELECT FROM contact_inboxes WHERE contact_inboxes.account_id = $1 "
                "AND contact_inboxes.id = conversations.contact_inbox_id AND contact_inboxes.source_id = ",
                filters.source_id,
                ")",
            ),
            (
                "EXISTS (SELECT FROM messages WHERE messages.account_id = $1 "
                "AND messages.conversation_id = conversations.id AND messages.message_type IN (0, 1) "
                "AND messages.content ILIKE ",
                None if filters.words is None else containing(filters.words),
                ")",
            ),
        )
        for before, value, after in conditions:
            if value is not None:
                self.can_be_summed = False
                self._add(before, after, value)
        if filters.kind is not None:
            self.can_be_summed = False
            self.sql += KINDS[filters.kind]


PLACEHOLDERS: tuple[LiteralString, ...] = (
    "",
    "$1",
    "$2",
    "$3",
    "$4",
    "$5",
    "$6",
    "$7",
    "$8",
    "$9",
    "$10",
    "$11",
    "$12",
    "$13",
    "$14",
    "$15",
)
KINDS: dict[str, LiteralString] = {
    "mention": "  AND EXISTS (SELECT FROM mentions WHERE mentions.account_id = $1 "
    "AND mentions.conversation_id = conversations.id AND mentions.user_id = $2)\n",
    "participating": "  AND EXISTS (SELECT FROM conversation_participants AS taking_part "
    "WHERE taking_part.account_id = $1 AND taking_part.conversation_id = conversations.id "
    "AND taking_part.user_id = $2)\n",
    "unattended": "  AND (conversations.first_reply_created_at IS NULL OR conversations.waiting_since IS NOT NULL)\n",
}
ASSIGNEES: dict[str, LiteralString] = {
    "me": "  AND conversations.assignee_id = $2\n",
    "assigned": "  AND conversations.assignee_id IS NOT NULL\n",
    "unassigned": "  AND conversations.assignee_id IS NULL\n",
}


async def list_page(  # noqa: PLR0913 - what makes a page
    db: Db,
    filters: ListFilter,
    *,
    account_id: int,
    user_id: int | None,
    limited_to: int | None,
    sort: str = DEFAULT_SORT,
    limit: int = 25,
    offset: int = 0,
) -> list[Conversation]:
    """One page, in one statement. `user_id` is who asks, `limited_to` the agent whose inboxes bound the list."""
    chosen = Chosen(filters, account_id=account_id, user_id=user_id, limited_to=limited_to)
    order = SORTS.get(ALIASES.get(sort, sort), SORTS[DEFAULT_SORT])
    assignee: LiteralString = ASSIGNEES[filters.assignee] if filters.assignee else ""
    values = [*chosen.values, limit, offset]
    bounds: LiteralString = (
        " LIMIT " + PLACEHOLDERS[len(values) - 1] + "::bigint OFFSET " + PLACEHOLDERS[len(values)] + "::bigint)\n"
    )
    sql = (
        PAGE_HEAD
        + chosen.sql
        + assignee
        + "ORDER BY "
        + order
        + bounds
        + "SELECT "
        + COLUMNS
        + MEMBERSHIPS
        + " FROM page JOIN conversations ON conversations.account_id = $1 "
        + "AND conversations.id = page.id "
        + JOINS
        + "ORDER BY "
        + _qualified(order)
    )
    return await db.fetch_all(Conversation, sql, *values)


async def count(db: Db, filters: ListFilter, *, account_id: int, user_id: int | None, limited_to: int | None) -> Counts:
    """The numbers behind the tabs, whatever tab is open; summed up where the sums can tell, else counted."""
    chosen = Chosen(filters, account_id=account_id, user_id=user_id, limited_to=limited_to)
    head = SUM_HEAD if chosen.can_be_summed else COUNT_HEAD
    return await db.fetch_one(Counts, head + chosen.sql, *chosen.values)


def _qualified(order: LiteralString) -> LiteralString:
    """The same order, each column said to be the conversation's."""
    parts: list[LiteralString] = []
    for part in order.split(", "):
        parts.append("conversations." + part)
    return ", ".join(parts)
