"""Many conversations or contacts at once, over HTTP."""

from __future__ import annotations

from criachat.conversations.bulk import added_labels_of, ids_of, kind_of, wanted_of
from criachat.conversations.jobs import (
    ChangeContact,
    ChangeConversation,
    change_contact,
    change_conversation,
    jobs,
)
from criachat.conversations.schemas import BulkParams
from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotAuthorized, ScopeMissing
from criachat.kit.http.routes import Routes
from criachat.users.presence import Presence

routes = Routes("/api/v1/accounts/{account_id}/bulk_actions", tag="Conversations", scope="conversations")


@routes.post(actors=AGENT)
async def change_many(tx: Tx, actor: Actor, presence: Presence, params: BulkParams) -> None:
    """Change up to 1,000 conversations or contacts, soon, each on its own: those the caller may not open stay.

    Conversations, by number: `fields.status`, `fields.assignee_id`, `fields.team_id`, `labels.add`, `labels.remove`.
    Contacts, by id: `action_name` `delete` (administrators only; who is online stays), or `labels.add`.
    """
    kind, ids = kind_of(params), ids_of(params)
    user_id = actor.user_id or 0
    if kind == "conversation":
        wanted = wanted_of(params)
        changes = [ChangeConversation(actor.account_id, user_id, display_id, wanted) for display_id in ids]
        await jobs.enqueue_all(tx, change_conversation, changes)
        return
    is_gone, labels = params.action_name == "delete", added_labels_of(params)
    if not actor.covers("contacts:write"):
        raise ScopeMissing("contacts:write")
    if is_gone and not actor.is_administrator:
        raise NotAuthorized
    if is_gone:
        ids = [each for each in ids if not presence.is_contact_present(actor.account_id, each)]
    changed = [ChangeContact(actor.account_id, user_id, each, is_gone=is_gone, labels=labels) for each in ids]
    await jobs.enqueue_all(tx, change_contact, changed)
