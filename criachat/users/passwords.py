"""Passwords: what they must be, and how they are kept (Argon2id, RFC 9106)."""

from __future__ import annotations

import secrets
import string

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SPECIAL = " !@#$%^&*()_+-=[]{}|\"/\\.,`<>:;?~'"
ALLOWED = set(string.ascii_letters + string.digits + SPECIAL)
SHORTEST, LONGEST = 6, 128

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def is_strong_enough(password: str) -> bool:
    """6 to 128 characters, at least one of each class, nothing outside them."""
    return (
        SHORTEST <= len(password) <= LONGEST
        and set(password) <= ALLOWED
        and all(set(password) & set(kind) for kind in (string.ascii_uppercase, string.ascii_lowercase, string.digits))
        and bool(set(password) & set(SPECIAL))
    )


def hashed(password: str) -> str:
    """The hash to keep; takes about 20 ms on purpose, so call it outside a transaction."""
    return _hasher.hash(password)


def matches(password: str, password_hash: str) -> bool:
    """Whether this is the password behind the hash."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def random_password() -> str:
    """A password that fulfils the rule, easy to type once."""
    letters = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(16))
    return f"Cr{letters}-{secrets.randbelow(90) + 10}"
