from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given, Reply

from criachat.kit import clock

People = list[dict[str, Any]]
EMPTY: dict[str, Any] = {"meta": {"count": 0, "current_page": 1}, "payload": []}


@pytest.fixture
async def people(given: Given) -> People:
    """Four people one could write to, in the order in which they came, and a visitor nobody knows."""
    return [
        await given.contact(
            "marta reis",
            email="m@nordwind.test",
            phone_number="+351912000111",
            additional_attributes={
                "company_name": "Nordwind",
                "company": "Nordwind",
                "city": "Porto",
                "country": "Portugal",
                "country_code": "PT",
            },
        ),
        await given.contact("Bruno", email=None, identifier="CRM-50%", blocked=True),
        await given.contact(
            "Ana", email="z@example.net", additional_attributes={"company_name": "Acme", "city": "Braga"}
        ),
        await given.contact("Ana", email="a@example.net", phone_number="+5511988887777"),
        await given.contact("Visitor", email=None),
    ]


def ids(reply: Reply) -> list[int]:
    assert reply.status == 200, reply.body
    found = [contact["id"] for contact in reply.json["payload"]]
    assert reply.json["meta"]["count"] == len(found)
    return found


def of(people: People, places: Sequence[int]) -> list[int]:
    return [people[place]["id"] for place in places]


async def filtered(api: Api, *conditions: dict[str, Any], **options: Any) -> Reply:
    return await api.post("/contacts/filter", {"payload": list(conditions), **options})


def condition(key: str, operator: str, *values: Any, then: str | None = None) -> dict[str, Any]:
    return {"attribute_key": key, "filter_operator": operator, "values": list(values), "query_operator": then}


async def test_a_list_shows_everybody_one_could_write_to_oldest_first(api: Api, people: People) -> None:
    reply = await api.get("/contacts")

    assert (reply.status, reply.json) == (200, {"meta": {"count": 4, "current_page": 1}, "payload": people[:4]})


async def test_agents_see_the_same_list(api: Api, given: Given, people: People) -> None:
    reply = await api.acting_as(await given.agent("Ana")).get("/contacts")

    assert reply.json["payload"] == people[:4]


async def test_no_list_shows_anybody_of_another_account(given: Given, people: People) -> None:
    others = await given.another_account()
    given.world.parts.presence.touch_contact(given.account_id, people[0]["id"])

    replies = [
        await others.api.get("/contacts"),
        await others.api.get("/contacts/search?q=a"),
        await others.api.get("/contacts/active"),
        await filtered(others.api),
    ]

    assert [reply.json for reply in replies] == [EMPTY] * 4


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", [0, 1, 2, 3]),
        ("name", [2, 3, 1, 0]),
        ("-name", [0, 1, 3, 2]),
        ("email", [3, 0, 2, 1]),
        ("-email", [1, 2, 0, 3]),
        ("phone_number", [0, 3, 1, 2]),
        ("-phone_number", [2, 1, 3, 0]),
        ("created_at", [0, 1, 2, 3]),
        ("-created_at", [3, 2, 1, 0]),
        ("company", [2, 0, 1, 3]),
        ("-company", [0, 2, 3, 1]),
        ("city", [2, 0, 1, 3]),
        ("-city", [0, 2, 3, 1]),
        ("country", [0, 1, 2, 3]),
        ("-country", [0, 3, 2, 1]),
        # The keys count in an order of their own, whichever way they are asked for.
        ("created_at,name", [2, 3, 1, 0]),
        (" -created_at , name ", [3, 2, 1, 0]),
        ("name,-email", [1, 2, 0, 3]),
        ("id; DROP TABLE contacts", [0, 1, 2, 3]),
        ("-,,--name", [0, 1, 2, 3]),
        ("x" * 60_000, [0, 1, 2, 3]),
    ],
)
async def test_a_list_is_sorted_by_its_keys(api: Api, people: People, sort: str, order: Sequence[int]) -> None:
    listed = await api.get("/contacts", params={"sort": sort})
    found = await filtered(api, sort=sort)

    assert ids(listed) == ids(found) == of(people, order)


