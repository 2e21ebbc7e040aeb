from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from harness import Api, Given

PATH = "/custom_attribute_definitions"
TAKEN = {"message": "Attribute key has already been taken", "attributes": ["attribute_key"]}


async def definition(api: Api, key: str = "plan", **fields: Any) -> dict[str, Any]:
    body = {"attribute_display_name": key.title(), "attribute_key": key, **fields}
    reply = await api.post(PATH, body)
    assert reply.status == 200, reply.body
    return reply.json


async def test_an_extra_field_is_created_shown_changed_and_removed(api: Api) -> None:
    created = await api.post(
        PATH,
        {
            "custom_attribute_definition": {
                "attribute_display_name": "Plan",
                "attribute_display_type": "list",
                "attribute_description": "Billing plan",
                "attribute_key": "plan",
                "attribute_values": ["free", "gold"],
                "attribute_model": "contact_attribute",
                "regex_pattern": "^[a-z]+$",
                "regex_cue": "Small letters",
            }
        },
    )
    path = f"{PATH}/{created.json['id']}"
    changed = await api.patch(path, {"attribute_values": ["free", "gold", "iron"], "regex_pattern": ""})
    shown = await api.get(path)
    removed = await api.delete(path)

    assert created.status == 200
    assert created.json == {
        "id": created.json["id"],
        "attribute_display_name": "Plan",
        "attribute_display_type": "list",
        "attribute_description": "Billing plan",
        "attribute_key": "plan",
        "regex_pattern": "^[a-z]+$",
        "regex_cue": "Small letters",
        "attribute_values": ["free", "gold"],
        "attribute_model": "contact_attribute",
        "default_value": None,
        "created_at": created.json["created_at"],
        "updated_at": created.json["created_at"],
    }
    assert changed.json == shown.json
    later = {
        "attribute_values": ["free", "gold", "iron"],
        "regex_pattern": None,
        "updated_at": shown.json["updated_at"],
    }
    assert shown.json == {**created.json, **later}
    assert shown.json["updated_at"] > created.json["updated_at"]
    assert (removed.status, removed.body) == (204, b"")
    assert (await api.get(path)).status == 404


async def test_types_and_models_are_said_by_name_or_number_and_have_defaults(api: Api) -> None:
    plain = await definition(api, "one")
    numbered = await definition(api, "two", attribute_display_type=7, attribute_model="1")

    assert (plain["attribute_display_type"], plain["attribute_model"]) == ("text", "conversation_attribute")
    assert (numbered["attribute_display_type"], numbered["attribute_model"]) == ("checkbox", "contact_attribute")


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["one", "two"]),
        ("?attribute_model=", ["one", "two"]),
        ("?attribute_model=0", ["one"]),
        ("?attribute_model=1", ["two"]),
        ("?attribute_model=conversation_attribute", ["one"]),
        ("?attribute_model=contact_attribute", ["two"]),
    ],
)
async def test_those_of_one_model_are_listed_or_all(api: Api, given: Given, query: str, keys: list[str]) -> None:
    await definition(api, "one")
    await definition(api, "two", attribute_model="contact_attribute")

    with given.queries(at_most=2):
        reply = await api.get(PATH + query)

    assert [each["attribute_key"] for each in reply.json] == keys


async def test_everything_that_is_wrong_is_named_at_once(api: Api) -> None:
    body = {"attribute_display_name": "", "attribute_key": " ", "attribute_display_type": "colour"}

    reply = await api.post(PATH, body)

    assert (reply.status, reply.json["attributes"]) == (422, list(body))
    assert reply.json["message"] == (
        "Attribute display name can't be blank, Attribute key can't be blank, "
        "Attribute display type is none of text, number, currency, percent, link, date, list and checkbox"
    )


@pytest.mark.parametrize(
    ("fields", "message", "attribute"),
    [
        ({"attribute_display_name": " "}, "Attribute display name can't be blank", "attribute_display_name"),
        ({"attribute_display_name": None}, "Attribute display name can't be blank", "attribute_display_name"),
        ({"attribute_key": ""}, "Attribute key can't be blank", "attribute_key"),
        ({"attribute_key": "status"}, "Attribute key is that of a built-in attribute", "attribute_key"),
        (
            {"attribute_key": "email", "attribute_model": 1},
            "Attribute key is that of a built-in attribute",
            "attribute_key",
        ),
        (
            {"attribute_display_type": "colour"},
            "Attribute display type is none of text, number, currency, percent, link, date, list and checkbox",
            "attribute_display_type",
        ),
        (
            {"attribute_display_type": 8},
            "Attribute display type is none of text, number, currency, percent, link, date, list and checkbox",
            "attribute_display_type",
        ),
        (
            {"attribute_display_type": -1},
            "Attribute display type is none of text, number, currency, percent, link, date, list and checkbox",
            "attribute_display_type",
        ),
        (
            {"attribute_model": "company"},
            "Attribute model is neither conversation_attribute nor contact_attribute",
            "attribute_model",
        ),
        ({"attribute_key": "k" * 256}, "Attribute key is too long (maximum is 255 characters)", "attribute_key"),
        ({"regex_pattern": "(" * 1001}, "Regex pattern is too long (maximum is 1000 characters)", "regex_pattern"),
    ],
)
async def test_what_an_extra_field_cannot_be_is_refused(
    api: Api, fields: dict[str, Any], message: str, attribute: str
) -> None:
    kept = await definition(api, "plan")

    created = await api.post(PATH, {"attribute_display_name": "Seats", "attribute_key": "seats", **fields})
    changed = await api.patch(f"{PATH}/{kept['id']}", fields)

    assert (created.status, created.json) == (422, {"message": message, "attributes": [attribute]})
    assert (changed.status, changed.json) == (422, {"message": message, "attributes": [attribute]})
    assert (await api.get(PATH)).json == [kept]


