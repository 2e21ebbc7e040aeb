"""What a thread shows of its conversation, for whoever only reads it: as SQL, and as it is decoded.

PostgreSQL takes longer to set up a join than to make it, and Python longer for a second trip than for what comes back
with the first. So this goes along, as one JSON value, with the statement that reads the thread.
"""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

import msgspec


class ThreadHead(msgspec.Struct, frozen=True, array_like=True):
    """Who is in a thread, and up to when it was seen.

    It is what `Conversation` has for readers, who ask far more often than anybody else and need a third of it. Whom it
    is assigned to stands there after they have left as well, until a job takes the name away. What people keep in
    attributes stays the JSON that it is. The fields stand as they do in `HEAD`.
    """

    account_id: int
    id: int
    display_id: int
    labels: list[str]
    additional_attributes: msgspec.Raw
    agent_last_seen_at: datetime | None
    assignee_last_seen_at: datetime | None
    assignee_id: int | None
    assignee_agent_bot_id: int | None
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
# The head as JSON, of the conversation with the number $2 in the account $1.
HEAD: tuple[LiteralString, LiteralString] = (
    """json_build_array(
        conversations.account_id, conversations.id, conversations.display_id, conversations.labels,
        conversations.additional_attributes, conversations.agent_last_seen_at, conversations.assignee_last_seen_at,
        conversations.assignee_id, conversations.assignee_agent_bot_id,
""",
    """
        contacts.id, contacts.name, contacts.email, contacts.phone_number, contacts.identifier, contacts.blocked,
        contacts.avatar_key, contacts.additional_attributes, contacts.custom_attributes
    )
FROM conversations
JOIN inboxes ON inboxes.account_id = conversations.account_id AND inboxes.id = conversations.inbox_id
    AND inboxes.deleted_at IS NULL
JOIN contacts ON contacts.account_id = conversations.account_id AND contacts.id = conversations.contact_id
WHERE conversations.account_id = $1 AND conversations.display_id = $2
""",
)
HEAD_FOR_ALL: LiteralString = HEAD[0] + NOBODY + HEAD[1]
HEAD_FOR_MEMBER: LiteralString = HEAD[0] + MEMBER + HEAD[1]
