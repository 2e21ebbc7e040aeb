"""Accounts against the contract, key by key."""

from __future__ import annotations

from harness import Api, Given
from shapes import iso, misfits, one_of

ATTRIBUTES = {
    "plan_name": one_of(str, None),
    "subscribed_quantity": one_of(int, None),
    "subscription_status": one_of(str, None),
    "subscription_ends_on": one_of(str, None),
    "industry?": str,
    "company_size?": str,
    "timezone?": str,
}
CACHE_KEYS = {"label": str, "inbox": str, "team": str}
ACCOUNT = {
    "id": int,
    "name": str,
    "locale": str,
    "domain": one_of(str, None),
    "support_email": one_of(str, None),
    "status": one_of("active", "suspended"),
    "created_at": iso,
    "features": dict,
    "settings": dict,
    "custom_attributes?": ATTRIBUTES,
    "cache_keys": CACHE_KEYS,
    "latest_chatwoot_version": one_of(str, None),
}


async def test_an_account_is_bare_and_names_only_features_that_are_on(api: Api, given: Given) -> None:
    reply = await api.acting_as(await given.agent("Ana")).get("")

    assert (reply.status, misfits(reply.json, ACCOUNT)) == (200, [])
    assert "custom_attributes" not in reply.json
    assert set(reply.json["features"].values()) == {True}


async def test_attributes_come_with_those_of_the_plan(api: Api, given: Given) -> None:
    async with given.world.parts.database.transaction() as tx:
        attributes = {"industry": "Retail"}
        await tx.execute("UPDATE accounts SET custom_attributes = $2 WHERE id = $1", given.account_id, attributes)

    reply = await api.get("")

    assert misfits(reply.json, ACCOUNT) == []
    assert reply.json["custom_attributes"]["industry"] == "Retail"


async def test_a_changed_account_is_bare_too(api: Api) -> None:
    changed = await api.patch("", {"industry": "Retail", "auto_resolve_after": 4320})
    refused = await api.patch("", {"auto_resolve_after": 5})

    assert (changed.status, misfits(changed.json, ACCOUNT)) == (200, [])
    assert (refused.status, refused.json) == (
        422,
        {
            "message": "Auto resolve after must be greater than or equal to 10",
            "attributes": ["auto_resolve_after"],
        },
    )


async def test_cache_keys_are_texts_that_move(api: Api) -> None:
    before = await api.get("/cache_keys")
    await api.post("/labels", {"title": "vip"})
    after = await api.get("/cache_keys")

    assert misfits(before.json, {"cache_keys": CACHE_KEYS}) == misfits(after.json, {"cache_keys": CACHE_KEYS}) == []
    assert before.json["cache_keys"]["label"] == "0000000000"
    assert len(after.json["cache_keys"]["label"]) == 10
    assert after.json["cache_keys"]["team"] == "0000000000"
    assert after.headers["cache-control"] == "max-age=10, private, stale-while-revalidate=300"


async def test_refusals_have_the_contracts_bodies(api: Api, given: Given) -> None:
    others = await given.another_account()

    for path in ("", "/cache_keys"):
        foreign = await api.in_account(others.account_id).get(path)
        unknown = await api.in_account(999_999_999).get(path)
        assert (foreign.status, misfits(foreign.json, {"error": str})) == (404, [])
        assert (unknown.status, misfits(unknown.json, {"error": str})) == (404, [])
