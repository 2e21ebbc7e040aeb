from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given, Person

from criachat.kit import clock
from criachat.kit.times import unix
from criachat.notifications import jobs
from criachat.notifications.events import NotificationDeleted, NotificationUpdated

PATH = "/notifications"
BREAK = "UPDATE notifications SET meta = '[]' WHERE account_id = $1 AND id = $2"
MEND = "UPDATE notifications SET meta = '{}' WHERE account_id = $1 AND id = $2"

Listed = Callable[..., Awaitable[list[Any]]]


async def ana_is_told(given: Given, count: int = 1) -> tuple[Person, list[Any]]:
    """Ana, and so many conversations that she was handed, the first one first."""
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversations = [await given.conversation(inbox=inbox, assignee_id=ana.id) for _ in range(count)]
    for conversation in conversations:
        await given.message(conversation, "Olá")
    await given.relayed()
    return ana, conversations


async def test_notifications_come_in_pages_of_fifteen_the_latest_first(given: Given) -> None:
    ana, conversations = await ana_is_told(given, 17)
    mine = given.api.acting_as(ana)

    first = (await mine.get(PATH)).json["data"]
    second = (await mine.get(PATH, params={"page": "2"})).json["data"]
    oldest = (await mine.get(PATH, params={"sort_order": "asc"})).json["data"]

    numbers = [conversation["id"] for conversation in conversations]
    assert [each["primary_actor"]["id"] for each in first["payload"] + second["payload"]] == numbers[::-1]
    assert [each["primary_actor"]["id"] for each in oldest["payload"]] == numbers[:15]
    assert first["meta"] == {"unread_count": 17, "count": 17, "current_page": 1}
    assert second["meta"] == {"unread_count": 17, "count": 17, "current_page": "2"}


@pytest.mark.parametrize("page", ["0", "-3", "x", "1e9", "9" * 30, "²"])
async def test_a_page_that_is_none_is_the_first(given: Given, page: str) -> None:
    ana, _ = await ana_is_told(given)

    reply = await given.api.acting_as(ana).get(PATH, params={"page": page})

    assert len(reply.json["data"]["payload"]) == 1
    assert reply.json["data"]["meta"]["current_page"] == page


async def test_what_was_read_or_put_off_is_shown_when_asked_for(given: Given, told: Listed) -> None:
    ana, _ = await ana_is_told(given, 3)
    mine = given.api.acting_as(ana)
    newest, middle, oldest = [each["id"] for each in await told(ana)]
    tomorrow = unix(clock.now() + timedelta(days=1))
    await mine.patch(f"{PATH}/{newest}", {"read_at": "whatever"})
    await mine.post(f"{PATH}/{middle}/snooze", {"snoozed_until": str(tomorrow)})

    async def shown(*includes: str) -> tuple[list[int], dict[str, Any]]:
        data = (await mine.get(PATH, params={"includes[]": list(includes)})).json["data"]
        return [each["id"] for each in data["payload"]], data["meta"]

    meta = {"unread_count": 1, "count": 1, "current_page": 1}
    assert await shown() == ([oldest], meta)
    assert await shown("read") == ([newest, oldest], {**meta, "count": 2})
    assert await shown("snoozed") == ([middle, oldest], {**meta, "unread_count": 2, "count": 2})
    assert await shown("read", "snoozed") == ([newest, middle, oldest], {**meta, "unread_count": 2, "count": 3})
    assert (await mine.get(f"{PATH}/unread_count")).body == b"1"
    assert (await mine.get(f"{PATH}/unread_count", params={"includes[]": ["snoozed"]})).json == 2


async def test_a_notification_is_read_marked_unread_put_off_and_removed(given: Given, told: Listed) -> None:
    ana, _ = await ana_is_told(given)
    mine = given.api.acting_as(ana)
    (listed,) = await told(ana)
    path = f"{PATH}/{listed['id']}"
    tomorrow = unix(clock.now() + timedelta(days=1))

    read = await mine.put(path)
    read_again = await mine.patch(path)
    unread = await mine.post(f"{path}/unread")
    unchanged = await mine.post(f"{path}/snooze")
    snoozed = await mine.post(f"{path}/snooze", {"snoozed_until": tomorrow})
    removed = await mine.delete(path)

    assert read.json["read_at"] is not None
    assert read_again.json == read.json
    assert unread.json == {**read.json, "read_at": None, "updated_at": unread.json["updated_at"]}
    assert unchanged.json == unread.json
    assert snoozed.json["snoozed_until"] is not None
    assert (removed.status, removed.body) == (200, b"")
    assert (await mine.patch(path)).status == 404
    updated = await given.emitted(NotificationUpdated)
    assert [event.notifications[0].unread_count for event in updated] == [0, 1, 0]
    assert [event.notifications[0].id for event in await given.emitted(NotificationDeleted)] == [listed["id"]]


