from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given, Person
from receivers import Receiver, Say

from criachat.accounts.events import CacheInvalidated
from criachat.agent_bots.models import SCOPES_OF_BOTS
from criachat.kit.actors import BOT
from criachat.kit.tokens import is_well_formed
from criachat.slices import ROUTES

GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
ORDERS = {"name": "Order bot", "description": "Knows orders", "outgoing_url": "https://bot.example.com/in"}


async def bot_of(api: Api, **fields: Any) -> Any:
    reply = await api.post("/agent_bots", {**ORDERS, **fields})
    assert reply.status == 200, reply.body
    return reply.json


def holder(token: str) -> Person:
    return Person(id=0, name="", token=token)


async def test_a_bot_is_created_shown_changed_and_removed(api: Api) -> None:
    created = await bot_of(api, bot_config={"tone": "kind"})
    path = f"/agent_bots/{created['id']}"
    changed = await api.patch(path, {"name": "Bot of orders", "outgoing_url": "", "bot_config": {}})
    shown = await api.get(path)
    removed = await api.delete(path)

    assert created == {
        "id": created["id"],
        "name": "Order bot",
        "description": "Knows orders",
        "thumbnail": "",
        "outgoing_url": "https://bot.example.com/in",
        "bot_type": "webhook",
        "bot_config": {"tone": "kind"},
        "account_id": api.account_id,
        "access_token": created["access_token"],
        "secret": created["secret"],
        "system_bot": False,
    }
    assert created["access_token"].startswith("cria_bot_")
    assert is_well_formed(created["access_token"])
    assert len(created["secret"]) == 32
    assert changed.json == shown.json == {**created, "name": "Bot of orders", "outgoing_url": None, "bot_config": {}}
    assert (removed.status, removed.body) == (200, b"")
    assert (await api.get(path)).status == 404
    assert (await api.get("/agent_bots")).json == []


@pytest.mark.parametrize("missing", [None, *SCOPES_OF_BOTS])
async def test_a_bots_token_is_shown_to_tokens_that_may_do_what_it_may(
    api: Api, given: Given, missing: str | None
) -> None:
    scopes = {"agent_bots:write", *SCOPES_OF_BOTS} - {missing}
    narrow = api.acting_as(await given.narrowed(given.boss, *scopes))

    bot = await bot_of(narrow)
    reset = await narrow.post(f"/agent_bots/{bot['id']}/reset_access_token")
    listed = await narrow.get("/agent_bots")

    shown = [bot, reset.json, *listed.json]
    assert [("access_token" in each, "secret" in each) for each in shown] == [(missing is None, True)] * 3


def test_what_bots_may_do_is_what_the_endpoints_ask_for_that_let_them_in() -> None:
    asked = {endpoint.scope for routes in ROUTES for endpoint in routes.endpoints if BOT in endpoint.actors}

    assert asked == set(SCOPES_OF_BOTS)


async def test_nothing_is_required_of_a_bot(api: Api) -> None:
    reply = await api.post("/agent_bots", {})

    assert reply.status == 200
    assert (reply.json["name"], reply.json["outgoing_url"], reply.json["bot_config"]) == (None, None, {})


async def test_agents_see_bots_without_their_tokens_and_change_none(api: Api, given: Given) -> None:
    bot = await bot_of(api)
    ana = api.acting_as(await given.agent("Ana"))
    path = f"/agent_bots/{bot['id']}"
    public = {key: value for key, value in bot.items() if key not in ("access_token", "secret")}

    assert (await ana.get("/agent_bots")).json == [public]
    assert (await ana.get(path)).json == public
    refused = [
        await ana.post("/agent_bots", ORDERS),
        await ana.patch(path, {"name": "Mine"}),
        await ana.delete(path),
        await ana.delete(f"{path}/avatar"),
        await ana.post(f"{path}/reset_access_token"),
        await ana.post(f"{path}/reset_secret"),
    ]
    assert [reply.status for reply in refused] == [401] * 6
    assert (await api.get(path)).json == bot