async def test_who_wrote_last_comes_first_or_last_and_who_never_wrote_always_last(
    api: Api, given: Given, people: People
) -> None:
    inbox = await given.inbox()
    for person in (people[2], people[0]):
        conversation = await given.conversation(inbox=inbox, contact=person)
        await given.message(conversation, message_type="incoming")
        clock.travel(timedelta(seconds=1))

    first = await api.get("/contacts?sort=-last_activity_at")
    last = await api.get("/contacts?sort=last_activity_at")

    assert ids(first) == of(people, [0, 2, 1, 3])
    assert ids(last) == of(people, [2, 0, 1, 3])


async def test_a_list_has_pages_of_fifteen(api: Api, given: Given) -> None:
    made = [await given.contact(f"Rosa {number}") for number in range(16)]

    first = await api.get("/contacts")
    second = await api.get("/contacts?page=2")
    beyond = await api.get("/contacts?page=3")

    assert [contact["id"] for contact in first.json["payload"]] == [contact["id"] for contact in made[:15]]
    assert first.json["meta"] == {"count": 16, "current_page": 1}
    assert second.json == {"meta": {"count": 16, "current_page": "2"}, "payload": made[15:]}
    assert beyond.json == {"meta": {"count": 16, "current_page": "3"}, "payload": []}


@pytest.mark.parametrize("page", ["0", "-1", "", "abc", "1.5", "1e3", "٣", " 1 ", "9" * 40])
async def test_a_page_that_is_none_is_the_first(api: Api, people: People, page: str) -> None:
    listed = await api.get("/contacts", params={"page": page})
    found = await filtered(api, page=page)

    assert ids(listed) == ids(found) == of(people, [0, 1, 2, 3])


async def test_the_last_page_there_can_be_is_empty(api: Api, people: People) -> None:
    reply = await api.get("/contacts?page=99999999999")

    assert (reply.status, reply.json["payload"], reply.json["meta"]["count"]) == (200, [], 4)


@pytest.mark.parametrize(
    ("value", "is_shown"),
    [(None, True), ("true", True), ("false", False), ("1", False), ("TRUE", False), ("", False)],
)
async def test_only_true_asks_for_inboxes_and_so_does_saying_nothing(
    api: Api, given: Given, value: str | None, *, is_shown: bool
) -> None:
    inbox = await given.inbox()
    created = await api.post("/contacts", {"email": "rosa@example.net", "inbox_id": inbox["id"], "source_id": "r"})
    contact = created.json["payload"]["contact"]
    params = {} if value is None else {"include_contact_inboxes": value}
    path = f"/contacts/{contact['id']}"

    (listed,) = (await api.get("/contacts", params=params)).json["payload"]
    (found,) = (await filtered(api, **params)).json["payload"]
    shown = (await api.get(path, params=params)).json["payload"]
    changed = (await api.patch(path, params)).json["payload"]

    slim = {
        "id": inbox["id"],
        "avatar_url": "",
        "channel_id": inbox["channel_id"],
        "name": "App",
        "channel_type": "Channel::Api",
        "provider": None,
    }
    assert contact["contact_inboxes"] == [{"source_id": "r", "inbox": slim}]
    assert listed == found == shown == changed
    assert shown.get("contact_inboxes") == (contact["contact_inboxes"] if is_shown else None)


async def test_a_json_boolean_asks_for_inboxes_too(api: Api, given: Given) -> None:
    contact = await given.contact()
    path = f"/contacts/{contact['id']}"

    shown = await api.patch(path, {"include_contact_inboxes": True})
    hidden = await api.patch(path, {"include_contact_inboxes": False})

    assert shown.json["payload"]["contact_inboxes"] == []
    assert "contact_inboxes" not in hidden.json["payload"]


