from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness import Api, Given, Reply

from criachat.conversations.events import (
    AssigneeChanged,
    ConversationBotHandoff,
    ConversationOpened,
    ConversationResolved,
    ConversationStatusChanged,
    ConversationUpdated,
)
from criachat.conversations.jobs import open_snoozed
from criachat.conversations.operations.status import wake
from criachat.kit import clock
from criachat.kit.events import Event
from criachat.kit.jobs import JobContext
from criachat.kit.times import iso, unix

STATUS_EVENTS: tuple[type[Event], ...] = (
    ConversationOpened,
    ConversationResolved,
    ConversationStatusChanged,
    ConversationUpdated,
    AssigneeChanged,
    ConversationBotHandoff,
)
# What no version of ours ever wrote, so that an event cannot be made of it.
BREAK = "UPDATE conversations SET last_messages = '{}' WHERE account_id = $1 AND display_id = $2"
MEND = "UPDATE conversations SET last_messages = NULL WHERE account_id = $1 AND display_id = $2"


async def toggle(api: Api, conversation: Any, **body: Any) -> Reply:
    return await api.post(f"/conversations/{conversation['id']}/toggle_status", body)


async def shown(api: Api, conversation: Any) -> Any:
    return (await api.get(f"/conversations/{conversation['id']}")).json


async def names_told(given: Given) -> list[str]:
    """What the log says of statuses and assignees, in order."""
    events = [event for kind in STATUS_EVENTS for event in await given.emitted(kind)]
    return [event.name for event in sorted(events, key=lambda event: event.id)]


