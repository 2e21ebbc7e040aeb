"""Opening an account from outside, where the installation lets people do that."""

from __future__ import annotations

import asyncio

from criachat.accounts import operations as accounts
from criachat.accounts.models import Account
from criachat.accounts.rules import known_locale
from criachat.auth.disposable import is_disposable
from criachat.auth.entrance import Entrance
from criachat.auth.errors import NameMissing, SignUpEmailInvalid, SignUpEmailTaken
from criachat.auth.models import Session
from criachat.auth.operations.sessions import open_session
from criachat.auth.queries import sessions as queries
from criachat.auth.schemas import SignUpParams
from criachat.kit.db import Tx
from criachat.kit.settings import Settings
from criachat.users import access as people
from criachat.users import operations as users
from criachat.users import passwords
from criachat.users.addresses import is_address
from criachat.users.errors import EmailTaken, PasswordTooWeak


async def sign_up(entrance: Entrance, settings: Settings, params: SignUpParams) -> tuple[Session, Account]:
    """A new account and its administrator, who opened it and is signed in; their address is still to be confirmed."""
    _check_names(params)
    email = params.email.strip().lower()
    domain = email.rpartition("@")[2]
    if not is_address(email) or domain in settings.blocked_email_domains or is_disposable(domain):
        raise SignUpEmailInvalid
    if not passwords.is_strong_enough(params.password):
        raise PasswordTooWeak
    password_hash = await asyncio.to_thread(passwords.hashed, params.password)
    async with entrance.database.transaction() as tx:
        account = await _open(tx, params)
        try:
            user = await users.register(
                tx,
                name=params.user_full_name.strip() or params.account_name,
                email=email,
                password_hash=password_hash,
                is_confirmed=False,
            )
        except EmailTaken as taken:
            raise SignUpEmailTaken from taken
        await users.add_member(tx, account_id=account.id, user=user, role="administrator")
        entrant = await queries.find_entrant_by_id(tx, user.id)
        if entrant is None:
            raise SignUpEmailTaken
        return await open_session(tx, entrance.keyring, entrant), account


async def open_another(entrance: Entrance, user_id: int, params: SignUpParams) -> Account:
    """One more account of somebody who is known already."""
    _check_names(params)
    async with entrance.database.transaction() as tx:
        user = await people.find_person(tx, user_id)
        if user is None:
            raise SignUpEmailInvalid
        account = await _open(tx, params)
        await users.add_member(tx, account_id=account.id, user=user, role="administrator")
        return account


async def _open(tx: Tx, params: SignUpParams) -> Account:
    return await accounts.create_account(tx, name=params.account_name, locale=known_locale(params.locale))


def _check_names(params: SignUpParams) -> None:
    if not params.account_name.strip() and not params.user_full_name.strip():
        raise NameMissing
