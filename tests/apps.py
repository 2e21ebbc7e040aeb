"""End users' apps: each is one session of the client API, and the door it calls through."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from harness import Api, Given, Reply

CLIENT_API = "/public/api/v1"
# A picture, two pixels wide and three high.
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x02\x00\x00\x00\x03\x08\x06\x00\x00\x00\x9dt\x8d\xa6"
    b"\x00\x00\x00\x0bIDATx\x9cc`\x80\x01\x00\x00\x0e\x00\x01\xc2\xba\x84\xb5\x00\x00\x00\x00IEND\xaeB`\x82"
)


class App:
    """The app of one contact in one inbox; its paths begin behind the contact."""

    def __init__(self, api: Api, inbox: Mapping[str, Any], session: Mapping[str, Any]) -> None:
        self._api = api.acting_as(None)
        self.inbox = inbox
        self.session = session
        self.path = f"{contacts_path(inbox)}/{session['source_id']}"

    async def call(self, method: str, path: str = "", **options: Any) -> Reply:
        return await self._api.call(method, self.path + path, **options)

    async def get(self, path: str = "", **options: Any) -> Reply:
        return await self.call("GET", path, **options)

    async def post(self, path: str = "", json: Any = None, **options: Any) -> Reply:
        return await self.call("POST", path, json=json, **options)

    async def patch(self, path: str = "", json: Any = None, **options: Any) -> Reply:
        return await self.call("PATCH", path, json=json, **options)

    async def conversation(self, **fields: Any) -> Any:
        """A new conversation, as the app sees it."""
        reply = await self.post("/conversations", fields)
        assert reply.status == 200, (reply.status, reply.body)
        return reply.json

    async def say(self, conversation: Mapping[str, Any], content: str = "Olá!", **fields: Any) -> Any:
        """A message of the contact, as the app sees it."""
        reply = await self.post(f"/conversations/{conversation['id']}/messages", {"content": content, **fields})
        assert reply.status == 200, (reply.status, reply.body)
        return reply.json


def contacts_path(inbox: Mapping[str, Any]) -> str:
    """Where sessions of this inbox begin."""
    return f"{CLIENT_API}/inboxes/{inbox['inbox_identifier']}/contacts"


async def open_app(given: Given, inbox: Mapping[str, Any] | None = None, **fields: Any) -> App:
    """The app of a new contact, in an inbox of its own unless one is given."""
    place: Mapping[str, Any] = inbox or await given.inbox()
    return App(given.api, place, await given.session(place, **fields))


def signed(inbox: Mapping[str, Any], identifier: str) -> dict[str, str]:
    """What the business's own server gives its user, to prove who they are."""
    digest = hmac.new(inbox["hmac_token"].encode(), identifier.encode(), hashlib.sha256)
    return {"identifier": identifier, "identifier_hash": digest.hexdigest()}
