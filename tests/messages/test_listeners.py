"""What the product answers by itself: a greeting, or that nobody is there."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from harness import PATIENCE_SECONDS, Api, Given

from criachat.kit import clock
from criachat.messages.events import MessageCreated
from criachat.messages.listeners import answer_incoming_messages

GREETING: dict[str, Any] = {"greeting_enabled": True, "greeting_message": "Oi, {{contact.first_name}}!"}
CLOSED = [{"day_of_week": day, "closed_all_day": True, "open_all_day": False} for day in range(7)]
OPEN = [{"day_of_week": day, "closed_all_day": False, "open_all_day": True} for day in range(7)]
AWAY: dict[str, Any] = {
    "working_hours_enabled": True,
    "working_hours": CLOSED,
    "out_of_office_message": "Voltamos amanhã.",
    "timezone": "America/Sao_Paulo",
}


async def opened(given: Given, **settings: Any) -> dict[str, Any]:
    """A conversation with Rosa in an inbox with these settings."""
    return await given.conversation(inbox=await given.inbox(**settings), contact=await given.contact("Rosa Lind"))


async def hears(given: Given, conversation: dict[str, Any], content: str = "Olá?", **fields: Any) -> None:
    """The contact writes, and every listener has heard it."""
    await given.message(conversation, content, message_type="incoming", **fields)
    await given.relayed()


async def answers(api: Api, conversation: dict[str, Any]) -> list[str]:
    """What the product said."""
    thread = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    return [message["content"] for message in thread if message["message_type"] == 3]


def noon_tomorrow() -> None:
    """It is twelve o'clock, so that some hours more or less are the same day."""
    now = clock.now()
    clock.travel(datetime.combine(now.date() + timedelta(days=1), time(12), UTC) - now)


async def test_whoever_writes_first_is_greeted_by_name(api: Api, given: Given) -> None:
    conversation = await opened(given, **GREETING)

    await hears(given, conversation)

    _, greeting = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    assert (greeting["content"], greeting["message_type"], greeting["content_type"]) == ("Oi, Rosa!", 3, "text")
    assert (greeting["private"], greeting["status"], greeting["content_attributes"]) == (False, "sent", {})
    assert "sender" not in greeting
    asked, answered = await given.emitted(MessageCreated)
    assert (answered.actor_type, answered.performer, answered.cause) == ("system", None, f"event:{asked.id}")


async def test_a_greeting_is_said_once(api: Api, given: Given) -> None:
    conversation = await opened(given, **GREETING)

    for _ in range(3):
        await hears(given, conversation)

    assert await answers(api, conversation) == ["Oi, Rosa!"]


async def test_of_two_messages_heard_together_one_is_greeted(api: Api, given: Given) -> None:
    conversation = await opened(given, **GREETING)
    await given.message(conversation, "Olá", message_type="incoming")

    await hears(given, conversation)

    assert await answers(api, conversation) == ["Oi, Rosa!"]


async def test_an_event_delivered_twice_is_answered_once(api: Api, given: Given) -> None:
    conversation = await opened(given, **GREETING)
    other = await opened(given, **AWAY)
    await hears(given, conversation)
    await hears(given, other)
    events = await given.emitted(MessageCreated)

    async with given.world.parts.database.transaction() as tx:
        await answer_incoming_messages(tx, [*events, *events])

    assert await answers(api, conversation) == ["Oi, Rosa!"]
    assert await answers(api, other) == ["Voltamos amanhã."]


async def test_an_event_delivered_many_times_at_once_is_answered_once(api: Api, given: Given) -> None:
    conversation = await opened(given, **GREETING)
    await given.message(conversation, message_type="incoming")
    events = await given.emitted(MessageCreated)
    database = given.world.parts.database

    async def deliver() -> None:
        async with database.transaction() as tx:
            await answer_incoming_messages(tx, events)

    # All have seen that nobody was greeted yet, and wait to write, before the first of them may.
    async with database.transaction() as tx, database.reading() as onlooker, asyncio.timeout(PATIENCE_SECONDS):
        await tx.execute("SELECT id FROM conversations WHERE account_id = $1 FOR UPDATE", given.account_id)
        deliveries = [asyncio.create_task(deliver()) for _ in range(4)]
        while await onlooker.fetch_value("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted") < 4:
            pass
    await asyncio.gather(*deliveries)

    assert await answers(api, conversation) == ["Oi, Rosa!"]


