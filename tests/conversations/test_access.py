from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given, Reply

from criachat.conversations.events import ConversationUpdated

DENIED = {"error": "You are not authorized to do this action"}
UNKNOWN = {"error": "Resource could not be found"}
NOT_FOR_BOTS = {"error": "Access to this endpoint is not authorized for bots"}
# Every endpoint of one conversation: method, what stands behind its number, body; and whether bots may call it.
ENDPOINTS: list[tuple[str, str, Any, bool]] = [
    ("GET", "", None, False),
    ("PATCH", "", {"priority": "low"}, True),
    ("PUT", "", {"priority": "low"}, True),
    ("POST", "/toggle_status", {"status": "resolved"}, True),
    ("POST", "/toggle_priority", {"priority": "low"}, True),
    ("POST", "/toggle_typing_status", {"typing_status": "on"}, True),
    ("POST", "/update_last_seen", {}, False),
    ("POST", "/unread", {}, False),
    ("POST", "/custom_attributes", {"custom_attributes": {"a": 1}}, True),
    ("PATCH", "/custom_attributes", {"custom_attributes": {"a": 1}}, True),
    ("POST", "/assignments", {"assignee_id": 0}, True),
    ("GET", "/labels", None, False),
    ("POST", "/labels", {"labels": ["vip"]}, False),
    ("POST", "/labels/add", {"label": "vip"}, True),
    ("POST", "/labels/remove", {"label": "vip"}, True),
    ("POST", "/mute", None, False),
    ("POST", "/unmute", None, False),
    ("GET", "/participants", None, False),
    ("POST", "/participants", {"user_ids": []}, False),
    ("PATCH", "/participants", {"user_ids": []}, False),
    ("PUT", "/participants", {"user_ids": []}, False),
    ("DELETE", "/participants", {"user_ids": []}, False),
    ("GET", "/draft_messages", None, False),
    ("PATCH", "/draft_messages", {"draft_message": {"message": "Olá"}}, False),
    ("PUT", "/draft_messages", {"draft_message": {"message": "Olá"}}, False),
    ("DELETE", "/draft_messages", None, False),
]
VERSIONED = [
    ("PATCH", "", {"priority": "low"}),
    ("POST", "/toggle_status", {"status": "resolved"}),
    ("POST", "/toggle_priority", {"priority": "low"}),
    ("POST", "/custom_attributes", {"custom_attributes": {"a": 1}}),
    ("PATCH", "/custom_attributes", {"custom_attributes": {"a": 1}}),
    ("POST", "/assignments", {"assignee_id": 0}),
    ("POST", "/labels", {"labels": ["vip"]}),
    ("POST", "/labels/add", {"label": "vip"}),
    ("POST", "/labels/remove", {"label": "envio"}),
]


async def call(api: Api, conversation_id: Any, endpoint: Any, **options: Any) -> Reply:
    method, path, body, *_ = endpoint
    sent = {} if body is None else {"json": body}
    return await api.call(method, f"/conversations/{conversation_id}{path}", **sent, **options)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint[0]} {endpoint[1]}")
async def test_whoever_may_open_a_conversation_is_let_in_and_nobody_else(
    api: Api, given: Given, endpoint: tuple[str, str, Any, bool]
) -> None:
    inbox = await given.inbox()
    ana, davi, eva = await given.agent("Ana", inbox=inbox), await given.agent("Davi"), await given.agent("Eva")
    team = await given.team("vendas", davi)
    conversation = await given.conversation(inbox=inbox, team_id=team["id"], assignee_id=eva.id)
    before = (await api.get(f"/conversations/{conversation['id']}")).json

    by_bot = await call(api.acting_as(await given.bot()), conversation["id"], endpoint)
    if not endpoint[3]:
        assert (by_bot.status, by_bot.json) == (401, NOT_FOR_BOTS)
    by_assignee = await call(api.acting_as(eva), conversation["id"], endpoint)
    by_nobody = await call(api.acting_as(None), conversation["id"], endpoint)
    stranger = (await given.another_account()).api
    by_stranger = await call(stranger.in_account(given.account_id), conversation["id"], endpoint)
    elsewhere = await call(stranger, conversation["id"], endpoint)
    after = (await api.get(f"/conversations/{conversation['id']}")).json
    let_in = [await call(each, conversation["id"], endpoint) for each in (api.acting_as(ana), api, api.acting_as(davi))]

    assert (by_assignee.status, by_assignee.json) == (401, DENIED)
    assert by_nobody.status == by_stranger.status == 401
    assert (elsewhere.status, elsewhere.json) == (404, UNKNOWN)
    assert [reply.status for reply in let_in] == [200] * 3
    assert by_bot.status == (200 if endpoint[3] else 401)
    if not endpoint[3]:
        assert after == before


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "9" * 30, "9" * 5000, "%00", "00000000-0000"])
async def test_what_is_no_number_of_ours_is_not_found(api: Api, given: Given, number: str) -> None:
    await given.conversation()

    for endpoint in ENDPOINTS:
        assert (await call(api, number, endpoint)).status == 404


@pytest.mark.parametrize("endpoint", VERSIONED, ids=lambda endpoint: f"{endpoint[0]} {endpoint[1]}")
async def test_a_change_meant_for_an_older_version_changes_nothing(
    api: Api, given: Given, endpoint: tuple[str, str, Any]
) -> None:
    conversation = await given.conversation(assignee_id=given.boss.id)
    path = f"/conversations/{conversation['id']}"
    await api.post(f"{path}/labels", {"labels": ["envio"]})
    old = (await api.get(path)).headers["etag"]
    await api.patch(path, {"priority": "high"})
    shown = await api.get(path)

    late = await call(api, conversation["id"], endpoint, headers={"If-Match": old})
    unchanged = await api.get(path)
    right = await call(api, conversation["id"], endpoint, headers={"If-Match": shown.headers["etag"]})

    assert (late.status, list(late.json)) == (412, ["error"])
    assert (unchanged.json, unchanged.headers["etag"]) == (shown.json, shown.headers["etag"])
    assert right.status == 200
    assert (await api.get(path)).headers["etag"] != shown.headers["etag"]


async def test_of_changes_meant_for_one_version_one_is_made(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}"
    tag = (await api.get(path)).headers["etag"]

    replies = await asyncio.gather(
        *(api.post(f"{path}/labels/add", {"label": f"l{n}"}, headers={"If-Match": tag}) for n in range(16))
    )

    assert sorted(reply.status for reply in replies) == [200] + [412] * 15
    assert len((await api.get(f"{path}/labels")).json["payload"]) == 1
    assert len(await given.emitted(ConversationUpdated)) == 1


async def test_an_answer_tells_the_version_it_shows(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}"

    changed = await api.patch(path, {"priority": "low"})

    assert changed.headers["etag"] == (await api.get(path)).headers["etag"]
    labelled = await api.post(f"{path}/labels/add", {"label": "vip"}, headers={"If-Match": changed.headers["etag"]})
    assert labelled.status == 200
    assert labelled.headers["etag"] == (await api.get(path)).headers["etag"]
