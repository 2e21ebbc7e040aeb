"""What is mailed to people: new passwords, invitations, addresses to confirm; and what the links are good for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from harness import PATIENCE_SECONDS, Api, Given, Person
from mailserver import Mailbox
from visitors import NEW, PASSWORD, Browser, asked, choice, signed_in, token_in, unknown_address

from criachat.auth.listeners import welcome_newcomers
from criachat.kit import clock
from criachat.users.events import AgentAdded
from criachat.users.passwords import hashed

PASSWORDS = "/auth/password"
CONFIRMATION = "/auth/confirmation"
PROFILE = "/api/v1/profile"
RESEND = f"{PROFILE}/resend_confirmation"
IS_ANYBODY_WAITING = """
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')
"""
INVALID = {"message": "Invalid token", "redirect_url": "/"}


async def unconfirmed(given: Given, person: Person) -> Person:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE users SET confirmed_at = NULL WHERE id = $1", person.id)
    return person


async def test_who_forgot_their_password_chooses_another_by_mail(
    given: Given, ana: Person, mailbox: Mailbox, browser: Browser
) -> None:
    asking = await browser.post(PASSWORDS, {"email": f" {ana.email.upper()} "})
    await given.worked()
    (mail,) = mailbox.of(ana.email)
    reply = await browser.put(PASSWORDS, choice(token_in(mailbox, ana.email)))
    browser.keep(reply)

    assert (asking.status, list(asking.json)) == (200, ["message"])
    assert mail["Subject"] == "Choose a new password"
    assert (reply.status, reply.json["data"]["id"]) == (200, ana.id)
    assert (await browser.get(PROFILE)).json == reply.json["data"]
    tries = [await Browser(given.world).sign_in(ana, password) for password in (PASSWORD, NEW)]
    assert [each.status for each in tries] == [401, 200]


async def test_a_mail_is_in_the_language_of_its_reader(given: Given, ana: Person, mailbox: Mailbox) -> None:
    await given.api.acting_as(ana).patch(PROFILE, {"ui_settings": {"locale": "pt_BR"}})

    await asked(given, mailbox, ana)

    assert mailbox.of(ana.email)[-1]["Subject"] == "Escolha uma nova senha"


async def test_a_new_password_ends_every_session_there_was(given: Given, ana: Person, mailbox: Mailbox) -> None:
    before, phone = await signed_in(given, ana), await signed_in(given, ana)
    pubsub_token = (await before.get(PROFILE)).json["pubsub_token"]
    token = await asked(given, mailbox, ana)

    reply = await Browser(given.world).put(PASSWORDS, choice(token))
    await asyncio.sleep(0)

    assert [(await each.get(PROFILE)).status for each in (before, phone)] == [401, 401]
    assert reply.json["data"]["pubsub_token"] != pubsub_token


async def test_a_link_is_good_once_and_the_last_one_only(given: Given, ana: Person, mailbox: Mailbox) -> None:
    first = await asked(given, mailbox, ana)
    second = await asked(given, mailbox, ana)

    replies = [await Browser(given.world).put(PASSWORDS, choice(each)) for each in (first, second, second)]

    assert [reply.status for reply in replies] == [422, 200, 422]
    assert replies[0].json == replies[2].json == INVALID


async def test_of_many_who_use_a_link_at_once_one_gets_in(given: Given, ana: Person, mailbox: Mailbox) -> None:
    token = await asked(given, mailbox, ana)

    replies = await asyncio.gather(*(Browser(given.world).put(PASSWORDS, choice(token)) for _ in range(8)))

    assert sorted(reply.status for reply in replies) == [200] + [422] * 7


async def test_a_link_is_good_for_six_hours(given: Given, ana: Person, mailbox: Mailbox, browser: Browser) -> None:
    token = await asked(given, mailbox, ana)

    clock.travel(timedelta(hours=6, seconds=1))

    assert (await browser.put(PASSWORDS, choice(token))).json == INVALID


@pytest.mark.parametrize(
    ("fields", "attribute"),
    [
        ({"password": "weak"}, "password"),
        ({"password": "Primavéra-1"}, "password"),
        ({"password_confirmation": "Other-1a"}, "password_confirmation"),
    ],
)
async def test_a_password_that_is_refused_leaves_the_link_good(
    given: Given, ana: Person, mailbox: Mailbox, fields: dict[str, str], attribute: str
) -> None:
    token = await asked(given, mailbox, ana)
    same = {"password_confirmation": fields["password"]} if "password" in fields else {}

    refused = await Browser(given.world).put(PASSWORDS, choice(token, **same, **fields))
    taken = await Browser(given.world).put(PASSWORDS, choice(token))

    assert (refused.status, refused.json["attributes"]) == (422, [attribute])
    assert taken.status == 200


async def test_a_link_that_is_not_good_is_told_of_before_the_password(browser: Browser) -> None:
    replies = [
        await browser.put(PASSWORDS, fields)
        for fields in (
            {},
            {"password": NEW},
            choice("0" * 64, "weak"),
            choice("0" * 64, password_confirmation="Other-1a"),
        )
    ]

    assert [reply.status for reply in replies] == [422] * 4
    assert [reply.json for reply in replies] == [INVALID] * 4


async def test_an_address_nobody_has_is_answered_so_and_not_often(given: Given, browser: Browser) -> None:
    email = unknown_address()

    replies = [await browser.post(PASSWORDS, {"email": email}) for _ in range(6)]

    assert [reply.status for reply in replies] == [404] * 5 + [429]
    assert list(replies[0].json) == ["message"]


async def test_tokens_are_not_tried_without_end(browser: Browser) -> None:
    replies = [await browser.put(PASSWORDS, choice("0" * 64)) for _ in range(11)]

    assert [reply.status for reply in replies] == [422] * 10 + [429]


async def test_a_busy_mail_server_is_asked_again_and_gets_another_token(
    given: Given, ana: Person, mailbox: Mailbox
) -> None:
    mailbox.refuses(ana.email, 451)
    await Browser(given.world).post(PASSWORDS, {"email": ana.email})
    await given.relayed()
    await given.world.parts.jobs.drain()
    mailbox.refuses(ana.email, None)
    await given.worked()

    reply = await Browser(given.world).put(PASSWORDS, choice(token_in(mailbox, ana.email)))

    assert (len(mailbox.of(ana.email)), reply.status) == (1, 200)


async def test_no_link_can_be_read_in_the_database(given: Given, ana: Person, mailbox: Mailbox) -> None:
    token = await asked(given, mailbox, ana)

    async with given.world.parts.database.reading() as db:
        kept: str = await db.fetch_value(
            "SELECT coalesce((SELECT string_agg(t::text, ' ') FROM one_time_tokens AS t), '') "
            "|| coalesce((SELECT string_agg(j::text, ' ') FROM jobs.pgqueuer AS j), '')"
        )

    assert token not in kept
    assert token.encode().hex() not in kept


async def test_who_is_invited_chooses_a_password_and_is_confirmed_by_that(
    api: Api, given: Given, mailbox: Mailbox, browser: Browser
) -> None:
    email = f"eva.{given.account_id}@example.com"

    await api.post("/agents", {"email": email, "name": "Eva"})
    await given.worked()
    (mail,) = mailbox.of(email)
    clock.travel(timedelta(days=6))
    reply = await browser.put(PASSWORDS, choice(token_in(mailbox, email)))

    assert mail["Subject"] == "You are invited to Loja Azul"
    assert (reply.status, reply.json["data"]["confirmed"]) == (200, True)
    assert next(each for each in (await api.get("/agents")).json if each["email"] == email)["confirmed"] is True


async def test_who_is_known_already_gets_no_invitation(api: Api, given: Given, mailbox: Mailbox) -> None:
    eva = await (await given.another_account()).agent("Eva")

    await api.post("/agents", {"email": eva.email})
    await given.worked()

    assert mailbox.of(eva.email) == []


async def test_invitations_told_of_twice_are_sent_once(api: Api, given: Given, mailbox: Mailbox) -> None:
    emails = [f"{name}.{given.account_id}@example.com" for name in ("eva", "gil")]

    await api.post("/agents/bulk_create", {"emails": emails})
    events = [event for event in await given.emitted(AgentAdded) if event.actor_id]
    for _ in range(2):
        async with given.world.parts.database.transaction() as tx:
            await welcome_newcomers(tx, events)
    await given.worked()

    assert len(events) == 2
    assert [len(mailbox.of(email)) for email in emails] == [1, 1]


async def test_a_new_address_is_theirs_once_they_confirmed_it(
    given: Given, ana: Person, mailbox: Mailbox, browser: Browser
) -> None:
    address = f"nova.{ana.email}"
    await given.api.acting_as(ana).patch(PROFILE, {"email": address.upper()})
    await given.worked()

    reply = await browser.post(CONFIRMATION, {"confirmation_token": token_in(mailbox, address, page="confirmation")})

    assert mailbox.of(ana.email) == []
    assert (reply.status, reply.json["data"]["email"], reply.headers["uid"]) == (200, address, address)
    assert (await given.api.acting_as(ana).get(PROFILE)).json["email"] == address


async def test_what_was_mailed_to_an_address_is_good_no_more_once_it_is_theirs_no_more(
    given: Given, ana: Person, mailbox: Mailbox
) -> None:
    mailed, address = await asked(given, mailbox, ana), f"nova.{ana.email}"
    await given.api.acting_as(ana).patch(PROFILE, {"email": address})
    await given.worked()
    moved = {"confirmation_token": token_in(mailbox, address, page="confirmation")}

    confirmed = await Browser(given.world).post(CONFIRMATION, moved)
    reply = await Browser(given.world).put(PASSWORDS, choice(mailed))

    assert (confirmed.status, reply.status, reply.json) == (200, 422, INVALID)


async def test_an_invitation_is_good_also_after_the_address_was_confirmed(
    given: Given, ana: Person, mailbox: Mailbox
) -> None:
    person = await unconfirmed(given, ana)
    await given.api.acting_as(person).post(RESEND)
    await given.worked()
    confirmation = {"confirmation_token": token_in(mailbox, ana.email, page="confirmation")}
    invitation = await asked(given, mailbox, ana)

    confirmed = await Browser(given.world).post(CONFIRMATION, confirmation)
    chosen = await Browser(given.world).put(PASSWORDS, choice(invitation))

    assert [confirmed.status, chosen.status] == [200, 200]


async def test_of_two_who_want_an_address_the_first_to_confirm_has_it(
    given: Given, ana: Person, mailbox: Mailbox
) -> None:
    eva, address, tokens = await given.agent("Eva"), f"equipe.{ana.email}", []
    for person in (ana, eva):
        await given.api.acting_as(person).patch(PROFILE, {"email": address})
        await given.worked()
        tokens.append(token_in(mailbox, address, page="confirmation"))

    replies = [await Browser(given.world).post(CONFIRMATION, {"confirmation_token": each}) for each in tokens]

    assert [reply.status for reply in replies] == [200, 422]
    assert replies[1].json == {"message": "Failure", "redirect_url": "/"}
    assert (await given.api.acting_as(eva).get(PROFILE)).json["email"] == eva.email


async def test_an_address_is_confirmed_once(given: Given, ana: Person, mailbox: Mailbox, browser: Browser) -> None:
    person = await unconfirmed(given, ana)
    sent = await given.api.acting_as(person).post(RESEND)
    await given.worked()
    body = {"confirmation_token": token_in(mailbox, ana.email, page="confirmation")}

    first, again = await browser.post(CONFIRMATION, body), await browser.post(CONFIRMATION, body)
    unknown = await browser.post(CONFIRMATION, {"confirmation_token": "0" * 64})
    missing = await browser.post(CONFIRMATION, {})

    assert (sent.status, sent.body) == (200, b"")
    assert (first.status, first.json["data"]["confirmed"]) == (200, True)
    assert (again.status, again.json) == (422, {"message": "Already confirmed", "redirect_url": "/"})
    assert unknown.json == missing.json == INVALID


async def test_strangers_are_not_written_to_without_end(given: Given, ana: Person, mailbox: Mailbox) -> None:
    person = given.api.acting_as(ana)

    replies = [await person.patch(PROFILE, {"email": f"{number}.{ana.email}"}) for number in range(11)]
    resent = await person.post(RESEND)
    named = await person.patch(PROFILE, {"name": "Ana Lua", "email": ana.email})
    await given.worked()

    assert [reply.status for reply in replies] == [200] * 10 + [429]
    assert (resent.status, named.status, named.json["name"]) == (429, 200, "Ana Lua")
    assert mailbox.of(f"10.{ana.email}") == []


async def test_who_is_confirmed_gets_no_mail_about_it(given: Given, ana: Person, mailbox: Mailbox) -> None:
    reply = await given.api.acting_as(ana).post(RESEND)
    await given.worked()

    assert (reply.status, reply.body) == (200, b"")
    assert mailbox.of(ana.email) == []


async def test_a_link_for_an_address_they_do_not_want_any_more_confirms_nothing(
    given: Given, ana: Person, mailbox: Mailbox, browser: Browser
) -> None:
    person, first = given.api.acting_as(ana), f"um.{ana.email}"
    await person.patch(PROFILE, {"email": first})
    await given.worked()
    token = token_in(mailbox, first, page="confirmation")
    await person.patch(PROFILE, {"email": ana.email})

    reply = await browser.post(CONFIRMATION, {"confirmation_token": token})

    assert (reply.status, reply.json["message"]) == (422, "Failure")
    assert (await person.get(PROFILE)).json["email"] == ana.email


async def test_a_token_that_may_not_do_everything_asks_for_no_link_that_does(
    given: Given, ana: Person, mailbox: Mailbox
) -> None:
    here, address = await signed_in(given, ana), f"ladrao.{ana.email}"
    made = await here.post("/api/v1/profile/access_tokens", {"scopes": ["profile:write"]})
    narrow = given.api.acting_as(Person(id=ana.id, name="Ana", token=made.json["token"]))

    refused = await narrow.patch(PROFILE, {"email": address, "name": "Eva"})
    renamed = await narrow.patch(PROFILE, {"name": "Ana Lima"})
    await given.worked()

    assert (refused.status, renamed.status) == (401, 200)
    assert (await here.get(PROFILE)).json["name"] == "Ana Lima"
    assert mailbox.of(address) == []


async def test_a_password_changed_in_one_session_ends_the_others(given: Given, ana: Person) -> None:
    here, there = await signed_in(given, ana), await signed_in(given, ana)
    body = {"current_password": PASSWORD, "password": NEW, "password_confirmation": NEW}

    wrong = await here.put(PROFILE, {**body, "current_password": NEW})
    changed = await here.put(PROFILE, body)
    await asyncio.sleep(0)

    assert (wrong.status, wrong.json) == (422, {"error": "Invalid current password"})
    assert changed.status == 200
    assert [(await each.get(PROFILE)).status for each in (here, there)] == [200, 401]
    assert (await Browser(given.world).sign_in(ana, NEW)).status == 200


async def test_the_present_password_is_not_found_by_trying(given: Given, ana: Person) -> None:
    here = await signed_in(given, ana)
    body = {"password": NEW, "password_confirmation": NEW}

    tries = [await here.put(PROFILE, {**body, "current_password": f"Guess-{number}"}) for number in range(11)]
    right = await here.put(PROFILE, {**body, "current_password": PASSWORD})
    renamed = await here.put(PROFILE, {"name": "Ana Lima"})

    assert [reply.status for reply in tries] == [422] * 10 + [429]
    assert (right.status, renamed.status) == (429, 200)
    assert int(right.headers["retry-after"]) > 0
    assert (await Browser(given.world).sign_in(ana, PASSWORD)).status == 200


async def test_a_changed_password_ends_what_was_mailed_before(given: Given, ana: Person, mailbox: Mailbox) -> None:
    here, token = await signed_in(given, ana), await asked(given, mailbox, ana)
    await here.put(PROFILE, {"current_password": PASSWORD, "password": NEW, "password_confirmation": NEW})

    reply = await Browser(given.world).put(PASSWORDS, choice(token, "Inverno-3"))

    assert (reply.status, reply.json) == (422, INVALID)


async def test_whoever_signs_in_while_the_password_changes_is_not_let_in_with_the_old_one(
    given: Given, ana: Person
) -> None:
    browser, database = Browser(given.world), given.world.parts.database

    async with database.transaction() as tx:
        await tx.execute("UPDATE users SET password_hash = $2 WHERE id = $1", ana.id, hashed(NEW))
        trying = asyncio.create_task(browser.sign_in(ana))
        async with asyncio.timeout(PATIENCE_SECONDS), database.reading() as db:
            while not trying.done() and not await db.fetch_value(IS_ANYBODY_WAITING):
                pass
    reply = await trying

    assert reply.status == 401
    assert (await browser.get(PROFILE)).status == 401
