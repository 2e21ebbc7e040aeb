"""The people and things of the tests, and the door they all go through."""

from __future__ import annotations

import asyncio
import itertools
import json as json_codec
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from criachat.accounts import operations as accounts
from criachat.auth import operations as auth
from criachat.kit import tokens
from criachat.kit.events import Event, Record, catalogue
from criachat.kit.settings import Settings
from criachat.kit.tokens import Keyring
from criachat.main import Loop, Parts, assembled, prepare_database
from criachat.users import operations as users
from criachat.users.access import find_user_by_email
from criachat.users.shown import Shown
from criachat.webhooks.payloads import Links

numbers = itertools.count(1)
# Whoever hears what the application answers to clients made from now on: nobody, unless examples are recorded.
hearers: list[Callable[[httpx.Response], Awaitable[None]]] = []
BASE_URL = "http://criachat.test"
# For what is bound to come: whoever waits in vain fails, late; a machine that is busy makes nobody fail.
PATIENCE_SECONDS = 60
LIST_EVENTS = """
SELECT account_id, id, epoch, xid, name, inbox_id, conversation_id, message_id, contact_id, actor_type, actor_id,
    cause, changes, details, snapshot, created_at
FROM events WHERE account_id = $1 AND name = $2 ORDER BY id
"""
# What was to be told, tried again or done later; and the log is walked from its end on, by whoever walks it next.
FORGET_WHAT_IS_LEFT = """
DELETE FROM delivery_queue;
DELETE FROM event_failures;
DELETE FROM jobs.pgqueuer;
UPDATE event_sweep
SET (epoch, xid, event_id) = (newest.epoch, newest.xid, newest.id)
FROM (SELECT epoch, xid, id FROM events ORDER BY epoch + 0 DESC, xid DESC, id DESC LIMIT 1) AS newest
WHERE (event_sweep.epoch, event_sweep.xid, event_sweep.event_id) < (newest.epoch, newest.xid, newest.id);
UPDATE event_cursors SET has_news = false WHERE has_news;
"""


@contextmanager
def open_folder() -> Generator[Path]:
    """A folder that a server started by root may enter, unlike those of `tmp_path`."""
    with tempfile.TemporaryDirectory(prefix="criachat-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class World(msgspec.Struct, kw_only=True):
    """The application under test and the client that reaches it."""

    parts: Parts
    keyring: Keyring
    client: httpx.AsyncClient


@asynccontextmanager
async def build_world(url: str, folder: Path, **chosen: Any) -> AsyncGenerator[World]:
    """The whole application on this database, its files in this folder."""
    keyring = Keyring.from_secrets(["a-key-for-tests-only-0123456789abcdef"])
    usual = {"allowed_private_hosts": ("127.0.0.1", "localhost"), "webhook_timeout_seconds": 5}
    settings = Settings(data_dir=folder, **{**usual, **chosen})
    await prepare_database(url, keyring)
    async with assembled(settings, database_url=url, keyring=keyring, base_url=BASE_URL) as parts:
        transport = httpx.ASGITransport(app=parts.http)
        hooks = {"response": hearers}
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, event_hooks=hooks) as client:
            yield World(parts=parts, keyring=keyring, client=client)


def links_of(world: World) -> Links:
    """Where receivers of webhooks find what they are told of, as the application itself says."""
    return Links(Shown(world.parts.presence, world.parts.files, tells_presence=False), BASE_URL)


@asynccontextmanager
async def running(*loops: Loop) -> AsyncGenerator[None]:
    """These loops run beside the block, as in a worker process."""
    async with AsyncExitStack() as stack:
        for loop in loops:
            stack.push_async_callback(_stop, asyncio.create_task(loop()))
        # One turn each, so that they listen before anything happens.
        await asyncio.sleep(0)
        yield


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody (or some bot) with an access token."""

    id: int
    name: str
    token: str
    email: str = ""
    pubsub_token: str = ""


class Reply(msgspec.Struct, frozen=True):
    """An answer: its status, its headers and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json_codec.loads(self.body)


