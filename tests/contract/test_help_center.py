"""Help-centre administration against the contract: every endpoint and every refusal, key by key."""

from __future__ import annotations

from typing import Any

from apps import PNG
from harness import Api, Given
from shapes import misfits, one_of, unix

TEXT = one_of(str, None)
NUMBER = one_of(int, None)
LOGO = {
    "id": int,
    "portal_id": int,
    "file_type": str,
    "account_id": int,
    "file_url": str,
    "blob_id": str,
    "filename": str,
}
PORTAL: dict[str, Any] = {
    "id": int,
    "name": str,
    "slug": str,
    "color": TEXT,
    "custom_domain": TEXT,
    "header_text": TEXT,
    "homepage_link": TEXT,
    "page_title": TEXT,
    "archived": bool,
    "account_id": int,
    "config": {"allowed_locales": [{"code": str, "articles_count": int, "categories_count": int}]},
    "inbox?": dict,
    "logo?": LOGO,
    "meta": {
        "all_articles_count": NUMBER,
        "archived_articles_count": NUMBER,
        "published_count": NUMBER,
        "draft_articles_count": NUMBER,
        "mine_articles_count?": int,
        "categories_count": int,
        "default_locale": str,
    },
}
SLIM = {
    "id": int,
    "name": str,
    "slug": str,
    "locale": str,
    "description": TEXT,
    "position": NUMBER,
    "account_id": int,
}
CATEGORY = {
    **SLIM,
    "icon": str,
    "meta": {"articles_count": int},
    "related_categories?": [SLIM],
    "parent_category?": SLIM,
    "root_category?": SLIM,
}
STATUS = one_of("draft", "published", "archived")
TRANSLATION = {
    "id": int,
    "category_id": NUMBER,
    "title": str,
    "content": str,
    "description": TEXT,
    "status": STATUS,
    "account_id": int,
    "portal": PORTAL,
    "views": NUMBER,
    "author?": dict,
}
ARTICLE = {
    "id": int,
    "slug": str,
    "title": str,
    "content": str,
    "description": TEXT,
    "status": STATUS,
    "position": NUMBER,
    "account_id": int,
    "updated_at": unix,
    "meta": {"title?": TEXT, "description?": TEXT, "tags?": [str]},
    "category": {"id": NUMBER, "name": TEXT, "slug": TEXT, "locale": TEXT},
    "views": NUMBER,
    "author?": dict,
    "associated_articles?": [TRANSLATION],
}
COUNTS = {
    "all_articles_count": int,
    "archived_articles_count": int,
    "articles_count": int,
    "current_page": int,
    "draft_articles_count": int,
    "mine_articles_count": int,
    "published_count": int,
}
RECORD_REFUSAL = {"message": str, "attributes": [str]}
ERROR = {"error": str}


async def test_a_single_portal_is_bare_and_the_list_wrapped(api: Api, given: Given) -> None:
    website = await given.inbox("Loja", channel={"type": "web_widget", "website_url": "https://loja.example"})
    uploaded = await api.call("POST", "/upload", files={"attachment": ("logo.png", PNG)})
    portal = await given.portal()
    path = f"/portals/{portal['slug']}"

    full = await api.patch(path, {"inbox_id": website["id"], "blob_id": uploaded.json["blob_id"]})

    assert {"inbox", "logo"} <= full.json.keys()
    for reply in (full, await api.get(path), await api.put(path, {"portal": {"name": "Suporte"}})):
        assert (reply.status, misfits(reply.json, PORTAL)) == (200, [])
    assert misfits(portal, PORTAL) == []
    listed = await api.get("/portals")
    assert misfits(listed.json, {"payload": [PORTAL], "meta": {"current_page": int, "portals_count": int}}) == []
    for reply in (await api.delete(f"{path}/logo"), await api.delete(path)):
        assert (reply.status, reply.body) == (200, b"")


