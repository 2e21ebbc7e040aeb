"""The SQL of sockets: who may listen."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.kit.db import Db
from criachat.realtime.models import Member, Participation, Visitor

# Accounts that are suspended have no members here. Whoever was invited and has yet to say that it is them is one, but
# nothing proves that they are: somebody else may have signed up with their address.
LIST_MEMBERS = """
SELECT account_users.account_id, account_users.user_id,
    CASE WHEN users.confirmed_at IS NOT NULL OR users.password_hash IS NOT NULL THEN users.pubsub_token
        ELSE gen_random_uuid()::text END AS pubsub_token,
    account_users.role, account_users.availability, account_users.auto_offline,
    ARRAY(
        SELECT inbox_members.inbox_id FROM inbox_members
        WHERE inbox_members.account_id = account_users.account_id AND inbox_members.user_id = account_users.user_id
    ) AS inbox_ids, custom_roles.permissions
FROM account_users
LEFT JOIN custom_roles ON custom_roles.account_id = account_users.account_id
    AND custom_roles.id = account_users.custom_role_id
JOIN users ON users.id = account_users.user_id
JOIN accounts ON accounts.id = account_users.account_id AND accounts.status = 'active'
WHERE account_users.account_id = ANY($1)
LIMIT 100000
"""
FIND_VISITOR = """
SELECT contact_inboxes.account_id, contact_inboxes.id AS contact_inbox_id, contact_inboxes.contact_id,
    contact_inboxes.hmac_verified AS is_verified
FROM directory
JOIN contact_inboxes ON contact_inboxes.account_id = directory.account_id AND contact_inboxes.id = directory.object_id
JOIN contacts ON contacts.account_id = contact_inboxes.account_id AND contacts.id = contact_inboxes.contact_id
JOIN accounts ON accounts.id = directory.account_id AND accounts.status = 'active'
WHERE directory.kind = 'contact_pubsub_token' AND directory.key = $1
"""
LIST_VISITORS = """
SELECT contact_inboxes.account_id, contact_inboxes.id AS contact_inbox_id, contact_inboxes.contact_id,
    contact_inboxes.hmac_verified AS is_verified
FROM unnest($1::bigint[], $2::bigint[]) AS here (account_id, id)
JOIN contact_inboxes ON contact_inboxes.account_id = here.account_id AND contact_inboxes.id = here.id
JOIN contacts ON contacts.account_id = contact_inboxes.account_id AND contacts.id = contact_inboxes.contact_id
JOIN accounts ON accounts.id = here.account_id AND accounts.status = 'active'
"""
LIST_PARTICIPATIONS = """
SELECT conversation_id, user_id FROM conversation_participants WHERE account_id = $1 AND conversation_id = ANY($2)
"""


async def list_members(db: Db, account_ids: Sequence[int]) -> list[Member]:
    """The people of these accounts; none for suspended ones."""
    return await db.fetch_all(Member, LIST_MEMBERS, account_ids)


async def find_visitor(db: Db, pubsub_token: str) -> Visitor | None:
    """The contact whose channel identity has this token; None in suspended accounts."""
    return await db.fetch_one_or_none(Visitor, FIND_VISITOR, pubsub_token)


async def list_visitors(db: Db, account_ids: Sequence[int], contact_inbox_ids: Sequence[int]) -> list[Visitor]:
    """Those of these channel identities (pairs of account and id) that still exist."""
    return await db.fetch_all(Visitor, LIST_VISITORS, account_ids, contact_inbox_ids)


async def list_participations(db: Db, account_id: int, conversation_ids: Sequence[int]) -> list[Participation]:
    """Who takes part in these conversations."""
    return await db.fetch_all(Participation, LIST_PARTICIPATIONS, account_id, conversation_ids)
