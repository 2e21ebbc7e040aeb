"""What the thread tells of changes of its conversation."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given
from visitors import signed_in

from criachat.conversations.events import ConversationUpdated
from criachat.messages.listeners import write_activities


async def told(api: Api, given: Given, conversation: Any) -> list[str]:
    """The activities of the thread, once everything that happened has been heard of."""
    await given.relayed()
    messages = (await api.get(f"/conversations/{conversation['id']}/messages?after=0")).json["payload"]
    return [each["content"] for each in messages if each["message_type"] == 2]


async def change(api: Api, conversation: Any, what: str, body: dict[str, Any]) -> None:
    assert (await api.post(f"/conversations/{conversation['id']}/{what}", body)).status == 200


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("resolved", "Conversation was resolved by Beatriz"),
        ("pending", "Conversation was marked as pending by Beatriz"),
        ("snoozed", "Conversation was snoozed by Beatriz"),
    ],
)
async def test_a_new_status_is_told_with_who_gave_it(api: Api, given: Given, status: str, sentence: str) -> None:
    conversation = await given.conversation()

    await change(api, conversation, "toggle_status", {"status": status})
    await change(api, conversation, "toggle_status", {"status": "open"})

    assert await told(api, given, conversation) == [sentence, "Conversation was reopened by Beatriz"]


async def test_priorities_and_labels_are_told_with_what_changed(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    for priority in ("low", "urgent", None):
        await change(api, conversation, "toggle_priority", {"priority": priority})
    await change(api, conversation, "labels", {"labels": ["vip", "envio"]})
    await change(api, conversation, "labels", {"labels": ["envio", "atraso"]})

    assert await told(api, given, conversation) == [
        "Beatriz set the priority to low",
        "Beatriz changed the priority from low to urgent",
        "Beatriz removed the priority urgent",
        "Beatriz added vip, envio",
        "Beatriz added atraso",
        "Beatriz removed vip",
    ]


async def test_hand_overs_are_told_the_teams_in_place_of_the_assignees(api: Api, given: Given) -> None:
    ana, team = await given.agent("Ana"), await given.team()
    conversation = await given.conversation()

    for body in ({"assignee_id": given.boss.id}, {"assignee_id": ana.id}, {"team_id": team["id"]}, {"team_id": 0}):
        await change(api, conversation, "assignments", body)

    assert await told(api, given, conversation) == [
        "Beatriz took this conversation",
        "Beatriz assigned this conversation to Ana",
        "Beatriz handed this conversation to team vendas",
        "Beatriz took this conversation from team vendas",
    ]


async def test_a_new_conversation_tells_only_whose_it_is(api: Api, given: Given) -> None:
    ana, team = await given.agent("Ana"), await given.team()

    plain = await given.conversation(status="pending")
    assigned = await given.conversation(assignee_id=ana.id, team_id=team["id"])

    assert await told(api, given, plain) == []
    assert await told(api, given, assigned) == ["Beatriz handed this conversation to Ana of team vendas"]


async def test_an_activity_is_told_once_however_often_it_is_heard_of(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await change(api, conversation, "labels", {"labels": ["vip"]})
    once = await told(api, given, conversation)
    events = await given.emitted(ConversationUpdated)

    async with given.world.parts.database.transaction() as tx:
        await write_activities(tx, events)

    assert await told(api, given, conversation) == once == ["Beatriz added vip"]


async def test_who_signed_in_writes_in_the_language_of_their_own_screen(api: Api, given: Given) -> None:
    screen = await signed_in(given, given.boss)
    await screen.put("/api/v1/profile", {"ui_settings": {"locale": "pt_BR"}})
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}"
    message = await given.message(conversation)

    await screen.post(f"/api/v1/accounts/{given.account_id}{path}/toggle_status")
    deleted = await screen.delete(f"/api/v1/accounts/{given.account_id}{path}/messages/{message['id']}")
    await api.post(f"{path}/toggle_status")

    assert await told(api, given, conversation) == [
        "A conversa foi resolvida por Beatriz",
        "Conversation was reopened by Beatriz",
    ]
    assert deleted.json["content"] == "Esta mensagem foi apagada"


@pytest.mark.parametrize("locale", ["", "xx", 7, None, {"a": 1}])
async def test_a_screen_that_names_no_language_leaves_it_at_the_accounts(given: Given, locale: Any) -> None:
    loja = await Given.in_new_account(given.world, locale="pt_BR")
    screen = await signed_in(loja, loja.boss)
    await screen.put("/api/v1/profile", {"ui_settings": {"locale": locale}})
    conversation = await loja.conversation()

    await screen.post(f"/api/v1/accounts/{loja.account_id}/conversations/{conversation['id']}/toggle_status")

    assert await told(loja.api, loja, conversation) == ["A conversa foi resolvida por Beatriz"]
