from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from harness import Api, Given

NOBODY = 999_999_999


def titles(reply: Any) -> list[str]:
    return [article["title"] for article in reply.json["payload"]]


async def test_a_new_article_is_a_draft_with_a_slug_of_time_and_title(api: Api, given: Given) -> None:
    portal = await given.portal()
    path = f"/portals/{portal['slug']}/articles"

    reply = await api.post(
        path, {"title": "Senha? Esquecida!", "content": "# Passos", "author_id": given.boss.id, "id": NOBODY}
    )

    assert reply.status == 200
    article = reply.json["payload"]
    assert {**article, "author": article["author"]["id"]} == {
        "id": article["id"],
        "slug": article["slug"],
        "title": "Senha? Esquecida!",
        "content": "# Passos",
        "description": None,
        "status": "draft",
        "position": 10,
        "account_id": given.account_id,
        "updated_at": article["updated_at"],
        "meta": {},
        "category": {"id": None, "name": None, "slug": None, "locale": None},
        "views": None,
        "author": given.boss.id,
    }
    assert article["id"] != NOBODY
    assert re.fullmatch(r"\d{10}-senha-esquecida", article["slug"])
    assert (await api.get(f"{path}/{article['id']}")).json == reply.json


async def test_what_is_sent_of_an_article_changes_and_the_rest_stays(api: Api, given: Given) -> None:
    portal = await given.portal()
    ana = await given.agent("Ana")
    article = await given.article(portal)
    path = f"/portals/{portal['slug']}/articles/{article['id']}"
    sent = {
        "title": "Outra",
        "description": "Como fazer",
        "slug": "outra",
        "status": 1,
        "position": 35,
        "meta": {"title": "T", "description": "D", "tags": ["a", "b"]},
    }

    changed = await api.patch(path, {"article": {**sent, "author_id": ana.id}})
    nothing = [await api.patch(path, body) for body in ({}, {"article": {}})]
    archived = await api.put(path, {"status": "archived"})

    assert {**sent, "status": "published"}.items() <= changed.json["payload"].items()
    assert changed.json["payload"]["author"]["id"] == ana.id
    assert changed.json["payload"]["content"] == article["content"]
    assert [(reply.status, reply.json) for reply in nothing] == [(200, changed.json)] * 2
    assert archived.json["payload"]["status"] == "archived"


async def test_an_article_comes_last_in_its_category_and_speaks_its_language(api: Api, given: Given) -> None:
    portal = await given.portal(config={"allowed_locales": ["en", "es"]})
    english, spanish = await given.category(portal, "en"), await given.category(portal, "es", locale="es")
    first = await given.article(portal, category_id=english["id"])
    second = await given.article(portal, category_id=english["id"], locale="es")
    third = await given.article(portal, category_id=spanish["id"], position=70)

    moved = await api.patch(
        f"/portals/{portal['slug']}/articles/{first['id']}", {"article": {"category_id": spanish["id"]}}
    )

    assert [first["position"], second["position"], third["position"]] == [10, 20, 70]
    assert moved.json["payload"]["position"] == 80
    assert moved.json["payload"]["category"] == {"id": spanish["id"], "name": "Es", "slug": "es", "locale": "es"}
    listed = await api.get(f"/portals/{portal['slug']}/articles?locale=es&category_slug=es")
    assert [each["id"] for each in listed.json["payload"]] == [third["id"], first["id"]]
    assert (await api.get(f"/portals/{portal['slug']}/articles?locale=en")).json["meta"]["articles_count"] == 1


async def test_behind_the_last_place_there_is_articles_stand_in_the_order_of_their_ids(api: Api, given: Given) -> None:
    portal = await given.portal()
    first = await given.article(portal, position=2**31 - 1)

    second = await given.article(portal)

    assert (first["position"], second["position"]) == (2**31 - 1, 2**31 - 1)


async def test_articles_made_at_once_stand_behind_one_another(api: Api, given: Given) -> None:
    portal = await given.portal()

    made = await asyncio.gather(*(given.article(portal) for _ in range(32)))

    assert sorted(article["position"] for article in made) == [10 * number for number in range(1, 33)]
    assert len({article["slug"] for article in made}) == 32


