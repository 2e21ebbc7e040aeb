"""Setting up a second factor, over HTTP: by whoever is signed in, not with an access token."""

from __future__ import annotations

import asyncio

from criachat.auth.entrance import Entrance
from criachat.auth.errors import SecondFactorPasswordWrong
from criachat.auth.operations import second_factor
from criachat.auth.queries.second_factors import find_second_factor
from criachat.auth.queries.sessions import find_entrant_by_id
from criachat.auth.schemas import (
    BackupCodesOut,
    CodeParams,
    DisabledOut,
    EnabledOut,
    ProvisioningOut,
    RemovalParams,
    SecondFactorOut,
)
from criachat.kit.actors import PERSON, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import Unauthenticated
from criachat.kit.http.routes import Routes
from criachat.kit.tokens import Keyring
from criachat.users import passwords
from criachat.users.preparing import ATTEMPTS

routes = Routes("/api/v1/profile/mfa", tag="Signing in", scope="tokens")
LIMIT = "second-factor-setup"


@routes.get(actors=PERSON)
async def show_second_factor(db: Db, actor: Actor) -> SecondFactorOut:
    """Whether a code is asked for when the caller signs in."""
    factor = await find_second_factor(db, _signed_in(actor))
    is_enabled = factor is not None and factor.enabled_at is not None
    return SecondFactorOut(
        enabled=is_enabled, backup_codes_generated=is_enabled and factor is not None and factor.backup_codes > 0
    )


@routes.post(actors=PERSON, is_idempotent=False)
async def begin_second_factor(tx: Tx, actor: Actor, keyring: Keyring) -> ProvisioningOut:
    """A secret for an app that shows codes. It counts once a code of it was sent to `/verify`."""
    url, secret = await second_factor.begin(tx, keyring, _signed_in(actor), actor.email)
    return ProvisioningOut(provisioning_url=url, secret=secret)


@routes.post("/verify", actors=PERSON, is_idempotent=False, limit=LIMIT)
async def enable_second_factor(tx: Tx, actor: Actor, keyring: Keyring, params: CodeParams) -> EnabledOut:
    """Ask for a code from now on, since the app shows the right one. The backup codes are shown this once."""
    return EnabledOut(backup_codes=await second_factor.enable(tx, keyring, _signed_in(actor), params.otp_code))


@routes.post("/backup_codes", actors=PERSON, is_idempotent=False, limit=LIMIT)
async def renew_backup_codes(tx: Tx, actor: Actor, keyring: Keyring, params: CodeParams) -> BackupCodesOut:
    """Other backup codes, shown this once; those before are good no more."""
    codes = await second_factor.renew_backup_codes(tx, keyring, _signed_in(actor), params.otp_code)
    return BackupCodesOut(backup_codes=codes)


@routes.delete(actors=PERSON, limit=LIMIT)
async def remove_second_factor(actor: Actor, entrance: Entrance, params: RemovalParams) -> DisabledOut:
    """Sign in with a password alone again."""
    user_id = _signed_in(actor)
    await entrance.limits.count_one(ATTEMPTS, str(user_id))
    async with entrance.database.reading() as db:
        entrant = await find_entrant_by_id(db, user_id)
    known = None if entrant is None else entrant.password_hash
    if known is None or not await asyncio.to_thread(passwords.matches, params.password, known):
        raise SecondFactorPasswordWrong
    async with entrance.database.transaction() as tx:
        await second_factor.remove(tx, entrance.keyring, user_id, params.otp_code)
    return DisabledOut()


def _signed_in(actor: Actor) -> int:
    """The caller's id, if they came with a session."""
    if actor.session_id is None or actor.user_id is None:
        raise Unauthenticated
    return actor.user_id