async def test_the_first_delivery_that_was_undone_is_made_up_for(api: Api, given: Given) -> None:
    conversation = await opened(given, **GREETING)
    await given.message(conversation, message_type="incoming")
    events = await given.emitted(MessageCreated)

    with suppress(ZeroDivisionError):
        async with given.world.parts.database.transaction() as tx:
            await answer_incoming_messages(tx, events)
            raise ZeroDivisionError
    await given.relayed()

    assert await answers(api, conversation) == ["Oi, Rosa!"]


@pytest.mark.parametrize(
    "settings",
    [{}, {"greeting_enabled": True}, {"greeting_enabled": True, "greeting_message": ""}, {"greeting_message": "Oi!"}],
)
async def test_an_inbox_that_has_nothing_to_say_says_nothing(api: Api, given: Given, settings: dict[str, Any]) -> None:
    conversation = await opened(given, **settings)

    await hears(given, conversation)

    assert await answers(api, conversation) == []


async def test_whoever_was_answered_already_is_not_greeted(api: Api, given: Given) -> None:
    conversation = await opened(given, **GREETING)
    await given.message(conversation, "Vi seu pedido.")

    await hears(given, conversation)

    assert await answers(api, conversation) == []


async def test_only_what_a_contact_says_is_answered(api: Api, given: Given) -> None:
    conversation = await opened(given, **GREETING, **AWAY)

    for message_type in ("outgoing", "activity"):
        await given.message(conversation, message_type=message_type)
    await given.message(conversation, "Só nós", private=True)
    await given.relayed()

    assert await answers(api, conversation) == []


async def test_another_machine_is_not_answered(api: Api, given: Given) -> None:
    conversation = await opened(given, **GREETING, **AWAY)

    await hears(given, conversation, content_attributes={"email": {"auto_reply": True}})
    unanswered = await answers(api, conversation)
    await hears(given, conversation, content_attributes={"email": {"auto_reply": False}})

    assert (unanswered, await answers(api, conversation)) == ([], ["Voltamos amanhã."])


async def test_when_nobody_is_there_that_is_said_instead_of_a_greeting(api: Api, given: Given) -> None:
    conversation = await opened(given, **GREETING, **AWAY)

    await hears(given, conversation)

    assert await answers(api, conversation) == ["Voltamos amanhã."]


async def test_while_somebody_is_there_the_greeting_is_said(api: Api, given: Given) -> None:
    conversation = await opened(given, **GREETING, **{**AWAY, "working_hours": OPEN})

    await hears(given, conversation)

    assert await answers(api, conversation) == ["Oi, Rosa!"]


async def test_that_nobody_is_there_is_said_once_a_day(api: Api, given: Given) -> None:
    noon_tomorrow()
    conversation = await opened(given, **AWAY)

    await hears(given, conversation)
    clock.travel(timedelta(hours=3))
    await hears(given, conversation)
    same_day = await answers(api, conversation)
    clock.travel(timedelta(days=1))
    await hears(given, conversation)

    assert (same_day, await answers(api, conversation)) == (["Voltamos amanhã."], ["Voltamos amanhã."] * 2)


async def test_while_somebody_answers_after_hours_nobody_is_said_to_be_away(api: Api, given: Given) -> None:
    conversation = await opened(given, **AWAY)
    await given.message(conversation, "Ainda estou aqui.")
    clock.travel(timedelta(minutes=4))
    await hears(given, conversation)
    meanwhile = await answers(api, conversation)

    clock.travel(timedelta(minutes=2))
    await hears(given, conversation)

    assert (meanwhile, await answers(api, conversation)) == ([], ["Voltamos amanhã."])


async def test_a_note_is_no_sign_that_somebody_is_there(api: Api, given: Given) -> None:
    conversation = await opened(given, **AWAY)
    await given.message(conversation, "Só nós", private=True)

    await hears(given, conversation)

    assert await answers(api, conversation) == ["Voltamos amanhã."]


async def test_a_conversation_that_is_gone_is_not_answered(given: Given) -> None:
    gone, stays = await opened(given, **GREETING), await opened(given, **GREETING)
    await given.message(gone, message_type="incoming")
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(
            "DELETE FROM conversations WHERE account_id = $1 AND display_id = $2", given.account_id, gone["id"]
        )

    await hears(given, stays)

    assert await answers(given.api, stays) == ["Oi, Rosa!"]


async def test_an_inbox_without_answers_costs_one_statement_a_batch(given: Given) -> None:
    conversation = await opened(given)
    for _ in range(5):
        await given.message(conversation, message_type="incoming")
    events = await given.emitted(MessageCreated)

    async with given.world.parts.database.transaction() as tx:
        with given.queries(at_most=1):
            await answer_incoming_messages(tx, events)
