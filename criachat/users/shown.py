"""What everybody who shows people needs besides the rows."""

from __future__ import annotations

import msgspec

from criachat.kit.files import Files
from criachat.users.presence import Presence


class Shown(msgspec.Struct, frozen=True):
    """What rendering needs besides the rows: who is online, and where files are to be had."""

    presence: Presence
    files: Files
