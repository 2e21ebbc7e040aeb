"""Passwords that operators' apps give people: hashed before a connection to the database is borrowed, it takes long."""

from __future__ import annotations

import asyncio

from criachat.kit.actors import Actor
from criachat.platform_api.schemas import UserParams
from criachat.users import passwords
from criachat.users.errors import PasswordTooWeak
from criachat.users.preparing import NewPassword


class GivenPassword(NewPassword, frozen=True):
    """The hash of the password that an app gives somebody. Handlers ask for it by its type."""


async def hash_given_password(actor: Actor, params: UserParams) -> GivenPassword:
    """Hash the password that was sent, if one was."""
    password = params.password
    if not isinstance(password, str) or not password:
        return GivenPassword()
    if not passwords.is_strong_enough(password):
        return GivenPassword(refusal=PasswordTooWeak())
    return GivenPassword(await asyncio.to_thread(passwords.hashed, password))
