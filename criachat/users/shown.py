"""What everybody who shows people needs besides the rows."""

from __future__ import annotations

import msgspec

from criachat.kit.files import Files
from criachat.users.presence import Presence


class Shown(msgspec.Struct, frozen=True):
    """What rendering needs besides the rows: who is online, and where files are to be had.

    Where `tells_presence` is false, what is shown tells of a moment that is over, and not who is online now.
    """

    presence: Presence
    files: Files
    tells_presence: bool = True
