from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness import Api, Given, Reply

from criachat.kit import clock


def condition(key: str, operator: str, *values: Any, join: Any = None) -> dict[str, Any]:
    return {"attribute_key": key, "filter_operator": operator, "values": [*values], "query_operator": join}


async def filtered(api: Api, *conditions: Any, **params: Any) -> Reply:
    return await api.post("/conversations/filter", {"payload": [*conditions], **params})


async def found(api: Api, *conditions: Any) -> list[int]:
    """The numbers of those for whom the conditions hold; the counts say how many they are."""
    reply = await filtered(api, *conditions)
    assert reply.status == 200, reply.body
    numbers = [each["id"] for each in reply.json["payload"]]
    assert reply.json["meta"]["all_count"] == len(numbers)
    return numbers


def travel_to(moment: datetime) -> None:
    clock.travel(moment - clock.now())


def ids(*conversations: Any) -> list[int]:
    return [each["id"] for each in conversations]


async def define(api: Api, key: str, display_type: str, **fields: Any) -> None:
    body = {"attribute_key": key, "attribute_display_name": key, "attribute_display_type": display_type, **fields}
    reply = await api.post("/custom_attribute_definitions", {"attribute_model": "conversation_attribute", **body})
    assert reply.status == 200, reply.body


async def test_what_is_found_is_shown_as_in_lists_newest_activity_first(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    older, newer = await given.conversation(assignee_id=given.boss.id), await given.conversation(status="resolved")
    await given.conversation(assignee_id=ana.id, status="pending")

    reply = await filtered(api, condition("status", "not_equal_to", "pending"))

    shown = [(await api.get(f"/conversations/{each['id']}")).json for each in (newer, older)]
    assert reply.status == 200
    assert reply.json == {"meta": {"mine_count": 1, "unassigned_count": 1, "all_count": 2}, "payload": shown}


async def test_without_conditions_everything_is_found_25_a_page(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    made = [
        await given.conversation(inbox=inbox, contact=contact, status=("open", "resolved", "pending")[number % 3])
        for number in range(27)
    ]

    first, second, third = [await filtered(api, page=page) for page in (None, "2", 3)]

    assert [each["id"] for each in first.json["payload"] + second.json["payload"]] == ids(*reversed(made))
    assert third.json["payload"] == []
    assert {reply.json["meta"]["all_count"] for reply in (first, second, third)} == {27}
    assert len((await api.post("/conversations/filter?page=2", {"payload": []})).json["payload"]) == 2


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("equal_to", ["open"], ["open"]),
        ("equal_to", ["open", "resolved", "closed"], ["resolved", "open"]),
        ("equal_to", ["closed"], []),
        ("equal_to", ["closed", "all"], ["snoozed", "resolved", "pending", "open"]),
        ("not_equal_to", ["open", "snoozed"], ["resolved", "pending"]),
        ("not_equal_to", ["all"], []),
    ],
)
async def test_by_status(api: Api, given: Given, operator: str, values: list[str], expected: list[str]) -> None:
    of = {status: await given.conversation(status=status) for status in ("open", "pending", "resolved", "snoozed")}

    assert await found(api, condition("status", operator, *values)) == ids(*(of[status] for status in expected))


async def test_by_people_teams_and_inboxes(api: Api, given: Given) -> None:
    ana, davi = await given.agent("Ana"), await given.agent("Davi")
    team, app, shop = await given.team(), await given.inbox("App"), await given.inbox("Loja")
    plain = await given.conversation(inbox=app)
    anas = await given.conversation(inbox=shop, assignee_id=ana.id, team_id=team["id"])
    davis = await given.conversation(inbox=app, assignee_id=davi.id)

    async def by(key: str, operator: str, *values: Any) -> list[int]:
        return await found(api, condition(key, operator, *values))

    assert await by("assignee_id", "equal_to", ana.id) == ids(anas)
    assert await by("assignee_id", "equal_to", str(ana.id), davi.id) == ids(davis, anas)
    assert await by("assignee_id", "not_equal_to", ana.id) == ids(davis)
    assert await by("assignee_id", "is_present") == ids(davis, anas)
    assert await by("assignee_id", "is_not_present", "ignored") == ids(plain)
    assert await by("team_id", "equal_to", team["id"]) == await by("team_id", "is_present") == ids(anas)
    assert await by("team_id", "not_equal_to", team["id"]) == []
    assert await by("team_id", "is_not_present") == ids(davis, plain)
    assert await by("inbox_id", "equal_to", app["id"]) == ids(davis, plain)
    assert await by("inbox_id", "not_equal_to", app["id"]) == ids(anas)
    assert await by("inbox_id", "is_not_present") == await by("campaign_id", "is_present") == []
    assert await by("campaign_id", "equal_to", 7) == await by("campaign_id", "not_equal_to", 7) == []


