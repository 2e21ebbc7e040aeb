"""What inboxes do when something happened to them."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.custom_attributes.events import AttributeDefinitionChanged
from criachat.inboxes.events import InboxDeleted
from criachat.inboxes.jobs import RemoveInbox, enqueue_removal, follow_definition, jobs
from criachat.inboxes.pre_chat import Renaming
from criachat.kit.db import Tx
from criachat.kit.events import Listeners

listeners = Listeners("inboxes")


@listeners.on(InboxDeleted)
async def have_inboxes_removed(tx: Tx, events: Sequence[InboxDeleted]) -> None:
    """Remove in the background what is hidden already."""
    for event in events:
        await enqueue_removal(tx, RemoveInbox(event.account_id, event.snapshot.id))


@listeners.on(AttributeDefinitionChanged)
async def have_forms_follow(tx: Tx, events: Sequence[AttributeDefinitionChanged]) -> None:
    """Have websites ask for an extra field as it is called now, and for none that was removed."""
    for event in events:
        named = event.attribute_model, event.attribute_key, event.attribute_display_name
        params = Renaming(event.account_id, event.definition_id, *named)
        await jobs.enqueue(tx, follow_definition, params, dedupe_key=f"{event.account_id}:{event.id}")
