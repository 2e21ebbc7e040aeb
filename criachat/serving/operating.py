"""What operators do from the command line: migrate, open accounts, make tokens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec

from criachat.accounts import operations as accounts
from criachat.auth import operations as auth
from criachat.kit import clock
from criachat.kit.db import Database
from criachat.kit.errors import Refused
from criachat.kit.settings import Settings
from criachat.kit.tokens import Keyring
from criachat.main import prepare_database
from criachat.serving.foundation import founded
from criachat.slices import ROUTES
from criachat.users import access as people
from criachat.users import operations as users
from criachat.users import passwords
from criachat.users.models import User


class UnknownPerson(Refused):
    """Nobody has this e-mail address"""


class NotThereYet(Refused):
    """They were invited, and have not come yet"""


class UnknownScope(Refused):
    """There is no such scope"""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A new account and its administrator; no password for somebody who had one before."""

    account_id: int
    email: str
    password: str | None


class Workshop(msgspec.Struct, frozen=True):
    """The installation's database and keys, for a command."""

    database: Database
    keyring: Keyring
    migrated: list[str]


@asynccontextmanager
async def workshop(settings: Settings) -> AsyncGenerator[Workshop]:
    """The database, up to date, beside a server that runs or without one."""
    async with founded(settings) as foundation:
        done = await prepare_database(foundation.database_url, foundation.keyring)
        database = Database(foundation.database_url, size=4)
        await database.open()
        try:
            yield Workshop(database, foundation.keyring, done)
        finally:
            await database.close()


async def migrate(settings: Settings) -> list[str]:
    """Bring the database up to date; what was applied."""
    async with workshop(settings) as tools:
        return tools.migrated


async def open_account(settings: Settings, *, name: str, email: str, password: str | None) -> Opened:
    """An account with an administrator, who is made when nobody has this address."""
    async with workshop(settings) as tools, tools.database.transaction() as tx:
        account = await accounts.create_account(tx, name=name)
        user = await people.find_user_by_email(tx, email)
        chosen: str | None = None
        if user is None:
            chosen = password or passwords.random_password()
            user = await users.create_user(tx, name=email.partition("@")[0], email=email, password=chosen)
        await users.add_member(tx, account_id=account.id, user=user, role="administrator")
        return Opened(account_id=account.id, email=user.email, password=chosen)


async def make_token(settings: Settings, *, email: str, scopes: Sequence[str], name: str, days: int | None) -> str:
    """An access token for somebody."""
    _check_scopes(scopes)
    expires_at = None if days is None else clock.now() + timedelta(days=days)
    async with workshop(settings) as tools, tools.database.transaction() as tx:
        user = _known(await people.find_user_by_email(tx, email), email)
        if not await people.has_arrived(tx, user):
            raise NotThereYet(
                f"{email} has not followed the invitation yet, and a token would let nobody in: tokens from before end "
                "with it."
            )
        return await auth.create_user_token(
            tx, tools.keyring, user, name=name, scopes=list(dict.fromkeys(scopes)), expires_at=expires_at
        )


async def make_platform_app(settings: Settings, *, name: str) -> str:
    """A platform app; its access token."""
    async with workshop(settings) as tools, tools.database.transaction() as tx:
        return await auth.create_platform_app(tx, tools.keyring, name=name)


def known_scopes() -> list[str]:
    """Every scope that an endpoint asks for."""
    return sorted({endpoint.scope for routes in ROUTES for endpoint in routes.endpoints if endpoint.scope})


def _check_scopes(scopes: Sequence[str]) -> None:
    known = known_scopes()
    unknown = [scope for scope in scopes if scope not in known and scope != "*"]
    if unknown:
        raise UnknownScope(f"There is no scope {', '.join(unknown)}. There are: {', '.join(known)}.")


def _known(user: User | None, email: str) -> User:
    if user is None:
        raise UnknownPerson(
            f"Nobody has the e-mail address {email}. `criachat account create --name … --email {email}` makes "
            "somebody who does."
        )
    return user
