"""ActionCable's frames: what clients send, and what they are sent. Text frames, each one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeVar

import msgspec

from criachat.kit.http.binding import id_of

SUBPROTOCOLS: Final = ("actioncable-v1-json", "actioncable-unsupported")
CHANNEL: Final = "RoomChannel"
WELCOME: Final = '{"type":"welcome"}'
PING_SECONDS: Final = 3

LONGEST_IDENTIFIER: Final = 4_096

Reason = Literal["unauthorized", "invalid_request", "server_restart", "remote"]
S = TypeVar("S")

_encode = msgspec.json.Encoder().encode


class Action(msgspec.Struct, frozen=True):
    """What a subscriber wants its channel to do."""

    action: str


class Command(msgspec.Struct, frozen=True):
    """What a client wants: `subscribe`, `unsubscribe` or `message`. `data` is JSON in a string; clients of some phones
    send it as it is, or null where there is none."""

    command: str
    identifier: str = ""
    data: str | Action | None = None


class Identifier(msgspec.Struct, frozen=True):
    """What a client subscribes to. With a `user_id` it is an agent, without one a contact.

    `after` is ours: the cursor of the last frame the client has seen, when it wants to have what it missed.
    """

    channel: str
    pubsub_token: str
    account_id: int | str | None = None
    user_id: int | str | None = None
    after: str | None = None

    @property
    def is_agent(self) -> bool:
        """Whether somebody of the team asks."""
        return self.user_id is not None and str(self.user_id).strip() != ""


_decode_command = msgspec.json.Decoder(Command)
_decode_identifier = msgspec.json.Decoder(Identifier)
_decode_action = msgspec.json.Decoder(Action)


def read_command(text: str) -> Command | None:
    """The command of a frame; None when it is none."""
    return _read(_decode_command, text)


def read_identifier(text: str) -> Identifier | None:
    """What an identifier names; None when it names nothing of ours."""
    identifier = _read(_decode_identifier, text) if len(text) <= LONGEST_IDENTIFIER else None
    if identifier is None or identifier.channel != CHANNEL:
        return None
    token = identifier.pubsub_token
    return identifier if token.isascii() and token.isprintable() else None


def read_action(data: str | Action | None) -> str | None:
    """The action of a `message` command."""
    action = _read(_decode_action, data) if isinstance(data, str) else data
    return None if action is None else action.action


def _read(decoder: msgspec.json.Decoder[S], text: str) -> S | None:
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def read_id(value: int | str | None) -> int | None:
    """An id given as a number or as its digits; None when it cannot be one."""
    return id_of(str(value).strip())


def choose_subprotocol(offered: Sequence[str]) -> str | None:
    """The best of what a client offers; None when it offers nothing we know."""
    return next((known for known in SUBPROTOCOLS if known in offered), None)


def quoted(identifier: str) -> str:
    """The identifier as JSON: the very text the client sent, once decoded."""
    return _encode(identifier).decode()


def ping(unix_seconds: int) -> str:
    """The sign of life."""
    return f'{{"type":"ping","message":{unix_seconds}}}'


def confirmation(identifier: str) -> str:
    """The subscription stands."""
    return f'{{"identifier":{quoted(identifier)},"type":"confirm_subscription"}}'


def rejection(identifier: str) -> str:
    """The subscription is refused."""
    return f'{{"identifier":{quoted(identifier)},"type":"reject_subscription"}}'


def disconnection(reason: Reason, *, reconnect: bool) -> str:
    """The last frame before we close."""
    return f'{{"type":"disconnect","reason":"{reason}","reconnect":{"true" if reconnect else "false"}}}'


def data_prefix(identifier: str) -> str:
    """What stands before the shared part of a data frame; a `}` follows it."""
    return f'{{"identifier":{quoted(identifier)},"message":'
