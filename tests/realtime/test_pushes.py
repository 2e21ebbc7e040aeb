"""Who hears what, in which order, through real sockets."""

from __future__ import annotations

import asyncio
import hmac
import json
import socket
from datetime import UTC, datetime
from typing import Any

import pytest
from harness import PATIENCE_SECONDS, Given, World
from lines import Call, Line, Server
from msgspec.structs import replace

from criachat.conversations import access
from criachat.conversations.typing import publish_typing
from criachat.kit.actors import system
from criachat.kit.cursors import cursor_text
from criachat.kit.db import Database
from criachat.kit.events import Cursor, emit
from criachat.messages.events import MessageCreated
from criachat.realtime import sockets
from criachat.users.snapshots import UserSnapshot

MARKER = "account.cache_invalidated"
markers = iter(range(1_000_000))


async def mark(given: Given) -> None:
    """Make something happen that the whole team hears of: what was to be heard before has been heard when it is."""
    reply = await given.api.post("/labels", {"title": f"marker-{next(markers)}"})
    assert reply.status == 200, reply.body


async def heard(line: Line, given: Given) -> list[str]:
    """What the line hears until the next marker."""
    await mark(given)
    return [message["event"] for message in (await line.events_until(MARKER))[:-1]]


async def change(given: Given, sql: Any, *values: object) -> None:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(sql, *values)


async def test_a_message_reaches_the_inbox_s_members_the_administrators_and_the_contact(
    given: Given, agent_line: Call, contact_line: Call
) -> None:
    inbox = await given.inbox()
    ana, carla = await given.agent("Ana", inbox=inbox), await given.agent("Carla")
    rosa = await given.session(inbox)
    conversation = await given.conversation(inbox=inbox, contact=rosa, source_id=rosa["source_id"])
    anas, carlas, bosses = await agent_line(ana), await agent_line(carla), await agent_line(given.boss)
    rosas = await contact_line(rosa)

    message = await given.message(conversation, "Olá, Rosa!")

    for line in (anas, bosses, rosas):
        data = await line.event("message.created")
        assert (data["id"], data["content"], data["account_id"]) == (message["id"], "Olá, Rosa!", given.account_id)
    assert "message.created" not in await heard(carlas, given)


