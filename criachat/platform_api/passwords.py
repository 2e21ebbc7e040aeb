"""Passwords that operators' apps give people: hashed before a connection to the database is borrowed, it takes long."""

from __future__ import annotations

import asyncio

import msgspec

from criachat.kit.actors import Actor
from criachat.kit.errors import Refused
from criachat.platform_api.schemas import UserParams
from criachat.users import passwords
from criachat.users.errors import PasswordTooWeak


class HashedPassword(msgspec.Struct, frozen=True):
    """The hash of the password that was sent, or why it is not taken. Handlers ask for it by its type."""

    password_hash: str | None = None
    refusal: Refused | None = None

    def taken(self) -> str | None:
        """The hash, or the refusal: when it is its turn."""
        if self.refusal is not None:
            raise self.refusal
        return self.password_hash


async def hash_given_password(actor: Actor, params: UserParams) -> HashedPassword:
    """Hash the password that was sent, if one was."""
    password = params.password
    if not isinstance(password, str) or not password:
        return HashedPassword()
    if not passwords.is_strong_enough(password):
        return HashedPassword(refusal=PasswordTooWeak())
    return HashedPassword(await asyncio.to_thread(passwords.hashed, password))