async def test_each_contact_of_a_list_has_their_own_inboxes(api: Api, given: Given) -> None:
    app, shop = await given.inbox("App"), await given.inbox("Shop")
    rosa, marta = await given.contact("Rosa"), await given.contact("Marta")
    for contact, inbox, source_id in ((rosa, shop, "r1"), (marta, app, "m1"), (rosa, app, "r2")):
        body = {"inbox_id": inbox["id"], "source_id": source_id}
        assert (await api.post(f"/contacts/{contact['id']}/contact_inboxes", body)).status == 200

    payload = (await api.get("/contacts")).json["payload"]

    known_by = [[(each["source_id"], each["inbox"]["name"]) for each in of["contact_inboxes"]] for of in payload]
    assert known_by == [[("r1", "Shop"), ("r2", "App")], [("m1", "App")]]


async def test_a_list_of_labels_shows_who_has_any_of_them(api: Api, people: People) -> None:
    for person, labels in ((people[0], ["vip", "lead"]), (people[1], ["lead"]), (people[4], ["vip"])):
        await api.post(f"/contacts/{person['id']}/labels", {"labels": labels})

    assert ids(await api.get("/contacts?labels[]=VIP")) == of(people, [0])
    assert ids(await api.get("/contacts?labels[]=lead&labels[]=gold")) == of(people, [0, 1])
    assert ids(await api.get("/contacts?labels=lead")) == of(people, [0, 1])
    assert ids(await api.get("/contacts?labels[]=gold")) == []
    assert ids(await api.get("/contacts?labels[]=" + "x" * 50_000)) == []
    assert ids(await api.get("/contacts?labels[]=")) == ids(await api.get("/contacts")) == of(people, [0, 1, 2, 3])
    assert ids(await api.get("/contacts/search?q=reis&labels[]=lead")) == of(people, [0])


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ("REIS", [0]),
        ("example.NET", [2, 3]),
        ("98888", [3]),
        (" nordwind ", [0]),
        ("acme", [2]),
        ("CRM-50", [1]),
        ("crm-50", []),
        ("50%", [1]),
        ("%", [1]),
        ("a_a", []),
        ("\\", []),
        ("'", []),
        ("ana", [2, 3]),
        ("Visitor", []),
        ("x" * 60_000, []),
        ("日本", []),
    ],
)
async def test_a_search_finds_what_contains_the_words(
    api: Api, people: People, words: str, order: Sequence[int]
) -> None:
    assert ids(await api.get("/contacts/search", params={"q": words})) == of(people, order)


@pytest.mark.parametrize("params", [{}, {"q": ""}, {"q": "  "}, {"q": "", "page": "3"}])
async def test_a_search_for_nothing_finds_nobody(api: Api, people: People, params: dict[str, str]) -> None:
    reply = await api.get("/contacts/search", params=params)

    assert (reply.status, reply.json) == (200, EMPTY)


async def test_a_search_is_sorted_and_paged_as_lists_are(api: Api, people: People) -> None:
    reply = await api.get("/contacts/search?q=ana&sort=-created_at&page=1")

    assert [contact["id"] for contact in reply.json["payload"]] == of(people, [3, 2])
    assert reply.json["meta"] == {"count": 2, "current_page": "1"}


async def test_who_was_just_created_or_changed_is_found_at_once(api: Api, given: Given) -> None:
    contact = await given.contact("Rosa", phone_number="+351912000111")
    found = await api.get("/contacts/search?q=351912000111")
    await api.patch(f"/contacts/{contact['id']}", {"phone_number": "+351912000222"})

    assert ids(found) == [contact["id"]]
    assert ids(await api.get("/contacts/search?q=351912000111")) == []
    assert ids(await filtered(api, condition("phone_number", "equal_to", "351912000222"))) == [contact["id"]]


async def test_the_active_are_those_who_are_there_known_or_not(api: Api, given: Given, people: People) -> None:
    for place in (0, 4):
        given.world.parts.presence.touch_contact(given.account_id, people[place]["id"])

    there = await api.get("/contacts/active")
    clock.travel(timedelta(minutes=5))
    gone = await api.get("/contacts/active")

    assert ids(there) == of(people, [0, 4])
    assert {contact["availability_status"] for contact in there.json["payload"]} == {"online"}
    assert gone.json == EMPTY


