"""People at their browsers: each at an address of their own, with what signing in gave them to carry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from typing import Any

import httpx
from harness import BASE_URL, Given, Person, Reply, World, hearers
from mailserver import Mailbox, text_of

from criachat.users.passwords import hashed

PASSWORD, NEW = "Primavera-1", "Outono-2"
neighbours = count(1)


def unknown_address() -> str:
    """An address that nobody signs in with, and no other test asks for: how often that is done is counted."""
    return f"nobody-{next(neighbours)}@example.com"


class Browser:
    """Somebody's browser. Once signed in, it sends what it was given with each request."""

    def __init__(self, world: World, *, address: str | None = None) -> None:
        number = next(neighbours)
        self.address = address or f"198.18.{number // 250}.{number % 250 + 1}"
        transport = httpx.ASGITransport(app=world.parts.http, client=(self.address, 4711))
        hooks = {"response": hearers}
        self._client = httpx.AsyncClient(transport=transport, base_url=BASE_URL, event_hooks=hooks)
        self.session: dict[str, str] = {}

    async def call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Reply:
        sent = {**self.session, **(headers or {})}
        answer = await self._client.request(method, path, headers=sent, **options)
        return Reply(answer.status_code, answer.headers, answer.content)

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.call("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Reply:
        return await self.call("POST", path, json=json, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> Reply:
        return await self.call("PUT", path, json=json, **options)

    async def delete(self, path: str, json: Any = None, **options: Any) -> Reply:
        return await self.call("DELETE", path, json=json, **options)

    async def sign_in(self, person: Person, password: str = PASSWORD) -> Reply:
        """Sign in, and keep what that gives."""
        reply = await self.post("/auth/sign_in", {"email": person.email, "password": password})
        self.keep(reply)
        return reply

    def keep(self, reply: Reply) -> None:
        """Carry from now on what this answer gave."""
        if "access-token" in reply.headers:
            self.session = {name: reply.headers[name] for name in ("access-token", "client", "uid")}


async def with_password(given: Given, person: Person, password: str = PASSWORD) -> Person:
    """The same person, who signs in with this password."""
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE users SET password_hash = $2 WHERE id = $1", person.id, hashed(password))
    return person


async def signed_in(given: Given, person: Person) -> Browser:
    """The browser of somebody who has signed in."""
    browser = Browser(given.world)
    assert (await browser.sign_in(await with_password(given, person))).status == 200
    return browser


def token_in(mailbox: Mailbox, address: str, *, page: str = "password/edit") -> str:
    """What the link of the last mail to this address carries."""
    found = re.search(rf"{BASE_URL}/app/auth/{page}\?\w+_token=([0-9a-f]{{64}})\n", text_of(mailbox.of(address)[-1]))
    assert found is not None
    return found[1]


async def asked(given: Given, mailbox: Mailbox, person: Person) -> str:
    """The token in the mail to somebody who asked for a new password."""
    assert (await Browser(given.world).post("/auth/password", {"email": person.email})).status == 200
    await given.worked()
    return token_in(mailbox, person.email)


def choice(token: str, password: str = NEW, **fields: Any) -> dict[str, Any]:
    """What somebody sends who has such a token."""
    return {"reset_password_token": token, "password": password, "password_confirmation": password, **fields}