async def test_translations_are_shown_with_each_other(api: Api, given: Given) -> None:
    portal = await given.portal(config={"allowed_locales": ["en", "es", "pt_BR"]})
    root = await given.article(portal, "Password")
    spanish = await given.article(portal, "Clave", locale="es", associated_article_id=root["id"])
    portuguese = await given.article(portal, "Senha", locale="pt_BR", associated_article_id=spanish["id"])
    path = f"/portals/{portal['slug']}/articles"

    shown = (await api.get(f"{path}/{root['id']}")).json["payload"]
    of_spanish = (await api.get(f"{path}/{spanish['id']}")).json["payload"]

    assert [each["title"] for each in shown["associated_articles"]] == ["Clave", "Senha"]
    assert [each["title"] for each in of_spanish["associated_articles"]] == ["Password", "Senha"]
    translation = shown["associated_articles"][1]
    assert translation["portal"]["slug"] == portal["slug"]
    assert {name: translation[name] for name in ("id", "category_id", "status", "account_id", "views")} == {
        "id": portuguese["id"],
        "category_id": None,
        "status": "draft",
        "account_id": given.account_id,
        "views": None,
    }


async def test_an_article_beside_zero_is_beside_none(api: Api, given: Given) -> None:
    portal = await given.portal()
    category = await given.category(portal)
    root = await given.article(portal)
    child = await given.article(portal, category_id=category["id"], associated_article_id=root["id"])

    freed = await api.patch(
        f"/portals/{portal['slug']}/articles/{child['id']}",
        {"article": {"category_id": 0, "associated_article_id": 0}},
    )

    assert child["associated_articles"]
    assert freed.status == 200
    assert "associated_articles" not in freed.json["payload"]
    assert freed.json["payload"]["category"]["id"] is None


async def test_a_root_that_becomes_a_translation_takes_its_translations_along(api: Api, given: Given) -> None:
    portal = await given.portal()
    new_root, old_root = await given.article(portal, "New"), await given.article(portal, "Old")
    child = await given.article(portal, "Child", associated_article_id=old_root["id"])
    path = f"/portals/{portal['slug']}/articles"

    await api.patch(f"{path}/{old_root['id']}", {"article": {"associated_article_id": new_root["id"]}})
    shown = (await api.get(f"{path}/{child['id']}")).json["payload"]
    circle = await api.patch(f"{path}/{new_root['id']}", {"article": {"associated_article_id": child["id"]}})
    alone = await api.patch(f"{path}/{child['id']}", {"article": {"associated_article_id": None}})

    assert [each["title"] for each in shown["associated_articles"]] == ["New", "Old"]
    assert circle.status == 200
    assert [each["title"] for each in circle.json["payload"]["associated_articles"]] == ["Old", "Child"]
    assert "associated_articles" not in alone.json["payload"]


async def test_the_content_of_an_article_is_kept_to_the_letter(api: Api, given: Given) -> None:
    portal = await given.portal()
    content = "    make run\n\nThen wait.\n"

    article = await given.article(portal, content=content)
    path = f"/portals/{portal['slug']}/articles/{article['id']}"
    changed = await api.patch(path, {"content": f"{content}\n"})

    assert article["content"] == content
    assert changed.json["payload"]["content"] == f"{content}\n"


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ({"title": ""}, ["title"]),
        ({"title": "x" * 256}, ["title"]),
        ({"content": " "}, ["content"]),
        ({"content": "x" * 200_000}, ["content"]),
        ({"author_id": None}, ["author", "author_id"]),
        ({"author_id": NOBODY}, ["author", "author_id"]),
        ({"category_id": NOBODY}, ["category"]),
        ({"associated_article_id": NOBODY}, ["associated_article"]),
        ({"status": "lost"}, ["status"]),
        ({"status": 3}, ["status"]),
        ({"slug": "a b"}, ["slug"]),
        ({"slug": "taken"}, ["slug"]),
        ({"locale": "es"}, ["locale"]),
        ({"meta": {"tags": "a"}}, None),
        ({"position": 2**40}, None),
    ],
)
async def test_what_an_article_cannot_be_is_refused_whole(
    api: Api, given: Given, body: dict[str, Any], attributes: list[str] | None
) -> None:
    portal = await given.portal()
    await given.article(portal, slug="taken")
    article = await given.article(portal)
    path = f"/portals/{portal['slug']}/articles"
    whole = {"title": "Nova", "content": "C", "author_id": given.boss.id}

    made = await api.post(path, {"article": {**whole, **body}})
    changed = await api.patch(f"{path}/{article['id']}", {"article": {"description": "Never", **body}})

    for reply in (made, changed):
        assert reply.status == 422
        if attributes is not None:
            assert reply.json["attributes"] == attributes
    assert (await api.get(path)).json["meta"]["all_articles_count"] == 2
    assert (await api.get(f"{path}/{article['id']}")).json["payload"] == article


