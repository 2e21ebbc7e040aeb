from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest
from apps import PNG
from harness import Api, Given
from mailserver import Mailbox
from visitors import Browser

from criachat.kit.tokens import random_token

TAKEN = "has already been taken"
WEBSITE = {"type": "web_widget", "website_url": "https://loja.example"}


def slug() -> str:
    return f"ajuda-{random_token(8).lower()}"


async def uploaded(api: Api, name: str = "logo.png", content: bytes = PNG) -> str:
    return (await api.call("POST", "/upload", files={"attachment": (name, content)})).json["blob_id"]


async def test_a_new_portal_has_everything_at_its_default(api: Api, given: Given) -> None:
    path = slug()

    reply = await api.post("/portals", {"name": " Ajuda ", "slug": path})

    assert reply.status == 200
    portal = reply.json
    assert portal == {
        "id": portal["id"],
        "color": None,
        "custom_domain": None,
        "header_text": None,
        "homepage_link": None,
        "name": "Ajuda",
        "page_title": None,
        "slug": path,
        "archived": False,
        "account_id": given.account_id,
        "config": {"allowed_locales": [{"code": "en", "articles_count": 0, "categories_count": 0}]},
        "meta": {
            "all_articles_count": 0,
            "archived_articles_count": 0,
            "published_count": 0,
            "draft_articles_count": 0,
            "categories_count": 0,
            "default_locale": "en",
        },
    }
    assert (await api.get(f"/portals/{path}")).json == portal
    assert (await api.get("/portals?page=7")).json == {
        "payload": [portal],
        "meta": {"current_page": "7", "portals_count": 1},
    }


async def test_what_is_sent_of_a_portal_changes_and_the_rest_stays(api: Api, given: Given) -> None:
    portal = await given.portal(color="#123456", header_text="Olá")
    sent = {
        "name": "Suporte",
        "page_title": "Suporte",
        "homepage_link": "https://loja.example",
        "custom_domain": f"https://{portal['slug']}.Loja.example/path",
        "config": {"allowed_locales": ["pt_BR", "en", "pt_BR"], "default_locale": "pt_BR"},
    }

    changed = await api.patch(f"/portals/{portal['slug']}", {"portal": sent})
    cleared = await api.put(f"/portals/{portal['slug']}", {"homepage_link": "", "custom_domain": ""})

    assert changed.status == 200
    assert changed.json == {
        **portal,
        **sent,
        "custom_domain": f"{portal['slug']}.loja.example",
        "config": {
            "allowed_locales": [{"code": code, "articles_count": 0, "categories_count": 0} for code in ("pt_BR", "en")]
        },
        "meta": {**portal["meta"], "default_locale": "pt_BR"},
    }
    assert cleared.json == {**changed.json, "homepage_link": None, "custom_domain": None}


async def test_another_slug_leads_to_the_portal_at_once_and_the_old_one_is_free(api: Api, given: Given) -> None:
    portal, path = await given.portal(), slug()

    changed = await api.patch(f"/portals/{portal['slug']}", {"slug": path})

    assert changed.json == {**portal, "slug": path}
    assert (await api.get(f"/portals/{portal['slug']}")).status == 404
    assert (await api.get(f"/portals/{path}")).json == changed.json
    assert (await api.post("/portals", {"name": "Nova", "slug": portal["slug"]})).status == 200


async def test_an_archived_portal_is_changed_by_either_way(api: Api, given: Given) -> None:
    portal = await given.portal()

    by_field = await api.patch(f"/portals/{portal['slug']}", {"portal": {"archived": True}})
    back = await api.patch(f"/portals/{portal['slug']}", {"portal": {"archived": False}})
    by_path = await api.patch(f"/portals/{portal['slug']}/archive")

    assert by_field.json == by_path.json == {**portal, "archived": True}
    assert back.json == portal


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"slug": " "}, "slug"),
        ({"slug": "a/b"}, "slug"),
        ({"slug": "a b"}, "slug"),
        ({"header_text": "x" * 20_001}, "header_text"),
        ({"custom_domain": "localhost"}, "custom_domain"),
        ({"custom_domain": "http://["}, "custom_domain"),
        ({"custom_domain": "a_b.example/<script>"}, "custom_domain"),
        ({"config": {"color": "red"}}, "config"),
        ({"config": {"allowed_locales": ["en"], "default_locale": "es"}}, "config"),
        ({"config": {"allowed_locales": ["<en>"]}}, "config"),
        ({"blob_id": "forged--signature"}, "logo"),
    ],
)
async def test_what_a_portal_cannot_be_is_refused_whole(
    api: Api, given: Given, body: dict[str, Any], attribute: str
) -> None:
    portal = await given.portal()

    changed = await api.patch(f"/portals/{portal['slug']}", {"page_title": "Never", **body})
    made = await api.post("/portals", {"name": "Nova", "slug": slug(), **body})

    for reply in (changed, made):
        assert (reply.status, reply.json["attributes"]) == (422, [attribute])
    assert (await api.get("/portals")).json["payload"] == [portal]


