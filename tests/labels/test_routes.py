from __future__ import annotations

import pytest
from harness import Api, Given

from criachat.accounts.events import CacheInvalidated
from criachat.labels.events import LabelRenamed

TAKEN = {"message": "Title has already been taken", "attributes": ["title"]}


async def label(api: Api, title: str = "vip", **fields: object) -> dict[str, object]:
    reply = await api.post("/labels", {"title": title, **fields})
    assert reply.status == 200, reply.body
    return reply.json


async def test_a_label_is_created_shown_changed_and_removed(api: Api) -> None:
    created = await api.post("/labels", {"label": {"title": " VIP ", "description": "Pays well"}})
    path = f"/labels/{created.json['id']}"
    changed = await api.patch(path, {"color": "#ff0000", "show_on_sidebar": "true"})
    shown = await api.get(path)
    removed = await api.delete(path)

    assert created.status == 200
    expected = {"title": "vip", "description": "Pays well", "color": "#1f93ff", "show_on_sidebar": None}
    assert created.json == {"id": created.json["id"], **expected}
    assert changed.json == shown.json == {**created.json, "color": "#ff0000", "show_on_sidebar": True}
    assert (removed.status, removed.body) == (200, b"")
    assert (await api.get(path)).status == 404
    assert (await api.get("/labels")).json == {"payload": []}


async def test_every_member_lists_labels_by_title(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    for title in ("orders", "billing", "vip"):
        await label(api, title)

    reply = await api.acting_as(ana).get("/labels")

    assert [each["title"] for each in reply.json["payload"]] == ["billing", "orders", "vip"]


@pytest.mark.parametrize("title", ["vip", "日本", "ação-2026", "a_b", "9lives", "हिन्दी"])
async def test_a_title_has_letters_and_digits_of_any_script(api: Api, title: str) -> None:
    assert (await label(api, title))["title"] == title


@pytest.mark.parametrize("title", ["v", "-vip", "_vip", "two words", "a,b", "a#b", "x" * 256])
async def test_a_title_that_cannot_stand_in_a_text_is_refused(api: Api, title: str) -> None:
    reply = await api.post("/labels", {"title": title})

    assert reply.status == 422
    assert reply.json["attributes"] == ["title"]


@pytest.mark.parametrize("body", [{"title": None}, {"title": "  "}, {"description": "No title"}])
async def test_a_label_needs_a_title(api: Api, body: dict[str, object]) -> None:
    reply = await api.post("/labels", body)

    assert (reply.status, reply.json) == (422, {"message": "Title can't be blank", "attributes": ["title"]})


async def test_an_empty_request_is_told_what_it_lacks(api: Api) -> None:
    reply = await api.post("/labels", {})

    assert (reply.status, reply.json) == (422, {"error": "param is missing or the value is empty: label"})


async def test_a_title_is_taken_once_in_whatever_case(api: Api) -> None:
    await label(api, "vip")
    other = await label(api, "orders")

    created = await api.post("/labels", {"title": "VIP"})
    renamed = await api.patch(f"/labels/{other['id']}", {"title": "Vip"})

    assert (created.status, created.json) == (422, TAKEN)
    assert (renamed.status, renamed.json) == (422, TAKEN)


async def test_another_account_may_have_the_same_title(api: Api, given: Given) -> None:
    others = await given.another_account()
    await label(api, "vip")

    assert (await label(others.api, "vip"))["title"] == "vip"


async def test_a_renamed_label_is_told_of_and_one_that_kept_its_title_is_not(api: Api, given: Given) -> None:
    created = await label(api, "vip")
    path = f"/labels/{created['id']}"

    await api.patch(path, {"title": "VIP", "description": "Pays well"})
    await api.patch(path, {"title": "gold"})

    (event,) = await given.emitted(LabelRenamed)
    assert (event.label_id, event.previous, event.current) == (created["id"], "vip", "gold")
    assert event.actor_id == given.boss.id


async def test_each_change_moves_the_cache_key_on(api: Api, given: Given) -> None:
    created = await label(api, "vip")
    path = f"/labels/{created['id']}"
    await api.patch(path, {"title": "gold"})
    await api.patch(path, {"title": "gold"})
    await api.delete(path)

    keys = [event.cache_keys for event in await given.emitted(CacheInvalidated)]
    assert len(keys) == 3
    assert len({each["label"] for each in keys}) == 3
    assert keys[-1] == (await api.get("/cache_keys")).json["cache_keys"]
    assert keys[-1]["team"] == "0000000000"


async def test_agents_list_labels_and_do_nothing_else_with_them(api: Api, given: Given) -> None:
    created = await label(api, "vip")
    path = f"/labels/{created['id']}"
    agent = api.acting_as(await given.agent("Ana"))

    replies = [
        await agent.get(path),
        await agent.post("/labels", {"title": "gold"}),
        await agent.patch(path, {"title": "gold"}),
        await agent.delete(path),
    ]

    assert [reply.status for reply in replies] == [401] * 4
    assert replies[0].json == {"error": "You are not authorized to do this action"}
    assert (await api.get(path)).json == created


async def test_bots_and_strangers_see_no_labels(api: Api, given: Given) -> None:
    bot = api.acting_as(await given.bot())
    nobody = api.acting_as(None)

    assert (await bot.get("/labels")).json == {"error": "Access to this endpoint is not authorized for bots"}
    assert (await nobody.get("/labels")).status == (await nobody.post("/labels", {"title": "vip"})).status == 401


async def test_a_label_of_another_account_does_not_exist(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = await label(others.api, "vip")
    path = f"/labels/{theirs['id']}"

    replies = [await api.get(path), await api.patch(path, {"title": "gold"}), await api.delete(path)]

    assert [reply.status for reply in replies] == [404] * 3
    assert replies[0].json == {"error": "Resource could not be found"}
    assert (await others.api.get(path)).json == theirs


async def test_the_list_of_labels_is_one_statement(api: Api, given: Given) -> None:
    for title in ("orders", "billing", "vip"):
        await label(api, title)

    with given.queries(at_most=1):
        await api.get("/labels")
