from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from harness import Api, Given

PATH = "/custom_filters"
MOST = 1000
SAVE_MANY = """
INSERT INTO custom_filters (account_id, user_id, name, filter_type, query, created_at, updated_at)
SELECT $1, $2, 'One of many', 'report', '{}', now(), now() FROM generate_series(1, $3::int)
"""
IN_PORTO = {
    "payload": [
        {
            "attribute_key": "city",
            "filter_operator": "equal_to",
            "values": ["Porto"],
            "attribute_model": "standard",
            "custom_attribute_type": "",
            "query_operator": None,
        }
    ]
}
OPEN = {"payload": [{"attribute_key": "status", "filter_operator": "equal_to", "values": ["open"]}]}


def where(key: str) -> dict[str, Any]:
    return {"payload": [{"attribute_key": key, "filter_operator": "equal_to", "values": ["1"]}]}


async def saved(api: Api, name: str = "Gold in Porto", **fields: Any) -> Any:
    reply = await api.post(PATH, {"name": name, **fields})
    assert reply.status == 200, reply.body
    return reply.json


async def test_a_filter_is_saved_shown_changed_and_removed(api: Api) -> None:
    made = await api.post(
        PATH, {"custom_filter": {"name": "Gold in Porto", "filter_type": "contact", "query": IN_PORTO}}
    )
    path = f"{PATH}/{made.json['id']}"
    changed = await api.patch(path, {"name": "In Porto"})
    replaced = await api.put(path, {"query": {"payload": []}})
    shown = await api.get(path)
    removed = await api.delete(path)

    assert made.status == 200
    assert made.json == {
        "id": made.json["id"],
        "name": "Gold in Porto",
        "filter_type": "contact",
        "query": IN_PORTO,
        "created_at": made.json["created_at"],
        "updated_at": made.json["created_at"],
    }
    assert changed.json == {**made.json, "name": "In Porto", "updated_at": changed.json["updated_at"]}
    assert replaced.json == shown.json
    assert shown.json["query"] == {"payload": []}
    assert (removed.status, removed.body) == (204, b"")
    assert (await api.get(path)).status == 404


async def test_filters_are_listed_by_kind(api: Api, given: Given) -> None:
    for name, kind in (("a", "conversation"), ("b", 1), ("c", "2"), ("d", None)):
        await saved(api, name, filter_type=kind)

    with given.queries(at_most=2):
        replies = [await api.get(PATH)]
    replies += [await api.get(f"{PATH}?filter_type={kind}") for kind in ("contact", "report", "0", "")]

    names = [[each["name"] for each in reply.json] for reply in replies]
    assert names == [["a", "d"], ["b"], ["c"], ["a", "d"], ["a", "d"]]


async def test_everybody_has_their_own_and_sees_nobody_elses(api: Api, given: Given) -> None:
    ana = api.acting_as(await given.agent("Ana"))
    mine, hers = await saved(api, "Mine"), await saved(ana, "Hers")
    path = f"{PATH}/{hers['id']}"

    replies = [await api.get(path), await api.patch(path, {"name": "x"}), await api.delete(path)]

    assert [reply.status for reply in replies] == [404] * 3
    assert (await api.get(PATH)).json == [mine]
    assert (await ana.get(PATH)).json == [hers]


async def test_those_of_another_account_do_not_exist(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = await saved(others.api)
    path = f"{PATH}/{theirs['id']}"

    replies = [await api.get(path), await api.patch(path, {"name": "x"}), await api.delete(path)]

    assert [reply.status for reply in replies] == [404] * 3
    assert (await others.api.get(path)).json == theirs


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"name": " "}, {"message": "Name can't be blank", "attributes": ["name"]}),
        ({"name": None}, {"message": "Name can't be blank", "attributes": ["name"]}),
        ({"name": "x" * 256}, {"message": "Name is too long (maximum is 255 characters)", "attributes": ["name"]}),
        (
            {"filter_type": "article"},
            {"message": "Filter type is none of conversation, contact and report", "attributes": ["filter_type"]},
        ),
        (
            {"filter_type": 3},
            {"message": "Filter type is none of conversation, contact and report", "attributes": ["filter_type"]},
        ),
        (
            {"query": {"x": "x" * 100_000}},
            {"message": "Query is too large (maximum is 100 kB)", "attributes": ["query"]},
        ),
        ({"query": "all"}, None),
    ],
)
async def test_what_is_no_filter_is_not_saved(api: Api, fields: dict[str, Any], refusal: dict[str, Any] | None) -> None:
    kept = await saved(api)

    replies = [await api.post(PATH, {"name": "Gold", **fields}), await api.patch(f"{PATH}/{kept['id']}", fields)]

    assert [reply.status for reply in replies] == [422, 422]
    assert refusal is None or [reply.json for reply in replies] == [refusal] * 2
    assert (await api.get(PATH)).json == [kept]


@pytest.mark.parametrize(
    "query",
    [
        where("shoes"),
        {"payload": [{"attribute_key": "name", "shown": {"open": None}}], "version": 1.0},
        {"payload": "all", "from": 1},
        {},
    ],
)
@pytest.mark.parametrize("filter_type", ["conversation", "contact", "report"])
async def test_a_query_is_kept_to_the_letter(api: Api, filter_type: str, query: dict[str, Any]) -> None:
    """Attributes may be defined later, and clients keep more with their filters than what lists read."""
    made = await saved(api, filter_type=filter_type, query=query)
    changed = await api.patch(f"{PATH}/{made['id']}", {"query": {"before": query}})

    assert made["query"] == query
    assert changed.json["query"] == {"before": query}


async def test_what_a_saved_filter_says_is_what_the_list_takes(api: Api) -> None:
    kept = await saved(api, query=OPEN)

    assert (await api.post("/conversations/filter", kept["query"])).status == 200


async def test_a_kind_there_is_not_is_not_listed(api: Api) -> None:
    assert (await api.get(f"{PATH}?filter_type=article")).status == 422


async def test_a_filter_has_a_name(api: Api) -> None:
    replies = [await api.post(PATH, {"query": {}}), await api.post(PATH, {})]

    assert [reply.status for reply in replies] == [422, 422]


async def test_so_many_are_saved_and_no_more(api: Api, given: Given) -> None:
    first = await saved(api, "First")
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(SAVE_MANY, given.account_id, given.boss.id, MOST - 2)
    replies = await asyncio.gather(*[api.post(PATH, {"name": str(number)}) for number in range(32)])

    refused = next(reply for reply in replies if reply.status != 200)
    changed = await api.patch(f"{PATH}/{first['id']}", {"name": "A"})

    assert Counter(reply.status for reply in replies) == {200: 1, 422: 31}
    assert refused.json["attributes"] == ["account_id"]
    assert changed.status == 200
    await saved(api.acting_as(await given.agent("Ana")), "Hers")


async def test_filters_go_with_whoever_leaves(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    await saved(api.acting_as(ana))

    await api.delete(f"/agents/{ana.id}")

    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value("SELECT count(*) FROM custom_filters WHERE account_id = $1", given.account_id) == 0


async def test_bots_and_strangers_save_nothing(api: Api, given: Given) -> None:
    kept = await saved(api)
    path = f"{PATH}/{kept['id']}"

    statuses = [
        reply.status
        for caller in (await given.bot(), None)
        for reply in (
            await api.acting_as(caller).get(PATH),
            await api.acting_as(caller).get(path),
            await api.acting_as(caller).post(PATH, {"name": "x"}),
            await api.acting_as(caller).patch(path, {"name": "x"}),
            await api.acting_as(caller).delete(path),
        )
    ]

    assert statuses == [401] * 10
