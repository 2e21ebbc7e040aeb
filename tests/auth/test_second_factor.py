"""A second factor: set up, asked for, used once, and taken away again."""

from __future__ import annotations

import asyncio
import base64
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from harness import Given, Person
from mailserver import Mailbox
from visitors import PASSWORD, Browser, asked, choice, signed_in

from criachat.auth.operations.one_time import create_sign_in_link
from criachat.kit import clock

MFA = "/api/v1/profile/mfa"
PROFILE = "/api/v1/profile"
SIGN_IN = "/auth/sign_in"
OFF = {"feature_available": True, "enabled": False, "backup_codes_generated": False}
NOBODY = {"errors": ["You need to sign in or sign up before continuing."]}


def code_of(secret: str, *, later: int = 0) -> str:
    """What an app with this secret shows, or will after so many half minutes."""
    app = TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # noqa: S303
    return app.generate(clock.unix() + 30 * later).decode()


async def set_up(browser: Browser) -> tuple[str, list[str]]:
    """A second factor that counts: its secret and its backup codes. A minute later, codes are others."""
    secret = (await browser.post(MFA)).json["secret"]
    reply = await browser.post(f"{MFA}/verify", {"otp_code": code_of(secret)})
    assert reply.status == 200, reply.body
    clock.travel(timedelta(minutes=1))
    return secret, reply.json["backup_codes"]


async def challenged(given: Given, person: Person) -> tuple[Browser, str]:
    """Somebody who has sent the right password, and the token they were given for it."""
    browser = Browser(given.world)
    reply = await browser.sign_in(person)
    assert reply.status == 206, reply.body
    return browser, reply.json["mfa_token"]


async def test_a_second_factor_counts_once_its_app_has_shown_a_code(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)

    before = await browser.get(MFA)
    begun = await browser.post(MFA)
    not_yet = await Browser(given.world).sign_in(ana)
    wrong = await browser.post(f"{MFA}/verify", {"otp_code": "000000"})
    enabled = await browser.post(f"{MFA}/verify", {"otp_code": code_of(begun.json["secret"])})
    after = await browser.get(MFA)

    assert before.json == OFF
    address = urlsplit(begun.json["provisioning_url"])
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert parse_qs(address.query)["secret"] == [begun.json["secret"]]
    assert (not_yet.status, wrong.status) == (200, 422)
    assert enabled.json["enabled"] is True
    assert len(set(enabled.json["backup_codes"])) == 10
    assert all(re.fullmatch(r"[0-9A-F]{8}", code) for code in enabled.json["backup_codes"])
    assert after.json == {"feature_available": True, "enabled": True, "backup_codes_generated": True}


async def test_what_was_begun_may_be_begun_anew_and_what_counts_may_not(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)

    first = (await browser.post(MFA)).json["secret"]
    second = (await browser.post(MFA)).json["secret"]
    old = await browser.post(f"{MFA}/verify", {"otp_code": code_of(first)})
    new = await browser.post(f"{MFA}/verify", {"otp_code": code_of(second)})
    again = [await browser.post(MFA), await browser.post(f"{MFA}/verify", {"otp_code": code_of(second)})]

    assert (old.status, new.status, [reply.status for reply in again]) == (422, 200, [422, 422])
    assert {key for reply in (old, *again) for key in reply.json} == {"error"}


async def test_nothing_that_was_not_begun_is_enabled_renewed_or_removed(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)

    replies = [
        await browser.post(f"{MFA}/verify", {"otp_code": "123456"}),
        await browser.post(f"{MFA}/backup_codes", {"otp_code": "123456"}),
        await browser.delete(MFA, {"otp_code": "123456", "password": PASSWORD}),
        await browser.post(f"{MFA}/verify", {}),
    ]

    assert [reply.status for reply in replies] == [422] * 4


