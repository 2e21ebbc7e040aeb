"""An installation whose parts can be killed one by one: its PostgreSQL, its web processes, its workers, a receiver."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from commands import ROOT
from harness import open_folder

from criachat.accounts import operations as accounts
from criachat.auth import operations as auth
from criachat.kit import postgres
from criachat.kit.db import Database
from criachat.kit.postgres import Embedded
from criachat.kit.tokens import Keyring
from criachat.main import prepare_database
from criachat.users import operations as users

SECRET_KEY = "a-key-for-fault-tests-only-0123456789abcdef"
SCRIPT = Path(__file__).with_name("process.py")
PATIENCE_SECONDS = 60
# 1 is what is promised; a smaller one is for trying a change quickly.
SCALE = float(os.environ.get("FAULTS_SCALE", "1"))


def scaled(number: int, *, at_least: int = 1) -> int:
    """So much of something, at the chosen scale."""
    return max(int(number * SCALE), at_least)


class Receiver:
    """Receives webhooks, over a real socket, and remembers all of them."""

    def __init__(self) -> None:
        self.fails = 0.0
        self.hanging: set[str] = set()
        self.tried = 0
        self.received: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.came_at: dict[str, float] = {}
        self.url = ""

    @property
    def contents(self) -> list[str]:
        """What the messages said that were received, each delivery once, in the order of their first arrival."""
        return [bodies[0]["content"] for bodies in self.received.values()]

    async def answer(self, request: web.Request) -> web.Response:
        """Remember it, and thank; or fail, or hang."""
        self.tried += 1
        if request.path in self.hanging:
            await asyncio.sleep(3600)
        if random.random() < self.fails:  # noqa: S311 - chance, no secret
            return web.Response(status=500)
        body = await request.json()
        # The address of an API inbox is told of conversations too.
        if body["event"] == "message_created":
            delivery = request.headers["webhook-id"]
            self.came_at.setdefault(delivery, asyncio.get_running_loop().time())
            self.received[delivery].append(body)
        return web.Response()

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[Receiver]:
        """At a free port, until the block ends."""
        app = web.Application()
        app.router.add_post("/{rest:.*}", self.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


class Site:
    """Everything that runs, and an account in it."""

    def __init__(self, folder: Path, server: Embedded, receiver: Receiver) -> None:
        self.folder = folder
        self.server = server
        self.receiver = receiver
        self.keyring = Keyring.from_secrets([SECRET_KEY])
        self.database = Database(server.url, size=4)
        self.account_id = 0
        self.token = ""
        self.address = ""
        self._processes: set[Process] = set()

    async def prepare(self) -> None:
        """The schema, an account, somebody who administers it."""
        await prepare_database(self.server.url, self.keyring)
        await self.database.open()
        async with self.database.transaction() as tx:
            account = await accounts.create_account(tx, name="Loja Azul")
            user = await users.create_user(tx, name="Beatriz", email="beatriz@example.com", password=None)
            await users.add_member(tx, account_id=account.id, user=user, role="administrator")
            self.token = await auth.create_user_token(tx, self.keyring, user)
        self.account_id = account.id

    async def close(self) -> None:
        """End what still runs."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        await self.database.close()
        await self.server.stop()

    async def web(self, *words: str, **settings: str) -> Process:
        """A web process; after it was killed, another one at the same address."""
        if not self.address:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        port = self.address.rpartition(":")[2]
        process = await self._start("web", "--port", port, *words, settings=settings)
        await self.until_healthy()
        return process

    async def worker(self, *, ahead_seconds: float = 0) -> Process:
        """A worker, whose clock may be ahead of everybody's."""
        return await self._start("worker", settings={"ahead_seconds": str(ahead_seconds)})

    async def kill(self, process: Process) -> None:
        """End it at once, whatever it does; it must not have ended by itself."""
        assert process.returncode is None, self._said()
        process.kill()
        await process.wait()
        self._processes.discard(process)

    async def restart_database(self) -> None:
        """As after a power cut: PostgreSQL drops everything and recovers."""
        with suppress(ProcessLookupError):
            os.kill(self.server.system_pid, signal.SIGQUIT)
        await self.server.stop()
        self.server = await postgres.start(self.folder, tuning={"fsync": "on"})

    async def until_healthy(self) -> float:
        """Wait until requests are answered; how long that took, in seconds."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with suppress(aiohttp.ClientError):
                    async with session.get(f"{self.address}/health") as answer:
                        if answer.status == 200:
                            return loop.time() - started
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def calling(self) -> AsyncGenerator[Caller]:
        """The account's administrator, with connections of their own."""
        headers = {"api_access_token": self.token}
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(
            headers=headers, timeout=timeout, connector=aiohttp.TCPConnector(limit=0)
        ) as session:
            yield Caller(session, f"{self.address}/api/v1/accounts/{self.account_id}")

    def _said(self) -> str:
        """What processes said lately, their requests left out."""
        lines = (self.folder / "processes.log").read_text().splitlines()
        return "\n".join(line for line in lines if '"event":"request"' not in line)[-4000:]

    async def _start(self, *words: str, settings: dict[str, str]) -> Process:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("CRIACHAT_")}
        ours = {
            "database_url": self.server.url,
            "secret_key": SECRET_KEY,
            "data_dir": str(self.folder / "data"),
            "allowed_private_hosts": "127.0.0.1",
            "message_per_minute_limit": "1000000",
            "webhook_timeout_seconds": "3",
            **settings,
        }
        environment = {**kept, **{f"CRIACHAT_{key.upper()}": value for key, value in ours.items()}}
        with (self.folder / "processes.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(SCRIPT), *words, cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        self._processes.add(process)
        return process


class Answer:
    """What came back: a status and a body."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Caller:
    """Calls the Application API of the account."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def get(self, path: str) -> Answer:
        async with self._session.get(self._base + path) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def post(self, path: str, body: Any, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.post(self._base + path, json=body, headers=sent) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def inbox(self, **channel: Any) -> Any:
        """A new API inbox."""
        return (await self.post("/inboxes", {"name": "App", "channel": {"type": "api", **channel}})).json

    async def conversation(self, inbox: Any) -> int:
        """The number of a new conversation."""
        contact = (await self.post("/contacts", {"name": "Rosa Lind", "inbox_id": inbox["id"]})).json["payload"]
        opened = {"inbox_id": inbox["id"], "contact_id": contact["contact"]["id"]}
        return (await self.post("/conversations", opened)).json["id"]

    async def webhook(self, url: str, *subscriptions: str) -> Any:
        """A new webhook."""
        body = {"webhook": {"url": url, "subscriptions": list(subscriptions)}}
        return (await self.post("/webhooks", body)).json["payload"]["webhook"]

    async def contents(self, conversation: int) -> list[str]:
        """What was said in a conversation, oldest first."""
        found: list[dict[str, Any]] = []
        while True:
            before = f"?before={found[0]['id']}" if found else ""
            page = (await self.get(f"/conversations/{conversation}/messages{before}")).json["payload"]
            if not page:
                return [message["content"] for message in found]
            found = page + found


@asynccontextmanager
async def standing() -> AsyncGenerator[Site]:
    """A site whose database runs and whose receiver listens; web processes and workers are the test's to start."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(open_folder())
        receiver = await stack.enter_async_context(Receiver().listening())
        # Durable on purpose: what was acknowledged has to survive a power cut.
        server = await postgres.start(folder, tuning={"fsync": "on"})
        site = Site(folder, server, receiver)
        stack.push_async_callback(site.close)
        await site.prepare()
        yield site