async def test_everything_that_a_help_centre_lacks_is_named_at_once(api: Api, given: Given) -> None:
    path = f"/portals/{(await given.portal())['slug']}"

    lacking = [
        await api.post("/portals", {"name": "", "custom_domain": "localhost"}),
        await api.patch(path, {"name": "", "slug": "a/b"}),
        await api.post(f"{path}/categories", {"name": "", "locale": "xx"}),
        await api.post(f"{path}/articles", {"description": "Nothing else"}),
    ]

    assert [reply.status for reply in lacking] == [422] * 4
    assert [reply.json["attributes"] for reply in lacking] == [
        ["name", "slug", "custom_domain"],
        ["name", "slug"],
        ["name", "slug", "locale"],
        ["title", "content", "author", "author_id"],
    ]
    assert lacking[3].json["message"] == "Title can't be blank, Content can't be blank, Author must exist"


@pytest.mark.parametrize("body", [{"archived": "perhaps"}, {"config": {"allowed_locales": "en"}}, {"config": [1]}])
async def test_a_value_of_the_wrong_kind_is_refused(api: Api, given: Given, body: dict[str, Any]) -> None:
    portal = await given.portal()

    assert (await api.patch(f"/portals/{portal['slug']}", body)).status == 422
    assert (await api.get(f"/portals/{portal['slug']}")).json == portal


async def test_a_slug_and_a_domain_are_taken_once_in_the_installation(api: Api, given: Given) -> None:
    others = await given.another_account()
    domain = f"{slug()}.example.com"
    portal = await given.portal(custom_domain=domain)
    theirs = await others.portal()

    refused = [
        await others.api.post("/portals", {"name": "Mine", "slug": portal["slug"]}),
        await others.api.patch(f"/portals/{theirs['slug']}", {"slug": portal["slug"]}),
        await others.api.post("/portals", {"name": "Mine", "slug": slug(), "custom_domain": domain}),
        await others.api.patch(f"/portals/{theirs['slug']}", {"custom_domain": domain}),
    ]

    slug_taken = {"message": f"Slug {TAKEN}", "attributes": ["slug"]}
    domain_taken = {"message": f"Custom domain {TAKEN}", "attributes": ["custom_domain"]}
    assert [(reply.status, reply.json) for reply in refused] == [
        (422, slug_taken),
        (422, slug_taken),
        (422, domain_taken),
        (422, domain_taken),
    ]
    assert (await others.api.get("/portals")).json["payload"] == [theirs]


async def test_of_many_who_want_a_slug_at_once_one_gets_it(api: Api, given: Given) -> None:
    body = {"name": "Ajuda", "slug": slug()}

    replies = await asyncio.gather(*(api.post("/portals", body) for _ in range(32)))

    assert sorted(reply.status for reply in replies) == [200] + [422] * 31
    assert (await api.get("/portals")).json["meta"]["portals_count"] == 1