@pytest.mark.parametrize("until", ["soon", "-5", -5, True, {}, [1], 10**18, 253_402_300_800, "²"])
async def test_what_is_no_time_is_refused(given: Given, told: Listed, until: Any) -> None:
    ana, _ = await ana_is_told(given)
    (listed,) = await told(ana)

    reply = await given.api.acting_as(ana).post(f"{PATH}/{listed['id']}/snooze", {"snoozed_until": until})

    assert (reply.status, reply.json["attributes"]) == (422, ["snoozed_until"])
    assert await told(ana) == [listed]


async def test_what_was_put_off_comes_back_as_new(given: Given, told: Listed) -> None:
    ana, _ = await ana_is_told(given)
    mine = given.api.acting_as(ana)
    (listed,) = await told(ana)
    path = f"{PATH}/{listed['id']}"
    await mine.patch(path)
    await mine.post(f"{path}/snooze", {"snoozed_until": unix(clock.now() + timedelta(minutes=1))})

    clock.travel(timedelta(minutes=2))
    await given.world.parts.jobs.drain(ahead=timedelta(minutes=5))
    (back,) = await told(ana)

    assert back["id"] == listed["id"]
    assert (back["read_at"], back["snoozed_until"]) == (None, None)
    assert list(back["meta"]) == ["last_snoozed_at"]
    assert back["last_activity_at"] > listed["last_activity_at"]


async def test_one_that_cannot_be_shown_again_holds_up_none_of_the_others(given: Given, told: Listed) -> None:
    ana, _ = await ana_is_told(given, 2)
    mine = given.api.acting_as(ana)
    whole, broken = await told(ana)
    for number, each in enumerate((broken, whole)):
        await mine.post(f"{PATH}/{each['id']}/snooze", {"snoozed_until": unix(clock.now()) - 60 + number})
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(BREAK, given.account_id, broken["id"])

    await given.world.parts.jobs.drain(ahead=timedelta(minutes=5))
    back = await told(ana)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(MEND, given.account_id, broken["id"])
    await given.world.parts.jobs.drain(ahead=timedelta(minutes=5))

    assert [each["id"] for each in back] == [whole["id"]]
    assert {each["id"] for each in await told(ana)} == {whole["id"], broken["id"]}


async def test_a_month_later_it_is_forgotten(given: Given, told: Listed) -> None:
    ana, _ = await ana_is_told(given)

    clock.travel(timedelta(days=32))
    await given.world.parts.jobs.drain(ahead=timedelta(days=1))

    assert await told(ana) == []