async def test_without_a_status_it_toggles_between_open_and_resolved(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    replies = [await toggle(api, conversation, **body) for body in ({}, {"status": ""}, {"status": None})]

    assert [reply.status for reply in replies] == [200] * 3
    resolved = {"success": True, "conversation_id": conversation["id"], "current_status": "resolved"}
    assert replies[0].json == replies[2].json == {"payload": {**resolved, "snoozed_until": None}}
    assert replies[1].json["payload"]["current_status"] == "open"


@pytest.mark.parametrize("status", ["resolved", "pending", "snoozed"])
async def test_toggling_whatever_is_not_open_opens_it(api: Api, given: Given, status: str) -> None:
    conversation = await given.conversation(status=status)

    reply = await toggle(api, conversation)

    assert reply.json["payload"]["current_status"] == "open"


async def test_resolving_tells_it_in_the_contracts_order_with_what_changed(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    await toggle(api, conversation, status="resolved")

    after = await shown(api, conversation)
    assert after["waiting_since"] == 0
    assert await names_told(given) == ["conversation_resolved", "conversation_status_changed", "conversation_updated"]
    (updated,) = await given.emitted(ConversationUpdated)
    (changed,) = await given.emitted(ConversationStatusChanged)
    assert list(updated.changes) == ["status", "updated_at"]
    assert updated.changes["status"] == changed.changes["status"] == ["open", "resolved"]
    assert updated.changes["updated_at"][0] < updated.changes["updated_at"][1]
    for event in (updated, changed):
        assert (event.snapshot.id, event.snapshot.status) == (conversation["id"], "resolved")
        assert event.snapshot.waiting_since is None
        assert event.performer.name == "Beatriz"
        assert (event.actor_type, event.actor_id) == ("user", given.boss.id)


async def test_opening_tells_it_in_the_contracts_order(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox, status="resolved")

    await toggle(api.acting_as(ana), conversation)

    assert await names_told(given) == [
        "conversation_opened",
        "conversation_status_changed",
        "conversation_updated",
        "assignee_changed",
    ]


async def test_the_same_status_again_tells_nothing(api: Api, given: Given) -> None:
    open_one, resolved = await given.conversation(), await given.conversation(status="resolved")

    again = [await toggle(api, open_one, status="open"), await toggle(api, resolved, status="resolved")]

    assert [reply.json["payload"]["current_status"] for reply in again] == ["open", "resolved"]
    assert await names_told(given) == []


async def test_a_snooze_has_an_end_in_unix_seconds_and_shows_it_in_iso(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    until = clock.now() + timedelta(days=1)

    reply = await toggle(api, conversation, status="snoozed", snoozed_until=str(unix(until)))

    assert reply.json["payload"]["snoozed_until"] == iso(until.replace(microsecond=0))
    assert (await shown(api, conversation))["snoozed_until"] == iso(until.replace(microsecond=0))
    (event,) = await given.emitted(ConversationUpdated)
    assert event.changes["snoozed_until"] == [None, iso(until.replace(microsecond=0))]


async def test_a_snooze_keeps_its_end_until_another_is_sent_or_it_is_over(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    kept = [
        (await toggle(api, conversation, **body)).json["payload"]["snoozed_until"]
        for body in (
            {"status": "snoozed", "snoozed_until": 1_900_000_000},
            {"status": "snoozed", "snoozed_until": None},
            {"status": "snoozed"},
            {"status": "snoozed", "snoozed_until": 1_900_000_060},
            {"status": "open", "snoozed_until": 1_900_000_000},
            {"status": "snoozed"},
        )
    ]

    first, second = "2030-03-17T17:46:40.000Z", "2030-03-17T17:47:40.000Z"
    assert kept == [first, first, first, second, None, None]


@pytest.mark.parametrize(
    "body",
    [
        {"status": "closed"},
        {"status": "OPEN"},
        {"status": 1},
        {"status": ["open"]},
        {"status": "x" * 200_000},
        {"status": "snoozed", "snoozed_until": ""},
        {"status": "snoozed", "snoozed_until": "tomorrow"},
        {"status": "snoozed", "snoozed_until": -1},
        {"status": "snoozed", "snoozed_until": 1.5},
        {"status": "snoozed", "snoozed_until": True},
        {"status": "snoozed", "snoozed_until": "2030-03-17T17:46:40Z"},
        {"status": "snoozed", "snoozed_until": 253_402_300_800},
        {"status": "snoozed", "snoozed_until": 2**70},
        {"status": "snoozed", "snoozed_until": "9" * 5000},
        {"status": "snoozed", "snoozed_until": {"at": 1}},
    ],
)
async def test_what_is_no_status_and_no_time_is_refused(api: Api, given: Given, body: dict[str, Any]) -> None:
    conversation = await given.conversation()

    reply = await toggle(api, conversation, **body)

    assert reply.status == 422
    assert list(reply.json) == ["error"]
    assert await shown(api, conversation) == conversation
    assert await names_told(given) == []


async def test_an_agent_who_opens_takes_it_even_from_somebody_else(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    conversation = await given.conversation(inbox=inbox, assignee_id=davi.id)

    await toggle(api.acting_as(ana), conversation, status="open")

    assert (await shown(api, conversation))["meta"]["assignee"]["id"] == ana.id
    assert [(event.previous, event.current) for event in await given.emitted(AssigneeChanged)][-1] == (davi.id, ana.id)


async def test_an_administrator_opens_without_taking(api: Api, given: Given) -> None:
    conversation = await given.conversation(status="resolved")

    await toggle(api, conversation, status="open")

    assert "assignee" not in (await shown(api, conversation))["meta"]


async def test_an_agent_who_resolves_or_snoozes_takes_nothing(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)

    for status in ("pending", "snoozed", "resolved"):
        await toggle(api.acting_as(ana), conversation, status=status)

    assert "assignee" not in (await shown(api, conversation))["meta"]


async def test_a_bot_hands_over_what_is_pending_by_opening_it(api: Api, given: Given) -> None:
    robot = await given.bot()
    conversation = await given.conversation(status="pending")
    await given.message(conversation, "Olá!")
    waiting_before = (await shown(api, conversation))["waiting_since"]

    reply = await toggle(api.acting_as(robot), conversation, status="open")

    assert reply.json == {
        "payload": {
            "success": None,
            "conversation_id": conversation["id"],
            "current_status": "open",
            "snoozed_until": None,
        }
    }
    assert await names_told(given) == [
        "conversation_updated",
        "conversation_opened",
        "conversation_status_changed",
        "conversation_updated",
        "conversation_bot_handoff",
    ]
    (handoff,) = await given.emitted(ConversationBotHandoff)
    after = await shown(api, conversation)
    assert (handoff.performer.name, handoff.snapshot.status) == ("Robô", "open")
    assert waiting_before == 0 < after["waiting_since"] == unix(handoff.snapshot.waiting_since)
    assert "assignee" not in after["meta"]


@pytest.mark.parametrize(("before", "status"), [("resolved", "open"), ("pending", "resolved"), ("pending", None)])
async def test_a_bot_changes_other_statuses_like_anybody(
    api: Api, given: Given, before: str, status: str | None
) -> None:
    conversation = await given.conversation(status=before)

    reply = await toggle(api.acting_as(await given.bot()), conversation, status=status)

    assert reply.json["payload"]["success"] is True
    assert reply.json["payload"]["current_status"] == (status or "open")
    assert await given.emitted(ConversationBotHandoff) == []


async def test_of_bots_that_open_at_once_one_hands_over(api: Api, given: Given) -> None:
    robot = api.acting_as(await given.bot())
    conversation = await given.conversation(status="pending")

    replies = await asyncio.gather(*(toggle(robot, conversation, status="open") for _ in range(8)))

    assert sorted(reply.json["payload"]["success"] is None for reply in replies) == [False] * 7 + [True]
    assert len(await given.emitted(ConversationBotHandoff)) == 1
    assert len(await given.emitted(ConversationOpened)) == 1


async def test_a_person_opens_without_a_hand_off(api: Api, given: Given) -> None:
    conversation = await given.conversation(status="pending")

    reply = await toggle(api, conversation, status="open")

    assert reply.json["payload"]["success"] is True
    assert await given.emitted(ConversationBotHandoff) == []


async def test_toggles_at_once_each_see_the_one_before(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    replies = await asyncio.gather(*(toggle(api, conversation) for _ in range(16)))

    answered = sorted(reply.json["payload"]["current_status"] for reply in replies)
    assert answered == ["open"] * 8 + ["resolved"] * 8
    chain = [event.changes["status"] for event in await given.emitted(ConversationStatusChanged)]
    assert chain == [["open", "resolved"], ["resolved", "open"]] * 8


async def test_messages_and_toggles_at_once_lose_nothing(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    await asyncio.gather(
        *(given.message(conversation, f"Oi {number}", message_type="incoming") for number in range(8)),
        *(toggle(api, conversation, status=status) for status in ("resolved", "snoozed", "pending", "resolved")),
    )

    after = await shown(api, conversation)
    assert after["unread_count"] == 8
    changes = [event.changes["status"] for event in await given.emitted(ConversationStatusChanged)]
    assert [change[0] for change in changes] == ["open", *(change[1] for change in changes[:-1])]
    assert after["status"] == changes[-1][1]


async def test_a_message_of_the_contact_opens_what_is_resolved_or_snoozed(api: Api, given: Given) -> None:
    for status in ("resolved", "snoozed"):
        conversation = await given.conversation(status=status)
        await given.message(conversation, "Ainda não chegou", message_type="incoming")

        assert (await shown(api, conversation))["status"] == "open"
        assert (await shown(api, conversation))["snoozed_until"] is None


async def test_a_snooze_that_is_over_opens_by_itself_once(api: Api, given: Given, context: JobContext) -> None:
    soon = unix(clock.now() + timedelta(minutes=10))
    due = await given.conversation()
    for conversation, until in (
        (due, soon),
        (await given.conversation(), soon + 3600),
        (await given.conversation(), None),
    ):
        await toggle(api, conversation, status="snoozed", snoozed_until=until)
    clock.travel(timedelta(minutes=11))

    for _ in range(2):
        await open_snoozed(context)
        assert await given.world.parts.jobs.drain() == []

    (opened,) = await given.emitted(ConversationOpened)
    assert (opened.snapshot.id, opened.cause, opened.performer) == (due["id"], "snooze", None)
    after = await shown(api, due)
    assert (after["status"], after["snoozed_until"]) == ("open", None)
    assert len((await api.get("/conversations?status=snoozed")).json["data"]["payload"]) == 2


async def test_a_snooze_that_ended_while_nobody_worked_for_weeks_opens(
    api: Api, given: Given, context: JobContext
) -> None:
    conversation = await given.conversation()
    await toggle(api, conversation, status="snoozed", snoozed_until=unix(clock.now() - timedelta(days=40)))

    await open_snoozed(context)
    assert await given.world.parts.jobs.drain() == []

    assert (await shown(api, conversation))["status"] == "open"


async def test_one_that_cannot_be_opened_keeps_none_of_the_others_asleep(
    api: Api, given: Given, context: JobContext
) -> None:
    broken, whole = await given.conversation(message={"content": "Oi"}), await given.conversation()
    for number, conversation in enumerate((broken, whole)):
        await toggle(api, conversation, status="snoozed", snoozed_until=unix(clock.now()) - 60 + number)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(BREAK, given.account_id, broken["id"])

    await open_snoozed(context)
    await given.world.parts.jobs.drain()

    assert (await shown(api, whole))["status"] == "open"
    assert (await api.get("/conversations/meta?status=snoozed")).json["meta"]["all_count"] == 1
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(MEND, given.account_id, broken["id"])
    assert await given.world.parts.jobs.drain(ahead=timedelta(minutes=5)) == []
    assert (await shown(api, broken))["status"] == "open"


async def test_a_snooze_that_is_made_longer_before_its_turn_comes_stays(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    now = unix(clock.now())
    await toggle(api, conversation, status="snoozed", snoozed_until=now - 60)
    (snoozed,) = await given.emitted(ConversationStatusChanged)
    await toggle(api, conversation, status="snoozed", snoozed_until=now + 3600)

    async with given.world.parts.database.transaction() as tx:
        await wake(tx, given.account_id, snoozed.conversation_id)

    after = await shown(api, conversation)
    assert (after["status"], after["snoozed_until"]) == ("snoozed", iso(datetime.fromtimestamp(now + 3600, UTC)))


@pytest.mark.parametrize("priority", ["low", "medium", "high", "urgent"])
async def test_a_priority_is_set_changed_and_cleared(api: Api, given: Given, priority: str) -> None:
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}/toggle_priority"

    reply = await api.post(path, {"priority": priority})
    set_to = (await shown(api, conversation))["priority"]
    for nothing in ({"priority": None}, {"priority": ""}, {"priority": "none"}, {}):
        await api.post(path, {"priority": priority})
        await api.post(path, nothing)

        assert (await shown(api, conversation))["priority"] is None

    assert (reply.status, reply.body, set_to) == (200, b"", priority)
    told = [event.changes["priority"] for event in await given.emitted(ConversationUpdated)]
    assert told[:2] == [[None, priority], [priority, None]]


async def test_an_update_changes_the_priority_and_nothing_else(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}"

    changed = await api.patch(path, {"priority": "high", "status": "resolved", "assignee_id": given.boss.id})
    same = await api.put(path, {"status": "resolved"})
    cleared = await api.patch(path, {"priority": None})

    assert changed.json == {**conversation, "priority": "high", "updated_at": changed.json["updated_at"]}
    assert same.json == changed.json
    assert cleared.json == {**conversation, "updated_at": cleared.json["updated_at"]}
    assert len(await given.emitted(ConversationUpdated)) == 2


@pytest.mark.parametrize("priority", ["nope", "URGENT", 3, ["low"], {"a": 1}, True])
async def test_an_unknown_priority_is_refused(api: Api, given: Given, priority: Any) -> None:
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}"

    replies = [
        await api.patch(path, {"priority": priority}),
        await api.post(f"{path}/toggle_priority", {"priority": priority}),
    ]

    for reply in replies:
        assert reply.status == 422
        assert list(reply.json) == ["error"]
    assert await shown(api, conversation) == conversation
