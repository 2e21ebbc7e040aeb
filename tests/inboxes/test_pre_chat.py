"""Forms of websites that ask for extra fields of the account."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given

from criachat.custom_attributes.events import AttributeDefinitionChanged
from criachat.inboxes.events import InboxUpdated
from criachat.inboxes.jobs import follow_definition
from criachat.inboxes.listeners import have_forms_follow
from criachat.inboxes.pre_chat import Renaming
from criachat.kit.jobs import JobContext

NAME: dict[str, Any] = {"name": "fullName", "field_type": "standard", "label": "Nome", "type": "text", "enabled": True}
PLAN: dict[str, Any] = {
    "name": "plan",
    "field_type": "contact_attribute",
    "label": "Plan",
    "placeholder": "Which plan do you have?",
    "type": "text",
    "enabled": True,
    "required": True,
    "values": [],
}
# The same key, of conversations.
ORDER: dict[str, Any] = {**PLAN, "field_type": "conversation_attribute"}
COUNT = "SELECT count(*) FROM jobs.pgqueuer WHERE dedupe_key LIKE 'inboxes.follow_definition:' || $1 || ':%'"


async def defined(given: Given, **fields: Any) -> Any:
    """An extra field of contacts."""
    body = {"attribute_display_name": "Plan", "attribute_key": "plan", "attribute_model": "contact_attribute", **fields}
    reply = await given.api.post("/custom_attribute_definitions", body)
    assert reply.status == 200
    return reply.json


async def website(given: Given, *questions: dict[str, Any]) -> Any:
    """A website whose form asks this."""
    form = {"pre_chat_message": "Olá!", "pre_chat_fields": questions}
    channel = {"type": "web_widget", "website_url": "https://loja.example", "pre_chat_form_options": form}
    return await given.inbox("Loja", channel=channel)


async def questions_of(given: Given, inbox: dict[str, Any]) -> list[dict[str, Any]]:
    options = (await given.api.get(f"/inboxes/{inbox['id']}")).json["pre_chat_form_options"]
    assert options["pre_chat_message"] == "Olá!"
    return options["pre_chat_fields"]


def context(given: Given) -> JobContext:
    parts = given.world.parts
    return JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)


def renaming(given: Given, definition: dict[str, Any], *, key: str = "plan") -> Renaming:
    """An extra field that had this key until it was changed."""
    return Renaming(given.account_id, definition["id"], "contact_attribute", key, "Plan")


async def test_a_question_follows_the_field_it_asks_for(api: Api, given: Given) -> None:
    definition = await defined(given)
    shop, blog = await website(given, NAME, PLAN, ORDER), await website(given, PLAN)
    before = await questions_of(given, shop)
    changed = {
        "attribute_key": "tier",
        "attribute_display_name": "Tier",
        "attribute_display_type": "list",
        "attribute_values": ["gold", "free"],
        "regex_pattern": "^[a-z]+$",
        "regex_cue": "Small letters",
    }

    reply = await api.patch(f"/custom_attribute_definitions/{definition['id']}", changed)
    await given.worked()

    asked = {
        **before[1],
        "name": "tier",
        "label": "Tier",
        "type": "list",
        "values": ["gold", "free"],
        "regex_pattern": "^[a-z]+$",
        "regex_cue": "Small letters",
    }
    assert reply.status == 200
    assert await questions_of(given, shop) == [before[0], asked, before[2]]
    assert await questions_of(given, blog) == [asked]


async def test_nobody_is_asked_for_a_field_that_was_removed(api: Api, given: Given) -> None:
    definition = await defined(given)
    shop, blog = await website(given, NAME, PLAN), await website(given, PLAN)

    reply = await api.delete(f"/custom_attribute_definitions/{definition['id']}")
    await given.worked()

    assert reply.status == 204
    assert [each["name"] for each in await questions_of(given, shop)] == ["fullName"]
    assert [each["name"] for each in await questions_of(given, blog)] == ["emailAddress", "fullName", "phoneNumber"]


async def test_forms_that_do_not_ask_for_it_and_those_of_others_stay(api: Api, given: Given) -> None:
    other = await given.another_account()
    definition = await defined(given)
    theirs, ours = await website(other, PLAN), await website(given, NAME, ORDER)
    before = await questions_of(other, theirs), await questions_of(given, ours)
    updates = len(await given.emitted(InboxUpdated))

    await api.delete(f"/custom_attribute_definitions/{definition['id']}")
    await given.worked()

    assert (await questions_of(other, theirs), await questions_of(given, ours)) == before
    assert len(await given.emitted(InboxUpdated)) == updates


async def test_what_became_of_a_form_is_told_once(api: Api, given: Given) -> None:
    definition = await defined(given)
    inbox = await website(given, PLAN)
    await api.patch(f"/custom_attribute_definitions/{definition['id']}", {"attribute_key": "tier"})
    former = renaming(given, definition)

    await asyncio.gather(*(follow_definition(context(given), former) for _ in range(8)))
    await given.worked()

    (event,) = await given.emitted(InboxUpdated)
    assert (event.inbox_id, event.actor_type) == (inbox["id"], "system")
    assert event.snapshot.channel["pre_chat_form_options"]["pre_chat_fields"][0]["name"] == "tier"


async def test_of_two_renamings_the_later_may_be_followed_first(api: Api, given: Given) -> None:
    definition = await defined(given)
    inbox = await website(given, PLAN)
    for key in ("tier", "level"):
        await api.patch(f"/custom_attribute_definitions/{definition['id']}", {"attribute_key": key})

    for key in ("tier", "plan"):
        await follow_definition(context(given), renaming(given, definition, key=key))

    assert [each["name"] for each in await questions_of(given, inbox)] == ["level"]


async def test_a_form_that_would_become_too_large_stays_and_the_others_follow(api: Api, given: Given) -> None:
    definition = await defined(given)
    many = [{**NAME, "name": f"question {number}", "label": "x" * 250} for number in range(200)]
    full, small = await website(given, PLAN, *many), await website(given, PLAN)
    values = [f"{number:04}" + "v" * 100 for number in range(800)]
    before = await questions_of(given, full)

    await api.patch(f"/custom_attribute_definitions/{definition['id']}", {"attribute_values": values})
    await given.worked()

    assert await questions_of(given, full) == before
    assert (await questions_of(given, small))[0]["values"] == values


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_change_heard_twice_is_one_job(api: Api, given: Given, method: str) -> None:
    definition = await defined(given)
    path = f"/custom_attribute_definitions/{definition['id']}"
    assert (await api.call(method, path, json={"attribute_key": "tier"})).status in (200, 204)
    events = await given.emitted(AttributeDefinitionChanged)

    for _ in range(2):
        async with given.world.parts.database.transaction() as tx:
            await have_forms_follow(tx, events)

    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value(COUNT, str(given.account_id)) == 1


async def test_a_change_that_changes_nothing_is_not_told(api: Api, given: Given) -> None:
    definition = await defined(given)

    await api.patch(f"/custom_attribute_definitions/{definition['id']}", {"attribute_key": "plan"})

    assert await given.emitted(AttributeDefinitionChanged) == []