async def test_a_website_is_attached_and_detached_and_other_inboxes_change_nothing(api: Api, given: Given) -> None:
    website, app = await given.inbox("Loja", channel=WEBSITE), await given.inbox("App")
    theirs = await (await given.another_account()).inbox("Theirs", channel=WEBSITE)
    portal = await given.portal()
    path = f"/portals/{portal['slug']}"

    attached = await api.patch(path, {"portal": {"name": "Ajuda"}, "inbox_id": website["id"]})
    other_kind = await api.patch(path, {"inbox_id": app["id"]})
    foreign = await api.patch(path, {"inbox_id": theirs["id"]})
    ana = await api.acting_as(await given.agent("Ana")).get(path)
    none = [await api.patch(path, {"inbox_id": said}) for said in ("9" * 30, "9" * 5000, "App", 2**63 - 1)]
    detached = await api.patch(path, {"inbox_id": ""})

    assert [reply.status for reply in none] == [404] * 4
    assert attached.json == other_kind.json == {**portal, "inbox": website}
    assert foreign.status == 404
    assert ana.json["inbox"] == {name: value for name, value in website.items() if name != "hmac_token"}
    assert detached.json == portal


async def test_a_token_for_the_help_center_alone_reads_no_settings_of_inboxes(api: Api, given: Given) -> None:
    website = await given.inbox("Loja", channel=WEBSITE)
    portal = await given.portal()
    path = f"/portals/{portal['slug']}"
    await api.patch(path, {"inbox_id": website["id"]})
    narrow = api.acting_as(await given.narrowed(given.boss, "help_center:write"))
    both = api.acting_as(await given.narrowed(given.boss, "help_center:read", "inboxes:read"))

    shown = [
        (await narrow.get(path)).json,
        (await narrow.get("/portals")).json["payload"][0],
        (await narrow.patch(path, {"portal": {"name": "Ajuda"}})).json,
    ]

    slim = {name: website[name] for name in ("id", "avatar_url", "channel_id", "name", "channel_type", "provider")}
    assert [each["inbox"] for each in shown] == [slim] * 3
    assert (await both.get(path)).json["inbox"] == website


async def test_an_inbox_names_its_help_centre(api: Api, given: Given) -> None:
    portal, inbox = await given.portal(), await given.inbox()
    theirs = await (await given.another_account()).portal()
    path = f"/inboxes/{inbox['id']}"

    linked = await api.patch(path, {"portal_id": portal["id"]})
    refused = await api.patch(path, {"portal_id": theirs["id"], "name": "Never"})
    unlinked = await api.patch(path, {"portal_id": "null"})
    await api.patch(path, {"portal_id": portal["id"]})
    await api.delete(f"/portals/{portal['slug']}")

    assert linked.json == {**inbox, "help_center": {"name": "Ajuda", "slug": portal["slug"]}}
    assert (refused.status, refused.json) == (422, {"message": "Portal must exist", "attributes": ["portal"]})
    assert unlinked.json == inbox
    assert (await api.get(path)).json == inbox


async def test_a_logo_is_shown_replaced_and_let_go(api: Api, given: Given) -> None:
    portal = await given.portal()
    path = f"/portals/{portal['slug']}"
    blob_id = await uploaded(api)

    shown = await api.patch(path, {"blob_id": blob_id})
    logo = shown.json["logo"]
    picture = await api.acting_as(None).get(urlsplit(logo["file_url"]).path)
    replaced = await api.patch(path, {"portal": {"name": "Ajuda"}, "blob_id": await uploaded(api, "novo.png")})
    removed = await api.delete(f"{path}/logo")

    assert {name: logo[name] for name in ("portal_id", "account_id", "file_type", "filename")} == {
        "portal_id": portal["id"],
        "account_id": given.account_id,
        "file_type": "image/png",
        "filename": "logo.png",
    }
    assert (picture.status, picture.body) == (200, PNG)
    assert replaced.json["logo"]["filename"] == "novo.png"
    assert (removed.status, removed.body) == (200, b"")
    assert (await api.get(path)).json == portal
    async with given.world.parts.database.reading() as db:
        held = await db.fetch_value(
            "SELECT count(*) FROM uploads WHERE account_id = $1 AND expires_at IS NULL", given.account_id
        )
    assert held == 0


async def test_only_pictures_of_ones_own_become_logos(api: Api, given: Given) -> None:
    portal = await given.portal()
    others = await given.another_account()

    for blob_id in (await uploaded(api, "a.txt", b"just words"), await uploaded(others.api)):
        reply = await api.patch(f"/portals/{portal['slug']}", {"blob_id": blob_id})
        assert (reply.status, reply.json["attributes"]) == (422, ["logo"])
    assert (await api.get(f"/portals/{portal['slug']}")).json == portal


