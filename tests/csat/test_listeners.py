from __future__ import annotations

from typing import Any

import pytest
from apps import CLIENT_API, App, open_app, signed
from harness import Api, Given

from criachat.contacts.events import ContactMerged
from criachat.conversations.events import ConversationResolved
from criachat.csat.listeners import move_answers, send_surveys

SURVEY: dict[str, Any] = {"csat_survey_enabled": True}


async def resolved(given: Given, app: App, **labels: Any) -> str:
    """A conversation of this app that was just resolved; its path in the Application API."""
    conversation = await app.conversation()
    path = f"/conversations/{conversation['id']}"
    if labels:
        assert (await given.api.post(f"{path}/labels", labels)).status == 200
    await app.post(f"{path}/toggle_status")
    await given.relayed()
    return path


async def said(api: Api, path: str) -> list[tuple[str, str]]:
    """What stands in the thread: kinds of content and texts."""
    thread = (await api.get(f"{path}/messages")).json["payload"]
    return [(each["content_type"], each["content"]) for each in thread if each["message_type"] != 2]


async def test_a_resolved_conversation_is_asked_about(api: Api, given: Given) -> None:
    path = await resolved(given, await open_app(given, await given.inbox(**SURVEY)))

    assert await said(api, path) == [("input_csat", "Please rate the conversation")]


async def test_the_inbox_asks_in_its_own_words(api: Api, given: Given) -> None:
    inbox = await given.inbox(**SURVEY, csat_config={"message": "How did we do?"})

    path = await resolved(given, await open_app(given, inbox))

    assert await said(api, path) == [("input_csat", "How did we do?")]


async def test_an_account_that_speaks_portuguese_asks_in_it(given: Given) -> None:
    loja = await Given.in_new_account(given.world, locale="pt_BR")

    path = await resolved(loja, await open_app(loja, await loja.inbox(**SURVEY)))

    assert await said(loja.api, path) == [("input_csat", "Por favor, avalie a conversa")]


async def test_an_inbox_that_does_not_want_to_know_does_not_ask(api: Api, given: Given) -> None:
    path = await resolved(given, await open_app(given))

    assert await said(api, path) == []


async def test_a_conversation_is_asked_about_once(api: Api, given: Given) -> None:
    app = await open_app(given, await given.inbox(**SURVEY))
    path = await resolved(given, app)
    await api.post(f"{path}/toggle_status", {"status": "open"})

    await api.post(f"{path}/toggle_status", {"status": "resolved"})
    await given.relayed()

    assert len(await given.emitted(ConversationResolved)) == 2
    assert len(await said(api, path)) == 1


async def test_an_event_delivered_twice_is_asked_about_once(api: Api, given: Given) -> None:
    path = await resolved(given, await open_app(given, await given.inbox(**SURVEY)))
    events = await given.emitted(ConversationResolved)

    async with given.world.parts.database.transaction() as tx:
        await send_surveys(tx, [*events, *events])

    assert len(await said(api, path)) == 1


async def test_a_conversation_opened_again_before_its_survey_was_sent_is_not_asked_about(
    api: Api, given: Given
) -> None:
    app = await open_app(given, await given.inbox(**SURVEY))
    conversation = await app.conversation()
    await app.post(f"/conversations/{conversation['id']}/toggle_status")
    await app.say(conversation, "One more thing.")

    await given.relayed()

    assert await said(api, f"/conversations/{conversation['id']}") == [("text", "One more thing.")]


@pytest.mark.parametrize(
    ("rules", "labels", "is_asked"),
    [
        ({"operator": "contains", "values": ["vip"]}, ["vip", "orders"], True),
        ({"operator": "contains", "values": ["vip"]}, ["orders"], False),
        ({"operator": "does_not_contain", "values": ["spam"]}, ["orders"], True),
        ({"operator": "does_not_contain", "values": ["spam"]}, ["spam"], False),
        ({"operator": "contains", "values": [" VIP"]}, ["vip"], True),
        ({"operator": "contains", "values": []}, ["orders"], True),
        ({}, ["orders"], True),
    ],
)
async def test_labels_decide_whether_is_asked(
    api: Api,
    given: Given,
    rules: Any,
    labels: list[str],
    is_asked: bool,  # noqa: FBT001
) -> None:
    inbox = await given.inbox(**SURVEY, csat_config={"survey_rules": rules})

    path = await resolved(given, await open_app(given, inbox), labels=labels)

    assert bool(await said(api, path)) is is_asked


async def test_where_nobody_can_be_written_to_any_more_the_thread_says_so(api: Api, given: Given) -> None:
    channel = {"additional_attributes": {"agent_reply_time_window": "24"}}
    app = await open_app(given, await given.inbox(**SURVEY, channel=channel))

    path = await resolved(given, app)

    assert await said(api, path) == []
    thread = (await api.get(f"{path}/messages")).json["payload"]
    sentence = "The satisfaction survey was not sent: this channel takes no more answers without a new message."
    assert sentence in [each["content"] for each in thread]


async def test_who_becomes_one_with_another_contact_takes_their_answers_along(api: Api, given: Given) -> None:
    inbox = await given.inbox(**SURVEY)
    rosa = await given.session(inbox, **signed(inbox, "crm-77"))
    app = await open_app(given, inbox)
    conversation = await app.conversation()
    await app.post(f"/conversations/{conversation['id']}/toggle_status")
    await given.relayed()
    values = {"submitted_values": {"csat_survey_response": {"rating": 5}}}
    await api.acting_as(None).put(f"{CLIENT_API}/csat_survey/{conversation['uuid']}", {"message": values})

    await app.get(params=signed(inbox, "crm-77"))
    events = await given.emitted(ContactMerged)
    await given.relayed()
    async with given.world.parts.database.transaction() as tx:
        await move_answers(tx, events)

    answers = (await api.get("/csat_survey_responses")).json
    assert [(each["rating"], each["contact"]["id"]) for each in answers] == [(5, rosa["id"])]
