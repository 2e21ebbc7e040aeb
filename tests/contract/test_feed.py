"""The feed as documented: its envelope, its refusals and its frames. What each event looks like is in `test_events`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from feeds import present
from harness import Api, Given, World
from pushes import CONVERSATION, MESSAGE
from shapes import iso, misfits, one_of
from streams import streaming
from wires import served

EVENT = {
    "id": int,
    "event": str,
    "cursor": str,
    "created_at": iso,
    "account_id": int,
    "inbox_id": one_of(int, None),
    "conversation_id": one_of(int, None),
    "message_id": one_of(int, None),
    "contact_id": one_of(int, None),
    "actor": one_of({"type": str, "id": one_of(int, None), "name": one_of(str, None)}, None),
    "cause": one_of(str, None),
    "changes": one_of(dict, None),
    "details": dict,
    "snapshot": one_of(dict, None),
}
PAGE = {"payload": [EVENT], "meta": {"cursor": str, "has_more": bool}}


@pytest.fixture(scope="module")
async def address(world: World) -> AsyncIterator[str]:
    async with served(world.parts.http) as address:
        yield address


async def test_a_page(api: Api, given: Given) -> None:
    await given.message(await given.conversation(), "Olá!")

    reply = await api.get("/events")

    assert reply.status == 200
    assert misfits(reply.json, PAGE) == []
    assert len(reply.json["payload"]) > 5


async def test_an_empty_page(api: Api) -> None:
    reply = await api.get("/events", params={"after": "now"})

    assert misfits(reply.json, {"payload": [], "meta": {"cursor": str, "has_more": False}}) == []


async def test_an_event_names_what_it_is_about_who_did_it_why_and_what_changed(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
    message = await given.message(conversation, "Olá!", private=True)

    resolved = (await api.get("/events", params={"event": "conversation_status_changed"})).json["payload"][0]
    said = (await api.get("/events", params={"event": "message_created"})).json["payload"][0]

    assert resolved["changes"] == {"status": ["open", "resolved"]}
    assert resolved["actor"] == {"type": "user", "id": given.boss.id, "name": given.boss.name}
    assert resolved["snapshot"]["conversation"]["status"] == "resolved"
    assert (said["message_id"], said["conversation_id"], said["inbox_id"], said["contact_id"], said["cause"]) == (
        message["id"],
        conversation["id"],
        conversation["inbox_id"],
        conversation["meta"]["sender"]["id"],
        None,
    )
    assert misfits(said["snapshot"], {"message": MESSAGE, "conversation": CONVERSATION}) == []


async def test_what_follows_from_a_message_names_it_as_its_cause(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation, "Olá!")

    (updated,) = (await api.get("/events", params={"event": "conversation_updated"})).json["payload"]

    assert updated["cause"] == f"message:{message['id']}"


async def test_frames_of_a_stream(given: Given, address: str) -> None:
    async with streaming(address, given.boss, given.account_id, after=await present(given)) as stream:
        await given.contact()
        frame = await stream.frame()

    assert (frame.kind, frame.id) == ("message", frame.data["cursor"])
    assert misfits(frame.data, EVENT) == []


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        ({"after": "?"}, 422, {"message": str, "attributes": ["after"]}),
        ({"event": "?"}, 422, {"message": str, "attributes": ["event"]}),
        ({"limit": "0"}, 422, {"error": str}),
        ({"wait": "3600"}, 422, {"error": str}),
    ],
)
async def test_refusals(api: Api, query: dict[str, str], status: int, body: object) -> None:
    reply = await api.get("/events", params=query)

    assert reply.status == status
    assert misfits(reply.json, body) == []


async def test_the_reference_describes_it(api: Api) -> None:
    document = (await api.get("/openapi.json")).json
    operation = document["paths"]["/api/v1/accounts/{account_id}/events"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]

    assert operation["x-scope"] == "events:read"
    assert {parameter["name"] for parameter in operation["parameters"]} >= {"after", "limit", "wait"}
    assert schema["$ref"].endswith("FeedOut")