async def test_by_priority_where_none_is_unequal_to_nothing(api: Api, given: Given) -> None:
    plain, low, high = [await given.conversation() for _ in range(3)]
    for conversation, priority in ((low, "low"), (high, "high")):
        await api.patch(f"/conversations/{conversation['id']}", {"priority": priority})

    assert await found(api, condition("priority", "equal_to", "low", "high")) == ids(high, low)
    assert await found(api, condition("priority", "not_equal_to", "low")) == ids(high)
    assert await found(api, condition("priority", "equal_to", "extreme")) == []
    assert await found(api, condition("priority", "not_equal_to", "extreme")) == ids(high, low)
    assert plain["id"] not in await found(api, condition("priority", "not_equal_to", "urgent", "extreme"))


async def test_by_number(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    made = [await given.conversation(inbox=inbox, contact=contact) for _ in range(12)]

    assert await found(api, condition("display_id", "equal_to", made[0]["id"], str(made[2]["id"]))) == ids(
        made[2], made[0]
    )
    assert len(await found(api, condition("display_id", "not_equal_to", made[0]["id"]))) == 11
    assert await found(api, condition("display_id", "contains", "1")) == [12, 11, 10, 1]
    assert await found(api, condition("display_id", "contains", " 12 ", "3")) == [12, 3]
    assert await found(api, condition("display_id", "does_not_contain", "1", "2")) == [9, 8, 7, 6, 5, 4, 3]
    assert await found(api, condition("display_id", "contains", "%")) == []


async def test_by_labels(api: Api, given: Given) -> None:
    plain, vip, both = [await given.conversation() for _ in range(3)]
    await api.post(f"/conversations/{vip['id']}/labels", {"labels": ["vip"]})
    await api.post(f"/conversations/{both['id']}/labels", {"labels": ["vip", "envio"]})

    assert await found(api, condition("labels", "equal_to", "envio", "unknown")) == ids(both)
    assert await found(api, condition("labels", "equal_to", "VIP")) == ids(both, vip)
    assert await found(api, condition("labels", "not_equal_to", "envio")) == ids(vip, plain)
    assert await found(api, condition("labels", "is_present")) == ids(both, vip)
    assert await found(api, condition("labels", "is_not_present")) == ids(plain)


async def test_by_what_came_along(api: Api, given: Given) -> None:
    plain = await given.conversation()
    english = await given.conversation(
        additional_attributes={"browser_language": "en", "referer": "https://shop.example/100%_cotton"}
    )
    german = await given.conversation(
        additional_attributes={"browser_language": "de", "mail_subject": "Re: Order", "conversation_language": "de"}
    )

    async def by(key: str, operator: str, *values: Any) -> list[int]:
        return await found(api, condition(key, operator, *values))

    assert await by("browser_language", "equal_to", "de", "fr") == ids(german)
    assert await by("browser_language", "equal_to", "DE") == []
    assert await by("browser_language", "not_equal_to", "de") == ids(english)
    assert await by("conversation_language", "equal_to", "de") == ids(german)
    assert await by("referer", "contains", "SHOP.example", "nowhere") == ids(english)
    assert await by("referer", "contains", "100%_c") == ids(english)
    assert await by("referer", "contains", "shop_example") == await by("referer", "does_not_contain", "shop") == []
    assert await by("mail_subject", "equal_to", "Re: Order") == ids(german)
    assert await by("mail_subject", "does_not_contain", "invoice") == ids(german)
    assert plain["id"] not in await by("mail_subject", "not_equal_to", "Re: Order")


async def test_by_day_in_greenwich(api: Api, given: Given) -> None:
    travel_to(datetime(2031, 1, 30, 23, 59, 30, tzinfo=UTC))
    before = await given.conversation()
    travel_to(datetime(2031, 1, 31, 0, 0, 0, tzinfo=UTC))
    on = await given.conversation()
    clock.travel(timedelta(days=1))
    after = await given.conversation()

    async def by(operator: str, value: Any) -> list[int]:
        created = await found(api, condition("created_at", operator, value))
        assert created == await found(api, condition("last_activity_at", operator, value))
        return created

    assert await by("is_greater_than", "2031-01-31") == ids(after)
    assert await by("is_less_than", "2031-01-31") == ids(before)
    assert await by("is_greater_than", "2031-01-30T23:00:00.000Z") == ids(after, on)
    assert await by("days_before", 1) == ids(before)
    assert await by("days_before", "0") == ids(on, before)
    assert await by("is_greater_than", "9999-12-31") == await by("is_less_than", "0001-01-01") == []


@pytest.fixture
async def defined(api: Api) -> None:
    for key, display_type in (
        ("tier", "text"),
        ("weight", "number"),
        ("price", "currency"),
        ("due", "date"),
        ("paid", "checkbox"),
    ):
        await define(api, key, display_type)


@pytest.mark.usefixtures("defined")
@pytest.mark.parametrize(
    ("key", "operator", "values", "expected"),
    [
        ("tier", "equal_to", ["GOLD"], "a"),
        ("tier", "equal_to", ["silver", "gold"], "ba"),
        ("tier", "not_equal_to", ["gold"], "cb"),
        ("tier", "contains", ["ol", "xx"], "a"),
        ("tier", "does_not_contain", ["ol"], "b"),
        ("tier", "is_present", [], "ba"),
        ("tier", "is_not_present", [], "c"),
        ("tier", "is_greater_than", ["gold"], "a"),
        ("weight", "equal_to", ["2.50"], "b"),
        ("weight", "not_equal_to", [2.5], "ca"),
        ("weight", "is_greater_than", [2], "b"),
        ("weight", "is_less_than", ["2"], "a"),
        ("price", "is_less_than", [100], "a"),
        ("due", "equal_to", ["2031-02-01"], "a"),
        ("due", "is_greater_than", ["2031-01-31"], "a"),
        ("due", "is_less_than", ["2031-01-31"], "b"),
        ("due", "days_before", [1], "b"),
        ("paid", "equal_to", [True], "a"),
        ("paid", "equal_to", ["false"], "b"),
        ("paid", "not_equal_to", ["true"], "cb"),
    ],
)
async def test_by_custom_attribute(
    api: Api, given: Given, key: str, operator: str, values: list[Any], expected: str
) -> None:
    travel_to(datetime(2031, 1, 31, 12, 0, 0, tzinfo=UTC))
    gold = {"tier": "Gold", "weight": 1, "price": 99.5, "due": "2031-02-01T00:00:00.000Z", "paid": True}
    silver = {"tier": "silver", "weight": "2.5", "price": "a lot", "due": "2030-12-24", "paid": False}
    of = {
        "a": await given.conversation(custom_attributes=gold),
        "b": await given.conversation(custom_attributes=silver),
        "c": await given.conversation(custom_attributes={"weight": {"kg": 3}, "due": "2031-99", "paid": None}),
    }

    assert await found(api, condition(key, operator, *values)) == ids(*(of[letter] for letter in expected))


async def test_and_binds_tighter_than_or_and_each_condition_stands_alone(api: Api, given: Given) -> None:
    await define(api, "tier", "text")
    ana = await given.agent("Ana")
    first = await given.conversation(status="resolved", assignee_id=ana.id)
    second = await given.conversation(status="open", custom_attributes={"tier": "gold"})
    third = await given.conversation(status="pending", additional_attributes={"browser_language": "EN"})
    await given.conversation(status="resolved")

    either = await found(
        api,
        condition("tier", "not_equal_to", "silver", join="AND"),
        condition("browser_language", "equal_to", "FR", "EN", join="or"),
        condition("status", "equal_to", "resolved", join="And"),
        condition("assignee_id", "is_present", join="OR"),
        condition("tier", "equal_to", "gold", join=""),
    )
    none = await found(
        api,
        condition("status", "equal_to", "open", join="and"),
        condition("status", "equal_to", "pending"),
    )

    assert either == ids(third, second, first)
    assert none == []


async def test_what_clients_send_along_is_passed_over(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    sent = {
        "attribute_key": "status",
        "attribute_model": "standard",
        "filter_operator": "equal_to",
        "values": "open",
        "custom_attribute_type": "",
        "color": [1],
    }

    reply = await filtered(api, sent)

    assert [each["id"] for each in reply.json["payload"]] == ids(conversation)


OPEN = condition("status", "equal_to", "open")
KEYS = (
    "status,assignee_id,inbox_id,team_id,campaign_id,priority,display_id,labels,browser_language,"
    "conversation_language,referer,mail_subject,created_at,last_activity_at"
)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ([condition("status", "equal_to", "open", join="xor"), OPEN], "Query operator must be either AND or OR"),
        ([condition("status", "equal_to", "open", join=["and"]), OPEN], "Query operator must be either AND or OR"),
        ([OPEN, OPEN], "Query operator must be either AND or OR on all conditions but the last"),
        (
            [condition("status", "equal_to", "open", join="and")],
            "The last condition is joined to nothing: it has no query operator",
        ),
        (
            [condition("status", "is_present")],
            "Invalid operator. The allowed operators for status are [equal_to,not_equal_to].",
        ),
        (
            [condition("created_at", "equal_to", "2031-01-31")],
            "Invalid operator. The allowed operators for created_at are [is_greater_than,is_less_than,days_before].",
        ),
        ([condition("status", "equal_to")], "Invalid value. The values provided for status are invalid"),
        ([condition("tier", "equal_to", "", " ")], "Invalid value. The values provided for tier are invalid"),
        ([condition("team_id", "equal_to", {"id": 1})], "Invalid value. The values provided for team_id are invalid"),
        ([condition("team_id", "equal_to", *range(501))], "Invalid value. The values provided for team_id are invalid"),
        (
            [condition("referer", "contains", "x" * 200_000)],
            "Invalid value. The values provided for referer are invalid",
        ),
        (
            [condition("colour", "equal_to", "blue")],
            f"Invalid attribute key - colour. The key should be one of [{KEYS}] or a custom one.",
        ),
        ([condition("assignee_id", "equal_to", "me")], "Invalid value. assignee_id takes numbers"),
        ([condition("assignee_id", "equal_to", "true")], "Invalid value. assignee_id takes numbers"),
        ([condition("display_id", "not_equal_to", 2**70)], "Invalid value. display_id takes numbers"),
        ([condition("created_at", "is_less_than", "31.01.2031")], "31.01.2031 is no day like 2026-01-31"),
        ([condition("created_at", "is_less_than", "2031-02-30")], "2031-02-30 is no day like 2026-01-31"),
        ([condition("last_activity_at", "days_before", "-1")], "-1 is no number of days"),
        ([condition("last_activity_at", "days_before", 10**9)], "1000000000 is no number of days"),
        (
            [*(condition("status", "equal_to", "open", join="or") for _ in range(20)), OPEN],
            "A filter has 20 conditions at most",
        ),
    ],
)
async def test_what_is_wrong_with_a_filter_is_said(api: Api, given: Given, payload: Any, text: str) -> None:
    reply = await filtered(api, *payload)

    assert (reply.status, reply.json) == (422, {"error": text})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"payload": None},
        {"payload": "all"},
        {"payload": [1]},
        {"payload": [{}]},
        {"payload": [{"attribute_key": "status"}]},
        {"payload": [{"attribute_key": ["status"], "filter_operator": "equal_to", "values": ["open"]}]},
    ],
)
async def test_a_filter_is_a_list_of_conditions(api: Api, given: Given, body: Any) -> None:
    reply = await api.post("/conversations/filter", body)

    assert reply.status == 422
    assert set(reply.json) == {"error"}


