"""Labels, custom attributes, and who has seen what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from criachat.conversations import access
from criachat.conversations.errors import AttributesInvalid, LabelBlank, LabelsInvalid
from criachat.conversations.models import Conversation
from criachat.conversations.operations.saving import save
from criachat.conversations.queries import writes
from criachat.conversations.snapshots import LastMessages
from criachat.kit import clock
from criachat.kit.actors import Actor, system
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.labels.titles import excess_of, label_titles

LONGEST_TEXT = 1500
LARGEST_NUMBER = 9_999_999_999
# Every event and every page that shows a conversation carries all of its attributes.
MOST_ATTRIBUTE_BYTES = 100_000
BATCH = 50


def check_attributes(attributes: Mapping[str, Any], *, field: str = "custom_attributes") -> None:
    """Refuse texts past 1,500 characters and whole numbers past ten digits at the top level, and 100 kB in all."""
    for key, value in attributes.items():
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise AttributesInvalid(f"{key[:100]} length should be < {LONGEST_TEXT}", attributes=[field])
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_NUMBER:
            raise AttributesInvalid(f"{key[:100]} value should be < {LARGEST_NUMBER}", attributes=[field])
    if len(msgspec.json.encode(attributes)) > MOST_ATTRIBUTE_BYTES:
        name = field.replace("_", " ").capitalize()
        raise AttributesInvalid(f"{name} are too large (maximum is 100 kB)", attributes=[field])


async def set_labels(
    tx: Tx, conversation: Conversation, labels: Iterable[object], *, actor: Actor, cause: str | None = None
) -> Conversation:
    """Replace its labels."""
    titles = label_titles(labels)
    return await _save_labels(tx, conversation, lambda _: titles, actor, cause)


async def add_label(tx: Tx, conversation: Conversation, label: str, *, actor: Actor) -> Conversation:
    """Add one label; nothing happens when it is there."""
    if not label_titles([label]):
        raise LabelBlank
    return await _save_labels(tx, conversation, lambda kept: label_titles([*kept, label]), actor)


async def remove_label(tx: Tx, conversation: Conversation, label: str, *, actor: Actor) -> Conversation:
    """Take one label away; nothing happens when it is not there."""
    gone = label_titles([label])
    return await _save_labels(tx, conversation, lambda kept: [title for title in kept if title not in gone], actor)


async def retag(tx: Tx, account_id: int, *, previous: str, current: str, cause: str) -> int:
    """Give a batch of conversations the label's new title for its previous one; how many it were."""

    def change(before: Conversation) -> dict[str, Any]:
        titles = (current if title == previous else title for title in before.labels)
        return {"labels": list(dict.fromkeys(titles))}

    labelled = await writes.list_labelled(tx, account_id, previous, limit=BATCH)
    for conversation in labelled:
        await save(tx, conversation, change, actor=system(account_id), cause=cause)
    return len(labelled)


async def _save_labels(
    tx: Tx,
    conversation: Conversation,
    wanted: Callable[[list[str]], list[str]],
    actor: Actor,
    cause: str | None = None,
) -> Conversation:
    """Have the labels that are wanted instead of those it has; the same ones in another order are no change."""

    def change(before: Conversation) -> dict[str, Any]:
        return relabelled(before, wanted(before.labels))

    return (await save(tx, conversation, change, actor=actor, cause=cause)).after


def relabelled(before: Conversation, titles: list[str]) -> dict[str, Any]:
    """What changes when it has these labels, each once; refused when they are too long or too many."""
    labels = list(dict.fromkeys(titles))
    if set(labels) == set(before.labels):
        return {}
    if excess := excess_of(labels):
        raise LabelsInvalid(excess)
    return {"labels": labels}


async def set_custom_attributes(
    tx: Tx, conversation: Conversation, attributes: dict[str, Any], *, actor: Actor
) -> Conversation:
    """Replace its custom attributes."""
    check_attributes(attributes)
    return (await save(tx, conversation, lambda _: {"custom_attributes": attributes}, actor=actor)).after


async def change_custom_attributes(
    tx: Tx, conversation: Conversation, attributes: Mapping[str, Any], *, actor: Actor
) -> Conversation:
    """Write the attributes that were sent and leave the others; null takes one away."""
    gone = {key for key, value in attributes.items() if value is None}

    def change(before: Conversation) -> dict[str, Any]:
        merged = {**before.custom_attributes, **attributes}
        wanted = {key: value for key, value in merged.items() if key not in gone}
        check_attributes(wanted)
        return {"custom_attributes": wanted}

    return (await save(tx, conversation, change, actor=actor)).after


async def mark_seen_by_team(tx: Tx, conversation: Conversation, *, actor: Actor) -> Conversation:
    """The team has seen everything up to now. Nothing is told of it."""
    return _there(await writes.set_seen_by_team(tx, conversation, actor.user_id))


async def mark_unread_by_team(tx: Tx, conversation: Conversation, *, actor: Actor) -> Conversation:
    """The team has not seen the last incoming message; it has seen nothing at all where there is none."""
    await access.lock_conversation(tx, conversation)
    return _there(await writes.set_unread(tx, conversation, actor.user_id))


def _there(conversation: Conversation | None) -> Conversation:
    if conversation is None:
        raise NotFound
    return conversation


async def mark_seen_by_contact(tx: Tx, conversation: Conversation, *, actor: Actor) -> Conversation:
    """The contact has seen everything up to now."""
    return (await save(tx, conversation, lambda _: {"contact_last_seen_at": clock.now()}, actor=actor)).after


async def show_changed_message(tx: Tx, conversation: Conversation, last_messages: LastMessages | None) -> Conversation:
    """Have lists show a message as it is now; the conversation, which counts as changed too.

    Called by the slice of messages, which holds the lock.
    """
    updated_at = await writes.set_last_messages(tx, conversation, last_messages)
    return msgspec.structs.replace(conversation, version=conversation.version + 1, updated_at=updated_at)
