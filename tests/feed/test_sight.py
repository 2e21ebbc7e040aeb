"""Who is told what: administrators everything, others what they could read elsewhere."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from feeds import names, present, read_all
from harness import PATIENCE_SECONDS, Given, Person
from streams import EventStream, streaming

from criachat.auth.resolver import BELIEVED_SECONDS
from criachat.kit import clock
from criachat.kit.events import emit
from criachat.webhooks.events import WebhookDisabled


async def contents(given: Given, person: Person, **params: Any) -> list[str]:
    """What this person is told was said."""
    events = await read_all(given.api.acting_as(person), event="message_created", **params)
    return [event["snapshot"]["message"]["content"] for event in events]


async def test_an_agent_is_told_of_their_inboxes_and_what_the_whole_team_may_know(given: Given) -> None:
    mine, others = await given.inbox("Mine"), await given.inbox("Others")
    ana = await given.agent("Ana", inbox=mine)
    contact = await given.contact()
    for inbox in (mine, others):
        conversation = await given.conversation(inbox=inbox, contact=contact)
        await given.message(conversation, f"in {inbox['name']}")
        await given.message(conversation, f"note in {inbox['name']}", private=True)

    events = await read_all(given.api.acting_as(ana))

    assert {event["inbox_id"] for event in events} == {mine["id"], None}
    assert {event["event"] for event in events if event["inbox_id"] is None} == {
        "account_created",
        "account_cache_invalidated",
        "agent_added",
        "contact_created",
    }
    assert await contents(given, ana) == ["in Mine", "note in Mine"]
    assert await contents(given, given.boss) == ["in Mine", "note in Mine", "in Others", "note in Others"]


async def test_an_agent_without_inboxes_is_told_of_no_conversation(given: Given) -> None:
    ana = await given.agent("Ana")
    await given.message(await given.conversation(), "canary")

    events = await read_all(given.api.acting_as(ana))

    assert {event["inbox_id"] for event in events} == {None}
    assert "canary" not in repr(events)


async def test_pages_of_what_an_agent_may_see_add_up_whatever_lies_between(given: Given) -> None:
    mine, others = await given.inbox("Mine"), await given.inbox("Others")
    ana = await given.agent("Ana", inbox=mine)
    my_conversation = await given.conversation(inbox=mine)
    their_conversation = await given.conversation(inbox=others)
    cursor = await present(given)
    for number in range(4):
        await given.message(my_conversation, f"mine {number}")
        for _ in range(3):
            await given.message(their_conversation, "canary")

    for limit in (1, 3, 100):
        assert await contents(given, ana, after=cursor, limit=limit) == [f"mine {number}" for number in range(4)]


async def test_what_agents_are_told_costs_one_statement_more(given: Given) -> None:
    ana = await given.agent("Ana", inbox=await given.inbox())
    cursor = await present(given)
    await given.contact()
    await given.api.acting_as(ana).get("/events", params={"after": cursor})

    with given.queries(at_most=3):
        reply = await given.api.acting_as(ana).get("/events", params={"after": cursor})

    assert names(reply) == ["contact_created"]


async def test_what_is_administrators_business_is_told_to_them_alone(given: Given) -> None:
    ana, bot = await given.agent("Ana"), await given.bot()
    async with given.world.parts.database.transaction() as tx:
        await emit(tx, WebhookDisabled(account_id=given.account_id, webhook_id=7, reason="gone"))

    told = {
        person.name: [
            event["details"] for event in await read_all(given.api.acting_as(person), event="webhook_disabled")
        ]
        for person in (given.boss, ana, bot)
    }

    assert told == {given.boss.name: [{"webhook_id": 7, "reason": "gone"}], ana.name: [], bot.name: []}


async def test_a_bot_is_told_of_conversations_only(given: Given) -> None:
    bot = await given.bot()
    await given.message(await given.conversation(), "Olá!")

    events = await read_all(given.api.acting_as(bot))

    assert {event["event"] for event in events} == {
        "conversation_created",
        "message_created",
        "first_reply_created",
        "conversation_updated",
    }


async def test_a_bot_of_another_account_is_kept_out(given: Given) -> None:
    bot = await (await given.another_account()).bot()

    reply = await given.api.acting_as(bot).get("/events")

    assert reply.status == 401


async def test_an_administrators_token_made_for_the_feed_reads_all_of_it_and_nothing_else(
    given: Given,
) -> None:
    await given.message(await given.conversation(), "Olá!")
    reader = await given.narrowed(given.boss, "events:read")

    feed = await given.api.acting_as(reader).get("/events")
    elsewhere = await given.api.acting_as(reader).get("/conversations")

    assert feed.json == (await given.api.get("/events")).json
    assert elsewhere.status == 401


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(("conversations:read",), 401), (("events:read",), 200), (("events:write",), 200), (("*",), 200)],
)
async def test_scopes_open_what_they_name_and_never_show_more_than_their_owner_sees(
    given: Given, scopes: tuple[str, ...], status: int
) -> None:
    ana = await given.agent("Ana")
    await given.message(await given.conversation(), "canary")

    reply = await given.api.acting_as(await given.narrowed(ana, *scopes)).get("/events")

    assert reply.status == status
    assert "canary" not in reply.body.decode()


async def test_whoever_joins_or_leaves_an_inbox_while_waiting_is_told_accordingly(given: Given, address: str) -> None:
    inbox = await given.inbox()
    conversation = await given.conversation(inbox=inbox)
    ana = await given.agent("Ana")
    members = {"inbox_id": inbox["id"], "user_ids": [ana.id]}
    chosen = {"after": await present(given), "event": "message_created,contact_created"}
    async with streaming(address, ana, given.account_id, **chosen) as stream:
        before = await _told_until_a_contact_comes(given, stream, conversation, "before")
        await given.api.post("/inbox_members", members)
        meanwhile = await _told_until_a_contact_comes(given, stream, conversation, "meanwhile")
        await given.api.delete("/inbox_members", members)
        after = await _told_until_a_contact_comes(given, stream, conversation, "after")

    assert (before, meanwhile, after) == ([], ["meanwhile"], [])


async def _told_until_a_contact_comes(given: Given, stream: EventStream, conversation: Any, said: str) -> list[str]:
    """Something is said, then somebody comes: what is heard of what was said until then."""
    await given.message(conversation, said)
    await given.contact()
    told: list[str] = []
    while (event := (await stream.frame()).data)["event"] != "contact_created":
        told.append(event["snapshot"]["message"]["content"])
    return told


async def test_who_leaves_the_account_while_waiting_is_told_nothing_more(given: Given) -> None:
    ana = await given.agent("Ana")
    waiter = asyncio.create_task(
        given.api.acting_as(ana).get("/events", params={"after": await present(given), "wait": 30})
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not given.world.parts.feed.waiting_in(given.account_id):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.005)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("DELETE FROM account_users WHERE account_id = $1 AND user_id = $2", given.account_id, ana.id)
    clock.travel(timedelta(seconds=BELIEVED_SECONDS + 1))

    await given.contact("canary")
    async with asyncio.timeout(PATIENCE_SECONDS):
        reply = await waiter

    assert reply.status == 401
    assert "canary" not in reply.body.decode()


async def test_no_secret_of_the_account_is_told(given: Given) -> None:
    channel = {"type": "api", "webhook_url": "https://hooks.example.com/secret-path"}
    inbox = await given.inbox("App", channel=channel)
    await given.api.patch(f"/inboxes/{inbox['id']}", {"name": "Other", "channel": {"hmac_mandatory": False}})
    session = await given.session(inbox, name="Rosa Lind")
    conversation = await given.conversation(inbox=inbox, contact=session, source_id=session["source_id"])
    await given.message(conversation, "Olá!")
    hook = await given.webhook("https://hooks.example.com/another-secret-path", "message_created")

    told = repr(await read_all(given.api))

    secrets = {inbox["hmac_token"], inbox["secret"], session["pubsub_token"], given.boss.pubsub_token, hook["secret"]}
    assert not {secret for secret in (*secrets, "secret-path", given.boss.token) if secret in told}


@pytest.mark.parametrize(
    ("permissions", "shown"),
    [
        (["conversation_manage"], ["mine", "nobody's", "taking part", "of davi"]),
        (["conversation_unassigned_manage"], ["mine", "nobody's"]),
        (["conversation_participating_manage"], ["mine", "taking part"]),
        (["conversation_unassigned_manage", "conversation_participating_manage"], ["mine", "nobody's", "taking part"]),
        (["report_manage"], []),
    ],
)
async def test_a_custom_role_is_told_of_what_it_may_open(
    given: Given, address: str, permissions: list[str], shown: list[str]
) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    await given.custom_role(*permissions, of=ana)
    of = {
        "mine": await given.conversation(inbox=inbox, assignee_id=ana.id),
        "nobody's": await given.conversation(inbox=inbox),
        "taking part": await given.conversation(inbox=inbox, assignee_id=davi.id),
        "of davi": await given.conversation(inbox=inbox, assignee_id=davi.id),
    }
    await given.api.post(f"/conversations/{of['taking part']['id']}/participants", {"user_ids": [ana.id]})
    cursor = await present(given)

    chosen = {"after": cursor, "event": "message_created,contact_created"}
    async with streaming(address, ana, given.account_id, **chosen) as stream:
        await given.contact()
        assert (await stream.frame()).data["event"] == "contact_created"
        for name, conversation in of.items():
            await given.message(conversation, name)
        told = [] if not shown else [(await stream.frame()).data for _ in shown]
        await given.contact()
        last = (await stream.frame()).data["event"]

    assert [event["snapshot"]["message"]["content"] for event in told] == shown
    assert last == "contact_created"
    assert await contents(given, ana, after=cursor) == shown
