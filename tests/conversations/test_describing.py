from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given, Reply

from criachat.conversations.events import ConversationUpdated
from criachat.kit import clock
from criachat.kit.times import unix

REFUSED_ATTRIBUTES: list[tuple[dict[str, Any], str]] = [
    ({"note": "x" * 1501}, "note length should be < 1500"),
    ({"order": 10**10}, "order value should be < 9999999999"),
    ({"order": -(10**10)}, "order value should be < 9999999999"),
    ({"order": 2**70}, "order value should be < 9999999999"),
    ({"lines": [{"text": "x" * 200_000}]}, "Custom attributes are too large (maximum is 100 kB)"),
    ({"k" * 200_000: 1}, "Custom attributes are too large (maximum is 100 kB)"),
]


def path_of(conversation: Any, what: str) -> str:
    return f"/conversations/{conversation['id']}/{what}"


async def shown(api: Api, conversation: Any) -> Any:
    return (await api.get(f"/conversations/{conversation['id']}")).json


async def label(api: Api, conversation: Any, **body: Any) -> Reply:
    reply = await api.post(path_of(conversation, "labels"), body)
    assert reply.status == 200, reply.body
    return reply


async def test_labels_are_replaced_listed_and_shown(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    first = await label(api, conversation, labels=["VIP", " envio ", "vip"])
    second = await label(api, conversation, labels=["envio", "atraso"])

    assert first.json == {"payload": ["vip", "envio"]}
    assert second.json == (await api.get(path_of(conversation, "labels"))).json == {"payload": ["envio", "atraso"]}
    assert (await shown(api, conversation))["labels"] == ["envio", "atraso"]
    told = [event.changes["label_list"] for event in await given.emitted(ConversationUpdated)]
    assert told == [[[], ["vip", "envio"]], [["vip", "envio"], ["envio", "atraso"]]]


@pytest.mark.parametrize("body", [{"labels": []}, {}, {"labels": None}, {"labels": "vip"}, {"labels": {"a": "vip"}}])
async def test_what_is_no_list_clears_all_labels(api: Api, given: Given, body: dict[str, Any]) -> None:
    conversation = await given.conversation()
    await label(api, conversation, labels=["vip"])

    assert (await label(api, conversation, **body)).json == {"payload": []}


async def test_a_comma_splits_a_label_and_what_is_no_text_is_left_out(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    reply = await label(api, conversation, labels=["vip,envio", 2026, None, True, {"a": 1}, ["b"], " ", ","])

    assert reply.json == {"payload": ["vip", "envio", "2026"]}


async def test_the_same_labels_in_another_order_are_no_change(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await label(api, conversation, labels=["vip", "envio"])

    again = await label(api, conversation, labels=["envio", "VIP"])

    assert again.json == {"payload": ["vip", "envio"]}
    assert len(await given.emitted(ConversationUpdated)) == 1


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (["x" * 256], "Labels are too long (maximum is 255 characters each)"),
        (["x" * 200_000], "Labels are too long (maximum is 255 characters each)"),
        ([f"l{number}" for number in range(201)], "Labels are too many (maximum is 200)"),
    ],
    ids=["long", "very long", "many"],
)
async def test_labels_too_long_or_too_many_are_refused(
    api: Api, given: Given, labels: list[str], sentence: str
) -> None:
    conversation = await given.conversation()
    await label(api, conversation, labels=["vip"])

    replies = [await api.post(path_of(conversation, "labels"), {"labels": labels})]
    replies.append(await api.post(path_of(conversation, "labels/add"), {"label": ",".join(labels)}))

    for reply in replies:
        assert (reply.status, reply.json) == (422, {"message": sentence, "attributes": ["labels"]})
    assert (await shown(api, conversation))["labels"] == ["vip"]


async def test_one_label_is_added_and_taken_away_while_the_others_stay(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await label(api, conversation, labels=["vip"])

    added = [await api.post(path_of(conversation, "labels/add"), {"label": " Envio "}) for _ in range(2)]
    removed = [await api.post(path_of(conversation, "labels/remove"), {"label": "VIP"}) for _ in range(2)]

    assert [reply.json for reply in added] == [{"payload": ["vip", "envio"]}] * 2
    assert [reply.json for reply in removed] == [{"payload": ["envio"]}] * 2
    assert len(await given.emitted(ConversationUpdated)) == 3


async def test_a_comma_takes_away_what_it_put_there(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await label(api, conversation, labels=["vip"])

    added = await api.post(path_of(conversation, "labels/add"), {"label": "envio,troca"})
    removed = await api.post(path_of(conversation, "labels/remove"), {"label": "Troca, envio"})

    assert added.json == {"payload": ["vip", "envio", "troca"]}
    assert removed.json == {"payload": ["vip"]}


async def test_labels_added_at_once_are_all_there(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    labels = {f"label-{number}" for number in range(32)}

    await asyncio.gather(*(api.post(path_of(conversation, "labels/add"), {"label": each}) for each in labels))
    await asyncio.gather(
        *(api.post(path_of(conversation, "labels/remove"), {"label": f"label-{number}"}) for number in range(16))
    )

    assert set((await shown(api, conversation))["labels"]) == {f"label-{number}" for number in range(16, 32)}


@pytest.mark.parametrize("body", [{}, {"label": ""}, {"label": " , "}, {"label": None}, {"label": ["vip"]}])
async def test_a_label_that_says_nothing_is_refused(api: Api, given: Given, body: dict[str, Any]) -> None:
    conversation = await given.conversation()

    reply = await api.post(path_of(conversation, "labels/add"), body)

    assert reply.status == 422
    assert (await shown(api, conversation)) == conversation


async def test_custom_attributes_are_replaced_whole(api: Api, given: Given) -> None:
    conversation = await given.conversation(custom_attributes={"order": "A-99"})
    path = path_of(conversation, "custom_attributes")

    replaced = await api.post(path, {"custom_attributes": {"tier": "gold", "lines": [{"sku": 1}], "paid": None}})
    cleared = await api.post(path, {"custom_attributes": {}})

    assert replaced.json == {"custom_attributes": {"tier": "gold", "lines": [{"sku": 1}], "paid": None}}
    assert cleared.json == {"custom_attributes": {}}
    assert (await shown(api, conversation))["custom_attributes"] == {}
    told = [event.changes["custom_attributes"] for event in await given.emitted(ConversationUpdated)]
    assert told[0] == [{"order": "A-99"}, replaced.json["custom_attributes"]]
    assert len(told) == 2


async def test_custom_attributes_may_come_in_a_form(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    reply = await api.call(
        "POST", path_of(conversation, "custom_attributes"), data={"custom_attributes[order]": "A-99"}
    )

    assert reply.json == {"custom_attributes": {"order": "A-99"}}


async def test_the_same_custom_attributes_again_tell_nothing(api: Api, given: Given) -> None:
    conversation = await given.conversation(custom_attributes={"order": "A-99"})

    await api.post(path_of(conversation, "custom_attributes"), {"custom_attributes": {"order": "A-99"}})

    assert await shown(api, conversation) == conversation
    assert await given.emitted(ConversationUpdated) == []


async def test_single_custom_attributes_are_written_and_taken_away(api: Api, given: Given) -> None:
    conversation = await given.conversation(custom_attributes={"order": "A-99", "paid": None, "tier": "gold"})
    path = path_of(conversation, "custom_attributes")

    reply = await api.patch(path, {"custom_attributes": {"tier": None, "seats": 3, "never": None}})

    assert reply.json == {"custom_attributes": {"order": "A-99", "paid": None, "seats": 3}}
    assert (await shown(api, conversation))["custom_attributes"] == reply.json["custom_attributes"]


async def test_custom_attributes_written_at_once_are_all_there(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    path = path_of(conversation, "custom_attributes")

    await asyncio.gather(*(api.patch(path, {"custom_attributes": {f"k{number}": number}}) for number in range(32)))

    assert (await shown(api, conversation))["custom_attributes"] == {f"k{number}": number for number in range(32)}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("value", [None, "x", 5, [], [1], True, ""])
async def test_what_are_no_attributes_is_refused(api: Api, given: Given, method: str, value: Any) -> None:
    conversation = await given.conversation(custom_attributes={"order": "A-99"})
    path = path_of(conversation, "custom_attributes")

    replies = [await api.call(method, path, json=body) for body in ({"custom_attributes": value}, {})]

    for reply in replies:
        assert reply.status == 422
        assert list(reply.json) == ["error"]
    assert await shown(api, conversation) == conversation


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(("attributes", "sentence"), REFUSED_ATTRIBUTES, ids=range(len(REFUSED_ATTRIBUTES)))
async def test_attributes_too_large_are_refused(
    api: Api, given: Given, method: str, attributes: dict[str, Any], sentence: str
) -> None:
    conversation = await given.conversation()

    reply = await api.call(method, path_of(conversation, "custom_attributes"), json={"custom_attributes": attributes})

    assert (reply.status, reply.json) == (422, {"message": sentence, "attributes": ["custom_attributes"]})
    assert await shown(api, conversation) == conversation


async def test_attributes_just_small_enough_are_kept(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    attributes = {"note": "x" * 1500, "order": 9_999_999_999, "less": -9_999_999_999, "deep": {"n": 2**70, "é": "日本"}}

    reply = await api.post(path_of(conversation, "custom_attributes"), {"custom_attributes": attributes})

    assert (reply.status, reply.json) == (200, {"custom_attributes": attributes})
    assert (await shown(api, conversation))["custom_attributes"] == attributes


async def test_attributes_grow_to_their_limit_and_not_past_it_bit_by_bit(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    path = path_of(conversation, "custom_attributes")

    statuses = [
        (await api.patch(path, {"custom_attributes": {f"k{number}": {"text": "x" * 30_000}}})).status
        for number in range(4)
    ]

    assert statuses == [200, 200, 200, 422]
    assert list((await shown(api, conversation))["custom_attributes"]) == ["k0", "k1", "k2"]


async def test_what_the_team_has_seen_is_not_unread(api: Api, given: Given) -> None:
    conversation = await given.conversation(assignee_id=given.boss.id)
    for number in range(3):
        await given.message(conversation, f"Oi {number}", message_type="incoming")
    before = await shown(api, conversation)
    updates = len(await given.emitted(ConversationUpdated))

    reply = await api.post(path_of(conversation, "update_last_seen"))

    now = unix(clock.now())
    assert before["unread_count"] == 3
    assert reply.status == 200
    assert reply.json == await shown(api, conversation)
    seen = {key: reply.json[key] for key in ("unread_count", "agent_last_seen_at", "assignee_last_seen_at")}
    assert seen["unread_count"] == 0
    assert now - 5 <= seen["agent_last_seen_at"] == seen["assignee_last_seen_at"] <= now
    assert reply.json["updated_at"] == before["updated_at"]
    assert len(await given.emitted(ConversationUpdated)) == updates


async def test_only_the_assignee_moves_the_assignees_mark_and_no_mark_goes_back(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox, assignee_id=ana.id)
    path = path_of(conversation, "update_last_seen")

    by_boss = (await api.post(path)).json
    by_ana = (await api.acting_as(ana).post(path)).json
    clock.travel(timedelta(hours=-1))
    earlier = (await api.acting_as(ana).post(path)).json

    assert by_boss["agent_last_seen_at"] > by_boss["assignee_last_seen_at"] == 0
    assert by_ana["assignee_last_seen_at"] > 0
    marks = ("agent_last_seen_at", "assignee_last_seen_at")
    assert [earlier[mark] for mark in marks] == [by_ana[mark] for mark in marks]


async def test_messages_and_looks_at_once_count_each_message_once(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    await asyncio.gather(
        *(given.message(conversation, f"Oi {number}", message_type="incoming") for number in range(16)),
        *(api.post(path_of(conversation, "update_last_seen")) for _ in range(8)),
    )
    looked = await shown(api, conversation)
    messages = (await api.get(path_of(conversation, "messages"))).json["payload"]
    await api.post(path_of(conversation, "update_last_seen"))
    await given.message(conversation, "E agora?", message_type="incoming")

    assert len(messages) == 16
    assert 0 <= looked["unread_count"] <= 10
    assert (await shown(api, conversation))["unread_count"] == 1


async def test_unread_stops_at_ten(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    for number in range(12):
        await given.message(conversation, f"Oi {number}", message_type="incoming")

    assert (await shown(api, conversation))["unread_count"] == 10


async def test_marking_unread_leaves_the_last_incoming_message_unseen(api: Api, given: Given) -> None:
    conversation = await given.conversation(assignee_id=given.boss.id)
    await given.message(conversation, "Oi", message_type="incoming")
    clock.travel(timedelta(minutes=5))
    last = await given.message(conversation, "Alguém?", message_type="incoming")
    clock.travel(timedelta(minutes=5))
    await given.message(conversation, "Sim!")
    await api.post(path_of(conversation, "update_last_seen"))
    updates = len(await given.emitted(ConversationUpdated))

    reply = await api.post(path_of(conversation, "unread"))

    assert reply.status == 200
    assert reply.json == await shown(api, conversation)
    marks = [reply.json[key] for key in ("agent_last_seen_at", "assignee_last_seen_at")]
    assert marks == [last["created_at"] - 1] * 2
    assert reply.json["unread_count"] == 1
    assert len(await given.emitted(ConversationUpdated)) == updates


async def test_messages_of_the_same_second_are_unread_together(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    for number in range(3):
        await given.message(conversation, f"Oi {number}", message_type="incoming")
    await api.post(path_of(conversation, "update_last_seen"))

    assert (await api.post(path_of(conversation, "unread"))).json["unread_count"] == 3


async def test_nothing_is_unread_where_nobody_wrote(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await given.message(conversation, "Olá!")
    await api.post(path_of(conversation, "update_last_seen"))

    reply = await api.post(path_of(conversation, "unread"))

    assert reply.json["agent_last_seen_at"] == reply.json["assignee_last_seen_at"] == 0
    assert reply.json["unread_count"] == 0
