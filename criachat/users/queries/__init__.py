"""The SQL of users and memberships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from criachat.kit import clock, tokens
from criachat.kit.db import Db, Tx
from criachat.users.models import Bot, Colleague, Membership, Place, Role, User

USER: LiteralString = """
    id, name, display_name, email, unconfirmed_email, provider, type, confirmed_at, message_signature,
    pubsub_token, ui_settings, custom_attributes, avatar_key, created_at
"""
FIND_USER: LiteralString = "SELECT" + USER + "FROM users WHERE id = $1"
FIND_USER_BY_EMAIL: LiteralString = "SELECT" + USER + "FROM users WHERE lower(email) = lower($1)"
HAS_ARRIVED = "SELECT confirmed_at IS NOT NULL OR password_hash IS NOT NULL FROM users WHERE id = $1"
LOCK_USER: LiteralString = FIND_USER + " FOR NO KEY UPDATE"
INSERT_USER: LiteralString = (
    """
INSERT INTO users (name, email, password_hash, confirmed_at, pubsub_token, created_at, updated_at)
VALUES ($1, lower($2), $3, $4, $5, $6, $6)
ON CONFLICT (lower(email)) DO NOTHING
RETURNING"""
    + USER
)
# With the password changes what sockets were opened with.
SET_PASSWORD = """
UPDATE users
SET password_hash = $2, pubsub_token = $3, version = version + 1,
    updated_at = greatest($4, updated_at + interval '1 millisecond')
WHERE id = $1
"""  # noqa: S105
# Where nobody has chosen a password yet, whoever knew what sockets are opened with knows it no more.
SET_CONFIRMED = """
UPDATE users
SET confirmed_at = $2, pubsub_token = CASE WHEN password_hash IS NULL THEN $3 ELSE pubsub_token END,
    version = version + 1, updated_at = greatest($2, updated_at + interval '1 millisecond')
WHERE id = $1 AND confirmed_at IS NULL
"""
# The address they have, or the one they asked for, unless somebody else took it meanwhile.
SET_ADDRESS_CONFIRMED = """
UPDATE users
SET email = lower($2), unconfirmed_email = CASE WHEN lower(email) = lower($2) THEN unconfirmed_email END,
    confirmed_at = coalesce(confirmed_at, $3),
    pubsub_token = CASE WHEN confirmed_at IS NULL AND password_hash IS NULL THEN $4 ELSE pubsub_token END,
    version = version + 1, updated_at = greatest($3, updated_at + interval '1 millisecond')
WHERE id = $1 AND lower($2) IN (lower(email), lower(unconfirmed_email))
  AND NOT EXISTS (SELECT FROM users AS other WHERE lower(other.email) = lower($2) AND other.id <> $1)
RETURNING id
"""
FIND_PASSWORD_HASH = "SELECT password_hash FROM users WHERE id = $1"  # noqa: S105
SAVE_USER = """
UPDATE users
SET name = $2, display_name = $3, unconfirmed_email = lower($4), message_signature = $5, ui_settings = $6,
    custom_attributes = $7, avatar_key = $8, version = version + 1,
    updated_at = greatest($9, updated_at + interval '1 millisecond')
WHERE id = $1 AND NOT EXISTS (SELECT FROM users AS other WHERE lower(other.email) = lower($4) AND other.id <> $1)
RETURNING id
"""
INSERT_MEMBERSHIP = """
INSERT INTO account_users (account_id, user_id, role, created_at, updated_at)
VALUES ($1, $2, $3, $4, $4)
ON CONFLICT DO NOTHING
RETURNING id
"""
# Who is known already is left as they are.
INSERT_USERS = """
INSERT INTO users (name, email, pubsub_token, created_at, updated_at)
SELECT new.name, new.email, new.pubsub_token, $4, $4
FROM unnest($1::text[], $2::text[], $3::text[]) AS new (name, email, pubsub_token)
ON CONFLICT (lower(email)) DO NOTHING
"""
INSERT_MEMBERSHIPS = """
INSERT INTO account_users (account_id, user_id, role, custom_role_id, availability, auto_offline, inviter_id,
    created_at, updated_at)
SELECT $1, users.id, $3, $4, $5, $6, $7, $8, $8
FROM users
WHERE lower(users.email) = ANY($2::text[])
ORDER BY users.id
ON CONFLICT DO NOTHING
RETURNING user_id
"""
# Whoever took the address before its owner came is to open nothing with what they chose.
FORGET_UNPROVED = """
UPDATE users
SET password_hash = NULL, pubsub_token = new.pubsub_token, version = version + 1,
    updated_at = greatest($3, updated_at + interval '1 millisecond')
