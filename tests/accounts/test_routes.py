from __future__ import annotations

from harness import Api, Given


async def test_an_account_is_shown_to_its_members(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")

    reply = await api.acting_as(ana).get("")

    assert reply.status == 200
    account = reply.json
    assert account.pop("created_at").endswith("Z")
    assert account.pop("features")["inbox_management"] is True
    assert account == {
        "id": given.account_id,
        "name": "Loja Azul",
        "locale": "en",
        "domain": None,
        "support_email": None,
        "status": "active",
        "settings": {},
        "cache_keys": {"label": "0000000000", "inbox": "0000000000", "team": "0000000000"},
        "latest_chatwoot_version": None,
    }


async def test_an_account_is_shown_to_nobody_else(api: Api, given: Given) -> None:
    others = await given.another_account()

    assert (await api.in_account(others.account_id).get("")).status == 404
    assert (await api.in_account(999_999_999).get("")).status == 404
    assert (await api.in_account(2**70).get("")).status == 404
    assert (await api.acting_as(await given.bot()).get("")).status == 401
    assert (await api.acting_as(None).get("")).json == {"errors": ["You need to sign in or sign up before continuing."]}