async def test_the_list_of_bots_takes_one_statement(api: Api, given: Given) -> None:
    for number in range(5):
        await bot_of(api, name=f"Bot {number}")
    await api.get("/agent_bots")

    with given.queries(at_most=1):
        listed = (await api.get("/agent_bots")).json

    assert [bot["name"] for bot in listed] == [f"Bot {number}" for number in range(5)]


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"outgoing_url": "ftp://bot.example.com"}, "outgoing_url"),
        ({"outgoing_url": "no address"}, "outgoing_url"),
        ({"outgoing_url": "https://bot.example.com/" + "x" * 2048}, "outgoing_url"),
        ({"avatar_url": "javascript:alert(1)"}, "avatar_url"),
        ({"bot_type": "oracle"}, "bot_type"),
        ({"bot_type": 7}, "bot_type"),
        ({"bot_config": {"x": "y" * 70_000}}, "bot_config"),
        ({"name": "x" * 256}, "name"),
        ({"description": "x" * 20_001}, "description"),
        ({"avatar": "no file"}, "avatar"),
    ],
)
async def test_what_a_bot_cannot_be_is_refused(api: Api, body: dict[str, Any], attribute: str) -> None:
    bot = await bot_of(api)

    created = await api.post("/agent_bots", body)
    changed = await api.patch(f"/agent_bots/{bot['id']}", {"name": "Changed", **body})

    assert created.status == changed.status == 422
    assert created.json["attributes"] == changed.json["attributes"] == [attribute]
    assert (await api.get("/agent_bots")).json == [bot]


async def test_a_config_that_is_no_object_is_refused(api: Api) -> None:
    reply = await api.post("/agent_bots", {"bot_config": "text"})

    assert reply.status == 422
    assert "bot_config" in reply.json["error"]


async def test_a_picture_is_sent_replaced_and_removed(api: Api) -> None:
    bot = await bot_of(api)
    path = f"/agent_bots/{bot['id']}"

    shown = await api.patch(path, files={"avatar": ("me.gif", GIF)})
    picture = await api.acting_as(None).get(shown.json["thumbnail"].removeprefix("http://criachat.test"))
    removed = await api.delete(f"{path}/avatar")

    assert (picture.status, picture.body) == (200, GIF)
    assert removed.json == bot


async def test_a_picture_is_fetched_where_the_address_says(api: Api, given: Given, receiver: Receiver) -> None:
    receiver.always_answers(Say(body=GIF))
    bot = await bot_of(api, avatar_url=f"{receiver.url}/me.gif")

    await given.worked()

    shown = (await api.get(f"/agent_bots/{bot['id']}")).json
    picture = await api.acting_as(None).get(shown["thumbnail"].removeprefix("http://criachat.test"))
    assert picture.body == GIF


@pytest.mark.parametrize("answer", [404, Say(body=b"<html>no picture</html>")])
async def test_what_is_no_picture_leaves_the_bot_as_it_is(
    api: Api, given: Given, receiver: Receiver, answer: int | Say
) -> None:
    receiver.always_answers(answer)
    bot = await bot_of(api, avatar_url=f"{receiver.url}/me.gif")

    await given.worked()

    assert (await api.get(f"/agent_bots/{bot['id']}")).json == bot


async def test_a_new_token_ends_the_one_before(api: Api, given: Given) -> None:
    bot = await bot_of(api)
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}/messages"

    first = await api.acting_as(holder(bot["access_token"])).post(path, {"content": "Olá"})
    fresh = (await api.post(f"/agent_bots/{bot['id']}/reset_access_token")).json
    with_new = await api.acting_as(holder(fresh["access_token"])).post(path, {"content": "Olá"})
    with_old = await api.acting_as(holder(bot["access_token"])).post(path, {"content": "Olá"})

    assert fresh == {**bot, "access_token": fresh["access_token"]}
    assert fresh["access_token"] != bot["access_token"]
    assert (first.status, with_old.status, with_new.status) == (200, 401, 200)
    assert with_new.json["sender"]["name"] == "Order bot"


async def test_a_new_secret_leaves_the_token(api: Api) -> None:
    bot = await bot_of(api)

    fresh = (await api.post(f"/agent_bots/{bot['id']}/reset_secret")).json

    assert fresh["secret"] != bot["secret"]
    assert {**fresh, "secret": bot["secret"]} == bot