@pytest.mark.parametrize(
    "fields", [{"attribute_values": "gold"}, {"attribute_values": [{"a": 1}]}, {"attribute_values": ["x"] * 1001}]
)
async def test_options_are_a_list_of_texts(api: Api, fields: dict[str, Any]) -> None:
    reply = await api.post(PATH, {"attribute_display_name": "Seats", "attribute_key": "seats", **fields})

    assert reply.status == 422
    assert (await api.get(PATH)).json == []


@pytest.mark.parametrize("body", [{}, {"attribute_model": 1}, {"attribute_display_name": "Plan"}])
async def test_an_extra_field_needs_a_name_and_a_key(api: Api, body: dict[str, Any]) -> None:
    assert (await api.post(PATH, body)).status == 422


async def test_an_unknown_model_is_not_listed(api: Api) -> None:
    assert (await api.get(f"{PATH}?attribute_model=company")).status == 422


async def test_a_key_is_taken_once_for_each_model(api: Api) -> None:
    await definition(api, "plan")
    other = await definition(api, "seats")

    created = await api.post(PATH, {"attribute_display_name": "Plan", "attribute_key": "plan"})
    renamed = await api.patch(f"{PATH}/{other['id']}", {"attribute_key": "plan"})
    of_contacts = await definition(api, "plan", attribute_model="contact_attribute")

    assert (created.status, created.json) == (422, TAKEN)
    assert (renamed.status, renamed.json) == (422, TAKEN)
    assert of_contacts["attribute_key"] == "plan"


async def test_one_key_wanted_by_many_at_once_is_one_field(api: Api) -> None:
    body = {"attribute_display_name": "Plan", "attribute_key": "plan"}

    replies = await asyncio.gather(*[api.post(PATH, body) for _ in range(32)])

    assert Counter(reply.status for reply in replies) == {200: 1, 422: 31}
    assert len((await api.get(PATH)).json) == 1


async def test_nobody_must_fill_in_a_field_that_is_gone(api: Api, given: Given) -> None:
    plan = await definition(api, "plan")
    of_contacts = await definition(api, "seats", attribute_model="contact_attribute")
    account = f"/api/v1/accounts/{given.account_id}"
    await api.patch(account, {"conversation_required_attributes": ["plan", "seats"]})

    await api.delete(f"{PATH}/{plan['id']}")
    await api.delete(f"{PATH}/{of_contacts['id']}")

    assert (await api.get(account)).json["settings"]["conversation_required_attributes"] == ["seats"]


async def test_every_member_may_change_them_and_bots_and_strangers_may_not(api: Api, given: Given) -> None:
    kept = await definition(api)
    path = f"{PATH}/{kept['id']}"
    body = {"attribute_display_name": "Seats", "attribute_key": "seats"}
    ana, bot = await given.agent("Ana"), await given.bot()

    changed = await api.acting_as(ana).patch(path, {"regex_cue": "Ask"})
    refused = [
        reply.status
        for caller in (bot, None)
        for reply in (
            await api.acting_as(caller).get(PATH),
            await api.acting_as(caller).get(path),
            await api.acting_as(caller).post(PATH, body),
            await api.acting_as(caller).patch(path, body),
            await api.acting_as(caller).delete(path),
        )
    ]

    assert changed.json["regex_cue"] == "Ask"
    assert refused == [401] * 10
    assert (await api.get(PATH)).json == [changed.json]


async def test_those_of_another_account_do_not_exist(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = await definition(others.api)
    path = f"{PATH}/{theirs['id']}"

    replies = [await api.get(path), await api.patch(path, {"regex_cue": "x"}), await api.delete(path)]

    assert [reply.status for reply in replies] == [404] * 3
    assert (await api.get(PATH)).json == []
    assert (await others.api.get(PATH)).json == [theirs]
