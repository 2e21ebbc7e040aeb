"""Who may do what in a help centre."""

from __future__ import annotations

from harness import Api, Given, Reply


async def everything(caller: Api, slug: str, category_id: int, article_id: int) -> dict[str, list[Reply]]:
    """All that can be asked for: what every agent may, what a role may, and what administrators alone may."""
    path = f"/portals/{slug}"
    return {
        "agents": [
            await caller.get(path),
            await caller.get(f"{path}/categories"),
            await caller.get(f"{path}/articles"),
        ],
        "writers": [
            await caller.patch(path, {"name": "Mine"}),
            await caller.get(f"{path}/categories/{category_id}"),
            await caller.patch(f"{path}/categories/{category_id}", {"name": "Mine"}),
            await caller.post(f"{path}/categories", {"name": "Mine", "slug": "mine"}),
            await caller.get(f"{path}/articles/{article_id}"),
            await caller.patch(f"{path}/articles/{article_id}", {"title": "Mine"}),
            await caller.post(f"{path}/articles/reorder", {"positions_hash": {str(article_id): 3}}),
            await caller.delete(f"{path}/articles/{article_id}"),
            await caller.delete(f"{path}/categories/{category_id}"),
            await caller.delete(f"{path}/logo"),
            await caller.patch(f"{path}/archive"),
        ],
        "administrators": [
            await caller.post(f"{path}/send_instructions", {"email": "dns@example.com"}),
            await caller.delete(path),
        ],
    }


async def asked(caller: Api, given: Given) -> dict[str, set[int]]:
    portal = await given.portal(custom_domain=f"help-{given.account_id}.example.com")
    category, article = await given.category(portal), await given.article(portal)
    replies = await everything(caller, portal["slug"], category["id"], article["id"])
    await given.api.delete(f"/portals/{portal['slug']}")
    return {who: {reply.status for reply in each} for who, each in replies.items()}


async def test_agents_read_lists_those_with_the_role_write_and_administrators_do_everything(
    api: Api, given: Given
) -> None:
    ana, rui = await given.agent("Ana"), await given.agent("Rui")
    await given.custom_role("knowledge_base_manage", of=rui)

    assert await asked(api, given) == {"agents": {200}, "writers": {200}, "administrators": {200}}
    assert await asked(api.acting_as(rui), given) == {"agents": {200}, "writers": {200}, "administrators": {401}}
    assert await asked(api.acting_as(ana), given) == {"agents": {200}, "writers": {401}, "administrators": {401}}
    for caller in (await given.bot(), None):
        assert await asked(api.acting_as(caller), given) == {
            "agents": {401},
            "writers": {401},
            "administrators": {401},
        }
    for caller in (ana, rui, await given.bot(), None):
        assert (await api.acting_as(caller).post("/portals", {"name": "A", "slug": "a"})).status == 401


async def test_a_portal_of_another_account_does_not_exist(api: Api, given: Given) -> None:
    others = await given.another_account()
    portal = await others.portal()
    category, article = await others.category(portal), await others.article(portal)

    replies = await everything(api, portal["slug"], category["id"], article["id"])

    assert {reply.status for each in replies.values() for reply in each} == {404}
    assert (await others.api.get(f"/portals/{portal['slug']}/articles/{article['id']}")).json["payload"] == article


async def test_what_is_of_another_portal_is_not_found_below_this_one(api: Api, given: Given) -> None:
    portal, other = await given.portal(), await given.portal("Outra")
    category, article = await given.category(other), await given.article(other)

    for path in (f"categories/{category['id']}", f"articles/{article['id']}"):
        assert (await api.get(f"/portals/{portal['slug']}/{path}")).status == 404
        assert (await api.delete(f"/portals/{portal['slug']}/{path}")).status == 404
