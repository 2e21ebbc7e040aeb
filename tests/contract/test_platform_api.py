"""The operator's API against the contract: every endpoint, key by key."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given
from shapes import iso, misfits, one_of

DOOR = "/platform/api/v1"
USER = {
    "access_token": str,
    "account_id": one_of(int, None),
    "accounts": [{"id": int, "name": str, "active_at": one_of(iso, None), "role": str}],
    "available_name": str,
    "avatar_url": str,
    "confirmed": True,
    "custom_attributes?": dict,
    "display_name": one_of(str, None),
    "email": str,
    "id": int,
    "message_signature": one_of(str, None),
    "name": str,
    "provider": "email",
    "pubsub_token": str,
    "role": one_of(str, None),
    "ui_settings": dict,
    "uid": str,
}
TOKEN = {
    "access_token": str,
    "expiry": None,
    "user": {"id": int, "name": str, "display_name": one_of(str, None), "email": str, "pubsub_token": str},
}
ACCOUNT = {
    "id": int,
    "name": str,
    "locale": str,
    "domain": one_of(str, None),
    "support_email": one_of(str, None),
    "features": dict,
    "custom_attributes": dict,
    "limits": dict,
    "status": "active",
}
ACCOUNT_USER = {
    "id": int,
    "account_id": int,
    "user_id": int,
    "role": one_of("agent", "administrator"),
    "inviter_id": one_of(int, None),
    "created_at": iso,
    "updated_at": iso,
    "active_at": one_of(iso, None),
    "availability": str,
    "auto_offline": bool,
    "custom_role_id": one_of(int, None),
    "agent_capacity_policy_id": None,
}
BOT = {
    "id": int,
    "name": one_of(str, None),
    "description": one_of(str, None),
    "outgoing_url": one_of(str, None),
    "account_id": one_of(int, None),
    "access_token": str,
}


@pytest.fixture
async def app(given: Given) -> Api:
    """An operator's app."""
    return given.api.acting_as(await given.operators_app())


async def made(app: Api, path: str, body: Any) -> Any:
    reply = await app.post(f"{DOOR}{path}", body)
    assert reply.status == 200, reply.body
    return reply.json


def lena(given: Given) -> dict[str, str]:
    return {"name": "Lena", "email": f"lena{given.account_id}@acme.test", "password": "Lena-2026!"}


async def test_every_endpoint_of_accounts_and_people(app: Api, given: Given) -> None:
    user = await made(app, "/users", lena(given))
    account = await made(app, "/accounts", {"name": "Globex"})
    member = await made(app, f"/accounts/{account['id']}/account_users", {"user_id": user["id"]})
    at_user, at_account = f"{DOOR}/users/{user['id']}", f"{DOOR}/accounts/{account['id']}"

    shapes = [
        (user, USER),
        ((await app.get(at_user)).json, USER),
        ((await app.patch(at_user, {"name": "Lena K."})).json, USER),
        ((await app.put(at_user, {"display_name": "L."})).json, USER),
        ((await app.post(f"{at_user}/token")).json, TOKEN),
        ((await app.get(f"{at_user}/login")).json, {"url": str}),
        (account, ACCOUNT),
        ((await app.get(at_account)).json, ACCOUNT),
        ((await app.patch(at_account, {"domain": "globex.test"})).json, ACCOUNT),
        ((await app.get(f"{DOOR}/accounts")).json, [ACCOUNT]),
        (member, ACCOUNT_USER),
        ((await app.get(f"{at_account}/account_users")).json, [ACCOUNT_USER]),
    ]
    removals = [
        await app.delete(f"{at_account}/account_users", {"user_id": user["id"]}),
        await app.delete(at_account),
        await app.delete(at_user),
    ]

    assert [misfits(body, shape) for body, shape in shapes] == [[]] * len(shapes)
    assert [(reply.status, reply.body) for reply in removals] == [(200, b"")] * 3


async def test_every_endpoint_of_bots(app: Api) -> None:
    account = await made(app, "/accounts", {"name": "Globex"})
    bot = await made(app, "/agent_bots", {"name": "House bot", "account_id": account["id"]})
    at_bot = f"{DOOR}/agent_bots/{bot['id']}"

    shapes = [
        (bot, BOT),
        ((await app.get(at_bot)).json, BOT),
        ((await app.patch(at_bot, {"description": "Knows orders"})).json, BOT),
        ((await app.delete(f"{at_bot}/avatar")).json, BOT),
        ((await app.get(f"{DOOR}/agent_bots")).json, [BOT]),
    ]
    removed = await app.delete(at_bot)

    assert [misfits(body, shape) for body, shape in shapes] == [[]] * len(shapes)
    assert (removed.status, removed.body) == (200, b"")
