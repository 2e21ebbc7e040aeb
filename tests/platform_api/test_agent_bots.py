from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given, Person
from receivers import Receiver

from criachat.kit import clock

BOTS = "/platform/api/v1/agent_bots"
ACCOUNTS = "/platform/api/v1/accounts"
NON_PERMISSIBLE = {"error": "Non permissible resource"}
NOT_FOUND = {"status": 404, "error": "Not Found"}
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"


async def made(app: Api, **fields: Any) -> Any:
    reply = await app.post(BOTS, {"name": "House bot", "outgoing_url": "https://bot.example.com/in", **fields})
    assert reply.status == 200, reply.body
    return reply.json


def holder(bot: Any) -> Person:
    return Person(id=bot["id"], name=bot["name"], token=bot["access_token"])


async def test_a_bot_of_an_account_is_made_shown_changed_and_removed(app: Api) -> None:
    account = (await app.post(ACCOUNTS, {"name": "Globex"})).json
    bot = await made(app, account_id=account["id"], description="Knows orders")
    path = f"{BOTS}/{bot['id']}"
    changed = await app.patch(path, {"name": "Order bot", "account_id": None})
    picture = await app.put(path, files={"avatar": ("me.gif", GIF)})
    without = await app.delete(f"{path}/avatar")
    listed = await app.get(BOTS)
    removed = await app.delete(path)

    assert bot == {
        "id": bot["id"],
        "name": "House bot",
        "description": "Knows orders",
        "outgoing_url": "https://bot.example.com/in",
        "account_id": account["id"],
        "access_token": bot["access_token"],
    }
    assert changed.json == picture.json == without.json == {**bot, "name": "Order bot"}
    assert listed.json == [changed.json]
    assert (removed.status, removed.body) == (200, b"")
    assert (await app.get(path)).json == NOT_FOUND
    assert (await app.get(BOTS)).json == []


async def test_a_bot_of_the_installation_is_known_in_every_account_without_its_secrets(
    app: Api, given: Given, api: Api
) -> None:
    bot = await made(app)
    await app.patch(f"{BOTS}/{bot['id']}", {"name": "House bot 2"})

    listed = (await api.get("/agent_bots")).json
    shown = (await api.get(f"/agent_bots/{bot['id']}")).json
    refused = [
        await api.patch(f"/agent_bots/{bot['id']}", {"name": "Mine"}),
        await api.delete(f"/agent_bots/{bot['id']}"),
        await api.post(f"/agent_bots/{bot['id']}/reset_access_token"),
        await api.post(f"/agent_bots/{bot['id']}/reset_secret"),
        await api.delete(f"/agent_bots/{bot['id']}/avatar"),
    ]

    await app.delete(f"{BOTS}/{bot['id']}")
    assert bot["account_id"] is None
    assert shown == {
        "id": bot["id"],
        "name": "House bot 2",
        "description": None,
        "thumbnail": "",
        "bot_type": "webhook",
        "bot_config": {},
        "account_id": None,
        "system_bot": True,
    }
    assert shown in listed
    assert [reply.status for reply in refused] == [404] * 5


async def test_a_bot_of_the_installation_is_let_in_where_it_is_connected(
    app: Api, given: Given, api: Api, receiver: Receiver
) -> None:
    bot = await made(app, outgoing_url=receiver.url)
    inbox = await given.inbox()
    conversation = await given.conversation(inbox=inbox)
    path = f"/conversations/{conversation['id']}/messages"
    caller = api.acting_as(holder(bot))
    other = await given.another_account()

    before = await caller.post(path, {"content": "Olá"})
    await api.post(f"/inboxes/{inbox['id']}/set_agent_bot", {"agent_bot": bot["id"]})
    clock.travel(timedelta(seconds=4))
    from_elsewhere = await caller.in_account(other.account_id).post(path, {"content": "Olá"})
    await given.message(conversation, "Where is my order?", message_type="incoming")
    await given.delivered()
    shown = (await api.get(f"/inboxes/{inbox['id']}/agent_bot")).json["agent_bot"]
    answer = await caller.post(path, {"content": "Olá"})
    await app.delete(f"{BOTS}/{bot['id']}")

    assert (before.status, before.json) == (401, {"error": "Bot is not authorized to access this account"})
    assert from_elsewhere.status == 401
    assert answer.json["sender"]["id"] == bot["id"]
    assert receiver.events("message_created")[0]["content"] == "Where is my order?"
    assert (shown["id"], shown["system_bot"]) == (bot["id"], True)
    assert (await api.get(f"/inboxes/{inbox['id']}/agent_bot")).json == {}
    assert (await given.conversation(inbox=inbox))["status"] == "open"


async def test_accounts_assign_and_speak_through_bots_of_the_installation(app: Api, given: Given, api: Api) -> None:
    bot = await made(app)
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}"

    assigned = await api.post(f"{path}/assignments", {"assignee_id": bot["id"], "assignee_type": "AgentBot"})
    said = await api.post(f"{path}/messages", {"content": "Olá", "sender_type": "AgentBot", "sender_id": bot["id"]})
    await app.delete(f"{BOTS}/{bot['id']}")

    assert assigned.json["id"] == bot["id"]
    assert said.json["sender"]["type"] == "agent_bot"
    assert "assignee" not in (await api.get(path)).json["meta"]


@pytest.mark.parametrize(("account_id", "status"), [(2**62, 422), ("x", 422)])
async def test_a_bot_needs_an_account_that_exists(app: Api, account_id: Any, status: int) -> None:
    assert (await app.post(BOTS, {"name": "x", "account_id": account_id})).status == status


async def test_accounts_and_bots_of_others_are_refused_and_none_is_not_found(
    app: Api, make_app: Callable[[str], Awaitable[Api]], given: Given
) -> None:
    other = await make_app("Reporting")
    theirs = await made(other)
    own = await given.bot()

    elsewhere = await app.post(BOTS, {"name": "x", "account_id": given.account_id})
    for bot_id, expected in ((theirs["id"], 401), (own.id, 401), (2**62, 404), ("x", 404)):
        path = f"{BOTS}/{bot_id}"
        replies = [
            await app.get(path),
            await app.patch(path, {"name": "Mine"}),
            await app.delete(path),
            await app.delete(f"{path}/avatar"),
        ]
        body = NON_PERMISSIBLE if expected == 401 else NOT_FOUND
        assert [(reply.status, reply.json) for reply in replies] == [(expected, body)] * 4

    kept = (await other.get(f"{BOTS}/{theirs['id']}")).json
    await other.delete(f"{BOTS}/{theirs['id']}")
    assert (elsewhere.status, elsewhere.json) == (401, NON_PERMISSIBLE)
    assert kept == theirs


async def test_the_list_of_bots_takes_two_statements(app: Api, given: Given) -> None:
    account = (await app.post(ACCOUNTS, {"name": "Globex"})).json
    bots = [await made(app, account_id=account["id"], name=f"Bot {number}") for number in range(3)]

    with given.queries(at_most=2):
        listed = (await app.get(BOTS)).json

    assert listed == bots
