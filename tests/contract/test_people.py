"""The team, teams, and the caller's own profile against the contract, key by key."""

from __future__ import annotations

from typing import Any

from harness import Api, Given
from shapes import iso, misfits, one_of

from criachat.kit import clock

PROFILE = "/api/v1/profile"
AVAILABILITY = one_of("online", "offline", "busy")
ROLE = one_of("agent", "administrator")
AGENT = {
    "id": int,
    "account_id": int,
    "availability_status": AVAILABILITY,
    "auto_offline": bool,
    "confirmed": bool,
    "email": str,
    "provider": "email",
    "available_name": str,
    "custom_attributes?": dict,
    "name": str,
    "role": ROLE,
    "thumbnail": str,
    "custom_role_id": one_of(int, None),
}
TEAM = {
    "id": int,
    "name": str,
    "description": one_of(str, None),
    "allow_auto_assign": bool,
    "account_id": int,
    "is_member": bool,
}
MEMBERSHIP = {
    "id": int,
    "name": str,
    "status": one_of("active", "suspended"),
    "active_at": one_of(iso, None),
    "role": ROLE,
    "permissions": [str],
    "availability": AVAILABILITY,
    "availability_status": AVAILABILITY,
    "auto_offline": bool,
    "custom_role_id": one_of(int, None),
    "custom_role": one_of({"id": int, "name": str, "description": one_of(str, None), "permissions": [str]}, None),
}
USER = {
    "id": int,
    "access_token": one_of(str, None),
    "account_id": one_of(int, None),
    "accounts": [MEMBERSHIP],
    "available_name": str,
    "avatar_url": str,
    "confirmed": bool,
    "custom_attributes?": dict,
    "display_name": one_of(str, None),
    "email": str,
    "inviter_id": one_of(int, None),
    "message_signature": one_of(str, None),
    "name": str,
    "provider": "email",
    "pubsub_token": str,
    "role": one_of(ROLE, None),
    "type": None,
    "ui_settings": dict,
    "uid": str,
}
RECORD_REFUSAL = {"message": str, "attributes": [str]}
ERROR = {"error": str}


async def test_the_team_is_a_bare_list(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    await api.acting_as(ana).patch(PROFILE, {"display_name": "Aninha", "phone_number": "+5511999998888"})

    reply = await api.get("/agents")

    assert (reply.status, misfits(reply.json, [AGENT])) == (200, [])
    assert [("custom_attributes" in each) for each in reply.json] == [True, False]


async def test_members_are_bare_and_removals_empty(api: Api, given: Given) -> None:
    created = await api.post("/agents", {"email": f"eva.{given.account_id}@example.com"})
    path = f"/agents/{created.json['id']}"

    for reply in (
        created,
        await api.patch(path, {"agent": {"role": "administrator"}}),
        await api.put(path, {"name": "Eva"}),
    ):
        assert (reply.status, misfits(reply.json, AGENT)) == (200, [])
    many = await api.post("/agents/bulk_create", {"emails": [f"gil.{given.account_id}@example.com"]})
    removal = await api.delete(path)
    taken = await api.post("/agents", {"email": given.boss.email})
    for empty in (many, removal):
        assert (empty.status, empty.body) == (200, b"")
    assert (taken.status, taken.json) == (
        422,
        {"message": "User has already been taken", "attributes": ["user_id"]},
    )


async def test_teams_and_their_members_are_bare(api: Api, given: Given) -> None:
    ana, davi = await given.agent("Ana"), await given.agent("Davi")

    created = await api.post("/teams", {"name": "Vendas"})
    path = f"/teams/{created.json['id']}"
    changed = await api.patch(path, {"team": {"description": "Quem vende"}})

    for reply in (created, changed, await api.get(path), await api.acting_as(ana).get(path)):
        assert (reply.status, misfits(reply.json, TEAM)) == (200, [])
    assert misfits((await api.get("/teams")).json, [TEAM]) == []
    assert created.json["name"] == "vendas"

    first = await api.post(f"{path}/team_members", {"user_ids": [ana.id]})
    added = await api.post(f"{path}/team_members", {"user_ids": [ana.id, davi.id]})
    all_of_them = await api.patch(f"{path}/team_members", {"user_ids": [ana.id, davi.id]})
    listed = await api.get(f"{path}/team_members")
    for reply in (first, added, all_of_them, listed):
        assert (reply.status, misfits(reply.json, [AGENT])) == (200, [])
    assert [[each["name"] for each in reply.json] for reply in (added, all_of_them)] == [["Davi"], ["Ana", "Davi"]]

    for removal in (await api.delete(f"{path}/team_members", {"user_ids": [ana.id]}), await api.delete(path)):
        assert (removal.status, removal.body) == (200, b"")


async def test_refusals_of_teams_have_the_contracts_bodies(api: Api, given: Given) -> None:
    team = (await api.post("/teams", {"name": "vendas"})).json
    members = f"/teams/{team['id']}/team_members"
    stranger = await (await given.another_account()).agent("Eva")

    taken = await api.post("/teams", {"name": "Vendas"})
    foreign = await api.post(members, {"user_ids": [stranger.id]})
    missing = await api.post(members, {})
    unknown = await api.get("/teams/999999999")

    assert (taken.status, misfits(taken.json, RECORD_REFUSAL)) == (422, [])
    assert (foreign.status, foreign.json) == (401, {"error": "Invalid User IDs"})
    assert (missing.status, misfits(missing.json, ERROR)) == (422, [])
    assert (unknown.status, misfits(unknown.json, ERROR)) == (404, [])


async def test_a_profile_is_bare_whatever_is_done_to_it(api: Api, given: Given) -> None:
    in_account: dict[str, Any] = {"account_id": given.account_id}
    empty = await api.put(f"{PROFILE}/set_active_account", {"profile": in_account})

    for reply in (
        await api.get(PROFILE),
        await api.put(PROFILE, {"profile": {"display_name": "Bia", "phone_number": "+5511999998888"}}),
        await api.patch(PROFILE, {"ui_settings": {"locale": "pt_BR"}}),
        await api.post(f"{PROFILE}/availability", {"profile": {**in_account, "availability": "busy"}}),
        await api.post(f"{PROFILE}/auto_offline", {"profile": {**in_account, "auto_offline": False}}),
        await api.delete(f"{PROFILE}/avatar"),
        await api.post(f"{PROFILE}/reset_access_token"),
    ):
        assert (reply.status, misfits(reply.json, USER)) == (200, [])
        assert reply.json["uid"] == reply.json["email"]
        assert reply.json["accounts"][0]["active_at"][:4] == str(clock.now().year)
    assert (empty.status, empty.body) == (200, b"")


async def test_refusals_of_a_profile_have_the_contracts_bodies(api: Api) -> None:
    wrong_password = {"current_password": "Wrong-1", "password": "Outono-2", "password_confirmation": "Outono-2"}

    invalid = await api.put(PROFILE, {"email": "no address"})
    refused = await api.put(PROFILE, wrong_password)
    elsewhere = await api.post(f"{PROFILE}/availability", {"account_id": 999_999_999, "availability": "busy"})
    nobody = await api.acting_as(None).get(PROFILE)

    assert (invalid.status, misfits(invalid.json, RECORD_REFUSAL)) == (422, [])
    assert (refused.status, refused.json) == (422, {"error": "Invalid current password"})
    assert (elsewhere.status, misfits(elsewhere.json, ERROR)) == (404, [])
    assert (nobody.status, misfits(nobody.json, {"errors": [str]})) == (401, [])
