"""Making two contacts one with all that they said, over HTTP."""

from __future__ import annotations

from criachat.contacts import access as contacts
from criachat.contacts.schemas import ContactOut, contact_out
from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Tx
from criachat.kit.http.routes import Routes
from criachat.messages.operations.merging import load_contacts_to_merge, merge_contacts
from criachat.messages.schemas import MergeParams
from criachat.users.shown import Shown

routes = Routes("/api/v1/accounts/{account_id}/actions", tag="Contacts", scope="contacts")


@routes.post("/contact_merge", actors=AGENT)
async def merge_two_contacts(tx: Tx, actor: Actor, shown: Shown, params: MergeParams) -> ContactOut:
    """Make two contacts one: the base takes over what the other has, and what it lacks; the other is gone."""
    if params.base_contact_id == params.mergee_contact_id:
        return contact_out(await contacts.load_contact(tx, actor, params.base_contact_id), shown)
    base, mergee = await load_contacts_to_merge(tx, actor, params.base_contact_id, params.mergee_contact_id)
    return contact_out(await merge_contacts(tx, base, mergee, actor=actor), shown)
