"""What callers can do wrong. The docstring of a refusal is the sentence the caller reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

Thing = TypeVar("Thing")


class Refused(Exception):
    """Request refused"""

    status: ClassVar[int] = 422
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, text: str | None = None) -> None:
        self.text = text or (type(self).__doc__ or "").strip().split("\n")[0]
        super().__init__(self.text)

    def body(self) -> object:
        """The JSON the caller reads."""
        return {"error": self.text}


class Invalid(Refused):
    """Is invalid"""

    attributes: ClassVar[Sequence[str]] = ("base",)

    def __init__(self, text: str | None = None, *, attributes: Sequence[str] | None = None) -> None:
        super().__init__(text)
        self.invalid_attributes = list(attributes if attributes is not None else type(self).attributes)

    def body(self) -> object:
        return {"message": self.text, "attributes": self.invalid_attributes}


def together(refusals: Sequence[Invalid]) -> Invalid:
    """Everything that is wrong with a record, in one refusal."""
    named = [name for each in refusals for name in each.invalid_attributes]
    return Invalid(", ".join(each.text for each in refusals), attributes=list(dict.fromkeys(named)))


def checked_together(checks: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """What each check gives, by its name; what they refuse is refused in one answer."""
    found: dict[str, Any] = {}
    refusals: list[Invalid] = []
    for name, check in checks.items():
        try:
            found[name] = check()
        except Invalid as refusal:
            refusals.append(refusal)
    if refusals:
        raise together(refusals)
    return found


class Unprocessable(Refused):
    """Request could not be processed"""


class Malformed(Refused):
    """Bad Request"""

    status = 400

    def body(self) -> object:
        return {"status": 400, "error": "Bad Request", "detail": self.text}


class Unauthenticated(Refused):
    """You need to sign in or sign up before continuing."""

    status = 401

    def body(self) -> object:
        return {"errors": [self.text]}


class InvalidAccessToken(Refused):
    """Invalid Access Token"""

    status = 401


class NotAuthorized(Refused):
    """You are not authorized to do this action"""

    status = 401


class ScopeMissing(NotAuthorized):
    """This access token lacks a scope"""

    def __init__(self, scope: str | None) -> None:
        super().__init__(f"This access token lacks the scope {scope or '*'}")


class NotForBots(NotAuthorized):
    """Access to this endpoint is not authorized for bots"""


class Forbidden(Refused):
    """This is not allowed here"""

    status = 403


class NotFound(Refused):
    """Resource could not be found"""

    status = 404


def existing(thing: Thing | None) -> Thing:
    """What was looked for; refused as `NotFound` when it is not there."""
    if thing is None:
        raise NotFound
    return thing


class NoSuchPage(Refused):
    """Not Found"""

    status = 404

    def body(self) -> object:
        return {"status": 404, "error": "Not Found"}


class Conflict(Refused):
    """This was changed too often meanwhile; try again"""

    status = 409
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "2"}


class Gone(Refused):
    """This is no longer available"""

    status = 410


class PreconditionFailed(Refused):
    """This was changed since you read it; read it again"""

    status = 412


class TooLarge(Refused):
    """The request is too large"""

    status = 413


class TooMany(Refused):
    """Retry later"""

    status = 429

    def __init__(self, told: Mapping[str, str]) -> None:
        super().__init__()
        self.told = told
        """Headers: when to come back, and what the limit is."""


class Unavailable(Refused):
    """The database is restarting; try again shortly"""

    status = 503
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class Crowded(Unavailable):
    """Too many are changing this at once; try again shortly"""
