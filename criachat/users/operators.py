"""What operators do with people: no mail is sent, no password is asked for, and nobody has to agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NoSuchPage
from criachat.kit.events import by, emit
from criachat.kit.upkeep import remove_file_later
from criachat.users import queries
from criachat.users.addresses import kept_address
from criachat.users.errors import EmailTaken, NameBlank
from criachat.users.events import AgentAdded, AgentRemoved, AgentUpdated
from criachat.users.models import MembershipRow, Role, User
from criachat.users.operations import CHANGED_TOPIC
from criachat.users.queries import operators


async def register(tx: Tx, user: Mapping[str, Any], *, password_hash: str) -> User:
    """A new person who is confirmed already; `user` has a name and an address, and what else was sent."""
    email, name = kept_address(user["email"]), user["name"].strip()
    if not name:
        raise NameBlank
    made = await queries.insert_user(tx, name=name, email=email, password_hash=password_hash, is_confirmed=True)
    if made is None:
        raise EmailTaken
    return await change(tx, made, user, password_hash=None)


async def change(tx: Tx, user: User, sent: Mapping[str, Any], *, password_hash: str | None) -> User:
    """Change what was sent about a person, the address at once; custom attributes are merged one by one."""
    before = await queries.lock_user(tx, user.id)
    if before is None:
        raise NoSuchPage
    changes: dict[str, Any] = {}
    if "name" in sent:
        changes["name"] = sent["name"].strip()
        if not changes["name"]:
            raise NameBlank
    if "display_name" in sent:
        changes["display_name"] = (sent["display_name"] or "").strip() or None
    if "email" in sent:
        changes["email"] = kept_address(sent["email"])
    attributes = {**before.custom_attributes, **sent.get("custom_attributes", {})}
    changed = msgspec.structs.replace(before, **changes, custom_attributes=attributes)
    if changed != before and not await operators.save_by_operator(tx, changed, attributes):
        raise EmailTaken
    tx.wake(CHANGED_TOPIC, f"user:{user.id}")
    if password_hash is not None:
        await queries.set_password(tx, user.id, password_hash)
    return await _read_again(tx, user)


async def find(db: Db, user_id: int) -> User | None:
    """The person with this id, unless they are to be forgotten."""
    return await operators.find_user(db, user_id)


async def _read_again(db: Db, user: User) -> User:
    return await queries.find_user(db, user.id) or user


async def shut_out(tx: Tx, user_id: int) -> None:
    """Have nobody find somebody who is to be forgotten, or come in as them; their address is free from now on."""
    await operators.shut_out(tx, user_id)
    tx.wake(CHANGED_TOPIC, f"user:{user_id}")


async def remove(tx: Tx, user_id: int) -> None:
    """Forget a person: they leave every account, and what they said stays. A second time nobody is left to forget."""
    for account_id in await operators.list_account_ids(tx, user_id):
        await emit(tx, AgentRemoved(account_id=account_id, user_id=user_id))
    avatar_key = await operators.delete_user(tx, user_id)
    tx.wake(CHANGED_TOPIC, f"user:{user_id}")
    if avatar_key is not None:
        await remove_file_later(tx, avatar_key)


async def list_memberships(db: Db, account_id: int) -> list[MembershipRow]:
    """The memberships of an account, oldest first."""
    return await operators.list_rows(db, account_id)


async def put_member(tx: Tx, account_id: int, user_id: int, role: Role | None, *, actor: Actor) -> MembershipRow:
    """Make the person a member, an agent unless told otherwise; a member gets the role, or keeps theirs."""
    is_new = await queries.insert_membership(tx, account_id, user_id, role or "agent")
    before = None if is_new else await operators.lock_role(tx, account_id, user_id)
    row = await operators.put_membership(tx, account_id, user_id, role)
    tx.wake(CHANGED_TOPIC, f"user:{user_id}")
    if before is None:
        await queries.forget_unproved(tx, [user_id])
        await emit(tx, AgentAdded(account_id=account_id, user_id=user_id, **by(actor)))
    elif before != row.role:
        changes = {"role": [before, row.role]}
        await emit(tx, AgentUpdated(account_id=account_id, user_id=user_id, changes=changes, **by(actor)))
    return row


async def remove_member(tx: Tx, account_id: int, user_id: int, *, actor: Actor) -> None:
    """End a membership, the last administrator's too; who is no member stays none."""
    if await queries.delete_membership(tx, account_id, user_id):
        tx.wake(CHANGED_TOPIC, f"user:{user_id}")
        await emit(tx, AgentRemoved(account_id=account_id, user_id=user_id, **by(actor)))
