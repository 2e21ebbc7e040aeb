"""What readers of the log can do wrong."""

from __future__ import annotations

from criachat.kit.errors import Gone, Invalid, TooMany


class CursorInvalid(Invalid):
    """After is no cursor of this feed"""

    attributes = ("after",)


class CursorTooOld(Gone):
    """Events after this cursor are not kept any more; read what you need anew, then follow from `after=now`"""


class LogLost(Gone):
    """This cursor is of a log that was lost; read what you need anew, then follow from `after=now`"""


class UnknownEvent(Invalid):
    """Event does not exist"""

    attributes = ("event",)


class TooManyWait(TooMany):
    """Too many wait for the events of this account already; retry later"""

    def __init__(self) -> None:
        super().__init__({"Retry-After": "5"})