FROM unnest($1::bigint[], $2::text[]) AS new (id, pubsub_token)
WHERE users.id = new.id AND users.confirmed_at IS NULL AND users.password_hash IS NOT NULL
"""
COUNT_MEMBERS = "SELECT count(*) FROM account_users WHERE account_id = $1"
SAVE_MEMBERSHIP = """
UPDATE account_users
SET role = $3, custom_role_id = $4, availability = $5, auto_offline = $6,
    updated_at = greatest($7, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND user_id = $2
"""
# Across accounts: what somebody is called is seen in all of theirs.
BELONGS_ELSEWHERE = "SELECT EXISTS (SELECT FROM account_users WHERE user_id = $2 AND account_id <> $1)"
RENAME_USER = """
UPDATE users
SET name = $2, version = version + 1, updated_at = greatest($3, updated_at + interval '1 millisecond')
WHERE id = $1 AND name <> $2
"""
# All of them, so that of two who leave at once the second sees that they are the last.
LOCK_ADMINISTRATORS = """
SELECT user_id FROM account_users WHERE account_id = $1 AND role = 'administrator' ORDER BY user_id FOR UPDATE
"""
DELETE_MEMBERSHIP = "DELETE FROM account_users WHERE account_id = $1 AND user_id = $2"
# Across accounts: whoever belongs to no account any more is nobody's.
DELETE_STRAY_USER = """
DELETE FROM users
WHERE id = $1 AND NOT EXISTS (SELECT FROM account_users WHERE account_users.user_id = $1)
RETURNING avatar_key
"""
# Across accounts: whoever signs in sees every account they belong to.
LIST_MEMBERSHIPS = """
SELECT account_users.account_id, accounts.name, accounts.locale, accounts.status, account_users.role,
    account_users.active_at,
    account_users.availability, account_users.auto_offline, account_users.inviter_id, account_users.custom_role_id,
    custom_roles.name AS custom_role_name, custom_roles.description AS custom_role_description,
    custom_roles.permissions AS custom_role_permissions
FROM account_users
JOIN accounts ON accounts.id = account_users.account_id
LEFT JOIN custom_roles ON custom_roles.account_id = account_users.account_id
    AND custom_roles.id = account_users.custom_role_id
WHERE account_users.user_id = $1
ORDER BY account_users.active_at DESC NULLS LAST, account_users.account_id
LIMIT 1000
"""
COLLEAGUE: LiteralString = """
SELECT users.id, account_users.account_id, users.name, users.display_name, users.email, users.provider,
    users.confirmed_at IS NOT NULL AS is_confirmed, users.custom_attributes, users.avatar_key, account_users.role,
    account_users.custom_role_id, account_users.availability, account_users.auto_offline
FROM account_users
JOIN users ON users.id = account_users.user_id
WHERE account_users.account_id = $1
"""
LIST_COLLEAGUES: LiteralString = (
    COLLEAGUE
    + """  AND ($2::bigint[] IS NULL OR account_users.user_id = ANY($2))
ORDER BY lower(users.name), users.id
LIMIT 5000
"""
)
LOCK_COLLEAGUE: LiteralString = COLLEAGUE + "  AND account_users.user_id = $2\nFOR NO KEY UPDATE OF account_users"
SET_ACTIVE_AT = """
UPDATE account_users SET active_at = $3, updated_at = $3 WHERE account_id = $1 AND user_id = $2 RETURNING id
"""
FIND_BOT = "SELECT id, account_id, name, description, avatar_key FROM agent_bots WHERE account_id = $1 AND id = $2"


async def find_user(db: Db, user_id: int) -> User | None:
    """The person, or None."""
    return await db.fetch_one_or_none(User, FIND_USER, user_id)


async def find_user_by_email(db: Db, email: str) -> User | None:
    """The person with this address in any case, or None."""
    return await db.fetch_one_or_none(User, FIND_USER_BY_EMAIL, email.strip())


async def has_arrived(db: Db, user_id: int) -> bool:
    """Whether they confirmed their address or have a password."""
    return bool(await db.fetch_value(HAS_ARRIVED, user_id))


async def insert_user(tx: Tx, *, name: str, email: str, password_hash: str | None, is_confirmed: bool) -> User | None:
    """A new person; None when the address is taken."""
    now = clock.now()
    return await tx.fetch_one_or_none(
        User, INSERT_USER, name, email, password_hash, now if is_confirmed else None, tokens.random_token(), now
    )


async def set_password(tx: Tx, user_id: int, password_hash: str) -> None:
    """Write a new password hash, and end what the person's realtime token was good for."""
    await tx.execute(SET_PASSWORD, user_id, password_hash, tokens.random_token(), clock.now())


async def set_confirmed(tx: Tx, user_id: int) -> None:
    """Note that it is them, if that was not known."""
    await tx.execute(SET_CONFIRMED, user_id, clock.now(), tokens.random_token())


async def set_address_confirmed(tx: Tx, user_id: int, email: str) -> bool:
    """Have this be their confirmed address; False when it is not theirs to have."""
    values = (email, clock.now(), tokens.random_token())
    return await tx.fetch_value(SET_ADDRESS_CONFIRMED, user_id, *values) is not None


async def find_password_hash(db: Db, user_id: int) -> str | None:
    """The hash of the person's password, or None when they have none."""
    return await db.fetch_value(FIND_PASSWORD_HASH, user_id)


async def lock_user(tx: Tx, user_id: int) -> User | None:
    """The person, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(User, LOCK_USER, user_id)


async def save_user(tx: Tx, user: User) -> bool:
    """Write what a person became; False when the address is somebody else's."""
    names = (user.name, user.display_name, user.unconfirmed_email, user.message_signature)
    values = (*names, user.ui_settings, user.custom_attributes, user.avatar_key, clock.now())
    return await tx.fetch_value(SAVE_USER, user.id, *values) is not None


async def insert_membership(tx: Tx, account_id: int, user_id: int, role: Role) -> bool:
    """Make the person a member; False when they are one already."""
    return await tx.fetch_value(INSERT_MEMBERSHIP, account_id, user_id, role, clock.now()) is not None


async def insert_users(tx: Tx, names: Sequence[str], emails: Sequence[str]) -> None:
    """New people with these names and addresses, who have yet to say that it is them."""
    await tx.execute(INSERT_USERS, names, emails, [tokens.random_token() for _ in emails], clock.now())


async def insert_memberships(tx: Tx, account_id: int, emails: Sequence[str], place: Place) -> list[int]:
    """Make people with these addresses members; who was none before."""
    chosen = place.role, place.custom_role_id, place.availability, place.auto_offline
    values = (*chosen, place.inviter_id, clock.now())
    return await tx.fetch_values(INSERT_MEMBERSHIPS, account_id, emails, *values)


async def forget_unproved(tx: Tx, user_ids: Sequence[int]) -> None:
    """Forget the passwords of those of these people who have yet to say that it is them."""
    await tx.execute(FORGET_UNPROVED, user_ids, [tokens.random_token() for _ in user_ids], clock.now())


async def count_members(db: Db, account_id: int) -> int:
    """How many people belong to the account."""
    return await db.fetch_value(COUNT_MEMBERS, account_id)


async def save_membership(tx: Tx, account_id: int, user_id: int, place: Place) -> None:
    """Write what a member became."""
    chosen = place.role, place.custom_role_id, place.availability, place.auto_offline
    await tx.execute(SAVE_MEMBERSHIP, account_id, user_id, *chosen, clock.now())


async def belongs_elsewhere(db: Db, account_id: int, user_id: int) -> bool:
    """Whether the person is a member of other accounts as well."""
    return await db.fetch_value(BELONGS_ELSEWHERE, account_id, user_id)


async def rename_user(tx: Tx, user_id: int, name: str) -> None:
    """Give a person another name."""
    await tx.execute(RENAME_USER, user_id, name, clock.now())


async def lock_administrators(tx: Tx, account_id: int) -> list[int]:
    """The administrators of the account, kept from changing until the transaction ends."""
    return await tx.fetch_values(LOCK_ADMINISTRATORS, account_id)


async def delete_membership(tx: Tx, account_id: int, user_id: int) -> bool:
    """End a membership with all that hangs on it; False when there was none."""
    return await tx.execute(DELETE_MEMBERSHIP, account_id, user_id) > 0


async def delete_stray_user(tx: Tx, user_id: int) -> str | None:
    """Remove a person who belongs to no account; the key of their picture, if they had one."""
    return await tx.fetch_value(DELETE_STRAY_USER, user_id)


async def list_memberships(db: Db, user_id: int) -> list[Membership]:
    """The thousand accounts the person used last, the last of them first."""
    return await db.fetch_all(Membership, LIST_MEMBERSHIPS, user_id)


async def list_colleagues(db: Db, account_id: int, user_ids: Sequence[int] | None = None) -> list[Colleague]:
    """The account's members by name, or those of them with these ids."""
    return await db.fetch_all(Colleague, LIST_COLLEAGUES, account_id, user_ids)


async def lock_colleague(tx: Tx, account_id: int, user_id: int) -> Colleague | None:
    """The member, whose membership is kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(Colleague, LOCK_COLLEAGUE, account_id, user_id)


async def set_active_at(tx: Tx, account_id: int, user_id: int) -> bool:
    """Note that they use this account now; False when they are no member."""
    return await tx.fetch_value(SET_ACTIVE_AT, account_id, user_id, clock.now()) is not None


async def find_bot(db: Db, account_id: int, bot_id: int) -> Bot | None:
    """The account's bot, or None."""
    return await db.fetch_one_or_none(Bot, FIND_BOT, account_id, bot_id)
