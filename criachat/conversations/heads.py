"""What a thread shows of its conversation, for whoever only reads it: as SQL, and as it is decoded.

PostgreSQL takes longer to set up a join than to make it, and Python longer for a second trip than for what comes back
with the first. So this goes along, as one JSON value, with the statement that reads the thread.
"""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

import msgspec

from criachat.users.snapshots import Availability, Person


class ThreadPerson(msgspec.Struct, frozen=True, array_like=True):
    """Somebody who speaks in a thread or has it; whoever left the account has no `membership` in it."""

    id: int
    name: str
    display_name: str | None
    avatar_key: str | None
    membership: tuple[Availability | None, bool | None] | None

    @property
    def shown(self) -> Person:
        """What everybody is shown of them."""
        availability, auto_offline = self.membership or (None, None)
        return Person(
            id=self.id,
            name=self.name,
            available_name=self.display_name or self.name,
            avatar_key=self.avatar_key,
            availability=availability or "offline",
            auto_offline=auto_offline is not False,
        )


class ThreadHead(msgspec.Struct, frozen=True, array_like=True):
    """Who is in a thread, and up to when it was seen.

    It is what `Conversation` has for readers, who ask far more often than anybody else and need a third of it. What
    people keep in attributes stays the JSON that it is. The fields stand as they do in `head_of`.
    """

    account_id: int
    id: int
    display_id: int
    labels: list[str]
    additional_attributes: msgspec.Raw
    agent_last_seen_at: datetime | None
    assignee_last_seen_at: datetime | None
    named_assignee_id: int | None
    named_bot_id: int | None
    is_inbox_member: bool
    is_team_member: bool

    contact_id: int
    contact_name: str | None
    contact_email: str | None
    contact_phone_number: str | None
    contact_identifier: str | None
    contact_blocked: bool
    contact_avatar_key: str | None
    contact_additional_attributes: msgspec.Raw
    contact_custom_attributes: msgspec.Raw

    people: list[ThreadPerson] | None

    def person(self, user_id: int | None) -> ThreadPerson | None:
        """Who that is of those in the thread; nobody where they are gone."""
        return next((person for person in self.people or () if person.id == user_id), None)

    @property
    def assignee_id(self) -> int | None:
        """The person it is assigned to; of those who have left, a job takes the names away later."""
        person = self.person(self.named_assignee_id)
        return None if person is None or person.membership is None else person.id


decode_head = msgspec.json.Decoder(ThreadHead).decode

# Whether the person $3 belongs to its inbox, and to its team; not looked for where nobody is named.
MEMBER: LiteralString = """
        EXISTS (SELECT FROM inbox_members WHERE inbox_members.account_id = $1
            AND inbox_members.inbox_id = conversations.inbox_id AND inbox_members.user_id = $3),
        EXISTS (SELECT FROM team_members WHERE team_members.account_id = $1
            AND team_members.team_id = conversations.team_id AND team_members.user_id = $3),
"""
NOBODY: LiteralString = """
        $3::bigint IS NOT NULL, $3::bigint IS NOT NULL,
"""
HEAD_FROM: LiteralString = """
FROM conversations
JOIN inboxes ON inboxes.account_id = conversations.account_id AND inboxes.id = conversations.inbox_id
    AND inboxes.deleted_at IS NULL
JOIN contacts ON contacts.account_id = conversations.account_id AND contacts.id = conversations.contact_id
WHERE conversations.account_id = $1 AND conversations.display_id = $2
"""


def head_of(people: LiteralString, *, for_member: bool) -> LiteralString:
    """The head as JSON, of the conversation with the number $2 in the account $1, with these people and its assignee.

    It stands in front of `HEAD_FROM`. `people` is an array of user ids.
    """
    return (
        """json_build_array(
        conversations.account_id, conversations.id, conversations.display_id, conversations.labels,
        conversations.additional_attributes, conversations.agent_last_seen_at, conversations.assignee_last_seen_at,
        conversations.assignee_id, conversations.assignee_agent_bot_id,
"""
        + (MEMBER if for_member else NOBODY)
        + """
        contacts.id, contacts.name, contacts.email, contacts.phone_number, contacts.identifier, contacts.blocked,
        contacts.avatar_key, contacts.additional_attributes, contacts.custom_attributes,
        (SELECT json_agg(json_build_array(users.id, users.name, users.display_name, users.avatar_key,
            (SELECT json_build_array(account_users.availability, account_users.auto_offline) FROM account_users
             WHERE account_users.account_id = $1 AND account_users.user_id = users.id)))
         FROM users WHERE users.id = ANY("""
        + people
        + """ || conversations.assignee_id))
    )"""
    )
