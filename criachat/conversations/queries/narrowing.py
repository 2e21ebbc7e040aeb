"""What narrows lists of conversations down: who asks, and what they ask for beside the filter language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

import msgspec

from criachat.conversations.models import ListFilter
from criachat.conversations.shares import Listed
from criachat.kit.paging import containing
from criachat.kit.places import bound

# Agents see what is in their inboxes: where nothing else narrows the list down, it is read inbox by inbox.
VISIBLE: tuple[LiteralString, LiteralString] = (
    "conversations.inbox_id IN (SELECT inbox_id FROM inbox_members WHERE account_id = $1 AND user_id = ",
    ")",
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


SHARES: dict[Listed, LiteralString] = {
    "all": "",
    "mine_and_unassigned": "  AND (conversations.assignee_id = $2 OR conversations.assignee_id IS NULL)\n",
    "mine": "  AND conversations.assignee_id = $2\n",
    "none": "  AND false\n",
}


class Narrowing(msgspec.Struct, frozen=True):
    """A condition that binds one value, between two literals."""

    before: LiteralString
    value: object
    after: LiteralString = ""


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a list: `limited_to` is the agent whose inboxes bound it, `listed` what a role shows of those."""

    account_id: int
    user_id: int | None
    limited_to: int | None
    listed: Listed = "all"


def counted(filters: ListFilter) -> list[Narrowing]:
    """What the sums of `conversation_counts` can tell apart."""
    return _asked(
        Narrowing("conversations.inbox_id = ", filters.inbox_id), Narrowing("conversations.team_id = ", filters.team_id)
    )


def uncounted(filters: ListFilter) -> list[Narrowing]:
    """What they cannot."""
    return _asked(
        # Most conversations have no label and are left out of the index of labels.
        Narrowing("conversations.labels <> '{}' AND conversations.labels && ", filters.labels, "::text[]"),
        Narrowing("conversations.contact_id = ", filters.contact_id),
        Narrowing("conversations.contact_inbox_id = ", filters.contact_inbox_id),
        Narrowing("conversations.updated_at > ", filters.updated_after),
        Narrowing(
            "conversations.contact_inbox_id IN (SELECT id FROM contact_inboxes WHERE account_id = $1 AND source_id = ",
            filters.source_id,
            ")",
        ),
        Narrowing(
            "EXISTS (SELECT FROM messages WHERE messages.account_id = $1 "
            "AND messages.conversation_id = conversations.id AND messages.message_type IN (0, 1) "
            "AND messages.content ILIKE ",
            None if filters.words is None else containing(filters.words),
            ")",
        ),
    )


def visible(asker: Asker) -> list[Narrowing]:
    """What is in the inboxes of an agent."""
    return _asked(Narrowing(VISIBLE[0], asker.limited_to, VISIBLE[1]))


def narrowings_sql(values: list[object], conditions: Sequence[Narrowing]) -> LiteralString:
    """All of these conditions."""
    sql: LiteralString = ""
    for condition in conditions:
        sql += "  AND " + narrowing_sql(values, condition) + "\n"
    return sql


def narrowing_sql(values: list[object], condition: Narrowing) -> LiteralString:
    """The condition with its value's number; the value joins the others."""
    return condition.before + bound(values, condition.value) + condition.after


def _asked(*conditions: Narrowing) -> list[Narrowing]:
    return [condition for condition in conditions if condition.value is not None]
