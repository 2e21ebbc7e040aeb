"""The account that is measured: what is small in it is made through the API, what is large by COPY."""

from __future__ import annotations

import random
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count, cycle
from pathlib import Path

import msgspec

from bench.dataset import DataSet, Progress, Session, Size, fill
from bench.load import request
from bench.marks import BLANK_CONTENT
from bench.server import Server, ServerFailed
from bench.speech import texts
from criachat.accounts import operations as accounts
from criachat.auth import operations as auth
from criachat.kit import tokens
from criachat.kit.db import Connection, Database
from criachat.kit.tokens import Keyring
from criachat.users import operations as users

KEY_FILE = "installation.key"
INBOXES = 3
# So many different requests are made beforehand, and sent round and round.
PREPARED = 20_000

_chance = random.Random(7)  # noqa: S311 - the same requests each time


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """An account full of conversations, and the key to it."""

    account_id: int
    token: str
    inboxes: dict[int, str]
    data: DataSet

    @property
    def path(self) -> str:
        """Where the Application API of this account begins."""
        return f"/api/v1/accounts/{self.account_id}"


@asynccontextmanager
async def database_of(server: Server) -> AsyncGenerator[Database]:
    """The server's database, for what is not measured."""
    database = Database(await server.database_url(), size=4)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def connection_to(server: Server) -> AsyncGenerator[Connection]:
    """One connection to the server's database."""
    connection = await Database(await server.database_url()).connect()
    try:
        yield connection
    finally:
        await connection.close()


def keyring_of(data_dir: Path) -> Keyring:
    """The keys of an installation."""
    return Keyring.from_secrets((data_dir / KEY_FILE).read_text("utf-8").split())


async def _make_token(server: Server, account_id: int) -> str:
    """The access token of a new administrator of the account."""
    email = f"{tokens.random_token(12).lower()}@example.com"
    async with database_of(server) as database, database.transaction() as tx:
        user = await users.create_user(tx, name="Bench", email=email, password=None)
        await users.add_member(tx, account_id=account_id, user=user, role="administrator")
        return await auth.create_user_token(tx, keyring_of(server.data_dir), user)


async def settle(server: Server, size: Size, progress: Progress = lambda _done, _of: None) -> Site:
    """A new account with its inboxes, filled."""
    async with database_of(server) as database, database.transaction() as tx:
        account = await accounts.create_account(tx, name="Loja Azul")
    token = await _make_token(server, account.id)
    inboxes: dict[int, str] = {}
    for number in range(INBOXES):
        body = {"name": f"App {number}", "channel": {"type": "api"}}
        inbox = await server.call("POST", f"/api/v1/accounts/{account.id}/inboxes", token=token, json=body)
        inboxes[inbox["id"]] = inbox["inbox_identifier"]
    async with connection_to(server) as connection:
        data = await fill(connection, account.id, list(inboxes), size=size, progress=progress)
    return Site(account_id=account.id, token=token, inboxes=inboxes, data=data)


async def settle_once(server: Server, size: Size, progress: Progress) -> Site:
    """The account that an earlier run left in this data directory, or a new one."""
    place = server.data_dir / "bench.json"
    if place.exists():
        site = msgspec.json.decode(place.read_bytes(), type=Site)
        if (site.data.conversations, site.data.messages) != (size.conversations, size.messages):
            raise ServerFailed(f"{server.data_dir} holds another data set: {site.data}. Choose an empty folder.")
        return site
    site = await settle(server, size, progress)
    place.write_bytes(msgspec.json.encode(site))
    return site


def messages(site: Site, *, has_keys: bool = False) -> Iterator[bytes]:
    """LD-1: agents write what people say, all over the account; with a new `Idempotency-Key` each when asked."""
    data, said = site.data, texts()

    def one(number: int, extra: Mapping[str, str]) -> bytes:
        path = f"{site.path}/conversations/{data.first_display_id + _chance.randrange(data.conversations)}/messages"
        sent = {"api_access_token": site.token, **extra}
        return request("POST", path, headers=sent, body=msgspec.json.encode({"content": said[number % len(said)]}))

    if has_keys:
        # Of this run alone: on an account that is kept, the keys of an earlier one have their answers already.
        mark = secrets.token_hex(8)
        return (one(number, {"Idempotency-Key": f"{mark}-{number}"}) for number in count())
    return _round(lambda number: one(number, {}))


def incoming(site: Site) -> Iterator[bytes]:
    """LD-1b: contacts write, each in a conversation of their own."""
    sessions, said = [session for session in site.data.sessions if session.is_open], texts()

    def one(number: int) -> bytes:
        session = sessions[_chance.randrange(len(sessions))]
        contact = f"/public/api/v1/inboxes/{site.inboxes[session.inbox_id]}/contacts/{session.source_id}"
        path = f"{contact}/conversations/{session.display_id}/messages"
        return request("POST", path, body=msgspec.json.encode({"content": said[number % len(said)]}))

    return _round(one)


def marked_messages(site: Site, sessions: Sequence[Session]) -> Iterator[bytes]:
    """Agents write to these contacts; the content has room for a mark."""
    headers = {"api_access_token": site.token}
    body = msgspec.json.encode({"content": BLANK_CONTENT})
    paths = [f"{site.path}/conversations/{session.display_id}/messages" for session in sessions]
    return _round(lambda _number: request("POST", _chance.choice(paths), headers=headers, body=body))


def threads(site: Site) -> Iterator[bytes]:
    """LD-2: agents read the newest messages of a conversation."""
    headers = {"api_access_token": site.token}
    first = site.data.first_display_id
    paths = [f"{site.path}/conversations/{first + number}/messages" for number in range(site.data.busy)]
    return _round(lambda _number: request("GET", paths[_chance.randrange(len(paths))], headers=headers))


def pages(site: Site) -> Iterator[bytes]:
    """LD-3: agents read one of the first pages of the open conversations."""
    headers = {"api_access_token": site.token}
    paths = [f"{site.path}/conversations?status=open&assignee_type=all&page={page}" for page in range(1, 5)]
    return _round(lambda number: request("GET", paths[number % 4], headers=headers))


def mixed(site: Site) -> Iterator[bytes]:
    """LD-9: a day in the life, one after another."""
    kinds = (messages(site), threads(site), incoming(site), pages(site))
    return (next(kind) for kind in cycle(kinds))


def _round(one: Callable[[int], bytes]) -> Iterator[bytes]:
    return cycle([one(number) for number in range(PREPARED)])
