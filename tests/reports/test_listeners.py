from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apps import App, open_app
from harness import Api, Given, Person

from criachat.conversations.events import ConversationBotHandoff, ConversationOpened, ConversationResolved
from criachat.kit import clock
from criachat.messages.events import FirstReplyCreated, ReplyCreated
from criachat.reports.listeners import record_durations

KINDS = (FirstReplyCreated, ReplyCreated, ConversationResolved, ConversationOpened, ConversationBotHandoff)
HOUR = timedelta(hours=1)


def wait(by: timedelta) -> None:
    clock.travel(by)


async def recorded(given: Given, conversation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was recorded of a conversation, the oldest first."""
    await given.relayed()
    reply = await given.api.get(f"/conversations/{conversation['id']}/reporting_events")
    assert reply.status == 200
    return reply.json


def summary(events: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """What it was, and how many hours it took."""
    return [(each["name"], round(each["value"] / 3600)) for each in events]


async def set_status(api: Api, conversation: Mapping[str, Any], status: str) -> None:
    reply = await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": status})
    assert reply.status == 200


async def with_bot(given: Given) -> tuple[App, Person]:
    """An app whose conversations a bot answers first, and the bot."""
    inbox = await given.inbox()
    bot = await given.bot(inbox=inbox)
    return await open_app(given, inbox), bot


async def test_a_first_answer_is_measured_from_the_beginning_of_the_conversation(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    wait(HOUR)
    await app.say(conversation)
    wait(HOUR)

    message = await given.message(conversation)

    events = await recorded(given, conversation)
    assert summary(events) == [("first_response", 2)]
    assert events[0]["user_id"] == given.boss.id
    assert (events[0]["inbox_id"], events[0]["account_id"]) == (app.inbox["id"], given.account_id)
    end = datetime.fromisoformat(events[0]["event_end_time"])
    assert int(end.timestamp()) == message["created_at"]
    length = end - datetime.fromisoformat(events[0]["event_start_time"])
    assert length.total_seconds() == pytest.approx(events[0]["value"], abs=0.002)


async def test_a_further_answer_is_measured_from_when_the_contact_began_to_wait(given: Given) -> None:
    ana = await given.agent("Ana", inbox=(inbox := await given.inbox()))
    app = await open_app(given, inbox)
    conversation = await app.conversation()
    await given.message(conversation)
    await given.api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": ana.id})
    wait(HOUR)
    await app.say(conversation)
    wait(HOUR)
    await app.say(conversation, "Anybody there?")
    wait(2 * HOUR)

    await given.message(conversation)

    events = await recorded(given, conversation)
    assert summary(events) == [("first_response", 0), ("reply_time", 3)]
    assert [each["user_id"] for each in events] == [given.boss.id, ana.id]


async def test_an_answer_to_nobody_who_waits_is_not_measured(given: Given) -> None:
    conversation = await (await open_app(given)).conversation()
    await given.message(conversation)

    await given.message(conversation, "And another thing.")

    assert summary(await recorded(given, conversation)) == [("first_response", 0)]


async def test_what_bots_say_and_what_people_note_is_no_answer(given: Given) -> None:
    app, bot = await with_bot(given)
    conversation = await app.conversation()
    await app.say(conversation)

    await given.api.acting_as(bot).post(f"/conversations/{conversation['id']}/messages", {"content": "Hello!"})
    await given.message(conversation, "She called before.", private=True)

    assert await recorded(given, conversation) == []


async def test_every_resolution_is_measured_from_the_beginning(given: Given) -> None:
    conversation = await (await open_app(given)).conversation()
    wait(HOUR)
    await set_status(given.api, conversation, "resolved")
    wait(HOUR)
    await set_status(given.api, conversation, "open")
    wait(HOUR)

    await set_status(given.api, conversation, "resolved")

    events = await recorded(given, conversation)
    assert summary(events) == [("conversation_resolved", 1), ("conversation_opened", 1), ("conversation_resolved", 3)]
    assert events[1]["event_start_time"] == events[0]["event_end_time"]


async def test_a_conversation_opened_before_it_ever_was_resolved_took_no_time(given: Given) -> None:
    conversation = await (await open_app(given)).conversation()
    await set_status(given.api, conversation, "pending")
    wait(HOUR)

    await set_status(given.api, conversation, "open")

    events = await recorded(given, conversation)
    assert [(each["name"], each["value"]) for each in events] == [("conversation_opened", 0.0)]
    created = (await given.api.get(f"/conversations/{conversation['id']}")).json["created_at"]
    assert int(datetime.fromisoformat(events[0]["event_start_time"]).timestamp()) == created


async def test_a_contact_who_writes_again_opens_what_was_resolved(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    await set_status(given.api, conversation, "resolved")
    await given.relayed()
    wait(HOUR)

    await app.say(conversation)

    assert summary(await recorded(given, conversation)) == [("conversation_resolved", 0), ("conversation_opened", 1)]


async def test_people_are_measured_from_when_a_bot_gave_them_the_conversation(given: Given) -> None:
    app, bot = await with_bot(given)
    conversation = await app.conversation()
    wait(HOUR)
    await set_status(given.api.acting_as(bot), conversation, "open")
    wait(2 * HOUR)

    await given.message(conversation)

    events = await recorded(given, conversation)
    assert summary(events) == [("conversation_opened", 0), ("conversation_bot_handoff", 1), ("first_response", 2)]
    assert events[2]["event_start_time"] == events[1]["event_end_time"]


async def test_a_conversation_is_given_to_people_once(given: Given) -> None:
    app, bot = await with_bot(given)
    conversation = await app.conversation()
    await set_status(given.api.acting_as(bot), conversation, "open")
    await set_status(given.api, conversation, "pending")
    await given.relayed()

    await set_status(given.api.acting_as(bot), conversation, "open")

    assert len(await given.emitted(ConversationBotHandoff)) == 2
    names = [each["name"] for each in await recorded(given, conversation)]
    assert names == ["conversation_opened", "conversation_bot_handoff", "conversation_opened"]


async def test_what_a_bot_resolves_without_people_counts_as_the_bots(given: Given) -> None:
    app, bot = await with_bot(given)
    conversation = await app.conversation()
    await given.api.acting_as(bot).post(f"/conversations/{conversation['id']}/messages", {"content": "Done!"})
    wait(HOUR)

    await set_status(given.api.acting_as(bot), conversation, "resolved")

    events = await recorded(given, conversation)
    assert summary(events) == [("conversation_resolved", 1), ("conversation_bot_resolved", 1)]
    assert len({(each["value"], each["event_start_time"], each["event_end_time"]) for each in events}) == 1


async def test_what_a_person_spoke_in_is_not_resolved_by_the_bot(given: Given) -> None:
    app, bot = await with_bot(given)
    conversation = await app.conversation()
    await given.message(conversation)

    await set_status(given.api.acting_as(bot), conversation, "resolved")

    assert [each["name"] for each in await recorded(given, conversation)] == ["first_response", "conversation_resolved"]


async def test_an_answer_after_a_bot_had_resolved_is_measured_from_there(given: Given) -> None:
    app, bot = await with_bot(given)
    conversation = await app.conversation()
    wait(HOUR)
    await set_status(given.api.acting_as(bot), conversation, "resolved")
    await given.relayed()
    wait(2 * HOUR)

    await given.message(conversation, "Is it really working now?")

    events = await recorded(given, conversation)
    assert summary(events)[-1] == ("first_response", 2)
    assert events[-1]["event_start_time"] == events[0]["event_end_time"]


def opening_in_half_an_hour() -> dict[str, Any]:
    """Working hours of an inbox where it is noon, that begin in half an hour on each day of the week."""
    # The signs of these zones are the other way round: this one is ahead of Greenwich by its number.
    ahead = 12 - clock.now().astimezone(UTC).hour
    opens = clock.now().astimezone(UTC) + timedelta(hours=ahead, minutes=30)
    hours = {"open_hour": opens.hour, "open_minutes": opens.minute, "close_hour": 23, "close_minutes": 0}
    days = [{"day_of_week": day, "open_all_day": False, "closed_all_day": False, **hours} for day in range(7)]
    return {"working_hours_enabled": True, "timezone": f"Etc/GMT{-ahead:+d}", "working_hours": days}


async def test_only_working_hours_count_as_business_hours(given: Given) -> None:
    app = await open_app(given, await given.inbox(**opening_in_half_an_hour()))
    conversation = await app.conversation()
    wait(HOUR)

    await given.message(conversation)

    event = (await recorded(given, conversation))[0]
    assert event["value"] == pytest.approx(3600, abs=30)
    assert event["value_in_business_hours"] == pytest.approx(1800, abs=90)


async def test_an_inbox_without_working_hours_has_no_business_hours(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    wait(HOUR)

    await given.message(conversation)

    assert (await recorded(given, conversation))[0]["value_in_business_hours"] == 0.0


async def full_story(given: Given) -> Mapping[str, Any]:
    """A conversation in which each of the six kinds was recorded."""
    app, bot = await with_bot(given)
    conversation = await app.conversation()
    await set_status(given.api.acting_as(bot), conversation, "resolved")
    await app.say(conversation)
    await set_status(given.api.acting_as(bot), conversation, "open")
    await given.message(conversation)
    await app.say(conversation)
    await given.message(conversation)
    return conversation


async def heard(given: Given) -> list[Any]:
    events = [event for kind in KINDS for event in await given.emitted(kind)]
    return sorted(events, key=lambda event: event.id)


async def test_events_delivered_twice_are_recorded_once(given: Given) -> None:
    conversation = await full_story(given)
    before = await recorded(given, conversation)
    events = await heard(given)

    async with given.world.parts.database.transaction() as tx:
        await record_durations(tx, [*events, *events])

    assert await recorded(given, conversation) == before
    assert {each["name"] for each in before} == {
        "conversation_resolved",
        "conversation_bot_resolved",
        "conversation_opened",
        "conversation_bot_handoff",
        "first_response",
        "reply_time",
    }


async def test_events_delivered_beside_themselves_are_recorded_once(given: Given) -> None:
    conversation = await full_story(given)
    events = await heard(given)

    async def deliver() -> None:
        async with given.world.parts.database.transaction() as tx:
            await record_durations(tx, events)

    await asyncio.gather(*[deliver() for _ in range(8)])

    names = [each["name"] for each in await recorded(given, conversation)]
    assert len(names) == len(events) + 1
    assert names.count("conversation_bot_handoff") == 1


async def test_an_answer_told_of_late_is_measured_as_it_was(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    wait(HOUR)
    await given.message(conversation)
    answers = await given.emitted(FirstReplyCreated)
    wait(HOUR)
    await set_status(given.api, conversation, "resolved")
    await app.say(conversation)
    async with given.world.parts.database.transaction() as tx:
        await record_durations(tx, await given.emitted(ConversationResolved))
        await record_durations(tx, await given.emitted(ConversationOpened))

    async with given.world.parts.database.transaction() as tx:
        await record_durations(tx, answers)

    assert summary(await recorded(given, conversation))[0] == ("first_response", 1)


async def test_a_batch_takes_four_statements(given: Given) -> None:
    await full_story(given)
    events = await heard(given)

    async with given.world.parts.database.transaction() as tx:
        await tx.begin()
        with given.queries(at_most=4):
            await record_durations(tx, events)


async def test_what_was_measured_outlives_its_conversation_and_its_inbox(api: Api, given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    await given.message(conversation)
    await given.relayed()
    await api.delete(f"/conversations/{conversation['id']}")

    await api.delete(f"/inboxes/{app.inbox['id']}")
    await given.worked()

    assert [each["name"] for each in (await api.get("/reporting_events")).json["payload"]] == ["first_response"]