async def test_an_access_token_sets_nothing_up_not_even_the_sessions_own(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)
    token = (await browser.get(PROFILE)).json["access_token"]

    for each in (ana.token, token):
        headers = {"api_access_token": each}
        stranger = Browser(given.world)
        replies = [
            await stranger.get(MFA, headers=headers),
            await stranger.post(MFA, headers=headers),
            await stranger.post(f"{MFA}/verify", {"otp_code": "1"}, headers=headers),
            await stranger.post(f"{MFA}/backup_codes", {"otp_code": "1"}, headers=headers),
            await stranger.delete(MFA, {"otp_code": "1", "password": PASSWORD}, headers=headers),
        ]

        assert [(reply.status, reply.json) for reply in replies] == [(401, NOBODY)] * 5


async def test_the_secret_and_the_backup_codes_cannot_be_read_in_the_database(given: Given, ana: Person) -> None:
    secret, codes = await set_up(await signed_in(given, ana))

    async with given.world.parts.database.reading() as db:
        kept: str = await db.fetch_value(
            "SELECT (SELECT string_agg(f::text, ' ') FROM second_factors AS f) "
            "|| (SELECT string_agg(b::text, ' ') FROM backup_codes AS b)"
        )

    for text in (secret, base64.b32decode(secret).hex(), secret.encode().hex(), codes[0], codes[0].encode().hex()):
        assert text.lower() not in kept.lower()


async def test_who_signs_in_is_asked_for_a_code_and_let_in_with_it(given: Given, ana: Person) -> None:
    secret, _ = await set_up(await signed_in(given, ana))
    browser = Browser(given.world)

    asked_for = await browser.sign_in(ana)
    token = asked_for.json["mfa_token"]
    wrong = await browser.post(SIGN_IN, {"mfa_token": token, "otp_code": "000000"})
    missing = await browser.post(SIGN_IN, {"mfa_token": token})
    right = await browser.post(SIGN_IN, {"mfa_token": token, "otp_code": f" {code_of(secret)} "})
    again = await browser.post(SIGN_IN, {"mfa_token": token, "otp_code": code_of(secret, later=1)})
    browser.keep(right)

    assert (asked_for.status, asked_for.json) == (206, {"mfa_required": True, "mfa_token": token})
    assert "access-token" not in asked_for.headers
    assert [(reply.status, list(reply.json)) for reply in (wrong, missing)] == [(400, ["error"])] * 2
    assert (right.status, right.json["data"]["id"]) == (200, ana.id)
    assert (again.status, list(again.json)) == (401, ["error"])
    assert (await browser.get(PROFILE)).status == 200


async def test_a_code_is_good_once_and_those_before_it_never_again(given: Given, ana: Person) -> None:
    secret, _ = await set_up(await signed_in(given, ana))
    codes = [code_of(secret, later=1), code_of(secret, later=1), code_of(secret), code_of(secret, later=5)]

    statuses: list[int] = []
    for code in codes:
        browser, token = await challenged(given, ana)
        statuses.append((await browser.post(SIGN_IN, {"mfa_token": token, "otp_code": code})).status)

    assert statuses == [200, 400, 400, 400]


async def test_of_many_who_send_one_code_at_once_one_gets_in(given: Given, ana: Person) -> None:
    secret, _ = await set_up(await signed_in(given, ana))
    visits = [await challenged(given, ana) for _ in range(8)]
    code = code_of(secret)

    replies = await asyncio.gather(
        *(browser.post(SIGN_IN, {"mfa_token": token, "otp_code": code}) for browser, token in visits)
    )

    assert sorted(reply.status for reply in replies) == [200] + [400] * 7


async def test_a_backup_code_is_good_once(given: Given, ana: Person) -> None:
    _, codes = await set_up(await signed_in(given, ana))

    statuses: list[int] = []
    for code in (codes[0].lower(), codes[0], codes[1], ""):
        browser, token = await challenged(given, ana)
        statuses.append((await browser.post(SIGN_IN, {"mfa_token": token, "backup_code": code})).status)

    assert statuses == [200, 400, 200, 400]


async def test_a_backup_code_of_somebody_else_is_none(given: Given, ana: Person) -> None:
    await set_up(await signed_in(given, ana))
    _, codes = await set_up(await signed_in(given, await given.agent("Eva")))
    browser, token = await challenged(given, ana)

    reply = await browser.post(SIGN_IN, {"mfa_token": token, "backup_code": codes[0]})

    assert reply.status == 400


