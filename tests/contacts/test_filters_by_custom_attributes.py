"""Contacts filtered by attributes that the account made up itself, whatever is stored in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given, Reply

from criachat.kit import clock

TYPES = {
    "plan": "text",
    "site": "link",
    "size": "list",
    "seats": "number",
    "paid": "currency",
    "share": "percent",
    "since": "date",
    "vip": "checkbox",
}
# Who has what; the last of them holds what no form would have let in.
HELD: Mapping[str, Mapping[str, Any]] = {
    "Ana": {"plan": "Gold", "size": "L", "seats": 12, "paid": "9.50", "since": "2026-01-31T10:00:00.000Z", "vip": True},
    "Bia": {"plan": "golden", "size": "M", "seats": "3", "share": 0.5, "since": "2026-02-01", "vip": "false"},
    "Caio": {},
    "Davi": {"plan": {"a": 1}, "seats": "many", "paid": "1e999", "share": [1], "since": "2026-99-99", "vip": 7},
}


def where(key: str, operator: str, *values: Any, then: str | None = None) -> dict[str, Any]:
    return {"attribute_key": key, "filter_operator": operator, "values": list(values), "query_operator": then}


async def filtered(api: Api, *conditions: Mapping[str, Any]) -> Reply:
    return await api.post("/contacts/filter", {"payload": list(conditions), "sort": "name"})


def names(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    return [contact["name"] for contact in reply.json["payload"]]


@pytest.fixture
async def people(api: Api, given: Given) -> None:
    for key, kind in TYPES.items():
        body = {"attribute_display_name": key, "attribute_key": key, "attribute_display_type": kind}
        assert (
            await api.post("/custom_attribute_definitions", {**body, "attribute_model": "contact_attribute"})
        ).status == 200
    for name, attributes in HELD.items():
        await given.contact(name, custom_attributes=attributes)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (where("plan", "equal_to", "GOLD"), ["Ana"]),
        (where("plan", "equal_to", "gold", "golden"), ["Ana"]),
        (where("plan", "not_equal_to", "gold"), ["Bia", "Caio", "Davi"]),
        (where("plan", "contains", "GOL"), ["Ana", "Bia"]),
        (where("plan", "contains", "%", "en"), ["Bia"]),
        (where("plan", "does_not_contain", "en", "}"), ["Ana"]),
        (where("plan", "is_present"), ["Ana", "Bia", "Davi"]),
        (where("plan", "is_not_present"), ["Caio"]),
        (where("site", "is_present"), []),
        (where("size", "equal_to", "l"), ["Ana"]),
        (where("seats", "equal_to", "12"), ["Ana"]),
        (where("seats", "equal_to", 12.0), ["Ana"]),
        (where("seats", "not_equal_to", "12"), ["Bia", "Caio", "Davi"]),
        (where("seats", "is_greater_than", 2), ["Ana", "Bia"]),
        (where("seats", "is_greater_than", "3"), ["Ana"]),
        (where("seats", "is_less_than", "12"), ["Bia"]),
        (where("seats", "is_less_than", -1), []),
        (where("paid", "is_greater_than", "9.49"), ["Ana"]),
        (where("share", "is_less_than", "0.51"), ["Bia"]),
        (where("since", "equal_to", "2026-01-31"), ["Ana"]),
        (where("since", "is_greater_than", "2026-01-31"), ["Bia", "Davi"]),
        (where("since", "is_less_than", "2026-02-01T23:00:00Z"), ["Ana"]),
        (where("since", "is_not_present"), ["Caio"]),
        (where("vip", "equal_to", "true"), ["Ana"]),
        (where("vip", "equal_to", *[False]), ["Bia"]),
        (where("vip", "not_equal_to", "true"), ["Bia", "Caio", "Davi"]),
    ],
)
async def test_a_custom_attribute_is_compared_as_its_definition_says(
    api: Api, given: Given, condition: Mapping[str, Any], found: Sequence[str]
) -> None:
    with given.queries(at_most=4):
        reply = await filtered(api, condition)

    assert names(reply) == found


@pytest.mark.usefixtures("people")
async def test_a_custom_attribute_is_compared_with_days_before_today(api: Api) -> None:
    today = clock.now().date()
    body = {"name": "Eva", "identifier": "eva", "custom_attributes": {"since": (today - timedelta(days=3)).isoformat()}}
    await api.post("/contacts", body)

    assert "Eva" in names(await filtered(api, where("since", "days_before", 2)))
    assert "Eva" not in names(await filtered(api, where("since", "days_before", "3")))


@pytest.mark.usefixtures("people")
async def test_custom_attributes_are_joined_with_others_wherever_they_stand(api: Api) -> None:
    conditions = [
        where("plan", "not_equal_to", "gold", then="and"),
        where("name", "contains", "a", then="and"),
        where("seats", "is_present", then="or"),
        where("vip", "equal_to", "true"),
    ]

    assert names(await filtered(api, *conditions)) == ["Ana", "Bia", "Davi"]
    many = [where("plan", "not_equal_to", str(number), then="and") for number in range(14)]
    assert len(names(await filtered(api, *many, where("name", "contains", "a")))) == 4


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("condition", "error"),
    [
        (
            where("vip", "contains", "t"),
            "Invalid operator. The allowed operators for vip are [equal_to,not_equal_to,is_present,is_not_present].",
        ),
        (where("plan", "is_greater_than", "1"), None),
        (where("plan", "equal_to"), "The values of plan are empty"),
        (where("seats", "equal_to", "many"), "many is no number"),
        (where("seats", "equal_to", "1e9"), "1e9 is no number"),
        (where("seats", "equal_to", "9" * 500), f"{'9' * 100} is no number"),
        (where("seats", "equal_to", "9" * 200_000), "The values of seats are too many or too long"),
        (where("since", "is_less_than", "2026-02-30"), "2026-02-30 is no day like 2026-01-31"),
        (where("since", "days_before", "x"), "x is no number of days"),
        (where("vip", "equal_to", "perhaps"), "perhaps is neither true nor false"),
    ],
)
async def test_a_comparison_that_cannot_be_made_is_refused(
    api: Api, condition: Mapping[str, Any], error: str | None
) -> None:
    reply = await filtered(api, condition)

    assert reply.status == 422
    assert reply.json.keys() == {"error"}
    assert error is None or reply.json["error"] == error


async def test_only_what_is_defined_for_contacts_here_can_be_filtered_by(api: Api, given: Given) -> None:
    others = await given.another_account()
    body = {"attribute_display_name": "Plan", "attribute_key": "plan"}
    await api.post("/custom_attribute_definitions", body)
    await others.api.post("/custom_attribute_definitions", {**body, "attribute_model": "contact_attribute"})

    reply = await filtered(api, where("plan", "equal_to", "gold"))

    assert (reply.status, reply.json) == (422, {"error": "Contacts cannot be filtered by plan"})


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("operator", ["equal_to", "not_equal_to"])
@pytest.mark.parametrize("joint", ["and", "or"])
async def test_fifty_conditions_are_read(api: Api, operator: str, joint: str) -> None:
    days = [where("since", operator, "2026-01-31", then=joint) for _ in range(25)]
    cities = [where("city", "contains", "porto", then=joint) for _ in range(24)]

    reply = await filtered(api, *days, *cities, where("since", operator, "2026-01-31"))

    found = ["Ana"] if operator == "equal_to" else ["Bia", "Caio", "Davi"]
    assert names(reply) == ([] if joint == "and" else found)