@pytest.mark.parametrize(
    ("conditions", "order"),
    [
        ([condition("name", "equal_to", "ANA")], [2, 3]),
        ([condition("name", "not_equal_to", "ana")], [0, 1]),
        ([condition("name", "contains", "REI", "run")], [0, 1]),
        ([condition("name", "does_not_contain", "rei", "run")], [2, 3]),
        ([condition("email", "equal_to", "A@example.net", "z@example.net")], [3]),
        ([condition("email", "not_equal_to", "a@example.net")], [0, 2]),
        ([condition("email", "contains", "example")], [2, 3]),
        ([condition("email", "does_not_contain", "example")], [0]),
        ([condition("email", "contains", "%")], []),
        ([condition("identifier", "equal_to", "crm-50%")], [1]),
        ([condition("identifier", "not_equal_to", "x")], [1]),
        ([condition("phone_number", "equal_to", "351912000111")], [0]),
        ([condition("phone_number", "equal_to", "+351912000111")], [0]),
        ([condition("phone_number", "equal_to", 351912000111)], [0]),
        ([condition("phone_number", "not_equal_to", "351912000111")], [3]),
        ([condition("phone_number", "contains", "000")], [0]),
        ([condition("phone_number", "does_not_contain", "000")], [3]),
        ([condition("phone_number", "starts_with", "3519")], [0]),
        ([condition("phone_number", "starts_with", "9120")], []),
        ([condition("country_code", "equal_to", "pt")], [0]),
        ([condition("country_code", "not_equal_to", "pt")], []),
        ([condition("city", "equal_to", "PORTO")], [0]),
        ([condition("city", "contains", "r")], [0, 2]),
        ([condition("city", "does_not_contain", "port")], [2]),
        ([condition("company", "equal_to", "nordwind")], [0]),
        ([condition("company", "contains", "acme")], []),
        ([condition("blocked", "equal_to", "true")], [1]),
        ([condition("blocked", "equal_to", *[True])], [1]),
        ([condition("blocked", "not_equal_to", "True")], [0, 2, 3]),
        ([condition("created_at", "is_greater_than", "2019-12-31")], [0, 1, 2, 3]),
        ([condition("created_at", "is_less_than", "2019-12-31T10:00:00Z")], []),
        ([condition("created_at", "days_before", "1")], []),
        ([condition("created_at", "is_less_than", "9999-12-31")], [0, 1, 2, 3]),
        ([condition("last_activity_at", "is_greater_than", "2019-12-31")], []),
        ([condition("labels", "equal_to", "VIP")], [0, 3]),
        ([condition("labels", "not_equal_to", "vip")], [1, 2]),
        ([condition("labels", "is_present")], [0, 3]),
        ([condition("labels", "is_not_present")], [1, 2]),
        # AND binds more tightly than OR, as in SQL.
        (
            [
                condition("name", "equal_to", "bruno", then="or"),
                condition("name", "equal_to", "ana", then="AND"),
                condition("phone_number", "starts_with", "55"),
            ],
            [1, 3],
        ),
        (
            [
                condition("phone_number", "equal_to", "351912000111", then="OR"),
                condition("identifier", "equal_to", "351912000111"),
            ],
            [0],
        ),
        ([condition("email", "contains", "@", then="and"), condition("name", "not_equal_to", "ana")], [0]),
        ([condition("name", "equal_to", "Visitor")], []),
        ([], [0, 1, 2, 3]),
    ],
)
async def test_a_filter_shows_those_for_whom_it_holds(
    api: Api, people: People, conditions: list[dict[str, Any]], order: Sequence[int]
) -> None:
    for place in (0, 3):
        await api.post(f"/contacts/{people[place]['id']}/labels", {"labels": ["vip"]})

    assert ids(await filtered(api, *conditions)) == of(people, order)


async def test_a_filter_of_days_asks_for_days_before_today(api: Api, people: People) -> None:
    clock.travel(timedelta(days=3))

    assert ids(await filtered(api, condition("created_at", "days_before", "2"))) == of(people, [0, 1, 2, 3])
    assert ids(await filtered(api, condition("created_at", "days_before", 4))) == []


