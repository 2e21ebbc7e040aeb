"""Who an app's user is: their session, and what may be said of them."""

from __future__ import annotations

from criachat.client_api import access, operations
from criachat.client_api.identity import proved_identifier
from criachat.client_api.paths import CONTACTS
from criachat.client_api.schemas import ContactParams, ProofParams, SessionParams
from criachat.contacts.schemas.own import PublicContactOut, RawContactOut, public_contact_out, raw_contact_out
from criachat.kit.actors import CONTACT, Actor
from criachat.kit.db import Tx
from criachat.kit.http.routes import Routes
from criachat.kit.tokens import Keyring

routes = Routes(CONTACTS, tag="Client API")


@routes.post(actors=CONTACT)
async def open_session(tx: Tx, actor: Actor, keyring: Keyring, params: SessionParams) -> PublicContactOut:
    """Begin as a new contact, or as the one who was proved; or go on with the session of a `source_id`.

    An e-mail, phone number or identifier that is somebody else's is refused, unless `identifier_hash` proves it.
    """
    inbox = await access.load_inbox(tx, actor)
    identifier = proved_identifier(keyring, inbox, params)
    contact, session = await operations.open_session(tx, inbox, params, identifier=identifier, actor=actor)
    return public_contact_out(contact, session)


@routes.get("/{contact_identifier}", actors=CONTACT)
async def show_contact(tx: Tx, actor: Actor, keyring: Keyring, params: ProofParams) -> PublicContactOut:
    """The contact of the session; with a valid `identifier_hash` the session is verified from now on."""
    identifier = proved_identifier(keyring, await access.load_inbox(tx, actor), params)
    contact, session = await operations.recognise(
        tx, await access.load_session(tx, actor), identifier=identifier, actor=actor
    )
    return public_contact_out(contact, session)


@routes.update("/{contact_identifier}", actors=CONTACT)
async def change_contact(tx: Tx, actor: Actor, keyring: Keyring, params: ContactParams) -> RawContactOut:
    """Change what is sent and not blank; custom attributes are merged, also inside of each other.

    With a valid `identifier_hash`, whoever was proved is the same contact from now on: its `id` may be another one.
    """
    identifier = proved_identifier(keyring, await access.load_inbox(tx, actor), params)
    contact, _ = await operations.recognise(
        tx, await access.load_session(tx, actor), identifier=identifier, actor=actor
    )
    return raw_contact_out(await operations.change_contact(tx, contact, params, identifier=identifier, actor=actor))