async def test_instructions_are_mailed_in_the_language_of_the_account(api: Api, given: Given, mailbox: Mailbox) -> None:
    domain, to = f"{slug()}.example.com", f"dns-{given.account_id}@example.com"
    portal = await given.portal(custom_domain=domain)
    bare = await given.portal("Bare")

    sent = await api.post(f"/portals/{portal['slug']}/send_instructions", {"email": to})
    await given.worked()
    refused = [
        await api.post(f"/portals/{portal['slug']}/send_instructions", {"email": "nobody"}),
        await api.post(f"/portals/{portal['slug']}/send_instructions", {}),
        await api.post(f"/portals/{bare['slug']}/send_instructions", {"email": to}),
    ]

    assert (sent.status, list(sent.json)) == (200, ["message"])
    (mail,) = mailbox.of(to)
    text = mail.get_body(("plain",))
    assert text is not None
    assert f"{domain}  CNAME  criachat.test" in text.get_content()
    assert [(reply.status, list(reply.json)) for reply in refused] == [(422, ["error"])] * 3


async def test_a_portal_goes_with_all_that_is_in_it(api: Api, given: Given) -> None:
    portal, other = await given.portal(), await given.portal("Outra")
    category = await given.category(portal)
    await given.article(portal, category_id=category["id"])
    kept = await given.article(other)

    reply = await api.delete(f"/portals/{portal['slug']}")

    assert (reply.status, reply.body) == (200, b"")
    assert (await api.get(f"/portals/{portal['slug']}")).status == 404
    assert (await api.get(f"/portals/{other['slug']}/articles/{kept['id']}")).status == 200
    async with given.world.parts.database.reading() as db:
        left = await db.fetch_value(
            "SELECT (SELECT count(*) FROM categories WHERE account_id = $1)"
            " + (SELECT count(*) FROM articles WHERE account_id = $1)"
            " + (SELECT count(*) FROM directory WHERE account_id = $1 AND kind = 'portal_slug' AND key = $2)",
            given.account_id,
            portal["slug"],
        )
    assert left == 1


async def test_a_portal_shown_alone_counts_its_articles_in_one_language_or_in_all(api: Api, given: Given) -> None:
    portal = await given.portal(config={"allowed_locales": ["en", "es"]})
    path = f"/portals/{portal['slug']}"
    ana = await given.agent("Ana")
    await given.category(portal, locale="es")
    await given.article(portal, status="published")
    await given.article(portal, author_id=ana.id)
    await given.article(portal, locale="es", status="archived")

    everything, spanish = (await api.get(path)).json, (await api.get(f"{path}?locale=es")).json

    assert everything["meta"] == {
        "all_articles_count": 3,
        "archived_articles_count": 1,
        "published_count": 1,
        "draft_articles_count": 1,
        "mine_articles_count": 2,
        "categories_count": 1,
        "default_locale": "en",
    }
    assert spanish["meta"] == {
        **everything["meta"],
        "all_articles_count": 1,
        "published_count": 0,
        "draft_articles_count": 0,
        "mine_articles_count": 1,
    }
    assert everything["config"]["allowed_locales"] == [
        {"code": "en", "articles_count": 2, "categories_count": 0},
        {"code": "es", "articles_count": 1, "categories_count": 1},
    ]


async def test_the_list_of_portals_is_two_statements(api: Api, given: Given) -> None:
    website = await given.inbox("Loja", channel=WEBSITE)
    for number in range(3):
        portal = await given.portal(f"Ajuda {number}")
        await api.patch(f"/portals/{portal['slug']}", {"inbox_id": website["id"]})
        await given.article(portal)

    with given.queries(at_most=2):
        listed = await api.get("/portals")

    assert [each["name"] for each in listed.json["payload"]] == ["Ajuda 0", "Ajuda 1", "Ajuda 2"]


async def test_instructions_are_not_mailed_without_end(given: Given) -> None:
    portal, browser = await given.portal(custom_domain=f"{slug()}.example.com"), Browser(given.world)
    path = f"/api/v1/accounts/{given.account_id}/portals/{portal['slug']}/send_instructions"
    headers = {"api_access_token": given.boss.token}

    replies = [await browser.post(path, {"email": "nobody"}, headers=headers) for _ in range(31)]

    assert [reply.status for reply in replies] == [422] * 30 + [429]