class Api:
    """One caller's way to the Application API of one account; absolute paths reach everything else."""

    def __init__(self, world: World, account_id: int, token: str | None) -> None:
        self._world = world
        self._token = token
        self.account_id = account_id

    def acting_as(self, person: Person | None) -> Api:
        """The same door, somebody else at it; nobody without a token when None."""
        return Api(self._world, self.account_id, person.token if person else None)

    def in_account(self, account_id: int) -> Api:
        """The same caller at another account's door."""
        return Api(self._world, account_id, self._token)

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.call("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Reply:
        return await self.call("POST", path, json=json, **options)

    async def patch(self, path: str, json: Any = None, **options: Any) -> Reply:
        return await self.call("PATCH", path, json=json, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> Reply:
        return await self.call("PUT", path, json=json, **options)

    async def delete(self, path: str, json: Any = None, **options: Any) -> Reply:
        return await self.call("DELETE", path, json=json, **options)

    async def call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Reply:
        """Call `/conversations` of the account, or `/public/api/…`, `/api/v1/profile` as they stand."""
        is_absolute = path.startswith(
            (
                "/api/",
                "/auth/",
                "/enterprise/",
                "/public/",
                "/platform/",
                "/health",
                "/metrics",
                "/rails/",
                "/avatars/",
                "/openapi",
            )
        )
        target = path if is_absolute or path in ("/api", "/docs") else f"/api/v1/accounts/{self.account_id}{path}"
        sent = {"api_access_token": self._token} if self._token else {}
        answer = await self._world.client.request(method, target, headers={**sent, **(headers or {})}, **options)
        return Reply(answer.status_code, answer.headers, answer.content)


class Given:
    """What is the case before a test acts. Everything is made through the public door where there is one."""

    def __init__(self, world: World, account_id: int, administrator: Person) -> None:
        self.world = world
        self.account_id = account_id
        self.boss = administrator
        self.api = Api(world, account_id, administrator.token)

    @classmethod
    async def in_new_account(cls, world: World, name: str = "Loja Azul", *, locale: str = "en") -> Given:
        """A new account with one administrator."""
        async with world.parts.database.transaction() as tx:
            account = await accounts.create_account(tx, name=name, locale=locale)
        boss = await _person(world, account.id, "Beatriz", "administrator")
        return cls(world, account.id, boss)

    async def another_account(self) -> Given:
        """An account that has nothing to do with this one."""
        return await Given.in_new_account(self.world, "Loja Verde")

    async def administrator(self, name: str = "Bruno") -> Person:
        """One more administrator."""
        return await _person(self.world, self.account_id, name, "administrator")

    async def agent(self, name: str = "Ana", *, inbox: Mapping[str, Any] | None = None) -> Person:
        """An agent, member of the inbox when one is named."""
        person = await _person(self.world, self.account_id, name, "agent")
        if inbox is not None:
            members = {"inbox_id": inbox["id"], "user_ids": [person.id]}
            assert (await self.api.post("/inbox_members", members)).status == 200
        return person

    async def narrowed(self, person: Person, *scopes: str) -> Person:
        """The same person with a token that may do no more than this."""
        async with self.world.parts.database.transaction() as tx:
            user = await find_user_by_email(tx, person.email)
            assert user is not None
            token = await auth.create_user_token(tx, self.world.keyring, user, scopes=scopes)
        return msgspec.structs.replace(person, token=token)

    async def bot(self, name: str = "Robô", *, inbox: Mapping[str, Any] | None = None, **fields: Any) -> Person:
        """A bot of the account, with its token; it answers first in the inbox when one is named."""
        bot = _good(await self.api.post("/agent_bots", {"name": name, **fields}))
        if inbox is not None:
            assert (
                await self.api.post(f"/inboxes/{inbox['id']}/set_agent_bot", {"agent_bot": bot["id"]})
            ).status == 200
        return Person(id=bot["id"], name=name, token=bot["access_token"])

    async def operators_app(self, name: str = "Provisioning") -> Person:
        """An operator's app, with its token."""
        async with self.world.parts.database.transaction() as tx:
            token = await auth.create_platform_app(tx, self.world.keyring, name=name)
        return Person(id=0, name=name, token=token)

    async def custom_role(self, *permissions: str, name: str = "Supervisão", of: Person | None = None) -> Any:
        """A role the account made, as the API shows it; `of` has it from now on."""
        role = _good(await self.api.post("/custom_roles", {"name": name, "permissions": permissions}))
        if of is not None:
            _good(await self.api.patch(f"/agents/{of.id}", {"custom_role_id": role["id"]}))
        return role

    async def team(self, name: str = "vendas", *members: Person, **fields: Any) -> Any:
        """A team with these people in it, as the API shows it."""
        team = _good(await self.api.post("/teams", {"name": name, **fields}))
        if members:
            _good(await self.api.post(f"/teams/{team['id']}/team_members", {"user_ids": [each.id for each in members]}))
        return team

    async def inbox(self, name: str = "App", *, channel: Mapping[str, Any] | None = None, **fields: Any) -> Any:
        """An API inbox, as the API shows it to administrators."""
        body = {"name": name, "channel": {"type": "api", **(channel or {})}, **fields}
        return _good(await self.api.post("/inboxes", body))

    async def contact(self, name: str = "Rosa Lind", **fields: Any) -> Any:
        """A contact, as the API shows it."""
        body = {"name": name, "email": f"rosa{next(numbers)}@example.net", **fields}
        return _good(await self.api.post("/contacts", body))["payload"]["contact"]

    async def conversation(
        self, *, inbox: Mapping[str, Any] | None = None, contact: Mapping[str, Any] | None = None, **fields: Any
    ) -> Any:
        """A conversation, as the API shows it."""
        inbox = inbox or await self.inbox()
        contact = contact or await self.contact()
        return _good(
            await self.api.post("/conversations", {"inbox_id": inbox["id"], "contact_id": contact["id"], **fields})
        )

    async def message(self, conversation: Mapping[str, Any], content: str = "Olá!", **fields: Any) -> Any:
        """A message of the conversation, as the API shows it."""
        return _good(
            await self.api.post(f"/conversations/{conversation['id']}/messages", {"content": content, **fields})
        )

    async def portal(self, name: str = "Ajuda", **fields: Any) -> Any:
        """A help centre, as the API shows it."""
        body = {"name": name, "slug": f"ajuda-{tokens.random_token(8).lower()}", **fields}
        return _good(await self.api.post("/portals", {"portal": body}))

    async def category(self, portal: Mapping[str, Any], slug: str = "conta", **fields: Any) -> Any:
        """A category of a help centre, as the API shows it."""
        body = {"name": slug.title(), "slug": slug, **fields}
        return _good(await self.api.post(f"/portals/{portal['slug']}/categories", {"category": body}))["payload"]

    async def article(self, portal: Mapping[str, Any], title: str = "Senha esquecida", **fields: Any) -> Any:
        """An article of a help centre, as the API shows it."""
        body = {"title": title, "content": "# Passos", "author_id": self.boss.id, **fields}
        return _good(await self.api.post(f"/portals/{portal['slug']}/articles", {"article": body}))["payload"]

    async def webhook(self, url: str, *subscriptions: str, **fields: Any) -> Any:
        """A webhook of the account, told of these events (or of the usual ones)."""
        body = {"url": url, **({"subscriptions": subscriptions} if subscriptions else {}), **fields}
        return _good(await self.api.post("/webhooks", body))["payload"]["webhook"]

    async def session(self, inbox: Mapping[str, Any], **fields: Any) -> Any:
        """A contact of the client API, as their own app sees them: `source_id`, `pubsub_token`, …"""
        path = f"/public/api/v1/inboxes/{inbox['inbox_identifier']}/contacts"
        return _good(await self.api.acting_as(None).post(path, {"name": "Rosa Lind", **fields}))

    async def emitted(self, kind: type[Event]) -> list[Any]:
        """The events of this kind in the account's log, in order."""
        async with self.world.parts.database.reading() as db:
            records = await db.fetch_all(Record, LIST_EVENTS, self.account_id, kind.name)
        return [catalogue.event_of(record) for record in records]

    async def forget_what_is_left(self) -> None:
        """Nothing is to be done any more of what happened so far, in whatever account."""
        async with self.world.parts.database.transaction() as tx:
            await tx.execute(FORGET_WHAT_IS_LEFT)

    async def relayed(self) -> None:
        """Every event of the account has been handed to its listeners."""
        await self.world.parts.relay.drain(self.account_id)

    async def delivered(self) -> None:
        """Whoever is to be told of what happened was told, or is tried again later."""
        await self.relayed()
        await self.world.parts.deliveries.drain(self.account_id)

    async def worked(self) -> None:
        """What happened was heard, and the jobs that follow from it are done, those of the next minute included."""
        await self.relayed()
        await self.world.parts.jobs.drain()
        await self.world.parts.jobs.drain(ahead=timedelta(minutes=1))

    @contextmanager
    def queries(self, *, at_most: int) -> Generator[None]:
        """What happens inside sends no more statements than this."""
        before = self.world.parts.database.statements.count
        yield
        sent = self.world.parts.database.statements.count - before
        assert sent <= at_most, f"{sent} statements were sent, at most {at_most} were promised"


async def _person(world: World, account_id: int, name: str, role: Any) -> Person:
    email = f"{name.lower()}.{tokens.random_token(10).lower()}@example.com"
    async with world.parts.database.transaction() as tx:
        user = await users.create_user(tx, name=name, email=email, password=None)
        await users.add_member(tx, account_id=account_id, user=user, role=role)
        token = await auth.create_user_token(tx, world.keyring, user)
    return Person(id=user.id, name=name, token=token, email=email, pubsub_token=user.pubsub_token)


def _good(reply: Reply) -> Any:
    assert reply.status == 200, (reply.status, reply.body)
    return reply.json
