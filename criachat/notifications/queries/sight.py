"""The SQL of whether somebody may open the conversation that a notification is about."""

from __future__ import annotations

from typing import LiteralString

from criachat.conversations.shares import MANAGE_ALL, MANAGE_PARTICIPATING, MANAGE_UNASSIGNED

# Behind `account_users`: the role of the account's own that bounds what the person sees, if they have one.
ROLE: LiteralString = """LEFT JOIN custom_roles ON custom_roles.account_id = $1
    AND custom_roles.id = account_users.custom_role_id AND account_users.role <> 'administrator'
"""
SEES_INBOX: LiteralString = """(account_users.role = 'administrator' OR EXISTS (
        SELECT FROM inbox_members WHERE inbox_members.account_id = $1
            AND inbox_members.inbox_id = conversations.inbox_id AND inbox_members.user_id = account_users.user_id
    ))"""
IN_ITS_TEAM: LiteralString = """EXISTS (
        SELECT FROM team_members WHERE team_members.account_id = $1
            AND team_members.team_id = conversations.team_id AND team_members.user_id = account_users.user_id
    )"""
SHOWN_BY_ROLE: LiteralString = (
    "(custom_roles.id IS NULL OR '"
    + MANAGE_ALL
    + "' = ANY (custom_roles.permissions)\n    OR (conversations.assignee_id = account_users.user_id"
    + " AND custom_roles.permissions && ARRAY['"
    + MANAGE_UNASSIGNED
    + "', '"
    + MANAGE_PARTICIPATING
    + "'])\n    OR (conversations.assignee_id IS NULL AND '"
    + MANAGE_UNASSIGNED
    + "' = ANY (custom_roles.permissions))\n    OR ('"
    + MANAGE_PARTICIPATING
    + """' = ANY (custom_roles.permissions) AND EXISTS (
        SELECT FROM conversation_participants AS taking_part
        WHERE taking_part.account_id = $1 AND taking_part.conversation_id = conversations.id
            AND taking_part.user_id = account_users.user_id
    )))"""
)
