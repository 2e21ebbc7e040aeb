from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given

SLIM = ("id", "name", "slug", "locale", "description", "position", "account_id")


def slim(category: dict[str, Any]) -> dict[str, Any]:
    return {name: category[name] for name in SLIM}


async def test_a_new_category_has_everything_at_its_default(api: Api, given: Given) -> None:
    portal = await given.portal()
    path = f"/portals/{portal['slug']}/categories"

    reply = await api.post(path, {"name": "Conta", "slug": "conta"})

    assert reply.status == 200
    category = reply.json["payload"]
    assert category == {
        "id": category["id"],
        "name": "Conta",
        "slug": "conta",
        "locale": "en",
        "description": None,
        "position": None,
        "account_id": given.account_id,
        "icon": "",
        "meta": {"articles_count": 0},
    }
    assert (await api.get(f"{path}/{category['id']}")).json == reply.json
    assert (await api.get(path)).json == {
        "payload": [category],
        "meta": {"current_page": 1, "categories_count": 1},
    }


async def test_categories_name_each_other(api: Api, given: Given) -> None:
    portal = await given.portal(config={"allowed_locales": ["en", "es"]})
    root, parent, friend = [await given.category(portal, each) for each in ("root", "parent", "friend")]
    ids = {
        "parent_category_id": parent["id"],
        "associated_category_id": root["id"],
        "related_category_ids": [friend["id"], friend["id"]],
    }

    category = await given.category(portal, "conta", locale="es", **ids)
    path = f"/portals/{portal['slug']}/categories/{category['id']}"
    kept = await api.patch(path, {"category": {"related_category_ids": []}})
    changed = await api.patch(path, {"category": {"related_category_ids": [root["id"]], "parent_category_id": None}})

    assert category["parent_category"] == slim(parent)
    assert category["root_category"] == slim(root)
    assert category["related_categories"] == [slim(friend)]
    assert kept.json["payload"] == category
    assert changed.json["payload"]["related_categories"] == [slim(root)]
    assert "parent_category" not in changed.json["payload"]
    listed = (await api.get(f"/portals/{portal['slug']}/categories?locale=es")).json["payload"]
    assert listed == [changed.json["payload"]]


async def test_a_category_beside_zero_is_beside_none(api: Api, given: Given) -> None:
    portal = await given.portal()
    path = f"/portals/{portal['slug']}/categories"
    nobody = {"parent_category_id": 0, "associated_category_id": 0}
    parent = await given.category(portal, "parent")

    plain = await api.post(path, {"name": "Conta", "slug": "conta"} | nobody)
    child = await given.category(portal, "child", parent_category_id=parent["id"])
    freed = await api.patch(f"{path}/{child['id']}", {"category": nobody})

    assert plain.status == freed.status == 200
    assert "parent_category" in child
    for category in plain.json["payload"], freed.json["payload"]:
        assert not {"parent_category", "root_category"} & category.keys()


async def test_categories_stand_in_their_order_and_count_the_articles_of_the_language(api: Api, given: Given) -> None:
    portal = await given.portal(config={"allowed_locales": ["en", "es"]})
    last = await given.category(portal, "last", position=20)
    first = await given.category(portal, "first", position=10, locale="es")
    none = await given.category(portal, "none")
    await given.article(portal, category_id=first["id"])

    listed = (await api.get(f"/portals/{portal['slug']}/categories")).json
    english = (await api.get(f"/portals/{portal['slug']}/categories?locale=en&page=2")).json

    assert [each["id"] for each in listed["payload"]] == [first["id"], last["id"], none["id"]]
    assert listed["payload"][0]["meta"] == {"articles_count": 1}
    assert english == {"payload": [], "meta": {"current_page": "2", "categories_count": 0}}


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"name": " "}, "name"),
        ({"slug": ""}, "slug"),
        ({"slug": "a/b"}, "slug"),
        ({"slug": "taken"}, "slug"),
        ({"locale": "es"}, "locale"),
        ({"position": 2**31}, None),
        ({"position": "first"}, None),
        ({"icon": "x" * 256}, "icon"),
        ({"description": "x" * 200_000}, "description"),
        ({"parent_category_id": 999_999_999}, "category"),
        ({"associated_category_id": 999_999_999}, "category"),
        ({"related_category_ids": [999_999_999]}, "category"),
        ({"related_category_ids": "all"}, None),
    ],
)
async def test_what_a_category_cannot_be_is_refused_whole(
    api: Api, given: Given, body: dict[str, Any], attribute: str | None
) -> None:
    portal = await given.portal()
    await given.category(portal, "taken")
    category = await given.category(portal, "conta")
    path = f"/portals/{portal['slug']}/categories"

    made = await api.post(path, {"category": {"name": "Nova", "slug": "nova", **body}})
    changed = await api.patch(f"{path}/{category['id']}", {"category": {"name": "Never", **body}})

    for reply in (made, changed):
        assert reply.status == 422
        if attribute is not None:
            assert reply.json["attributes"] == [attribute]
        assert (await api.get(path)).json["meta"]["categories_count"] == 2