async def test_of_too_much_only_the_newest_is_kept_of_each_person(
    given: Given, told: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MOST_KEPT", 2)
    monkeypatch.setattr(jobs, "REMOVED_AT_ONCE", 1)
    (ana, _), (bruno, _) = await ana_is_told(given, 5), await ana_is_told(given, 2)
    before = await told(ana), await told(bruno)

    clock.travel(timedelta(days=1))
    await given.world.parts.jobs.drain(ahead=timedelta(days=1))

    assert (await told(ana), await told(bruno)) == (before[0][:2], before[1])


async def test_all_of_a_conversation_or_everything_is_marked_as_read(given: Given, told: Listed) -> None:
    ana, _ = await ana_is_told(given, 3)
    mine = given.api.acting_as(ana)
    first, second, third = await told(ana)

    actor = {"primary_actor_type": "Conversation", "primary_actor_id": second["primary_actor_id"]}
    one = await mine.post(f"{PATH}/read_all", actor)
    after_one = await told(ana)
    nothing = await mine.post(f"{PATH}/read_all", {**actor, "primary_actor_id": "x"})
    after_nothing = await told(ana)
    everything = await mine.post(f"{PATH}/read_all")

    assert [(reply.status, reply.body) for reply in (one, nothing, everything)] == [(200, b"")] * 3
    assert after_one == after_nothing == [first, third]
    assert await told(ana) == []


async def test_those_read_or_all_are_removed(given: Given, told: Listed) -> None:
    ana, _ = await ana_is_told(given, 2)
    mine = given.api.acting_as(ana)
    newest, oldest = await told(ana)
    await mine.patch(f"{PATH}/{newest['id']}")

    read = await mine.post(f"{PATH}/destroy_all", {"type": "read"})
    left = await told(ana, **{"includes[]": ["read"]})
    everything = await mine.post(f"{PATH}/destroy_all")

    assert (read.status, read.body, everything.status) == (200, b"", 200)
    assert left == [oldest]
    assert await told(ana, **{"includes[]": ["read"]}) == []


async def test_removing_all_leaves_those_of_others_and_of_other_accounts(given: Given, told: Listed) -> None:
    ana, _ = await ana_is_told(given)
    others = await given.another_account()
    clara, _ = await ana_is_told(others)

    await given.api.post(f"{PATH}/destroy_all")

    assert len(await told(ana)) == 1
    await others.relayed()
    assert len((await others.api.acting_as(clara).get(PATH)).json["data"]["payload"]) == 1


async def test_who_left_the_inbox_hears_no_more_of_what_is_said_there_by_what_they_kept(
    given: Given, told: Listed
) -> None:
    ana, (conversation,) = await ana_is_told(given)
    (listed,) = await told(ana)
    left = {"inbox_id": conversation["inbox_id"], "user_ids": [ana.id]}
    assert (await given.api.delete("/inbox_members", json=left)).status == 200
    await given.message(conversation, "canary")

    reply = await given.api.acting_as(ana).post(f"{PATH}/{listed['id']}/unread")
    read = await given.api.acting_as(ana).patch(f"{PATH}/{listed['id']}")

    assert (reply.status, read.status) == (200, 200)
    assert "canary" not in repr(reply.json)
    assert await given.emitted(NotificationUpdated) == []


async def test_somebody_elses_notification_does_not_exist(given: Given, told: Listed) -> None:
    ana, _ = await ana_is_told(given)
    (listed,) = await told(ana)
    path = f"{PATH}/{listed['id']}"

    replies = [
        await given.api.patch(path),
        await given.api.post(f"{path}/unread"),
        await given.api.post(f"{path}/snooze", {"snoozed_until": 2_000_000_000}),
        await given.api.delete(path),
    ]

    assert [reply.status for reply in replies] == [404] * 4
    assert await told(ana) == [listed]


async def test_bots_and_strangers_have_no_notifications(api: Api, given: Given) -> None:
    bot, nobody = api.acting_as(await given.bot()), api.acting_as(None)

    for path in (PATH, f"{PATH}/unread_count", "/notification_settings"):
        assert (await bot.get(path)).status == (await nobody.get(path)).status == 401
    assert (await nobody.post("/api/v1/notification_subscriptions", {})).status == 401


async def test_a_page_takes_few_statements_however_long_it_is(given: Given) -> None:
    ana, _ = await ana_is_told(given, 4)

    with given.queries(at_most=6):
        reply = await given.api.acting_as(ana).get(PATH)

    assert len(reply.json["data"]["payload"]) == 4


async def test_people_begin_with_being_told_of_assignments(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")

    reply = await api.acting_as(ana).get("/notification_settings")

    assert reply.json["user_id"] == ana.id
    assert reply.json["selected_email_flags"] == ["email_conversation_assignment"]
    assert reply.json["selected_push_flags"] == ["push_conversation_assignment"]
    assert len(reply.json["all_email_flags"]) == len(reply.json["all_push_flags"]) == 8


async def test_people_choose_by_what_to_be_told_and_a_missing_list_is_empty(api: Api, given: Given) -> None:
    mine = api.acting_as(await given.agent("Ana"))
    before = (await mine.get("/notification_settings")).json
    flags = ["email_conversation_mention", "email_conversation_creation"]

    changed = await mine.put("/notification_settings", {"notification_settings": {"selected_email_flags": flags}})

    assert changed.json == {**before, "selected_email_flags": flags[::-1], "selected_push_flags": []}
    assert (await mine.get("/notification_settings")).json == changed.json


@pytest.mark.parametrize("flags", ["email_conversation_mention", ["push_conversation_mention"], [1], {}, 5, [None]])
async def test_a_flag_that_is_none_is_refused(api: Api, flags: Any) -> None:
    reply = await api.patch("/notification_settings", {"notification_settings": {"selected_email_flags": flags}})

    assert reply.status == 422
    assert (await api.get("/notification_settings")).json["selected_email_flags"] == ["email_conversation_assignment"]


async def test_flags_stand_below_their_name_only(api: Api) -> None:
    reply = await api.patch("/notification_settings", {"selected_email_flags": []})

    assert (reply.status, reply.json) == (
        422,
        {"error": "param is missing or the value is empty: notification_settings"},
    )
