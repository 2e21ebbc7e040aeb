"""Signing in against the contract, key by key."""

from __future__ import annotations

import pytest
from harness import Given, Person
from mailserver import Mailbox
from shapes import iso, misfits, one_of
from visitors import Browser, asked, choice, signed_in, unknown_address, with_password

from criachat.auth.operations.one_time import create_sign_in_link

MEMBERSHIP = {
    "id": int,
    "name": str,
    "status": one_of("active", "suspended"),
    "active_at": one_of(iso, None),
    "role": one_of("agent", "administrator"),
    "permissions": [str],
    "availability": one_of("online", "offline", "busy"),
    "availability_status": one_of("online", "offline", "busy"),
    "auto_offline": bool,
    "custom_role_id": one_of(int, None),
    "custom_role": None,
}
USER = {
    "id": int,
    "access_token": str,
    "account_id": int,
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
    "role": one_of("agent", "administrator"),
    "type": None,
    "ui_settings": dict,
    "uid": str,
}
HEADERS = ("access-token", "token-type", "client", "expiry", "uid", "authorization")
FAILED = {"success": False, "errors": [str]}
ERROR = {"error": str}
LINK_INVALID = {"message": "Invalid token", "redirect_url": "/"}


@pytest.fixture
async def ana(given: Given) -> Person:
    return await with_password(given, await given.agent("Ana"))


async def test_signing_in_answers_the_person_and_six_headers(given: Given, ana: Person) -> None:
    async with given.world.parts.database.transaction() as tx:
        link = await create_sign_in_link(tx, ana.id)
    browser = Browser(given.world)

    by_password = await browser.sign_in(ana)
    by_link = await browser.post("/auth/sign_in", {"email": ana.email, "sso_auth_token": link})
    refused = await browser.sign_in(ana, "wrong")

    for reply in (by_password, by_link):
        assert (reply.status, misfits(reply.json, {"data": USER})) == (200, [])
        assert [name for name in HEADERS if not reply.headers.get(name)] == []
    assert (refused.status, misfits(refused.json, FAILED)) == (401, [])
    assert [name for name in HEADERS if name in refused.headers] == []


async def test_a_session_is_told_of_in_its_own_shapes(given: Given, ana: Person) -> None:
    browser, stranger = await signed_in(given, ana), Browser(given.world)

    valid = await browser.get("/auth/validate_token")
    out = await browser.delete("/auth/sign_out")
    replies = [await stranger.get("/auth/validate_token"), await stranger.delete("/auth/sign_out")]

    shape = {"payload": {"success": True, "data": {**USER, "created_at": iso}}}
    assert (valid.status, misfits(valid.json, shape)) == (200, [])
    assert (out.status, out.json) == (200, {"success": True})
    assert [(reply.status, misfits(reply.json, FAILED)) for reply in replies] == [(401, []), (404, [])]


async def test_passwords_are_reset_in_their_own_shapes(given: Given, ana: Person, mailbox: Mailbox) -> None:
    browser = Browser(given.world)
    token = await asked(given, mailbox, ana)

    sent = await browser.post("/auth/password", {"email": ana.email})
    unknown = await browser.post("/auth/password", {"email": unknown_address()})
    weak = await browser.put("/auth/password", choice(token, "weak"))
    changed = await browser.put("/auth/password", choice(token))
    used = await browser.put("/auth/password", choice(token))
    confirmed = await browser.post("/auth/confirmation", {"confirmation_token": token})

    assert (sent.status, misfits(sent.json, {"message": str})) == (200, [])
    assert (unknown.status, misfits(unknown.json, {"message": str})) == (404, [])
    assert (weak.status, misfits(weak.json, {"message": str, "attributes": ["password"]})) == (422, [])
    assert (changed.status, misfits(changed.json, {"data": USER})) == (200, [])
    assert [name for name in HEADERS if not changed.headers.get(name)] == []
    assert [(reply.status, reply.json) for reply in (used, confirmed)] == [(422, LINK_INVALID)] * 2


async def test_a_second_factor_has_its_own_shapes(given: Given, ana: Person) -> None:
    browser, path = await signed_in(given, ana), "/api/v1/profile/mfa"

    shown = await browser.get(path)
    begun = await browser.post(path)
    wrong = await browser.post(f"{path}/verify", {"otp_code": "000000"})

    shape = {"feature_available": bool, "enabled": bool, "backup_codes_generated": bool}
    assert (shown.status, misfits(shown.json, shape)) == (200, [])
    assert (begun.status, misfits(begun.json, {"provisioning_url": str, "secret": str})) == (200, [])
    assert (wrong.status, misfits(wrong.json, ERROR)) == (422, [])


async def test_verbs_and_forms_are_those_of_the_family(given: Given, ana: Person) -> None:
    browser = Browser(given.world)

    as_form = await browser.post("/auth/sign_in.json", data={"email": ana.email, "password": "Primavera-1"})
    patched = await browser.call("PATCH", "/auth/password", json=choice("0" * 64))

    assert (as_form.status, misfits(as_form.json, {"data": USER})) == (200, [])
    assert (patched.status, patched.json) == (422, LINK_INVALID)