async def test_who_wrote_it_must_be_said(api: Api, given: Given) -> None:
    portal = await given.portal()

    reply = await api.post(f"/portals/{portal['slug']}/articles", {"article": {"title": "A", "content": "C"}})

    assert (reply.status, reply.json["attributes"]) == (422, ["author", "author_id"])


async def test_what_is_of_another_portal_or_account_is_never_named(api: Api, given: Given) -> None:
    others = await given.another_account()
    portal, other, theirs = await given.portal(), await given.portal("Outra"), await others.portal()
    article = await given.article(portal)
    path = f"/portals/{portal['slug']}/articles/{article['id']}"
    named = [
        {"category_id": (await given.category(other))["id"]},
        {"category_id": (await others.category(theirs))["id"]},
        {"associated_article_id": (await given.article(other))["id"]},
        {"associated_article_id": (await others.article(theirs))["id"]},
        {"associated_article_id": article["id"]},
        {"author_id": others.boss.id},
    ]

    assert [(await api.patch(path, {"article": body})).status for body in named] == [422] * 6
    assert (await api.get(path)).json["payload"] == article


async def test_tabs_count_the_same_whichever_is_open(api: Api, given: Given) -> None:
    portal = await given.portal(config={"allowed_locales": ["en", "es"]})
    ana = await given.agent("Ana")
    for status, author in (("draft", given.boss), ("published", given.boss), ("published", ana), ("archived", ana)):
        await given.article(portal, f"{status} {author.name}", status=status, author_id=author.id)
    await given.article(portal, "Clave", locale="es")
    path = f"/portals/{portal['slug']}/articles"
    counted = {
        "all_articles_count": 5,
        "archived_articles_count": 1,
        "articles_count": 4,
        "current_page": 1,
        "draft_articles_count": 1,
        "mine_articles_count": 2,
        "published_count": 2,
    }

    for query, found in (
        ("", 4),
        ("&status=published", 2),
        ("&status=2", 1),
        (f"&author_id={ana.id}", 2),
        (f"&author_id={ana.id}&status=0", 0),
    ):
        reply = await api.get(f"{path}?locale=en{query}")
        assert reply.json["meta"] == counted
        assert len(reply.json["payload"]) == found
    assert (await api.get(f"{path}?status=lost")).status == 422


async def test_words_are_found_by_their_beginning_wherever_they_stand(api: Api, given: Given) -> None:
    portal = await given.portal()
    await given.article(portal, "Password", content="nothing")
    await given.article(portal, "Other", content="nothing", description="Forgotten passwords")
    await given.article(portal, "Third", content="Choose a passphrase, then a pin")
    path = f"/portals/{portal['slug']}/articles"

    assert set(titles(await api.get(f"{path}?query=PASS"))) == {"Password", "Other", "Third"}
    assert titles(await api.get(f"{path}?query=pass+pin")) == ["Third"]
    assert titles(await api.get(f"{path}?query=absent")) == []
    for odd in ("'", "a' | 'b", ":*", "&|!()", "%00", "x" * 3000, "<->"):
        assert (await api.get(path, params={"query": odd})).status in (200, 400)


