"""The inbox an app talks to."""

from __future__ import annotations

from criachat.client_api import access
from criachat.client_api.paths import INBOX
from criachat.client_api.schemas import PublicInboxOut, public_inbox_out
from criachat.kit.actors import CONTACT, Actor
from criachat.kit.db import Db
from criachat.kit.http.routes import Routes

routes = Routes(INBOX, tag="Client API")


@routes.get(actors=CONTACT)
async def show_inbox(db: Db, actor: Actor) -> PublicInboxOut:
    """What an app may know of the inbox before anybody said who they are."""
    return public_inbox_out(await access.load_inbox(db, actor))
