"""What can be done with people and memberships."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.kit.events import emit
from criachat.kit.upkeep import remove_file_later
from criachat.users import passwords, queries
from criachat.users.addresses import kept_address
from criachat.users.errors import (
    AlreadyMember,
    EmailTaken,
    NameBlank,
    NameTooLong,
    PasswordTooWeak,
    SettingsTooLong,
)
from criachat.users.events import AgentAdded
from criachat.users.models import Role, User
from criachat.users.schemas import ProfileParams

LONGEST_NAME = 255
LARGEST_SETTINGS_BYTES = 64 * 1024
# Of whom what they are called or look like is another now: "user:7", "agent_bot:8".
CHANGED_TOPIC = "callers_changed"
CHANGEABLE = ("name", "display_name", "message_signature", "ui_settings")


async def create_user(tx: Tx, *, name: str, email: str, password: str | None) -> User:
    """A new, confirmed person. Without a password they can only be signed in by token or by resetting it."""
    if password is not None and not passwords.is_strong_enough(password):
        raise PasswordTooWeak
    password_hash = None if password is None else passwords.hashed(password)
    return await register(tx, name=name, email=email, password_hash=password_hash, is_confirmed=True)


async def register(tx: Tx, *, name: str, email: str, password_hash: str | None, is_confirmed: bool) -> User:
    """A new person, whose password was looked at and hashed before."""
    email = kept_address(email)
    if len(name) > LONGEST_NAME:
        raise NameTooLong
    user = await queries.insert_user(
        tx, name=name.strip() or email, email=email, password_hash=password_hash, is_confirmed=is_confirmed
    )
    if user is None:
        raise EmailTaken
    return user


async def add_member(tx: Tx, *, account_id: int, user: User, role: Role) -> None:
    """Make the person a member of the account."""
    if not await queries.insert_membership(tx, account_id, user.id, role):
        raise AlreadyMember
    tx.wake(CHANGED_TOPIC, f"user:{user.id}")
    await emit(tx, AgentAdded(account_id=account_id, user_id=user.id))


async def change_profile(
    tx: Tx, user_id: int, params: ProfileParams, *, picture: str | None, password_hash: str | None
) -> User:
    """Change what was sent about a person, all or nothing; a new address is theirs once they confirmed it."""
    user = await queries.lock_user(tx, user_id)
    if user is None:
        raise NotFound
    changed = _changed(user, params)
    if picture is not None:
        changed = msgspec.structs.replace(changed, avatar_key=picture)
    await _save(tx, user, changed)
    if password_hash is not None:
        await queries.set_password(tx, user_id, password_hash)
    return changed


async def set_password(tx: Tx, user_id: int, password_hash: str) -> None:
    """Have them sign in with another password, and open other sockets."""
    await queries.set_password(tx, user_id, password_hash)


async def confirm(tx: Tx, user_id: int) -> None:
    """Note that the person reads what is sent to their address."""
    await queries.set_confirmed(tx, user_id)


async def confirm_address(tx: Tx, user_id: int, email: str) -> bool:
    """Have this be their address, which they read; False when they want another by now, or it is taken."""
    return await queries.set_address_confirmed(tx, user_id, email)


async def remove_avatar(tx: Tx, user_id: int) -> None:
    """Show no picture any more."""
    user = await queries.lock_user(tx, user_id)
    if user is None:
        raise NotFound
    await _save(tx, user, msgspec.structs.replace(user, avatar_key=None))


async def _save(tx: Tx, user: User, changed: User) -> None:
    if changed == user:
        return
    if not await queries.save_user(tx, changed):
        raise EmailTaken
    tx.wake(CHANGED_TOPIC, f"user:{user.id}")
    if user.avatar_key is not None and user.avatar_key != changed.avatar_key:
        await remove_file_later(tx, user.avatar_key)


def _changed(user: User, params: ProfileParams) -> User:
    """The person as they want to be."""
    sent = {field: value for field in CHANGEABLE if (value := getattr(params, field)) is not UNSET}
    if "name" in sent:
        sent["name"] = _name(sent["name"])
    if "display_name" in sent:
        sent["display_name"] = (sent["display_name"] or "").strip() or None
    if params.email is not UNSET:
        email = kept_address(params.email)
        sent["unconfirmed_email"] = None if email == user.email.lower() else email
    if len(msgspec.json.encode(sent.get("ui_settings"))) > LARGEST_SETTINGS_BYTES:
        raise SettingsTooLong
    if params.phone_number is not UNSET:
        sent["custom_attributes"] = {**user.custom_attributes, "phone_number": params.phone_number}
    return msgspec.structs.replace(user, **sent)


def _name(name: str) -> str:
    if not name.strip():
        raise NameBlank
    return name.strip()


async def use_account(tx: Tx, *, account_id: int, user_id: int) -> None:
    """Note that the person works in this account now."""
    if not await queries.set_active_at(tx, account_id, user_id):
        raise NotFound
