"""`criachat listen`, as somebody uses it who writes a receiver."""

from __future__ import annotations

import asyncio
import json
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from commands import criachat, running
from harness import PATIENCE_SECONDS, Given
from receivers import Receiver

from criachat.kit import clock
from criachat.serving.listening import Heard, shown, verdict_on
from criachat.webhooks import signing

SECRET = "a-secret-of-32-characters-exactly"
BODY = b'{"event":"message_created","id":7,"content":"Ol\xc3\xa1","conversation":{"id":42}}'


class Listening:
    """The command, running."""

    def __init__(self, process: Process, address: str) -> None:
        self._process = process
        self.address = address

    async def line(self) -> str:
        """The next line it prints."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self._process.stdout.readline()).decode().rstrip("\n")

    async def post(self, body: bytes = BODY, **headers: str) -> int:
        async with httpx.AsyncClient() as client:
            return (await client.post(self.address, content=body, headers=headers)).status_code


@asynccontextmanager
async def listening(*words: str) -> AsyncGenerator[Listening]:
    async with running("listen", "--port", "0", *words) as process:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            said = (await process.stderr.readline()).decode()
        yield Listening(process, said.split()[2].removesuffix("."))


def signed(body: bytes = BODY, *, secret: str = SECRET, seconds_ago: int = 0) -> dict[str, str]:
    return signing.headers([secret], "delivery-1", timestamp=int(clock.unix()) - seconds_ago, body=body)


@pytest.mark.promise("WH-16")
async def test_a_delivery_of_a_webhook_is_verified_and_shown(given: Given) -> None:
    webhook = await given.webhook("http://127.0.0.1:9/", "message_created")
    async with listening("--secret", webhook["secret_standard"]) as listener:
        await given.api.patch(f"/webhooks/{webhook['id']}", {"url": listener.address})
        conversation = await given.conversation()
        await given.message(conversation, "Seu pedido saiu")
        await given.delivered()

        first, *body = [await listener.line() for _ in range(3)]

    assert "✓  message_created  conversation" in first
    assert '"Seu pedido saiu"  signed' in first
    assert body == ["{", '  "event": "message_created",']
    (delivery,) = (await given.api.get("/deliveries", params={"webhook_id": webhook["id"]})).json["deliveries"]
    assert (delivery["status"], delivery["last_status"]) == ("delivered", 200)
    assert delivery["id"] in first


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [
        (signed, "signed"),
        (lambda: {key: value for key, value in signed().items() if not key.startswith("X-")}, "signed"),
        (lambda: {key: value for key, value in signed().items() if key.startswith("X-")}, "signed"),
        (lambda: signed(secret="another-secret-of-32-characters-x"), "wrong signature"),
        (lambda: signed(b"{}"), "wrong signature"),
        (lambda: {**signed(), "webhook-timestamp": "soon", "X-Chatwoot-Timestamp": "soon"}, "wrong signature"),
        (lambda: signed(seconds_ago=3600), "too old"),
        (dict, "not signed"),
    ],
)
def test_what_is_ours_is_told_from_what_is_not(sent: Callable[[], dict[str, str]], verdict: str) -> None:
    given = {name.lower(): value for name, value in sent().items()}

    assert verdict_on(given, BODY, SECRET) == verdict


async def test_what_is_not_ours_is_shown_and_refused() -> None:
    async with listening("--secret", SECRET, "--json") as listener:
        status = await listener.post(**signed(b"{}"))
        told: Any = json.loads(await listener.line())

    assert (status, told["verdict"], told["body"]["id"]) == (401, "wrong signature", 7)


async def test_without_a_secret_everything_is_taken_and_shown_as_it_came() -> None:
    async with listening("--brief") as listener:
        statuses = [await listener.post(), await listener.post(b"\x1b[2Jno json")]
        lines = [await listener.line(), await listener.line()]

    assert statuses == [200, 200]
    assert '?  message_created  conversation 42  "Olá"  not checked' in lines[0]
    assert "(no event)" in lines[1]
    assert "\x1b" not in lines[1]


@pytest.mark.parametrize("body", [{"content": "a\x9b2Jb"}, "a\x9b2Jb", ["a\x9b2Jb"]])
def test_nothing_that_is_shown_moves_the_cursor(body: Any) -> None:
    text = shown(Heard(delivery_id="1", verdict="signed", event="x\x9b", body=body), is_brief=False)

    assert "\x9b" not in text
    assert "a 2Jb" in text
    assert text.endswith("\n")


async def test_what_is_ours_is_passed_on_as_it_came(receiver: Receiver) -> None:
    receiver.will_answer(202, 503)
    async with listening("--secret", SECRET, "--json", "--forward-to", f"{receiver.url}/mine") as listener:
        statuses = [await listener.post(**signed()), await listener.post(**signed()), await listener.post()]
        told = [json.loads(await listener.line()) for _ in range(3)]

    assert statuses == [202, 503, 401]
    assert [each["forwarded"] for each in told] == [202, 503, None]
    assert [each.body for each in receiver.told] == [BODY, BODY]
    assert {each.headers["webhook-id"] for each in receiver.told} == {"delivery-1"}


async def test_a_receiver_that_is_away_is_told_of() -> None:
    async with listening("--json", "--forward-to", "http://127.0.0.1:9/") as listener:
        status = await listener.post()
        told = json.loads(await listener.line())

    assert status == 502
    assert told["failure"]


async def test_a_port_that_is_taken_and_a_secret_that_is_none_are_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        taken = await criachat("listen", "--port", str(door.getsockname()[1]))
    unreadable = await criachat("listen", "--port", "0", "--secret", "whsec_***")
    nowhere = await criachat("listen", "--port", "0", "--forward-to", "mailto:me")

    assert [ran.status for ran in (taken, unreadable, nowhere)] == [1, 1, 1]
    assert "Nobody can listen on 127.0.0.1" in taken.err
    assert "whsec_" in unreadable.err
    assert "Url is invalid" in nowhere.err
    assert "Traceback" not in taken.err + unreadable.err + nowhere.err
