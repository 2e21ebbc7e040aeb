"""What can be done with people and memberships."""

from __future__ import annotations

import re

from msgspec import UNSET

from criachat.kit.db import Tx
from criachat.kit.errors import Invalid, NotFound
from criachat.kit.events import emit
from criachat.users import passwords, queries
from criachat.users.errors import (
    AlreadyMember,
    EmailInvalid,
    EmailTaken,
    PasswordsDiffer,
    PasswordTooWeak,
    WrongPassword,
)
from criachat.users.events import AgentAdded
from criachat.users.models import Bot, Role, User
from criachat.users.schemas import ProfileParams
from criachat.users.snapshots import Availability

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.?[^@\s]*")
LONGEST_NAME = 255


class NameTooLong(Invalid):
    """Name is too long (maximum is 255 characters)"""

    attributes = ("name",)


async def create_user(tx: Tx, *, name: str, email: str, password: str | None) -> User:
    """A new, confirmed person. Without a password they can only be signed in by token or by resetting it."""
    if not EMAIL.fullmatch(email.strip()) or len(email) > LONGEST_NAME:
        raise EmailInvalid
    if len(name) > LONGEST_NAME:
        raise NameTooLong
    if password is not None and not passwords.is_strong_enough(password):
        raise PasswordTooWeak
    password_hash = None if password is None else passwords.hashed(password)
    user = await queries.insert_user(
        tx, name=name.strip() or email, email=email.strip(), password_hash=password_hash, is_confirmed=True
    )
    if user is None:
        raise EmailTaken
    return user


async def add_member(tx: Tx, *, account_id: int, user: User, role: Role) -> None:
    """Make the person a member of the account."""
    if not await queries.insert_membership(tx, account_id, user.id, role):
        raise AlreadyMember
    await emit(tx, AgentAdded(account_id=account_id, user_id=user.id))


async def change_profile(tx: Tx, user: User, params: ProfileParams) -> None:
    """Change what was sent about a person; the password only with the current one, and all or nothing."""
    await queries.lock_user(tx, user.id)
    if params.email is not UNSET and not EMAIL.fullmatch(params.email.strip()):
        raise EmailInvalid
    password_hash = await _new_password(tx, user, params) if params.password else None
    phone_number = {} if params.phone_number is UNSET else {"phone_number": params.phone_number}
    changed = await queries.save_user(
        tx,
        user.id,
        name=user.name if params.name is UNSET else params.name.strip() or user.name,
        display_name=user.display_name if params.display_name is UNSET else params.display_name or None,
        email=user.email if params.email is UNSET else params.email.strip(),
        message_signature=user.message_signature if params.message_signature is UNSET else params.message_signature,
        ui_settings=user.ui_settings if params.ui_settings is UNSET else params.ui_settings,
        custom_attributes={**user.custom_attributes, **phone_number},
    )
    if not changed:
        raise EmailTaken
    if password_hash is not None:
        await queries.set_password(tx, user.id, password_hash)


async def _new_password(tx: Tx, user: User, params: ProfileParams) -> str:
    password = params.password or ""
    known = await queries.find_password_hash(tx, user.id)
    if known is None or not passwords.matches(params.current_password or "", known):
        raise WrongPassword
    if password != params.password_confirmation:
        raise PasswordsDiffer
    if not passwords.is_strong_enough(password):
        raise PasswordTooWeak
    return passwords.hashed(password)


async def create_bot(tx: Tx, *, account_id: int, name: str, description: str | None = None) -> Bot:
    """A new bot of the account."""
    return await queries.insert_bot(tx, account_id, name, description)


async def choose_availability(tx: Tx, *, account_id: int, user_id: int, availability: Availability) -> None:
    """Be online, busy or offline for this account."""
    if not await queries.set_availability(tx, account_id, user_id, availability):
        raise NotFound


async def choose_auto_offline(tx: Tx, *, account_id: int, user_id: int, auto_offline: bool) -> None:
    """Count as offline, or not, while there is no sign of life."""
    if not await queries.set_auto_offline(tx, account_id, user_id, auto_offline=auto_offline):
        raise NotFound


async def use_account(tx: Tx, *, account_id: int, user_id: int) -> None:
    """Note that the person works in this account now."""
    if not await queries.set_active_at(tx, account_id, user_id):
        raise NotFound
