"""Labels, custom attributes, and who has seen what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from criachat.conversations.errors import AttributeTooLarge
from criachat.conversations.models import Conversation
from criachat.conversations.operations.saving import save
from criachat.conversations.queries import writes
from criachat.conversations.snapshots import LastMessages
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Tx

LONGEST_TEXT = 1500
LARGEST_NUMBER = 9_999_999_999
LONGEST_LABEL = 255
MOST_LABELS = 200


def label_titles(titles: Iterable[object]) -> list[str]:
    """Titles as they are kept: in small letters, each once; a comma inside one splits it."""
    parts = (part.strip().lower() for title in titles for part in str(title).split(","))
    return list(dict.fromkeys(part[:LONGEST_LABEL] for part in parts if part))[:MOST_LABELS]


def check_attributes(attributes: Mapping[str, Any]) -> None:
    """Refuse texts from 1,500 characters and whole numbers past ten digits at the top level."""
    for key, value in attributes.items():
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise AttributeTooLarge(f"{key[:100]} length should be < 1500")
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_NUMBER:
            raise AttributeTooLarge(f"{key[:100]} value should be < 9999999999")


async def set_labels(tx: Tx, conversation: Conversation, labels: Iterable[object], *, actor: Actor) -> Conversation:
    """Replace its labels."""
    titles = label_titles(labels)
    return await save(tx, conversation, lambda _: {"labels": titles}, actor=actor)


async def add_label(tx: Tx, conversation: Conversation, label: str, *, actor: Actor) -> Conversation:
    """Add one label; nothing happens when it is there."""
    return await save(tx, conversation, lambda now: {"labels": label_titles([*now.labels, label])}, actor=actor)


async def remove_label(tx: Tx, conversation: Conversation, label: str, *, actor: Actor) -> Conversation:
    """Take one label away; nothing happens when it is not there."""
    gone = label.strip().lower()
    return await save(
        tx, conversation, lambda now: {"labels": [kept for kept in now.labels if kept != gone]}, actor=actor
    )


async def set_custom_attributes(
    tx: Tx, conversation: Conversation, attributes: dict[str, Any], *, actor: Actor
) -> Conversation:
    """Replace its custom attributes."""
    check_attributes(attributes)
    return await save(tx, conversation, lambda _: {"custom_attributes": attributes}, actor=actor)


async def change_custom_attributes(
    tx: Tx, conversation: Conversation, attributes: Mapping[str, Any], *, actor: Actor
) -> Conversation:
    """Write the attributes that were sent and leave the others; null takes one away."""
    check_attributes(attributes)

    def change(now: Conversation) -> dict[str, Any]:
        merged = {**now.custom_attributes, **attributes}
        return {"custom_attributes": {key: value for key, value in merged.items() if value is not None}}

    return await save(tx, conversation, change, actor=actor)


async def mark_seen_by_team(tx: Tx, conversation: Conversation, *, actor: Actor) -> None:
    """The team has seen everything up to now. Nothing is told of it."""
    await writes.set_seen_by_agent(tx, conversation, actor.user_id)


async def mark_seen_by_contact(tx: Tx, conversation: Conversation, *, actor: Actor) -> Conversation:
    """The contact has seen everything up to now."""
    return await save(tx, conversation, lambda _: {"contact_last_seen_at": clock.now()}, actor=actor)


async def show_changed_message(tx: Tx, conversation: Conversation, last_messages: LastMessages) -> None:
    """Have lists show a message as it is now; called by the slice of messages, which holds the lock."""
    await writes.set_last_messages(tx, conversation, last_messages)
