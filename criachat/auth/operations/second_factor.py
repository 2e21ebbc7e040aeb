"""Second factors: an app that shows a new code every half minute (RFC 6238), and backup codes for when it is lost."""

from __future__ import annotations

import base64
import hmac
import os
import secrets

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from criachat.auth.errors import SecondFactorCodeWrong, SecondFactorEnabled, SecondFactorMissing
from criachat.auth.models import SecondFactor
from criachat.auth.queries import second_factors as queries
from criachat.kit import clock
from criachat.kit.db import Tx
from criachat.kit.tokens import Keyring

ISSUER = "CriaChat"
SECRET_BYTES = 20
DIGITS = 6
STEP_SECONDS = 30
# A clock may be half a minute behind ours, or before it.
NEIGHBOURS = (0, -1, 1)
BACKUP_CODES = 10


async def begin(tx: Tx, keyring: Keyring, user_id: int, email: str) -> tuple[str, str]:
    """A new secret, as the address that apps read from a picture and as text. It counts once a code was shown."""
    secret = base64.b32encode(os.urandom(SECRET_BYTES)).decode()
    if not await queries.save_second_factor(tx, user_id, keyring.seal(secret, context=_context(user_id))):
        raise SecondFactorEnabled
    return _app(secret).get_provisioning_uri(email, ISSUER), secret


async def enable(tx: Tx, keyring: Keyring, user_id: int, code: str) -> list[str]:
    """Have the second factor count, since its app shows the right code; the backup codes, shown here alone."""
    factor = await queries.lock_second_factor(tx, user_id)
    if factor is None:
        raise SecondFactorMissing
    if factor.enabled_at is not None:
        raise SecondFactorEnabled
    if not await _is_code(tx, keyring, factor, code):
        raise SecondFactorCodeWrong
    await queries.set_enabled(tx, user_id)
    return await _new_backup_codes(tx, keyring, user_id)


async def renew_backup_codes(tx: Tx, keyring: Keyring, user_id: int, code: str) -> list[str]:
    """Other backup codes in place of those there were."""
    await _check(tx, keyring, user_id, code)
    return await _new_backup_codes(tx, keyring, user_id)


async def remove(tx: Tx, keyring: Keyring, user_id: int, code: str) -> None:
    """Sign in with a password alone again."""
    await _check(tx, keyring, user_id, code)
    await queries.delete_second_factor(tx, user_id)


async def is_shown(tx: Tx, keyring: Keyring, user_id: int, otp_code: str, *, backup_code: str = "") -> bool:
    """Whether this is a right code, of the app or a backup code; it is used up by that."""
    factor = await queries.lock_second_factor(tx, user_id)
    if factor is None or factor.enabled_at is None:
        return False
    if otp_code:
        return await _is_code(tx, keyring, factor, otp_code)
    code = backup_code.strip().upper()
    return bool(code) and await queries.use_backup_code(tx, user_id, keyring.digests(_backup(user_id, code)))


async def _check(tx: Tx, keyring: Keyring, user_id: int, code: str) -> None:
    factor = await queries.lock_second_factor(tx, user_id)
    if factor is None or factor.enabled_at is None:
        raise SecondFactorMissing
    if not await _is_code(tx, keyring, factor, code):
        raise SecondFactorCodeWrong


async def _is_code(tx: Tx, keyring: Keyring, factor: SecondFactor, code: str) -> bool:
    """Whether the app shows this code now. Neither it nor an earlier one is taken again."""
    app = _app(keyring.open(factor.secret, context=_context(factor.user_id)))
    given = code.replace(" ", "").encode()
    now = int(clock.unix()) // STEP_SECONDS
    for step in (now + neighbour for neighbour in NEIGHBOURS):
        if hmac.compare_digest(app.generate(step * STEP_SECONDS), given):
            return await queries.set_last_step(tx, factor.user_id, step)
    return False


async def _new_backup_codes(tx: Tx, keyring: Keyring, user_id: int) -> list[str]:
    codes = [secrets.token_hex(4).upper() for _ in range(BACKUP_CODES)]
    await queries.replace_backup_codes(tx, user_id, [keyring.digest(_backup(user_id, code)) for code in codes])
    return codes


def _app(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - what every such app computes


def _context(user_id: int) -> str:
    return f"second_factors.secret:{user_id}"


def _backup(user_id: int, code: str) -> str:
    return f"backup code {user_id} {code}"
