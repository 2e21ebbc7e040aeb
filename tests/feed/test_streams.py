"""The feed as a stream: events as they happen, each under the cursor from which a client that comes back goes on."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from feeds import present, read_all
from harness import PATIENCE_SECONDS, Given, Person, World, build_world
from streams import streaming
from wires import served

from criachat.auth import operations as auth
from criachat.auth.models import Owner
from criachat.auth.resolver import BELIEVED_SECONDS
from criachat.feed import streaming as frames
from criachat.kit import clock


async def test_events_are_sent_as_they_happen(given: Given, address: str) -> None:
    conversation = await given.conversation()
    async with streaming(address, given.boss, given.account_id, after=await present(given)) as stream:
        message = await given.message(conversation, "Olá!")
        frame = await stream.frame()

    assert stream.answer.headers["content-type"] == "text/event-stream"
    assert stream.answer.headers["cache-control"] == "no-store"
    assert stream.answer.headers["x-accel-buffering"] == "no"
    assert (frame.kind, frame.data["event"], frame.data["message_id"]) == ("message", "message_created", message["id"])
    assert frame.id == frame.data["cursor"]


async def test_a_stream_shows_the_same_as_the_pages_do(given: Given, address: str) -> None:
    await given.message(await given.conversation(), "Olá!")
    pages = await read_all(given.api)

    async with streaming(address, given.boss, given.account_id) as stream:
        streamed = [(await stream.frame()).data for _ in pages]

    assert streamed == pages


async def test_a_client_that_comes_back_goes_on_behind_the_last_event_it_had(given: Given, address: str) -> None:
    conversation = await given.conversation()
    cursor = await present(given)
    async with streaming(address, given.boss, given.account_id, after=cursor, event="message_created") as stream:
        await given.message(conversation, "had")
        await stream.frame()
    for number in range(3):
        await given.message(conversation, f"missed {number}")

    # As browsers do it: the same address, and where they were in a header.
    came_back = streaming(
        address,
        given.boss,
        given.account_id,
        after=cursor,
        event="message_created",
        last_event_id=stream.last_event_id,
    )
    async with came_back as stream:
        await given.message(conversation, "live")
        contents = [(await stream.event("message_created"))["snapshot"]["message"]["content"] for _ in range(4)]

    assert contents == ["missed 0", "missed 1", "missed 2", "live"]


async def test_only_what_is_of_interest_is_sent(given: Given, address: str) -> None:
    conversation = await given.conversation()
    async with streaming(
        address, given.boss, given.account_id, after=await present(given), event="conversation_status_changed"
    ) as stream:
        await given.message(conversation, "not of interest")
        await given.api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
        frame = await stream.frame()

    assert frame.data["event"] == "conversation_status_changed"


async def test_a_quiet_stream_gives_signs_of_life(given: Given, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "HEARTBEAT_SECONDS", 0.02)

    async with streaming(address, given.boss, given.account_id, after=await present(given)) as stream:
        for _ in range(3):
            await stream.comment()


async def test_who_waits_for_something_rare_is_told_how_far_they_are(
    given: Given, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(frames, "TELL_PLACE_SECONDS", 0.0)
    conversation = await given.conversation()
    async with streaming(
        address, given.boss, given.account_id, after=await present(given), event="conversation_deleted"
    ) as stream:
        await given.message(conversation, "not of interest")
        frame = await stream.frame()
    await given.message(conversation, "after")

    rest = await read_all(given.api, after=frame.id, event="message_created")
    assert (frame.kind, frame.data) == ("cursor", {"cursor": frame.id})
    assert [event["snapshot"]["message"]["content"] for event in rest][-1:] == ["after"]
    assert len(rest) <= 2


async def test_a_client_that_hangs_up_is_waited_for_no_longer(given: Given, address: str) -> None:
    feed = given.world.parts.feed
    async with streaming(address, given.boss, given.account_id, after=await present(given)):
        await _until(lambda: feed.waiting_in(given.account_id) == 1)

    await _until(lambda: feed.waiting_in(given.account_id) == 0)


async def _until(is_so: Any) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.005)


async def test_a_process_that_stops_ends_its_streams_well(world: World, given: Given, tmp_path: Any) -> None:
    async with (
        build_world(world.parts.database.url, tmp_path) as stopping,
        served(stopping.parts.http) as elsewhere,
        streaming(elsewhere, given.boss, given.account_id, after=await present(given)) as stream,
    ):
        await given.contact()
        await stream.event("contact_created")

        await stopping.parts.say_goodbye()

        assert await stream.ended()


async def test_a_token_that_was_revoked_is_told_nothing_more(given: Given, address: str) -> None:
    bruno = await given.administrator("Bruno")
    async with streaming(address, bruno, given.account_id, after=await present(given)) as stream:
        await _until(lambda: given.world.parts.feed.waiting_in(given.account_id) == 1)
        await _revoke_all(given, bruno)
        # A token is believed for so long.
        clock.travel(timedelta(seconds=BELIEVED_SECONDS + 1))

        await given.message(await given.conversation(), "canary")

        with pytest.raises(EOFError):
            await stream.frame()


async def _revoke_all(given: Given, person: Person) -> None:
    async with given.world.parts.database.transaction() as tx:
        await auth.revoke_all(tx, Owner("user", person.id))


async def test_a_bad_cursor_is_refused_before_anything_is_sent(given: Given, address: str) -> None:
    async with streaming(address, given.boss, given.account_id, last_event_id="nonsense") as stream:
        await stream.answer.aread()

    assert stream.answer.status_code == 422
    assert stream.answer.json()["attributes"] == ["after"]


async def test_head_tells_the_kind_and_nothing_else(given: Given, address: str) -> None:
    headers = {"api_access_token": given.boss.token, "accept": "text/event-stream"}
    async with httpx.AsyncClient() as client:
        answer = await client.head(f"http://{address}/api/v1/accounts/{given.account_id}/events", headers=headers)

    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.content == b""
