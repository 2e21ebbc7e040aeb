"""Who is asking."""

from __future__ import annotations

from enum import Flag, auto
from typing import Final, Literal

import msgspec

# The scope of a token that may do all that its owner may.
EVERYTHING: Final = "*"


class Callers(Flag):
    """Kinds of caller; an endpoint names those it admits."""

    ADMINISTRATOR = auto()
    AGENT_ONLY = auto()
    BOT = auto()
    PLATFORM_APP = auto()
    CONTACT = auto()
    PERSON = auto()
    ANYONE = auto()

    def meets(self, others: Callers) -> bool:
        """Whether some kind is in both: what `&` says, at a tenth of its price."""
        return self._value_ & others._value_ != 0


ADMINISTRATOR = Callers.ADMINISTRATOR
AGENT = Callers.ADMINISTRATOR | Callers.AGENT_ONLY  # any member of the account
BOT = Callers.BOT
PLATFORM_APP = Callers.PLATFORM_APP
CONTACT = Callers.CONTACT  # an end user, known by an inbox and a contact identifier
PERSON = Callers.PERSON  # a signed-in user, on routes without an account
ANYONE = Callers.ANYONE

ActorType = Literal["user", "agent_bot", "platform_app", "contact", "system"]


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """The caller of one request, or the system itself.

    `account_id` is 0 on routes without an account. What an agent may see is asked of the database by `access`.
    """

    type: ActorType
    account_id: int = 0
    id: int | None = None
    name: str = ""
    display_name: str | None = None
    email: str = ""
    avatar_key: str | None = None
    availability: str = "online"
    auto_offline: bool = True
    kind: Callers = Callers.ANYONE
    token_id: int | None = None
    session_id: int | None = None  # where the caller signed in, when they came with a session
    scopes: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    has_custom_role: bool = False
    locale: str = "en"
    screen_locale: str | None = None  # of a caller who came with a session, where their screen has a language
    access_token: str | None = None
    inbox_id: int | None = None
    contact_inbox_id: int | None = None
    is_verified: bool = False  # whether a contact has proved who they are in this contact inbox

    @property
    def user_id(self) -> int | None:
        """The user, when it is one."""
        return self.id if self.type == "user" else None

    @property
    def agent_bot_id(self) -> int | None:
        """The bot, when it is one."""
        return self.id if self.type == "agent_bot" else None

    @property
    def is_administrator(self) -> bool:
        """Whether the caller may do everything in the account."""
        return self.kind.meets(Callers.ADMINISTRATOR)

    def covers(self, scope: str | None) -> bool:
        """Whether the caller's token may do what asks for this scope; only one without scopes, or with `*`, may do all.

        Whoever may write may read.
        """
        if not self.scopes or EVERYTHING in self.scopes:
            return True
        return scope is not None and not self.scopes.isdisjoint((scope, f"{scope.partition(':')[0]}:write"))

    @property
    def limited_to_user(self) -> int | None:
        """The user whose inboxes bound what may be seen; None for callers who see all of the account."""
        return self.id if self.type == "user" and not self.is_administrator else None


def system(account_id: int) -> Actor:
    """The product itself, acting for an account."""
    return Actor(type="system", account_id=account_id)
