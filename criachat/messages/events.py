"""What messages tell others."""

from __future__ import annotations

import msgspec

from criachat.conversations.events import AssigneeChanged, ConversationEvent
from criachat.conversations.snapshots import ConversationSnapshot, MessageSnapshot
from criachat.kit.events import Event, declare
from criachat.users.snapshots import BotSnapshot, UserSnapshot


class MessageInConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its conversation, both as they were when it was written.

    `echo_id` is whatever the sender called it. The conversation's `last_message` is only there when the newest
    public message is another one; `newest_public` gives it in both cases.
    """

    message: MessageSnapshot
    conversation: ConversationSnapshot
    echo_id: str | int | float | bool | None = None

    @property
    def newest_public(self) -> MessageSnapshot | None:
        """The newest message of the conversation that the contact may see."""
        if self.conversation.last_message is not None:
            return self.conversation.last_message
        return self.message if self.message.is_public else None


class MessageEvent(Event, frozen=True, kw_only=True):
    """Something about one message. `performer` is the person or bot whose request caused it."""

    snapshot: MessageInConversation
    performer: UserSnapshot | BotSnapshot | None = None


@declare("message_created", realtime="message.created")
class MessageCreated(MessageEvent, frozen=True, kw_only=True):
    """A message was said, noted, or written by the product itself."""


@declare("message_updated", realtime="message.updated")
class MessageUpdated(MessageEvent, frozen=True, kw_only=True):
    """Status, content or attributes of a message changed; deleting is such a change."""


@declare("message_retried")
class MessageRetried(MessageEvent, frozen=True, kw_only=True):
    """Somebody wants a message that failed to be sent once more."""


@declare("first_reply_created", realtime="first.reply.created")
class FirstReplyCreated(MessageEvent, frozen=True, kw_only=True):
    """A person of the team answered for the first time."""


@declare("reply_created", realtime="reply.created")
class ReplyCreated(MessageEvent, frozen=True, kw_only=True):
    """A person of the team answered somebody who was waiting."""

    waiting_since: str | None = None


def conversation_of(event: Event) -> ConversationSnapshot | None:
    """The conversation an event tells of; None when it tells of none."""
    if isinstance(event, MessageEvent):
        return event.snapshot.conversation
    return event.snapshot if isinstance(event, ConversationEvent) else None


def assignee_ids_of(event: Event) -> frozenset[int | None]:
    """Which people have its conversation, or had it until then; None among them stands for nobody."""
    conversation = conversation_of(event)
    if conversation is None:
        return frozenset()
    assignee = conversation.assignee
    assignee_id = assignee.id if isinstance(assignee, UserSnapshot) else None
    return frozenset((assignee_id, event.previous) if isinstance(event, AssigneeChanged) else (assignee_id,))


@declare("transcript_requested")
class TranscriptRequested(ConversationEvent, frozen=True, kw_only=True):
    """Somebody wants what was said in public sent to an address."""

    email: str