async def test_how_conditions_are_joined_is_looked_at_first(api: Api, given: Given) -> None:
    wrong = condition("colour", "shines_like", join="and")

    by_joint = await filtered(api, wrong, condition("status", "is_present", join="xor"))
    by_operator = await filtered(api, wrong, condition("status", "is_present"))

    assert by_joint.json == {"error": "Query operator must be either AND or OR"}
    assert by_operator.json == {"error": "Invalid value. The values provided for colour are invalid"}


async def test_twenty_conditions_with_two_values_each_are_bound(api: Api, given: Given) -> None:
    await define(api, "tier", "text")
    inbox = await given.inbox()
    ana = api.acting_as(await given.agent("Ana", inbox=inbox))
    conversation = await given.conversation(inbox=inbox, custom_attributes={"tier": "x' OR 1=1 --"})
    once = condition("tier", "contains", "' or 1", join="and")

    assert await found(ana, *(once for _ in range(19)), {**once, "query_operator": None}) == ids(conversation)


async def test_agents_find_what_is_in_their_inboxes_and_nobody_finds_what_is_elsewhere(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi")
    team = await given.team("vendas", davi)
    theirs, other = await given.conversation(inbox=inbox), await given.conversation(team_id=team["id"])
    others = await given.another_account()
    await others.conversation()
    anything = (condition("display_id", "equal_to", 0, join="or"), condition("inbox_id", "is_present"))

    assert await found(api, *anything) == ids(other, theirs)
    assert await found(api.acting_as(ana), *anything) == ids(theirs)
    assert await found(api.acting_as(davi), *anything) == []
    refused = [await filtered(api.acting_as(each)) for each in (await given.bot(), None)]
    stranger = await filtered(others.api.in_account(given.account_id))
    assert [each.status for each in (*refused, stranger)] == [401] * 3


async def test_a_custom_attribute_of_contacts_or_of_another_account_is_none(api: Api, given: Given) -> None:
    await define(api, "plan", "text", attribute_model="contact_attribute")
    others = await given.another_account()
    await define(others.api, "tier", "text")

    for key in ("plan", "tier"):
        assert (await filtered(api, condition(key, "equal_to", "gold"))).status == 422


async def test_a_long_value_is_found_by_all_of_it_whatever_stands_beside_it(api: Api, given: Given) -> None:
    await define(api, "note", "text")
    crowd = {f"k{number}": number for number in range(500)}
    beside = {"🙂" * 255: "🙂" * 900, "k" * 1_000: "x", "nested": {"a": [1]}, "nothing": None, **crowd}
    long = await given.conversation(custom_attributes={"note": "🙂" * 900, **beside})
    longer = await given.conversation(custom_attributes={"note": "🙂" * 899 + "Z", **beside})

    assert await found(api, condition("note", "equal_to", "🙂" * 900)) == ids(long)
    assert await found(api, condition("note", "equal_to", "🙂" * 200)) == []
    assert await found(api, condition("note", "contains", "🙂z")) == ids(longer)
    assert await found(api, condition("note", "does_not_contain", "z")) == ids(long)
    assert await found(api, condition("note", "not_equal_to", "🙂" * 900)) == ids(longer)


async def test_what_a_conversation_has_no_more_is_not_found(api: Api, given: Given) -> None:
    await define(api, "tier", "text")
    tier = condition("tier", "equal_to", "gold")
    changed, emptied, removed, kept = [
        await given.conversation(custom_attributes={"tier": "gold", "order": number}) for number in range(4)
    ]

    await api.post(f"/conversations/{changed['id']}/custom_attributes", {"custom_attributes": {"tier": "silver"}})
    await api.post(f"/conversations/{emptied['id']}/custom_attributes", {"custom_attributes": {}})
    await api.delete(f"/conversations/{removed['id']}")

    assert await found(api, tier) == ids(kept)
    assert await found(api, condition("tier", "is_not_present")) == ids(emptied)
    assert await found(api, condition("tier", "equal_to", "silver")) == ids(changed)


async def test_a_long_filter_of_everything_is_read(api: Api, given: Given) -> None:
    for key, kind in (("since", "date"), ("tier", "text"), ("seats", "number")):
        await define(api, key, kind)
    conversation = await given.conversation(custom_attributes={"since": "2026-01-31", "tier": "gold", "seats": 3})
    days = condition("since", "equal_to", "2026-01-31", "2026-02-01", join="and")
    names = condition("tier", "equal_to", *[f"tier {number}" for number in range(400)], join="or")

    anything = [days] * 9 + [names] * 10 + [condition("seats", "is_less_than", "4")]
    nothing = [days] * 19 + [condition("seats", "is_greater_than", "4")]

    assert await found(api, *anything) == ids(conversation)
    assert await found(api, *nothing) == []


async def test_of_an_empty_list_no_page_is_looked_for(api: Api, given: Given) -> None:
    await given.conversation()
    nothing = condition("referer", "equal_to", "nowhere")
    await filtered(api, nothing)

    with given.queries(at_most=1):
        assert await found(api, nothing) == []


async def test_a_filter_is_three_statements(api: Api, given: Given) -> None:
    await define(api, "tier", "text")
    for _ in range(3):
        await given.conversation(custom_attributes={"tier": "gold"})
    await filtered(api)

    with given.queries(at_most=3):
        assert len(await found(api, condition("tier", "equal_to", "gold"))) == 3
    with given.queries(at_most=2):
        assert len(await found(api, OPEN)) == 3
