"""Having a thread sent by mail."""

from __future__ import annotations

from criachat.conversations.models import Conversation
from criachat.conversations.operations.saving import facts
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.events import emit
from criachat.messages.errors import TranscriptAddressInvalid
from criachat.messages.events import TranscriptRequested
from criachat.users.addresses import is_address


async def request_transcript(
    tx: Tx, conversation: Conversation, email: str, *, actor: Actor, cause: str | None = None
) -> None:
    """Have a transcript of what was said in public sent to this address."""
    if not is_address(email):
        raise TranscriptAddressInvalid
    told = facts(conversation, actor=actor, cause=cause)
    await emit(tx, TranscriptRequested(**told, email=email.strip()))