async def test_whoever_wrote_and_whoever_has_it_are_shown_with_their_pictures(
    given: Given, agent_line: Call, contact_line: Call
) -> None:
    inbox = await given.inbox()
    rosa = await given.session(inbox)
    picture = {"profile[avatar]": ("me.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 64)}
    profile = await given.api.call("PUT", "/api/v1/profile", files=picture)
    conversation = await given.conversation(inbox=inbox, contact=rosa, source_id=rosa["source_id"])
    bosses, rosas = await agent_line(given.boss), await contact_line(rosa)

    await given.api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": given.boss.id})
    await given.message(conversation, "Olá, Rosa!")

    assigned = await bosses.event("assignee.changed")
    shown = [assigned["meta"]["assignee"]]
    for line in (bosses, rosas):
        *_, told = await line.events_until("message.created", content="Olá, Rosa!")
        shown.append(told["data"]["sender"])
    assert profile.json["avatar_url"].startswith("http")
    assert [(each["avatar_url"], each["thumbnail"]) for each in shown] == [(profile.json["avatar_url"],) * 2] * 3


async def test_private_notes_do_not_reach_the_contact(given: Given, agent_line: Call, contact_line: Call) -> None:
    inbox = await given.inbox()
    rosa = await given.session(inbox)
    conversation = await given.conversation(inbox=inbox, contact=rosa, source_id=rosa["source_id"])
    bosses, rosas = await agent_line(given.boss), await contact_line(rosa)

    await given.message(conversation, "She is a regular", private=True)
    await given.message(conversation, "Olá, Rosa!")

    assert (await bosses.event("message.created"))["content"] == "She is a regular"
    assert (await rosas.event("message.created"))["content"] == "Olá, Rosa!"


async def test_sockets_of_another_account_hear_nothing(given: Given, agent_line: Call, call: Call) -> None:
    other = await given.another_account()
    inbox, others_inbox = await given.inbox(), await other.inbox()
    rosa, eva = await given.session(inbox), await other.session(others_inbox)
    conversation = await given.conversation(inbox=inbox, contact=rosa, source_id=rosa["source_id"])
    others_conversation = await other.conversation(inbox=others_inbox, contact=eva, source_id=eva["source_id"])
    others_agent, others_contact = await call(), await call()
    await others_agent.subscribe(
        pubsub_token=other.boss.pubsub_token, account_id=other.account_id, user_id=other.boss.id
    )
    await others_contact.subscribe(pubsub_token=eva["pubsub_token"], account_id=given.account_id)
    ours = await agent_line(given.boss)

    await given.message(conversation, "canary")
    await ours.event("message.created")
    await other.message(others_conversation, "Olá, Eva!")

    assert (await others_agent.event("message.created"))["content"] == "Olá, Eva!"
    assert (await others_contact.event("message.created"))["content"] == "Olá, Eva!"


async def test_all_verified_identities_of_a_contact_hear_a_verified_one(given: Given, contact_line: Call) -> None:
    inbox = await given.inbox()
    phone, web = await _proved(given, inbox, "rosa-7"), await _proved(given, inbox, "rosa-7")
    unproved = (await given.api.post(f"/contacts/{phone['id']}/contact_inboxes", {"inbox_id": inbox["id"]})).json
    session = await given.session(inbox, source_id=unproved["source_id"])
    conversation = await given.conversation(inbox=inbox, contact=phone, source_id=phone["source_id"])
    lines = [await contact_line(session) for session in (phone, web, session)]

    message = await given.message(conversation, "Olá!")
    other = await given.conversation(inbox=inbox, contact=phone, source_id=session["source_id"])
    last = await given.message(other, "Só aqui")

    assert phone["id"] == web["id"] == session["id"]
    assert (await lines[0].event("message.created"))["id"] == message["id"]
    assert (await lines[1].event("message.created"))["id"] == message["id"]
    assert (await lines[2].event("message.created"))["id"] == last["id"]


async def _proved(given: Given, inbox: Any, identifier: str) -> Any:
    """A session in which the contact proved who they are."""
    proof = hmac.new(inbox["hmac_token"].encode(), identifier.encode(), "sha256").hexdigest()
    return await given.session(inbox, identifier=identifier, identifier_hash=proof)


async def test_every_line_hears_all_messages_in_the_same_order(
    given: Given, agent_line: Call, contact_line: Call
) -> None:
    inbox = await given.inbox()
    rosa = await given.session(inbox)
    conversation = await given.conversation(inbox=inbox, contact=rosa, source_id=rosa["source_id"])
    lines = [await agent_line(given.boss), await agent_line(await given.agent("Ana", inbox=inbox))]
    lines.append(await contact_line(rosa))

    await asyncio.gather(*(given.message(conversation, f"Nr. {number}") for number in range(20)))
    await given.message(conversation, "last")
    orders = [
        [message["data"]["content"] for message in await line.events_until("message.created", content="last")
         if message["event"] == "message.created"]
        for line in lines
    ]  # fmt: skip

    assert len(set(orders[0])) == 21
    assert orders[0] == orders[1] == orders[2]


async def test_a_slow_transaction_s_event_is_not_skipped(given: Given, agent_line: Call) -> None:
    conversation = await given.conversation()
    line = await agent_line(given.boss)
    first = await given.message(conversation, "first")
    await line.event("message.created")
    told = (await given.emitted(MessageCreated))[0]
    slow = replace(told, snapshot=replace(told.snapshot, message=replace(told.snapshot.message, content="slow")))

    async with given.world.parts.database.transaction() as tx:
        await emit(tx, slow)
        fast = await given.message(conversation, "fast")
    contents = [(await line.event("message.created"))["content"] for _ in range(2)]

    assert contents == ["slow", "fast"]
    assert first["id"] < fast["id"]


async def test_news_without_a_wake_up_arrives_all_the_same(given: Given, agent_line: Call) -> None:
    conversation = await given.conversation()
    line = await agent_line(given.boss)
    await given.message(conversation, "first")
    await line.event("message.created")
    told = (await given.emitted(MessageCreated))[0]

    silent = Database(given.world.parts.database.url, size=1)
    await silent.open()
    async with silent.transaction() as tx:
        await emit(tx, told)
    await silent.close()

    assert (await line.event("message.created"))["content"] == "first"


async def test_whoever_joins_or_leaves_an_inbox_hears_of_it_from_the_next_message(
    given: Given, agent_line: Call
) -> None:
    inbox = await given.inbox()
    conversation = await given.conversation(inbox=inbox)
    ana = await given.agent("Ana")
    line = await agent_line(ana)
    body = {"inbox_id": inbox["id"], "user_ids": [ana.id]}

    await given.message(conversation, "before")
    await given.api.post("/inbox_members", body)
    await given.message(conversation, "while a member")
    await given.api.delete("/inbox_members", body)
    await given.message(conversation, "after")
    await mark(given)

    contents: list[str] = []
    keys: list[Any] = []
    while len(keys) < 3:
        message = (await line.frame()).get("message", {})
        if message.get("event") == "message.created":
            contents.append(message["data"]["content"])
        elif message.get("event") == MARKER:
            keys.append(message["data"]["cache_keys"])
    assert contents == ["while a member"]


async def test_a_token_that_changed_closes_its_lines(given: Given, agent_line: Call) -> None:
    ana = await given.agent("Ana")
    anas, bosses = await agent_line(ana), await agent_line(given.boss)
    await anas.event("presence.update")

    await change(given, "UPDATE users SET pubsub_token = pubsub_token || 'x' WHERE id = $1", ana.id)

    assert await anas.frame() == {"type": "disconnect", "reason": "remote", "reconnect": True}
    assert await anas.closed() == 1001
    assert MARKER not in await heard(bosses, given)


async def test_whoever_left_the_account_is_cut_off(given: Given, agent_line: Call) -> None:
    ana = await given.agent("Ana")
    line = await agent_line(ana)
    await line.event("presence.update")

    await change(given, "DELETE FROM account_users WHERE account_id = $1 AND user_id = $2", given.account_id, ana.id)

    assert (await line.frame())["reason"] == "remote"


async def test_a_suspended_account_has_no_lines(given: Given, agent_line: Call, contact_line: Call, call: Call) -> None:
    inbox = await given.inbox()
    rosa = await given.session(inbox)
    bosses, rosas = await agent_line(given.boss), await contact_line(rosa)
    await bosses.event("presence.update")
    await rosas.event("presence.update")

    await change(given, "UPDATE accounts SET status = 'suspended' WHERE id = $1", given.account_id)

    assert (await bosses.frame())["reason"] == "remote"
    assert (await rosas.frame())["reason"] == "remote"
    again = await call()
    boss = {"pubsub_token": given.boss.pubsub_token, "account_id": given.account_id, "user_id": given.boss.id}
    assert await again.subscribe(**boss) == "reject_subscription"
    assert await again.subscribe(pubsub_token=rosa["pubsub_token"]) == "reject_subscription"


async def test_subscribers_are_told_who_is_there(given: Given, agent_line: Call, contact_line: Call) -> None:
    inbox = await given.inbox()
    rosa, ana = await given.session(inbox), await given.agent("Ana")
    rosas, anas = await contact_line(rosa), await agent_line(ana)
    bosses = await agent_line(given.boss)
    online = {str(ana.id): "online", str(given.boss.id): "online"}

    first = await bosses.event("presence.update")
    away = {"profile": {"availability": "busy", "account_id": given.account_id}}
    chosen = await given.api.acting_as(ana).post("/api/v1/profile/availability", away)
    await heard(anas, given)
    await anas.say(command="message", identifier=anas.identifier, data='{"action":"update_presence"}')
    busy = await anas.event("presence.update")
    to_rosa = await rosas.event("presence.update")

    assert chosen.status == 200
    assert first["users"] == online
    assert first["contacts"] == {str(rosa["id"]): "online"}
    assert busy["users"] == {**online, str(ana.id): "busy"}
    assert to_rosa == {"account_id": given.account_id, "users": {}}


async def test_typing_is_shown_to_the_others_and_private_typing_to_the_team_alone(
    given: Given, agent_line: Call, contact_line: Call
) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    rosa = await given.session(inbox)
    conversation = await given.conversation(inbox=inbox, contact=rosa, source_id=rosa["source_id"])
    anas, bosses, rosas = await agent_line(ana), await agent_line(given.boss), await contact_line(rosa)
    mia = UserSnapshot(id=ana.id, name="Ana", available_name="Ana", email=ana.email)

    await _type(given, conversation, typist=mia, is_on=True, is_private=True)
    await _type(given, conversation, typist=mia, is_on=True)
    await _type(given, conversation, typist=mia, is_on=False)
    await _type(given, conversation, typist=None, is_on=True)

    to_boss = [await bosses.event("conversation.typing_on", "conversation.typing_off") for _ in range(4)]
    to_rosa = [await rosas.event("conversation.typing_on", "conversation.typing_off") for _ in range(2)]
    to_ana = await anas.event("conversation.typing_on", "conversation.typing_off")
    assert [data["is_private"] for data in to_boss] == [True, False, False, False]
    assert [data["user"]["type"] for data in to_boss] == ["user", "user", "user", "contact"]
    assert [data["is_private"] for data in to_rosa] == [False, False]
    assert to_boss[0]["conversation"]["id"] == to_rosa[0]["conversation"]["id"] == conversation["id"]
    assert to_ana["user"]["type"] == "contact"
    assert {data["account_id"] for data in (*to_boss, *to_rosa, to_ana)} == {given.account_id}


async def _type(given: Given, conversation: Any, **typing: Any) -> None:
    async with given.world.parts.database.reading() as db:
        found = await access.load_conversation(db, system(given.account_id), conversation["id"])
    await publish_typing(given.world.parts.signals, found, **typing)


async def test_a_client_that_does_not_read_is_let_go_and_holds_nobody_up(
    given: Given, agent_line: Call, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "PATIENCE_SECONDS", 0.5)
    conversation = await given.conversation()
    reader = await agent_line(given.boss)
    host, port = server.address.split(":")
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.connect((host, int(port)))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await _listen_without_reading(lazy, given)
    connected = server.cable.socket_count

    numbers = asyncio.create_task(_numbers(reader, 30))
    for number in range(30):
        await given.message(conversation, f"{number} " + "x" * 100_000)
    heard_by_reader = await numbers
    async with asyncio.timeout(PATIENCE_SECONDS):
        while server.cable.socket_count == connected:
            await reader.ping()
    lazy.close()

    assert heard_by_reader == list(range(30))


async def _numbers(line: Line, count: int) -> list[int]:
    return [int((await line.event("message.created"))["content"].split()[0]) for _ in range(count)]


async def _listen_without_reading(lazy: socket.socket, given: Given) -> None:
    loop = asyncio.get_running_loop()
    lazy.settimeout(0)
    upgrade = (
        "GET /cable HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await loop.sock_sendall(lazy, upgrade.encode())
    received = b""
    while b"welcome" not in received:
        received += await loop.sock_recv(lazy, 4096)
    identifier = {
        "channel": "RoomChannel",
        "pubsub_token": given.boss.pubsub_token,
        "account_id": given.account_id,
        "user_id": given.boss.id,
    }
    frame = json.dumps({"command": "subscribe", "identifier": json.dumps(identifier)}).encode()
    await loop.sock_sendall(lazy, b"\x81\xfe" + len(frame).to_bytes(2) + bytes(4) + frame)
    while b"presence.update" not in received:
        received += await loop.sock_recv(lazy, 4096)


async def test_a_client_that_comes_back_with_its_cursor_hears_what_it_missed(
    given: Given, agent_line: Call, contact_line: Call
) -> None:
    inbox = await given.inbox()
    rosa = await given.session(inbox)
    conversation = await given.conversation(inbox=inbox, contact=rosa, source_id=rosa["source_id"])
    stays, leaves, rosas = await agent_line(given.boss), await agent_line(given.boss), await contact_line(rosa)
    await given.message(conversation, "heard")
    cursor = (await leaves.events_until("message.created", content="heard"))[-1]["cursor"]
    await rosas.event("message.created")
    await leaves.socket.close()
    await rosas.socket.close()

    for number in range(3):
        await given.message(conversation, f"missed {number}")
    await stays.events_until("message.created", content="missed 2")
    back, rosa_back = await agent_line(given.boss, after=cursor), await contact_line(rosa, after=cursor)
    await given.message(conversation, "live")

    expected = ["missed 0", "missed 1", "missed 2", "live"]
    assert [(await back.event("message.created"))["content"] for _ in range(4)] == expected
    assert [(await rosa_back.event("message.created"))["content"] for _ in range(4)] == expected


async def test_a_new_process_repeats_what_it_never_saw_from_the_log(
    given: Given, world: World, agent_line: Call
) -> None:
    conversation = await given.conversation()
    line = await agent_line(given.boss)
    await given.message(conversation, "heard")
    cursor = (await line.events_until("message.created", content="heard"))[-1]["cursor"]
    for number in range(3):
        await given.message(conversation, f"missed {number}")
    await line.events_until("message.created", content="missed 2")

    async with Server(world).running() as fresh:
        back = await fresh.line()
        await back.subscribe(
            pubsub_token=given.boss.pubsub_token, account_id=given.account_id, user_id=given.boss.id, after=cursor
        )
        contents = [(await back.event("message.created"))["content"] for _ in range(3)]
        await back.socket.close()

    assert contents == ["missed 0", "missed 1", "missed 2"]


async def test_who_missed_more_than_can_be_sent_at_once_reads_anew_and_hears_what_comes(
    given: Given, agent_line: Call
) -> None:
    conversation = await given.conversation()
    line = await agent_line(given.boss)
    await given.message(conversation, "heard")
    cursor = (await line.events_until("message.created", content="heard"))[-1]["cursor"]
    await line.socket.close()
    for number in range(8):
        await given.message(conversation, f"missed {number} " + "x" * 100_000)

    back = await agent_line(given.boss, after=cursor)
    told = await back.event("resync", "message.created")
    await given.message(conversation, "live")

    assert told == {"account_id": given.account_id}
    assert (await back.event("message.created"))["content"] == "live"


@pytest.mark.parametrize(
    "after",
    [
        cursor_text(Cursor(1, 1, 0, datetime(2020, 1, 1, tzinfo=UTC))),
        cursor_text(Cursor(99, 1, 0, datetime(2099, 1, 1, tzinfo=UTC))),
        "not-a-cursor",
    ],
    ids=["old", "of a lost log", "malformed"],
)
async def test_a_cursor_that_cannot_be_followed_asks_the_client_to_read_anew(
    given: Given, agent_line: Call, after: str
) -> None:
    line = await agent_line(given.boss, after=after)

    assert await line.event("resync") == {"account_id": given.account_id}
