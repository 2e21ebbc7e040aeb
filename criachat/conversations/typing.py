"""Who is typing: a signal that nobody keeps, from the endpoints that hear of it to the sockets that show it."""

from __future__ import annotations

from typing import Final

import msgspec

from criachat.conversations.models import Conversation
from criachat.kit import tokens
from criachat.kit.signals import Signals
from criachat.users.snapshots import BotSnapshot, UserSnapshot

TYPING_TOPIC: Final = "typing"


class Typing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody began or stopped typing in a conversation (named by its database id).

    Without a `typist` it is the conversation's contact, whose attributes could be too long for a signal. The `id` tells
    signals apart for those of whom only one may answer.
    """

    id: str
    account_id: int
    inbox_id: int
    conversation_id: int
    is_on: bool
    is_private: bool = False
    typist: UserSnapshot | BotSnapshot | None = None

    @property
    def user_id(self) -> int | None:
        """The person of the team who is typing, when it is one."""
        return self.typist.id if isinstance(self.typist, UserSnapshot) else None


_decode = msgspec.json.Decoder(Typing).decode
_encode = msgspec.json.Encoder().encode


async def publish_typing(
    signals: Signals,
    conversation: Conversation,
    *,
    typist: UserSnapshot | BotSnapshot | None,
    is_on: bool,
    is_private: bool = False,
) -> None:
    """Let everybody in the conversation see that this person or bot (None: the contact) is typing, or is not any more.

    Nobody but the team is told when it is a private note that is typed.
    """
    typing = Typing(
        id=tokens.uuid4(),
        account_id=conversation.account_id,
        inbox_id=conversation.inbox_id,
        conversation_id=conversation.id,
        is_on=is_on,
        is_private=is_private,
        typist=typist,
    )
    await signals.publish(TYPING_TOPIC, _encode(typing))


def read_typing(message: bytes) -> Typing:
    """What a signal of the topic says."""
    return _decode(message)