async def test_articles_come_by_pages_those_that_were_changed_last_first(api: Api, given: Given) -> None:
    portal = await given.portal()
    made = [await given.article(portal, f"Article {number}") for number in range(27)]
    path = f"/portals/{portal['slug']}/articles"
    await api.patch(f"{path}/{made[0]['id']}", {"article": {"description": "New"}})

    first, second = await api.get(path), await api.get(f"{path}?page=2")

    expected = ["Article 0", *(f"Article {number}" for number in range(26, 0, -1))]
    assert titles(first) + titles(second) == expected
    assert len(titles(first)) == 25
    assert second.json["meta"]["current_page"] == "2"


async def test_a_list_of_articles_is_six_statements_at_most(api: Api, given: Given) -> None:
    website = await given.inbox("Loja", channel={"type": "web_widget", "website_url": "https://loja.example"})
    portal = await given.portal(config={"allowed_locales": ["en", "es"]})
    await api.patch(f"/portals/{portal['slug']}", {"inbox_id": website["id"]})
    for number in range(3):
        root = await given.article(portal, f"Root {number}")
        await given.article(portal, f"Clave {number}", locale="es", associated_article_id=root["id"])

    with given.queries(at_most=6):
        listed = await api.get(f"/portals/{portal['slug']}/articles?locale=en")

    assert all(each["associated_articles"][0]["portal"]["inbox"] for each in listed.json["payload"])


async def test_articles_are_put_in_order_within_their_portal_only(api: Api, given: Given) -> None:
    portal, other = await given.portal(), await given.portal("Outra")
    first, second, foreign = await given.article(portal), await given.article(portal), await given.article(other)
    path = f"/portals/{portal['slug']}/articles"
    positions = {str(first["id"]): 30, str(second["id"]): "5", str(foreign["id"]): 99, str(NOBODY): 1}

    reply = await api.post(f"{path}/reorder", {"positions_hash": positions})

    assert (reply.status, reply.body) == (200, b"")
    assert (await api.get(f"{path}/{first['id']}")).json["payload"]["position"] == 30
    assert (await api.get(f"{path}/{second['id']}")).json["payload"]["position"] == 5
    shown = await api.get(f"/portals/{other['slug']}/articles/{foreign['id']}")
    assert shown.json["payload"]["position"] == foreign["position"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"article_ids": [1, 2]},
        {"positions_hash": [1]},
        {"positions_hash": {"first": 1}},
        {"positions_hash": {"-1": 1}},
        {"positions_hash": {"1": 2**31}},
        {"positions_hash": {"1": None}},
    ],
)
async def test_an_order_that_says_nothing_is_refused(api: Api, given: Given, body: dict[str, Any]) -> None:
    portal = await given.portal()

    assert (await api.post(f"/portals/{portal['slug']}/articles/reorder", body)).status == 422


async def test_a_change_of_a_version_that_is_gone_is_refused(api: Api, given: Given) -> None:
    portal = await given.portal()
    article = await given.article(portal)
    path = f"/portals/{portal['slug']}/articles/{article['id']}"
    read = await api.get(path)

    first = await api.patch(path, {"article": {"title": "One"}}, headers={"If-Match": read.headers["etag"]})
    second = await api.patch(path, {"article": {"title": "Two"}}, headers={"If-Match": read.headers["etag"]})

    assert (first.status, second.status) == (200, 412)
    assert (await api.get(path)).json["payload"]["title"] == "One"


async def test_an_article_is_gone_at_once_and_its_author_may_be(api: Api, given: Given) -> None:
    portal = await given.portal()
    ana = await given.agent("Ana")
    article, kept = await given.article(portal), await given.article(portal, author_id=ana.id)
    path = f"/portals/{portal['slug']}/articles"

    removed = await api.delete(f"{path}/{article['id']}")
    await api.delete(f"/agents/{ana.id}")

    assert (removed.status, removed.body) == (200, b"")
    assert (await api.get(f"{path}/{article['id']}")).status == 404
    assert (await api.delete(f"{path}/{article['id']}")).status == 404
    assert "author" not in (await api.get(f"{path}/{kept['id']}")).json["payload"]