async def test_a_category_is_english_unless_the_portal_is_not(api: Api, given: Given) -> None:
    portal = await given.portal(config={"allowed_locales": ["es"]})
    body = {"name": "Conta", "slug": "conta"}

    refused = [
        await api.post(f"/portals/{portal['slug']}/categories", {"category": {**body, **locale}})
        for locale in ({}, {"locale": None})
    ]

    assert [(reply.status, reply.json["attributes"]) for reply in refused] == [(422, ["locale"])] * 2


async def test_categories_of_another_portal_are_never_named(api: Api, given: Given) -> None:
    portal, other = await given.portal(), await given.portal("Outra")
    foreign = await given.category(other)
    own = await given.category(portal)

    for name in ("parent_category_id", "associated_category_id"):
        for category_id in (foreign["id"], own["id"]):
            path = f"/portals/{portal['slug']}/categories/{own['id']}"
            assert (await api.patch(path, {"category": {name: category_id}})).status == 422
    assert (await api.get(f"/portals/{portal['slug']}/categories/{foreign['id']}")).status == 404


async def test_of_many_who_want_a_slug_at_once_one_gets_it(api: Api, given: Given) -> None:
    portal = await given.portal()
    body = {"category": {"name": "Conta", "slug": "conta"}}

    replies = await asyncio.gather(*(api.post(f"/portals/{portal['slug']}/categories", body) for _ in range(32)))

    assert sorted(reply.status for reply in replies) == [200] + [422] * 31


async def test_articles_of_a_category_follow_its_language_and_stay_without_it(api: Api, given: Given) -> None:
    portal = await given.portal(config={"allowed_locales": ["en", "es"]})
    category = await given.category(portal)
    article = await given.article(portal, category_id=category["id"])
    path = f"/portals/{portal['slug']}/categories/{category['id']}"

    await api.patch(path, {"category": {"locale": "es"}})
    spanish = (await api.get(f"/portals/{portal['slug']}/articles?locale=es")).json["payload"]
    removed = await api.delete(path)
    alone = (await api.get(f"/portals/{portal['slug']}/articles/{article['id']}")).json["payload"]

    assert [each["id"] for each in spanish] == [article["id"]]
    assert spanish[0]["category"]["locale"] == "es"
    assert (removed.status, removed.body) == (200, b"")
    assert alone["category"] == {"id": None, "name": None, "slug": None, "locale": None}


async def test_the_list_of_categories_is_three_statements(api: Api, given: Given) -> None:
    portal = await given.portal(config={"allowed_locales": ["en", "es"]})
    for number in range(3):
        root = await given.category(portal, f"root-{number}")
        await given.category(portal, f"es-{number}", locale="es", associated_category_id=root["id"])

    with given.queries(at_most=3):
        listed = await api.get(f"/portals/{portal['slug']}/categories?locale=es")

    assert [each["root_category"]["slug"] for each in listed.json["payload"]] == ["root-0", "root-1", "root-2"]