async def test_where_a_bot_is_connected_new_conversations_wait_for_it(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    bot = await bot_of(api)
    connected = await api.post(f"/inboxes/{inbox['id']}/set_agent_bot", {"agent_bot": bot["id"]})

    shown = await api.get(f"/inboxes/{inbox['id']}/agent_bot")
    conversation = await given.conversation(inbox=inbox, status="open")
    disconnected = await api.post(f"/inboxes/{inbox['id']}/set_agent_bot", {"agent_bot": None})
    later = await given.conversation(inbox=inbox)

    assert (connected.status, connected.body) == (disconnected.status, disconnected.body) == (200, b"")
    assert shown.json == {"agent_bot": bot}
    assert (conversation["status"], later["status"]) == ("pending", "open")
    assert (await api.get(f"/inboxes/{inbox['id']}/agent_bot")).json == {}
    assert "inbox" in (await given.emitted(CacheInvalidated))[-1].cache_keys


async def test_another_bot_takes_the_place_of_the_first_and_no_bot_ends_it(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    first, second = await bot_of(api), await bot_of(api, name="Second")
    path = f"/inboxes/{inbox['id']}"
    for bot in (first, second):
        await api.post(f"{path}/set_agent_bot", {"agent_bot": str(bot["id"])})

    shown = await api.get(f"{path}/agent_bot")
    await api.post(f"{path}/set_agent_bot")

    assert shown.json["agent_bot"]["name"] == "Second"
    assert (await api.get(f"{path}/agent_bot")).json == {}


async def test_a_bot_that_is_removed_answers_nowhere_any_more(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    bot = await given.bot("Rob", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)
    message = await api.acting_as(bot).post(f"/conversations/{conversation['id']}/messages", {"content": "Olá"})
    assignment = {"assignee_id": bot.id, "assignee_type": "AgentBot"}
    await api.post(f"/conversations/{conversation['id']}/assignments", assignment)

    await api.delete(f"/agent_bots/{bot.id}")

    thread = (await api.get(f"/conversations/{conversation['id']}/messages")).json
    said = next(each for each in thread["payload"] if each["id"] == message.json["id"])
    after = (await api.get(f"/conversations/{conversation['id']}")).json
    assert "assignee" not in after["meta"]
    assert said["content"] == "Olá"
    assert said.get("sender") is None
    assert (await api.get(f"/inboxes/{inbox['id']}/agent_bot")).json == {}
    assert (await given.conversation(inbox=inbox))["status"] == "open"
    assert (
        await api.acting_as(bot).post(f"/conversations/{conversation['id']}/messages", {"content": "x"})
    ).status == 401


async def test_members_see_the_bot_of_their_inbox_and_do_not_connect_any(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    bot = await given.bot(inbox=inbox)
    member, stranger = await given.agent("Ana", inbox=inbox), await given.agent("Davi")
    path = f"/inboxes/{inbox['id']}"

    assert (await api.acting_as(member).get(f"{path}/agent_bot")).json["agent_bot"]["id"] == bot.id
    assert "access_token" not in (await api.acting_as(member).get(f"{path}/agent_bot")).json["agent_bot"]
    assert (await api.acting_as(stranger).get(f"{path}/agent_bot")).status == 401
    assert (await api.acting_as(member).post(f"{path}/set_agent_bot", {"agent_bot": bot.id})).status == 401
    assert (await api.acting_as(bot).get(f"{path}/agent_bot")).status == 401


async def test_bots_and_inboxes_of_others_are_not_found(api: Api, given: Given) -> None:
    other = await given.another_account()
    theirs, their_inbox = await bot_of(other.api), await other.inbox()
    inbox = await given.inbox()
    ours = await bot_of(api)

    refused = [
        await api.get(f"/agent_bots/{theirs['id']}"),
        await api.patch(f"/agent_bots/{theirs['id']}", {"name": "x"}),
        await api.delete(f"/agent_bots/{theirs['id']}"),
        await api.post(f"/agent_bots/{theirs['id']}/reset_access_token"),
        await api.post(f"/inboxes/{inbox['id']}/set_agent_bot", {"agent_bot": theirs["id"]}),
        await api.post(f"/inboxes/{inbox['id']}/set_agent_bot", {"agent_bot": 2**62}),
        await api.post(f"/inboxes/{their_inbox['id']}/set_agent_bot", {"agent_bot": ours["id"]}),
        await api.get(f"/inboxes/{their_inbox['id']}/agent_bot"),
    ]

    assert [reply.status for reply in refused] == [404] * 8
    assert (await other.api.get("/agent_bots")).json == [theirs]


async def test_tokens_and_secrets_are_sealed_where_they_are_kept(api: Api, given: Given) -> None:
    bot = await bot_of(api)

    async with given.world.parts.database.reading() as db:
        kept = await db.fetch_value("SELECT agent_bots::text FROM agent_bots WHERE id = $1", bot["id"])

    assert bot["name"] in kept
    assert bot["access_token"].encode().hex() not in kept
    assert bot["secret"].encode().hex() not in kept
