"""The ways to get a person on somebody's behalf."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.kit.actors import ADMINISTRATOR, Actor, Callers
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound, existing
from criachat.users import queries
from criachat.users.models import Bot, Colleague, CustomRole, Membership, User
from criachat.users.queries import roles


async def load_user(db: Db, actor: Actor) -> User:
    """The caller themself."""
    user = None if actor.user_id is None else await queries.find_user(db, actor.user_id)
    if user is None:
        raise NotFound
    return user


async def find_person(db: Db, user_id: int) -> User | None:
    """The person with this id, for operators and for whoever signs them in."""
    return await queries.find_user(db, user_id)


async def load_person(db: Db, user_id: int) -> User:
    """The same, who is there."""
    return existing(await find_person(db, user_id))


async def find_user_by_email(db: Db, email: str) -> User | None:
    """The person with this address, for operators."""
    return await queries.find_user_by_email(db, email)


async def has_arrived(db: Db, user: User) -> bool:
    """Whether they ever said that it is them: until then nobody is let in in their name."""
    return await queries.has_arrived(db, user.id)


async def find_colleague(db: Db, actor: Actor, user_id: int | None) -> Colleague | None:
    """The member of the caller's account with this id, or None."""
    if user_id is None:
        return None
    found = await queries.list_colleagues(db, actor.account_id, [user_id])
    return found[0] if found else None


async def load_colleague(db: Db, actor: Actor, user_id: int) -> Colleague:
    """The member of the caller's account with this id."""
    return existing(await find_colleague(db, actor, user_id))


async def load_colleague_to_change(tx: Tx, actor: Actor, user_id: int) -> Colleague:
    """The same; nobody else changes their membership before this transaction ends."""
    return existing(await queries.lock_colleague(tx, actor.account_id, user_id))


async def load_custom_role(db: Db, actor: Actor, role_id: int) -> CustomRole:
    """The role of the caller's account."""
    return existing(await roles.find_custom_role(db, actor.account_id, role_id))


async def load_custom_role_to_change(tx: Tx, actor: Actor, role_id: int) -> CustomRole:
    """The same; nobody else changes it before this transaction ends."""
    return existing(await roles.lock_custom_role(tx, actor.account_id, role_id))


async def list_custom_roles(db: Db, actor: Actor) -> list[CustomRole]:
    """The roles the caller's account made, the oldest first."""
    return await roles.list_custom_roles(db, actor.account_id)


async def list_colleagues(db: Db, actor: Actor, user_ids: Sequence[int] | None = None) -> list[Colleague]:
    """The members of the caller's account by name, or those of them with these ids."""
    return await queries.list_colleagues(db, actor.account_id, user_ids)


async def find_actor(db: Db, account_id: int, user_id: int) -> Actor | None:
    """A member of the account as a caller, for jobs that go on with what they asked for; None for who left it."""
    found = await queries.list_colleagues(db, account_id, [user_id])
    if not found:
        return None
    colleague = found[0]
    role_id = colleague.custom_role_id
    role = None if role_id is None else await roles.find_custom_role(db, account_id, role_id)
    return Actor(
        type="user",
        kind=ADMINISTRATOR if colleague.role == "administrator" else Callers.AGENT_ONLY,
        account_id=account_id,
        id=colleague.id,
        name=colleague.name,
        display_name=colleague.display_name,
        email=colleague.email,
        avatar_key=colleague.avatar_key,
        availability=colleague.availability,
        auto_offline=colleague.auto_offline,
        permissions=frozenset(() if role is None else role.permissions),
        has_custom_role=role is not None,
    )


async def list_memberships(db: Db, user_id: int) -> list[Membership]:
    """The accounts of a person, the one last used first."""
    return await queries.list_memberships(db, user_id)


async def find_bot(db: Db, actor: Actor, bot_id: int | None) -> Bot | None:
    """The bot of the caller's account with this id, or None."""
    return None if bot_id is None else await queries.find_bot(db, actor.account_id, bot_id)
