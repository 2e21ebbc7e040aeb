from __future__ import annotations

import asyncio

import pytest
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
        "support_email": "no-reply@localhost",
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


async def test_an_account_is_changed_in_what_is_sent(api: Api) -> None:
    before = (await api.get("")).json

    first = await api.patch(
        "", {"name": " Loja Anil ", "locale": "pt_BR", "domain": "loja.example", "industry": "Retail"}
    )
    second = await api.put("", {"auto_resolve_after": 4320, "auto_resolve_message": "Até logo", "company_size": "2-10"})
    third = await api.patch("", {"auto_resolve_after": None, "domain": "", "support_email": "oi@loja.example"})

    assert first.json["custom_attributes"]["industry"] == "Retail"
    assert second.json["settings"] == {"auto_resolve_after": 4320, "auto_resolve_message": "Até logo"}
    assert third.json == (await api.get("")).json
    changed = {"name": "Loja Anil", "locale": "pt_BR", "domain": None, "support_email": "oi@loja.example"}
    assert changed.items() <= third.json.items()
    assert third.json["settings"] == {"auto_resolve_after": None, "auto_resolve_message": "Até logo"}
    assert {third.json["custom_attributes"][name] for name in ("industry", "company_size")} == {"Retail", "2-10"}
    assert (third.json["id"], third.json["features"]) == (before["id"], before["features"])


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"locale": "klingon"}, "locale"),
        ({"locale": "xx"}, "locale"),
        ({"locale": "pt-BR"}, "locale"),
        ({"domain": "x" * 101}, "domain"),
        ({"support_email": "nowhere"}, "support_email"),
        ({"auto_resolve_after": "4320"}, "auto_resolve_after"),
        ({"auto_resolve_after": 9}, "auto_resolve_after"),
        ({"auto_resolve_after": 1_439_857}, "auto_resolve_after"),
        ({"auto_resolve_after": True}, "auto_resolve_after"),
        ({"auto_resolve_after": 10**30}, "auto_resolve_after"),
        ({"auto_resolve_message": "x" * 20_001}, "auto_resolve_message"),
        ({"auto_resolve_message": ["bye"]}, "auto_resolve_message"),
        ({"auto_resolve_ignore_waiting": "perhaps"}, "auto_resolve_ignore_waiting"),
        ({"auto_resolve_label": {"title": "quiet"}}, "auto_resolve_label"),
        ({"audio_transcriptions": 2}, "audio_transcriptions"),
        ({"conversation_required_attributes": "plan"}, "conversation_required_attributes"),
        ({"conversation_required_attributes": [{"key": "plan"}]}, "conversation_required_attributes"),
    ],
)
async def test_what_an_account_cannot_be_is_refused_whole(api: Api, body: dict[str, object], attribute: str) -> None:
    before = (await api.get("")).json

    reply = await api.patch("", {"industry": "Retail", **body})

    assert (reply.status, reply.json["attributes"]) == (422, [attribute])
    assert (await api.get("")).json == before


async def test_of_changes_at_once_none_is_lost(api: Api) -> None:
    fields = {"industry": "Retail", "company_size": "2-10", "timezone": "UTC", "auto_resolve_label": "quiet"}

    await asyncio.gather(*(api.patch("", {name: value}) for name, value in fields.items()))

    account = (await api.get("")).json
    kept = {**account["custom_attributes"], **account["settings"]}
    assert {name: kept[name] for name in fields} == fields


async def test_only_administrators_of_an_account_change_it(api: Api, given: Given) -> None:
    others = await given.another_account()

    assert (await api.acting_as(await given.agent("Ana")).patch("", {"name": "Mine"})).status == 401
    assert (await api.acting_as(await given.bot()).patch("", {"name": "Mine"})).status == 401
    assert (await api.acting_as(None).patch("", {"name": "Mine"})).status == 401
    assert (await others.api.in_account(given.account_id).patch("", {"name": "Mine"})).status == 404
    assert (await api.get("")).json["name"] == "Loja Azul"


async def test_members_note_that_they_work_here(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")

    reply = await api.acting_as(ana).post("/update_active_at")

    assert (reply.status, reply.body) == (200, b"")
    profile = (await api.acting_as(ana).get("/api/v1/profile")).json
    assert profile["accounts"][0]["active_at"].endswith("Z")
    assert (await api.acting_as(await given.bot()).post("/update_active_at")).status == 401


async def test_first_steps_go_on_when_the_account_is_described_and_end_when_colleagues_are_invited(
    api: Api, given: Given
) -> None:
    async with given.world.parts.database.transaction() as tx:
        attributes = {"onboarding_step": "account_update", "crm_id": "G-77"}
        await tx.execute("UPDATE accounts SET custom_attributes = $2 WHERE id = $1", given.account_id, attributes)

    described = await api.patch("", {"industry": "Retail"})
    await api.post("/agents/bulk_create", {"emails": [f"eva.{given.account_id}@example.com"]})
    after = await api.get("")

    assert described.json["custom_attributes"]["onboarding_step"] == "invite_team"
    assert set(after.json["custom_attributes"]) == {
        "plan_name",
        "subscribed_quantity",
        "subscription_status",
        "subscription_ends_on",
        "industry",
    }
