from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given

PATH = "/dashboard_apps"
PAGE: dict[str, Any] = {"title": "CRM", "content": [{"type": "frame", "url": "https://crm.example.com/card"}]}


async def test_a_page_is_kept_shown_changed_and_removed(api: Api) -> None:
    created = await api.post(PATH, {"dashboard_app": PAGE})
    path = f"{PATH}/{created.json['id']}"
    changed = await api.patch(path, {"title": "Orders"})
    shown = await api.get(path)
    listed = await api.get(PATH)
    removed = await api.delete(path)

    assert created.json == {"id": created.json["id"], **PAGE, "created_at": created.json["created_at"]}
    assert changed.json == shown.json == {**created.json, "title": "Orders"}
    assert listed.json == [shown.json]
    assert (removed.status, removed.body) == (204, b"")
    assert (await api.get(path)).status == 404


async def test_every_member_keeps_pages_and_nobody_else_does(api: Api, given: Given) -> None:
    agent = api.acting_as(await given.agent("Ana"))
    page = (await agent.post(PATH, PAGE)).json

    assert (await agent.get(PATH)).json == [page]
    for person in (await given.bot(), None):
        assert (await api.acting_as(person).get(PATH)).status == 401
        assert (await api.acting_as(person).post(PATH, PAGE)).status == 401


@pytest.mark.parametrize(
    ("fields", "attribute"),
    [
        ({"title": None}, "title"),
        ({"title": " "}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"content": None}, "content"),
        ({"content": []}, "content"),
        ({"content": "https://crm.example.com"}, "content"),
        ({"content": [{"type": "script", "url": "https://crm.example.com"}]}, "content"),
        ({"content": [{"type": "frame", "url": "javascript:alert(1)"}]}, "content"),
        ({"content": [{"type": "frame"}]}, "content"),
        ({"content": PAGE["content"] * 21}, "content"),
    ],
)
async def test_what_is_no_page_is_refused(api: Api, fields: dict[str, Any], attribute: str) -> None:
    reply = await api.post(PATH, {**PAGE, **fields})

    assert (reply.status, reply.json["attributes"]) == (422, [attribute])
    assert (await api.get(PATH)).json == []


async def test_a_page_of_another_account_does_not_exist(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = (await others.api.post(PATH, PAGE)).json
    path = f"{PATH}/{theirs['id']}"

    replies = [await api.get(path), await api.patch(path, {"title": "Mine"}), await api.delete(path)]

    assert [reply.status for reply in replies] == [404] * 3
    assert (await others.api.get(path)).json == theirs


async def test_the_list_is_one_statement(api: Api, given: Given) -> None:
    await api.post(PATH, PAGE)

    with given.queries(at_most=1):
        await api.get(PATH)
