"""Which answer the product gives by itself to an incoming message: that nobody is there now, or a greeting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from criachat.conversations.snapshots import INCOMING, MessageSnapshot
from criachat.inboxes.hours import is_open
from criachat.inboxes.models import Inbox
from criachat.messages.models import Answers


def may_be_answered(message: MessageSnapshot) -> bool:
    """Whether a person wrote it: answers of other machines are not answered, or two would talk for ever."""
    email = message.content_attributes.get("email")
    is_from_machine = isinstance(email, dict) and bool(cast(dict[str, Any], email).get("auto_reply"))
    return message.message_type == INCOMING and not is_from_machine


def is_ever_answered(inbox: Inbox) -> bool:
    """Whether the inbox has anything to say by itself."""
    return bool(
        (inbox.greeting_enabled and inbox.greeting_message)
        or (inbox.working_hours_enabled and inbox.out_of_office_message)
    )


def out_of_office_text(at: datetime, inbox: Inbox, answers: Answers) -> str | None:
    """What to say to a message of this moment when nobody is there; once a day (of UTC) is enough."""
    if not inbox.out_of_office_message or is_open(inbox, at):
        return None
    said = answers.last_template_at
    return (
        None
        if said is not None and said.astimezone(UTC).date() >= at.astimezone(UTC).date()
        else inbox.out_of_office_message
    )


def greeting_text(inbox: Inbox, answers: Answers) -> str | None:
    """What to say to whoever writes for the first time."""
    return inbox.greeting_message or None if inbox.greeting_enabled and not answers.is_answered else None