async def test_fifty_people_are_looked_up_at_once(api: Api) -> None:
    numbers = [f"3519120{number:05}" for number in range(50)]
    made = [await api.post("/contacts", {"phone_number": f"+{number}"}) for number in (numbers[0], numbers[49])]
    either = [condition("phone_number", "equal_to", number, then="or") for number in numbers[:-1]]

    reply = await api.post(
        "/contacts/filter", {"payload": [*either, condition("phone_number", "equal_to", numbers[-1])]}
    )

    assert reply.json["payload"] == [each.json["payload"]["contact"] for each in made]


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ([condition("shoe_size", "equal_to", "42")], "Contacts cannot be filtered by shoe_size"),
        ([condition("x" * 200_000, "equal_to", "42")], f"Contacts cannot be filtered by {'x' * 100}"),
        (
            [condition("country_code", "contains", "p")],
            "Invalid operator. The allowed operators for country_code are [equal_to,not_equal_to].",
        ),
        ([condition("name", "equal_to")], "The values of name are empty"),
        ([condition("name", "equal_to", "")], "The values of name are empty"),
        ([condition("name", "equal_to", None)], "The values of name are empty"),
        (
            [condition("name", "equal_to", "a", then="xor"), condition("name", "equal_to", "b")],
            "query_operator must be AND or OR",
        ),
        (
            [condition("name", "equal_to", "a"), condition("name", "equal_to", "b")],
            "query_operator must be AND or OR",
        ),
        ([condition("blocked", "equal_to", "perhaps")], "The value of blocked must be true or false"),
        ([condition("created_at", "is_less_than", "soon")], "soon is no day like 2026-01-31"),
        ([condition("created_at", "is_less_than", "2026-02-30")], "2026-02-30 is no day like 2026-01-31"),
        ([condition("created_at", "days_before", "-1")], "-1 is no number of days"),
        ([condition("created_at", "days_before", 10**30)], f"{10**30} is no number of days"),
        ([condition("name", "equal_to", "a", then="and")], "The last condition has no query_operator"),
        ([condition("name", "equal_to", "a", then="nor")], "query_operator must be AND or OR"),
        ([condition("name", "equal_to", "a", then="and")] * 51, "A filter has 50 conditions at most"),
        ([condition("name", "contains", *["a"] * 501)], "The values of name are too many or too long"),
        ([condition("name", "contains", "a" * 1001)], "The values of name are too many or too long"),
        ({}, None),
        (None, None),
        (["name"], None),
        ([{"attribute_key": "name"}], "param is missing or the value is empty: filter_operator"),
        ([{"attribute_key": {"a": 1}, "filter_operator": "equal_to"}], None),
    ],
)
async def test_a_filter_that_cannot_be_read_is_refused(
    api: Api, people: People, payload: Any, error: str | None
) -> None:
    reply = await api.post("/contacts/filter", {"payload": payload})

    assert reply.status == 422
    assert reply.json.keys() == {"error"}
    assert error is None or reply.json["error"] == error


async def test_a_filter_without_conditions_at_all_is_told_what_it_lacks(api: Api) -> None:
    reply = await api.post("/contacts/filter", {"page": 1})

    assert (reply.status, reply.json) == (422, {"error": "param is missing or the value is empty: payload"})


async def test_a_list_is_a_page_its_count_and_its_inboxes_however_long(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    for number in range(4):
        await api.post("/contacts", {"email": f"rosa{number}@example.net", "inbox_id": inbox["id"]})

    with given.queries(at_most=3):
        await api.get("/contacts?sort=name")
    with given.queries(at_most=2):
        await api.get("/contacts?include_contact_inboxes=false")
    with given.queries(at_most=3):
        await api.get("/contacts/search?q=rosa")
    with given.queries(at_most=3):
        await filtered(api, condition("email", "contains", "rosa"))
    with given.queries(at_most=0):
        await api.get("/contacts/search?q=")
