"""The protocol, as clients of all kinds speak it."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from harness import Given, World
from lines import Call, Line, Server
from websockets.asyncio.client import connect
from wires import served


async def test_a_plain_get_finds_nothing(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{server.address}/cable")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")


async def test_the_welcome_comes_first_and_the_subprotocol_is_actioncable(server: Server) -> None:
    offered = ["actioncable-v1-json", "actioncable-unsupported"]
    async with connect(f"ws://{server.address}/cable", subprotocols=offered) as socket:  # pyright: ignore[reportArgumentType]
        first = json.loads(await socket.recv())

    assert socket.subprotocol == "actioncable-v1-json"
    assert first == {"type": "welcome"}


async def test_pages_of_any_origin_may_connect(call: Call) -> None:
    line = await call(origin="https://shop.example")

    assert await line.subscribe(pubsub_token="guessed") == "reject_subscription"


async def test_pings_come_every_three_seconds_with_the_time(call: Call) -> None:
    line = await call()

    pauses: list[float] = []
    ping, heard_at = await line.ping(), time.monotonic()
    # A busy machine may hear one late, and the next one early.
    while len(pauses) < 5 and not any(2.5 < pause < 3.5 for pause in pauses):
        before, ping, heard_at = heard_at, await line.ping(), time.monotonic()
        pauses.append(heard_at - before)

    assert 2.5 < pauses[-1] < 3.5
    assert abs(ping["message"] - time.time()) < 3


@pytest.mark.parametrize("path", ["/cable", "/cable/", "//cable"])
async def test_slashes_around_the_path_make_no_difference(world: World, path: str) -> None:
    async with served(world.parts) as address, connect(f"ws://{address}{path}") as socket:
        welcome = json.loads(await socket.recv())

    assert welcome == {"type": "welcome"}


async def test_what_makes_no_sense_is_ignored(call: Call, given: Given) -> None:
    line = await call()

    for nonsense in ("", "hello", "[]", '{"command":"dance"}', '{"command":"unsubscribe","identifier":"?"}'):
        await line.socket.send(nonsense)
    await line.socket.send(b"\x00\xff")
    await line.say(command="message", identifier="?", data='{"action":"update_presence"}')
    answer = await line.subscribe(
        pubsub_token=given.boss.pubsub_token, account_id=given.account_id, user_id=given.boss.id
    )

    assert answer == "confirm_subscription"


async def test_what_a_command_says_may_be_an_object_or_null(call: Call, given: Given) -> None:
    line, rosa = await call(), await given.session(await given.inbox())
    identifier = json.dumps({"channel": "RoomChannel", "pubsub_token": rosa["pubsub_token"]})

    await line.say(command="subscribe", identifier=identifier, data=None)
    answer = await line.frame()
    first = await line.event("presence.update")
    await line.say(command="message", identifier=identifier, data={"action": "start_typing"})
    await line.say(command="message", identifier=identifier, data={"action": "update_presence"})
    again = await line.event("presence.update")

    assert answer == {"identifier": identifier, "type": "confirm_subscription"}
    assert first == again == {"account_id": given.account_id, "users": {}}


async def test_subscribing_again_with_the_same_identifier_is_ignored(agent_line: Call, given: Given) -> None:
    line = await agent_line(given.boss)
    await line.event("presence.update")
    identifier = {
        "channel": "RoomChannel",
        "pubsub_token": given.boss.pubsub_token,
        "account_id": given.account_id,
        "user_id": given.boss.id,
    }

    await line.say(command="subscribe", identifier=json.dumps(identifier))
    await line.say(command="subscribe", identifier="nonsense")

    assert await line.frame() == {"identifier": "nonsense", "type": "reject_subscription"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"pubsub_token": "guessed"},
        {"pubsub_token": "nul\x00"},
        {"pubsub_token": "nul\x00", "user_id": None},
        {"pubsub_token": "olá"},
        {"user_id": 2**62},
        {"account_id": 2**62},
        {"account_id": None},
        {"account_id": "seven"},
        {"channel": "OtherChannel"},
        {"pubsub_token": None},
        {"user_id": None},
    ],
)
async def test_a_wrong_subscription_is_rejected(call: Call, given: Given, wrong: dict[str, Any]) -> None:
    right = {"pubsub_token": given.boss.pubsub_token, "account_id": given.account_id, "user_id": given.boss.id}
    line = await call()

    assert await line.subscribe(**{**right, **wrong}) == "reject_subscription"
    assert await line.subscribe(**right) == "confirm_subscription"


async def test_an_agent_of_another_account_is_rejected(call: Call, given: Given) -> None:
    other = await given.another_account()
    line = await call()

    answer = await line.subscribe(
        pubsub_token=other.boss.pubsub_token, account_id=given.account_id, user_id=other.boss.id
    )

    assert answer == "reject_subscription"


async def test_who_was_invited_and_has_yet_to_say_that_it_is_them_is_rejected(call: Call, given: Given) -> None:
    ana = await given.agent("Ana")
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE users SET confirmed_at = NULL WHERE id = $1", ana.id)
    line = await call()

    answer = await line.subscribe(pubsub_token=ana.pubsub_token, account_id=given.account_id, user_id=ana.id)

    assert answer == "reject_subscription"


async def test_a_frame_past_a_megabyte_closes_the_line(call: Call) -> None:
    line = await call()

    await line.socket.send("x" * (1024 * 1024 + 1))

    assert await line.closed() == 1009


async def test_a_flood_closes_the_line(call: Call) -> None:
    line = await call()

    for _ in range(300):
        await line.socket.send('{"command":"dance"}')

    assert await line.frame() == {"type": "disconnect", "reason": "invalid_request", "reconnect": False}
    assert await line.closed() == 1008


async def test_guessing_tokens_closes_the_line(call: Call) -> None:
    line = await call()
    answers: list[Any] = []

    for guess in range(40):
        identifier = json.dumps({"channel": "RoomChannel", "pubsub_token": f"guess {guess}"})
        await line.say(command="subscribe", identifier=identifier)
    while (frame := await line.frame())["type"] != "disconnect":
        answers.append(frame["type"])

    assert set(answers) == {"reject_subscription"}
    assert len(answers) < 25
    assert await line.closed() == 1008


async def test_a_line_that_was_unsubscribed_hears_nothing_more(agent_line: Call, given: Given) -> None:
    conversation = await given.conversation()
    quiet, loud = await agent_line(given.boss), await agent_line(given.boss)
    identifier = {
        "channel": "RoomChannel",
        "pubsub_token": given.boss.pubsub_token,
        "account_id": given.account_id,
        "user_id": given.boss.id,
    }

    await quiet.say(command="unsubscribe", identifier=json.dumps(identifier))
    await quiet.say(command="subscribe", identifier="marker")
    await given.message(conversation, "Olá!")
    await loud.event("message.created")
    heard = await _until_marker(quiet)

    assert "message.created" not in heard


async def _until_marker(line: Line) -> list[str]:
    await line.say(command="subscribe", identifier="last")
    heard: list[str] = []
    while (frame := await line.frame()).get("identifier") != "last":
        heard.append(frame.get("message", {}).get("event", frame.get("type")))
    return heard


async def test_a_stopping_server_says_so_and_has_clients_come_back(world: Any, given: Given) -> None:
    async with Server(world).running() as server:
        socket = await connect(f"ws://{server.address}/cable")
        line = Line(socket)
        await line.frame()
    last = await line.frame()

    assert last == {"type": "disconnect", "reason": "server_restart", "reconnect": True}
    assert await line.closed() == 1001
