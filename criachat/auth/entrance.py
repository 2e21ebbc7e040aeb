"""What whoever comes in by signing in is met with."""

from __future__ import annotations

import msgspec

from criachat.kit.db import Database
from criachat.kit.shared_limits import SharedLimiter
from criachat.kit.tokens import Keyring
from criachat.users.shown import Shown


class Entrance(msgspec.Struct, frozen=True, kw_only=True):
    """Passwords are slow to compare, so who signs in is given short transactions of their own, and none meanwhile."""

    database: Database
    keyring: Keyring
    limits: SharedLimiter
    shown: Shown