async def test_who_takes_too_long_starts_again(given: Given, ana: Person) -> None:
    secret, _ = await set_up(await signed_in(given, ana))
    browser, token = await challenged(given, ana)

    clock.travel(timedelta(minutes=5, seconds=1))
    late = await browser.post(SIGN_IN, {"mfa_token": token, "otp_code": code_of(secret)})
    invented = await browser.post(SIGN_IN, {"mfa_token": "0" * 64, "otp_code": code_of(secret)})

    assert [(reply.status, list(reply.json)) for reply in (late, invented)] == [(401, ["error"])] * 2


async def test_codes_are_not_tried_without_end(given: Given, ana: Person) -> None:
    await set_up(await signed_in(given, ana))
    browser, token = await challenged(given, ana)
    wrong: dict[str, Any] = {"mfa_token": token, "otp_code": "000000"}

    here = [await browser.post(SIGN_IN, wrong) for _ in range(11)]
    clock.travel(timedelta(minutes=1, seconds=1))
    elsewhere = [await Browser(given.world).post(SIGN_IN, wrong) for _ in range(10)]
    clock.travel(timedelta(minutes=1, seconds=1))
    in_all = await Browser(given.world).post(SIGN_IN, wrong)

    assert [reply.status for reply in here] == [400] * 10 + [429]
    assert [reply.status for reply in elsewhere] == [400] * 10
    assert in_all.status == 429


async def test_a_mailbox_alone_does_not_open_what_a_second_factor_guards(
    given: Given, ana: Person, mailbox: Mailbox
) -> None:
    secret, _ = await set_up(await signed_in(given, ana))
    browser = Browser(given.world)

    reply = await browser.put("/auth/password", choice(await asked(given, mailbox, ana)))
    entered = await browser.post(SIGN_IN, {"mfa_token": reply.json["mfa_token"], "otp_code": code_of(secret)})

    assert (reply.status, entered.status) == (206, 200)


async def test_who_made_a_login_link_vouches_for_its_person(given: Given, ana: Person) -> None:
    await set_up(await signed_in(given, ana))
    async with given.world.parts.database.transaction() as tx:
        token = await create_sign_in_link(tx, ana.id)

    reply = await Browser(given.world).post(SIGN_IN, {"email": ana.email, "sso_auth_token": token})

    assert reply.status == 200


async def test_new_backup_codes_end_the_old_ones(given: Given, ana: Person) -> None:
    home = await signed_in(given, ana)
    secret, old = await set_up(home)

    wrong = await home.post(f"{MFA}/backup_codes", {"otp_code": "000000"})
    renewed = await home.post(f"{MFA}/backup_codes", {"otp_code": code_of(secret)})
    statuses: list[int] = []
    for code in (old[0], renewed.json["backup_codes"][0]):
        browser, token = await challenged(given, ana)
        statuses.append((await browser.post(SIGN_IN, {"mfa_token": token, "backup_code": code})).status)

    assert (wrong.status, renewed.status, list(renewed.json)) == (422, 200, ["backup_codes"])
    assert statuses == [400, 200]


async def test_it_is_taken_away_with_password_and_code(given: Given, ana: Person) -> None:
    home = await signed_in(given, ana)
    secret, _ = await set_up(home)

    refused = [
        await home.delete(MFA, {"otp_code": code_of(secret), "password": "Outono-2"}),
        await home.delete(MFA, {"otp_code": "000000", "password": PASSWORD}),
        await home.delete(MFA),
    ]
    removed = await home.delete(MFA, {"otp_code": code_of(secret), "password": PASSWORD})

    assert [(reply.status, list(reply.json)) for reply in refused] == [(422, ["error"])] * 3
    assert (removed.status, removed.json) == (200, {"enabled": False})
    assert (await home.get(MFA)).json == OFF
    assert (await Browser(given.world).sign_in(ana)).status == 200


async def test_setting_up_is_not_tried_without_end(given: Given, ana: Person) -> None:
    home = await signed_in(given, ana)
    await home.post(MFA)

    replies = [await home.post(f"{MFA}/verify", {"otp_code": "000000"}) for _ in range(6)]

    assert [reply.status for reply in replies] == [422] * 5 + [429]
