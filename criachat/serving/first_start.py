"""The first start: an account, somebody who administers it, and a token, told once."""

from __future__ import annotations

from typing import Final

import msgspec

from criachat.accounts import operations as accounts
from criachat.auth import operations as auth
from criachat.kit import installation
from criachat.kit.db import Database
from criachat.kit.tokens import Keyring
from criachat.users import operations as users
from criachat.users import passwords

ACCOUNT: Final = "CriaChat"
NAME: Final = "Administrator"
# No mail ever goes there: the name is reserved for examples.
EMAIL: Final = "admin@example.com"

BANNER: Final = """\
CriaChat is ready: {address}

  E-mail        {email}
  Password      {password}
  Access token  {token}

These are shown this once. Keep them, and change the password after signing in.
Lost them? `criachat account create` and `criachat token create` make new ones.

  curl -H 'api_access_token: {token}' {address}/api/v1/profile
"""


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the first administrator needs; nobody can read it again."""

    email: str
    password: str
    token: str

    def banner(self, address: str) -> str:
        """What is shown on the first start."""
        return BANNER.format(address=address, email=self.email, password=self.password, token=self.token)


async def open_first_account(database: Database, keyring: Keyring) -> Welcome | None:
    """Make the first account of an installation that has none; None when it has one. Of two at once, one makes it."""
    async with database.reading() as db:
        if await accounts.list_account_ids(db):
            return None
    password = passwords.random_password()
    async with database.transaction() as tx:
        await installation.hold(tx)
        if await accounts.list_account_ids(tx):
            return None
        account = await accounts.create_account(tx, name=ACCOUNT)
        user = await users.create_user(tx, name=NAME, email=EMAIL, password=password)
        await users.add_member(tx, account_id=account.id, user=user, role="administrator")
        token = await auth.create_user_token(tx, keyring, user, name="First start")
    return Welcome(email=user.email, password=password, token=token)
