"""New passwords and confirmed addresses, by what was mailed."""

from __future__ import annotations

import asyncio

from criachat.auth.entrance import Entrance
from criachat.auth.errors import AlreadyConfirmed, ConfirmationFailed, LinkInvalid
from criachat.auth.models import Entrant, Session
from criachat.auth.operations import one_time
from criachat.auth.operations.sessions import end_everything, end_other_sessions, enter
from criachat.auth.queries import sessions as queries
from criachat.kit.db import Tx
from criachat.users import operations as users
from criachat.users import passwords
from criachat.users.errors import PasswordsDiffer, PasswordTooWeak


async def set_new_password(entrance: Entrance, token: str, password: str, confirmation: str) -> Session | str:
    """Sign in anew with a new password: whoever was signed in before is not any more.

    Who has a second factor is asked for it: a mailbox that others read does not open everything. Who shows by this that
    the address is theirs ends what anybody made in their name before. A token that is not good is told of before the
    password is: the person asks for another mail then, and not for another password.
    """
    async with entrance.database.transaction() as tx:
        if not await one_time.is_good(tx, "password", token):
            raise LinkInvalid
    if password != confirmation:
        raise PasswordsDiffer
    if not passwords.is_strong_enough(password):
        raise PasswordTooWeak
    password_hash = await asyncio.to_thread(passwords.hashed, password)
    async with entrance.database.transaction() as tx:
        mailed = await one_time.use(tx, "password", token)
        if mailed is None:
            raise LinkInvalid
        before = await _entrant(tx, mailed.user_id)
        await users.set_password(tx, mailed.user_id, password_hash)
        await users.confirm(tx, mailed.user_id)
        if before.is_confirmed:
            await end_other_sessions(tx, mailed.user_id, kept=None)
        else:
            await end_everything(tx, mailed.user_id)
        return await enter(tx, entrance.keyring, await _entrant(tx, mailed.user_id))


async def confirm(entrance: Entrance, token: str) -> Session | str:
    """Sign in as whoever has shown that the address is theirs.

    Where they were invited meanwhile, what was made in their name before ends.
    """
    async with entrance.database.transaction() as tx:
        mailed = await one_time.look_at(tx, "confirmation", token)
        if mailed is None:
            raise LinkInvalid
        if mailed.used_at is not None:
            raise AlreadyConfirmed
        await one_time.use(tx, "confirmation", token)
        before = await _entrant(tx, mailed.user_id)
        if not before.is_confirmed and before.password_hash is None:
            await end_everything(tx, mailed.user_id)
        if not await users.confirm_address(tx, mailed.user_id, mailed.email or ""):
            raise ConfirmationFailed
        if before.email.lower() != (mailed.email or "").lower():
            await one_time.leave_address(tx, mailed.user_id)
        return await enter(tx, entrance.keyring, await _entrant(tx, mailed.user_id))


async def _entrant(tx: Tx, user_id: int) -> Entrant:
    entrant = await queries.find_entrant_by_id(tx, user_id)
    if entrant is None:
        raise LinkInvalid
    return entrant