async def test_categories_are_always_wrapped(api: Api, given: Given) -> None:
    portal = await given.portal()
    path = f"/portals/{portal['slug']}/categories"
    other = await given.category(portal, "other")
    named = {"parent_category_id": other["id"], "associated_category_id": other["id"]}

    made = await api.post(path, {"category": {"name": "A", "slug": "a", "related_category_ids": [other["id"]]} | named})

    one = f"{path}/{made.json['payload']['id']}"
    assert {"related_categories", "parent_category", "root_category"} <= made.json["payload"].keys()
    for reply in (made, await api.get(one), await api.patch(one, {"icon": "🔑"})):
        assert (reply.status, misfits(reply.json, {"payload": CATEGORY})) == (200, [])
    listed = await api.get(path)
    assert misfits(listed.json, {"payload": [CATEGORY], "meta": {"current_page": int, "categories_count": int}}) == []
    removal = await api.delete(one)
    assert (removal.status, removal.body) == (200, b"")


async def test_articles_are_always_wrapped(api: Api, given: Given) -> None:
    portal = await given.portal()
    path = f"/portals/{portal['slug']}/articles"
    root = await given.article(portal)
    body = {"title": "T", "content": "C", "author_id": given.boss.id, "associated_article_id": root["id"]}

    made = await api.post(path, {"article": {**body, "meta": {"title": "T", "description": "D", "tags": ["a"]}}})

    one = f"{path}/{made.json['payload']['id']}"
    assert {"author", "associated_articles"} <= made.json["payload"].keys()
    for reply in (made, await api.get(one), await api.patch(one, {"status": "published"}), await api.patch(one, {})):
        assert (reply.status, misfits(reply.json, {"payload": ARTICLE})) == (200, [])
    listed = await api.get(path)
    assert misfits(listed.json, {"payload": [ARTICLE], "meta": COUNTS}) == []
    for reply in (
        await api.post(f"{path}/reorder", {"positions_hash": {str(root["id"]): 5}}),
        await api.delete(one),
    ):
        assert (reply.status, reply.body) == (200, b"")


async def test_lists_tell_the_page_as_it_was_asked_for(api: Api, given: Given) -> None:
    portal = await given.portal()
    path = f"/portals/{portal['slug']}"

    lists = [await api.get(f"{each}?page=1") for each in ("/portals", f"{path}/categories", f"{path}/articles")]

    assert [each.json["meta"]["current_page"] for each in lists] == ["1"] * 3


async def test_refusals_have_the_contracts_bodies(api: Api, given: Given) -> None:
    portal = await given.portal(custom_domain=f"ajuda{given.account_id}.example.com")
    path = f"/portals/{portal['slug']}"
    ana = api.acting_as(await given.agent("Ana"))

    records = [
        await api.post("/portals", {"name": "A", "slug": portal["slug"]}),
        await api.post("/portals", {"portal": {"slug": "a"}}),
        await api.patch(path, {"config": {"unknown": 1}}),
        await api.post(f"{path}/categories", {"name": "A", "slug": "a", "locale": "xx"}),
        await api.post(f"{path}/articles", {"title": "A", "content": "C"}),
    ]
    errors = [
        await api.post(f"{path}/send_instructions", {"email": ""}),
        await api.post(f"{path}/articles/reorder", {"article_ids": [1]}),
    ]
    sent = await api.post(f"{path}/send_instructions", {"email": "dns@example.com"})
    not_found = [
        await api.get("/portals/no-such-portal"),
        await api.get("/portals/no-such-portal/articles"),
        await api.get(f"{path}/articles/999999999"),
    ]
    not_allowed = [await ana.post("/portals", {"name": "A", "slug": "a"}), await ana.get(f"{path}/articles/1")]

    assert [(each.status, misfits(each.json, RECORD_REFUSAL)) for each in records] == [(422, [])] * 5
    assert [(each.status, misfits(each.json, ERROR)) for each in errors] == [(422, [])] * 2
    assert (sent.status, misfits(sent.json, {"message": str})) == (200, [])
    assert [(each.status, misfits(each.json, ERROR)) for each in not_found] == [(404, [])] * 3
    assert [(each.status, misfits(each.json, ERROR)) for each in not_allowed] == [(401, [])] * 2
