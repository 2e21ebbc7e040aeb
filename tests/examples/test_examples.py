"""The main job from end to end, as the examples do it: over real sockets, against a server that was really started."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import msgspec
import pytest
from commands import ROOT, Started, started
from harness import PATIENCE_SECONDS, open_folder
from lines import Line
from websockets.asyncio.client import connect

SAID = "Is my order shipped?"
ANSWER = f"Thank you! We read: {SAID}"


class Made(msgspec.Struct, frozen=True):
    """What the quickstart made, as its last line tells."""

    account_id: int
    inbox_id: int
    inbox_identifier: str
    contact_id: int
    source_id: str
    conversation_id: int
    webhook_id: int
    webhook_secret: str

    @property
    def application(self) -> str:
        """The account's place in the Application API."""
        return f"/api/v1/accounts/{self.account_id}"

    @property
    def client(self) -> str:
        """The contact's place in the Client API."""
        return f"/public/api/v1/inboxes/{self.inbox_identifier}/contacts/{self.source_id}"


class Scene(msgspec.Struct, frozen=True):
    """A server, what the quickstart made on it, and an automation that answers."""

    server: Started
    made: Made
    receiver: str


@pytest.fixture(scope="module")
async def scene() -> AsyncIterator[Scene]:
    """Everything running, the quickstart done and its events delivered."""
    with open_folder() as folder:
        async with started(folder / "data", allowed_private_hosts="127.0.0.1") as server:
            # Whoever hears of what the quickstart does knows no secret yet, so it is not the automation.
            polite = await asyncio.start_server(_thank, "127.0.0.1", 0)
            port = polite.sockets[0].getsockname()[1]
            made = await _quickstart(server, f"http://127.0.0.1:{port}")
            await _all_delivered(server, made)
            polite.close()
            await polite.wait_closed()
            automation = await _automation(server, made, port)
            yield Scene(server, made, f"http://127.0.0.1:{port}")
            automation.terminate()
            await automation.wait()


async def _thank(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


async def _all_delivered(server: Started, made: Made) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            listed = (await server.get(f"{made.application}/deliveries", server.token)).json()["deliveries"]
            if len(listed) == 2 and all(each["status"] == "delivered" for each in listed):
                return
            await asyncio.sleep(0.1)


async def _quickstart(server: Started, receiver: str) -> Made:
    environment = {"CRIACHAT_URL": server.address, "CRIACHAT_TOKEN": server.token, "WEBHOOK_URL": receiver}
    process = await asyncio.create_subprocess_exec(
        ROOT / "examples" / "quickstart.sh", env={**os.environ, **environment}, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert SAID in err.decode()
    return msgspec.json.decode(out, type=Made)


async def _automation(server: Started, made: Made, port: int) -> Process:
    environment = {
        "CRIACHAT_URL": server.address,
        "CRIACHAT_TOKEN": server.token,
        "WEBHOOK_SECRET": made.webhook_secret,
    }
    program = ROOT / "examples" / "auto_reply.py"
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, str(port), env={**os.environ, **environment}, stdout=DEVNULL, stderr=DEVNULL
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(ConnectionRefusedError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return process
            await asyncio.sleep(0.05)


async def test_a_customer_is_answered_by_an_automation_and_sees_it_at_once(scene: Scene) -> None:
    made = scene.made
    async with httpx.AsyncClient(base_url=scene.server.address) as customer:
        contact = (await customer.get(made.client)).json()
        async with connect(scene.server.address.replace("http", "ws") + "/cable") as websocket:
            line = Line(websocket)
            assert await line.frame() == {"type": "welcome"}
            assert await line.subscribe(pubsub_token=contact["pubsub_token"]) == "confirm_subscription"

            said = {"content": SAID, "echo_id": "from-the-app"}
            await customer.post(f"{made.client}/conversations/{made.conversation_id}/messages", json=said)
            echo = await line.event("message.created")
            answer = await line.event("message.created")

    assert (echo["content"], echo["echo_id"]) == (SAID, "from-the-app")
    assert (answer["content"], answer["message_type"]) == (ANSWER, 1)
    assert answer["sender"]["type"] == "user"


async def test_a_delivery_that_comes_again_is_not_answered_again(scene: Scene) -> None:
    made = scene.made
    headers = {"api_access_token": scene.server.token}
    async with httpx.AsyncClient(base_url=scene.server.address, headers=headers) as operator:
        delivery = await _delivered(operator, made)
        before = await _answers(operator, made)

        replayed = await operator.post(f"{made.application}/deliveries/{delivery['delivery']['id']}/replay")
        await _tried(operator, made, delivery["delivery"]["id"], times=len(delivery["attempts"]) + 1)

        assert replayed.status_code == 200
        assert await _answers(operator, made) == before > 0


async def test_a_forged_delivery_is_refused(scene: Scene) -> None:
    forged = {"X-Chatwoot-Timestamp": "1795645929", "X-Chatwoot-Signature": "sha256=" + "0" * 64}

    async with httpx.AsyncClient() as stranger:
        answer = await stranger.post(scene.receiver, headers=forged, json={"event": "message_created"})

    assert answer.status_code == 401


async def _delivered(operator: httpx.AsyncClient, made: Made) -> dict[str, Any]:
    """A delivery of an incoming message that was received, in full."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            listed = (await operator.get(f"{made.application}/deliveries", params={"event": "message_created"})).json()
            for each in listed["deliveries"]:
                shown = (await operator.get(f"{made.application}/deliveries/{each['id']}")).json()
                if each["status"] == "delivered" and shown["payload"]["message_type"] == "incoming":
                    return shown
            await asyncio.sleep(0.1)


async def _tried(operator: httpx.AsyncClient, made: Made, delivery_id: str, *, times: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            shown = (await operator.get(f"{made.application}/deliveries/{delivery_id}")).json()
            if len(shown["attempts"]) >= times and shown["delivery"]["status"] == "delivered":
                return
            await asyncio.sleep(0.1)


async def _answers(operator: httpx.AsyncClient, made: Made) -> int:
    path = f"{made.application}/conversations/{made.conversation_id}/messages"
    messages = (await operator.get(path)).json()["payload"]
    return sum(message["content"] == ANSWER for message in messages)
