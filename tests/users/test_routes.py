from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from harness import BASE_URL, Api, Given, Person
from msgspec import structs

from criachat.kit import clock
from criachat.users import operations as users
from criachat.users.access import find_user_by_email
from criachat.users.passwords import hashed

PROFILE = "/api/v1/profile"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
OLD, NEW = "Primavera-1", "Outono-2"


async def with_password(given: Given, person: Person, password: str) -> None:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE users SET password_hash = $2 WHERE id = $1", person.id, hashed(password))


async def into(given: Given, person: Person, role: Any = "agent") -> None:
    """Make the person a member of this account too."""
    async with given.world.parts.database.transaction() as tx:
        user = await find_user_by_email(tx, person.email)
        assert user is not None
        await users.add_member(tx, account_id=given.account_id, user=user, role=role)


async def test_every_member_sees_the_team_by_name(api: Api, given: Given) -> None:
    ana = await given.agent("ana")
    carla = await given.administrator("Carla")

    reply = await api.acting_as(ana).get("/agents")

    assert reply.status == 200
    assert [each["id"] for each in reply.json] == [ana.id, given.boss.id, carla.id]
    assert reply.json[0] == {
        "id": ana.id,
        "account_id": given.account_id,
        "availability_status": "offline",
        "auto_offline": True,
        "confirmed": True,
        "email": ana.email,
        "provider": "email",
        "available_name": "ana",
        "name": "ana",
        "role": "agent",
        "thumbnail": "",
        "custom_role_id": None,
    }


async def test_somebody_who_is_there_is_shown_as_they_chose(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    presence = given.world.parts.presence

    presence.touch_user(given.account_id, ana.id)
    present = (await api.get("/agents")).json[0]
    clock.travel(timedelta(minutes=5))
    away = (await api.get("/agents")).json[0]

    assert (present["name"], present["availability_status"]) == ("Ana", "online")
    assert away["availability_status"] == "offline"


async def test_the_team_is_shown_to_nobody_else(api: Api, given: Given) -> None:
    others = await given.another_account()

    assert (await api.acting_as(await given.bot()).get("/agents")).status == 401
    assert (await api.acting_as(None).get("/agents")).status == 401
    assert (await others.api.in_account(given.account_id).get("/agents")).status == 401


async def test_the_list_of_agents_is_one_statement(api: Api, given: Given) -> None:
    for name in ("Ana", "Davi", "Eva"):
        await given.agent(name)
    await api.get("/agents")

    with given.queries(at_most=1):
        await api.get("/agents")


async def test_a_person_sees_themself_and_the_token_they_came_with(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")

    reply = await api.acting_as(ana).get(PROFILE)

    assert reply.status == 200
    assert reply.json == {
        "access_token": ana.token,
        "account_id": given.account_id,
        "accounts": [
            {
                "id": given.account_id,
                "name": "Loja Azul",
                "status": "active",
                "active_at": None,
                "role": "agent",
                "permissions": ["agent"],
                "availability": "online",
                "availability_status": "offline",
                "auto_offline": True,
                "custom_role_id": None,
                "custom_role": None,
            }
        ],
        "available_name": "Ana",
        "avatar_url": "",
        "confirmed": True,
        "display_name": None,
        "email": ana.email,
        "id": ana.id,
        "inviter_id": None,
        "message_signature": None,
        "name": "Ana",
        "provider": "email",
        "pubsub_token": ana.pubsub_token,
        "role": "agent",
        "type": None,
        "ui_settings": {},
        "uid": ana.email,
    }


@pytest.mark.parametrize(("scopes", "is_told"), [([], True), (["*"], True), (["profile:write"], False)])
async def test_how_to_listen_is_told_to_tokens_that_may_do_everything(
    given: Given, scopes: list[str], *, is_told: bool
) -> None:
    ana = await given.agent("Ana")
    made = await given.api.acting_as(ana).post("/api/v1/profile/access_tokens", {"scopes": scopes})
    person = given.api.acting_as(structs.replace(ana, token=made.json["token"]))

    replies = [
        await person.get(PROFILE),
        await person.patch(PROFILE, {"name": "Ana Lua"}),
        await person.post(f"{PROFILE}/availability", {"account_id": given.account_id, "availability": "busy"}),
    ]

    assert [reply.status for reply in replies] == [200] * 3
    assert {reply.json["pubsub_token"] for reply in replies} == {ana.pubsub_token if is_told else None}


async def test_a_person_changes_what_they_send_and_nothing_else(api: Api, given: Given) -> None:
    person = api.acting_as(await given.agent("Ana"))
    before = (await person.get(PROFILE)).json

    wrapped = await person.put(PROFILE, {"profile": {"display_name": "Aninha", "phone_number": "+5511999998888"}})
    flat = await person.patch(PROFILE, {"ui_settings": {"locale": "pt_BR"}, "message_signature": "— Ana"})
    replaced = await person.patch(PROFILE, {"ui_settings": {"font_size": "large"}, "display_name": " "})

    named = {
        "display_name": "Aninha",
        "available_name": "Aninha",
        "custom_attributes": {"phone_number": "+5511999998888"},
    }
    assert wrapped.json == {**before, **named}
    assert flat.json == {**before, **named, "ui_settings": {"locale": "pt_BR"}, "message_signature": "— Ana"}
    assert replaced.json["ui_settings"] == {"font_size": "large"}
    assert (replaced.json["display_name"], replaced.json["available_name"]) == (None, "Ana")
    assert (await person.get(PROFILE)).json == replaced.json


async def test_a_new_address_is_not_shown_before_it_is_confirmed(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")

    reply = await api.acting_as(ana).patch(PROFILE, {"name": "Ana Paula", "email": f" NOVA.{ana.email.upper()} "})

    assert (reply.status, reply.json["name"]) == (200, "Ana Paula")
    assert reply.json["email"] == reply.json["uid"] == ana.email


async def test_an_address_belongs_to_one_person(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")

    reply = await api.acting_as(ana).patch(PROFILE, {"name": "Eva", "email": given.boss.email.upper()})

    assert (reply.status, reply.json) == (422, {"message": "Email has already been taken", "attributes": ["email"]})
    assert (await api.acting_as(ana).get(PROFILE)).json["name"] == "Ana"


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"email": "not an address"}, "email"),
        ({"message_signature": "x" * 20_001}, "message_signature"),
        ({"ui_settings": {"notes": "x" * 70_000}}, "ui_settings"),
        ({"phone_number": "1" * 256}, "phone_number"),
    ],
)
async def test_what_cannot_be_kept_is_refused(api: Api, body: dict[str, Any], attribute: str) -> None:
    before = (await api.get(PROFILE)).json

    reply = await api.patch(PROFILE, body)

    assert reply.status == 422
    assert reply.json["attributes"] == [attribute]
    assert (await api.get(PROFILE)).json == before


async def test_a_password_is_changed_with_the_current_one_and_ends_the_realtime_token(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    await with_password(given, ana, OLD)
    body = {"current_password": OLD, "password": NEW, "password_confirmation": NEW}

    changed = await api.acting_as(ana).put(PROFILE, {"profile": body})
    again = await api.acting_as(ana).put(PROFILE, {"profile": body})

    assert changed.status == 200
    assert changed.json["pubsub_token"] != ana.pubsub_token
    assert (again.status, again.json) == (422, {"error": "Invalid current password"})


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ({"password": NEW, "password_confirmation": NEW}, {"error": "Invalid current password"}),
        (
            {"current_password": "Wrong-1234", "password": NEW, "password_confirmation": NEW},
            {"error": "Invalid current password"},
        ),
        (
            {"current_password": OLD, "password": NEW, "password_confirmation": "Other-1234"},
            {"message": "Password confirmation doesn't match Password", "attributes": ["password_confirmation"]},
        ),
        ({"current_password": OLD, "password": "weak", "password_confirmation": "weak"}, None),
    ],
)
async def test_a_password_that_may_not_be_changed_changes_nothing_else(
    api: Api, given: Given, sent: dict[str, str], answer: dict[str, Any] | None
) -> None:
    ana = await given.agent("Ana")
    await with_password(given, ana, OLD)

    reply = await api.acting_as(ana).patch(PROFILE, {**sent, "name": "Eva"})

    assert reply.status == 422
    assert reply.json == answer or (answer is None and reply.json["attributes"] == ["password"])
    assert (await api.acting_as(ana).get(PROFILE)).json["name"] == "Ana"


async def test_a_person_without_a_password_cannot_set_one_by_guessing(api: Api, given: Given) -> None:
    body = {"current_password": "", "password": NEW, "password_confirmation": NEW}

    reply = await api.acting_as(await given.agent("Ana")).patch(PROFILE, body)

    assert (reply.status, reply.json) == (422, {"error": "Invalid current password"})


async def test_availability_is_chosen_for_one_account(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    others = await given.another_account()
    await into(others, ana)
    person = api.acting_as(ana)
    given.world.parts.presence.touch_user(given.account_id, ana.id)

    chosen = await person.post(
        f"{PROFILE}/availability", {"profile": {"account_id": given.account_id, "availability": "busy"}}
    )
    always = await person.post(f"{PROFILE}/auto_offline", {"account_id": others.account_id})

    assert chosen.status == always.status == 200
    states = {
        each["id"]: (each["availability"], each["availability_status"], each["auto_offline"])
        for each in always.json["accounts"]
    }
    assert states == {
        given.account_id: ("busy", "busy", True),
        others.account_id: ("online", "online", False),
    }


async def test_only_known_states_of_own_accounts_can_be_chosen(api: Api, given: Given) -> None:
    others = await given.another_account()
    path = f"{PROFILE}/availability"

    by_number = await api.post(path, {"account_id": str(given.account_id), "availability": 2})
    unknown = await api.post(path, {"account_id": given.account_id, "availability": "asleep"})
    out_of_range = await api.post(path, {"account_id": given.account_id, "availability": 3})
    foreign = await api.post(path, {"account_id": others.account_id, "availability": "busy"})
    foreign_offline = await api.post(f"{PROFILE}/auto_offline", {"account_id": others.account_id, "auto_offline": True})

    assert by_number.json["accounts"][0]["availability"] == "busy"
    assert [unknown.status, out_of_range.status] == [422, 422]
    assert [foreign.status, foreign_offline.status] == [404, 404]
    assert foreign.json == {"error": "Resource could not be found"}


async def test_the_account_last_chosen_comes_first(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    others = await given.another_account()
    await into(others, ana, "administrator")
    person = api.acting_as(ana)

    await person.put(f"{PROFILE}/set_active_account", {"profile": {"account_id": given.account_id}})
    reply = await person.put(f"{PROFILE}/set_active_account", {"profile": {"account_id": others.account_id}})

    assert (reply.status, reply.body) == (200, b"")
    profile = (await person.get(PROFILE)).json
    assert (profile["account_id"], profile["role"]) == (others.account_id, "administrator")
    assert [each["id"] for each in profile["accounts"]] == [others.account_id, given.account_id]
    assert profile["accounts"][0]["active_at"].endswith("Z")


async def test_an_account_one_is_not_in_cannot_be_the_active_one(api: Api, given: Given) -> None:
    others = await given.another_account()

    reply = await api.put(f"{PROFILE}/set_active_account", {"account_id": others.account_id})

    assert reply.status == 404


async def test_a_picture_that_is_not_there_is_removed_all_the_same(api: Api) -> None:
    before = (await api.get(PROFILE)).json

    reply = await api.delete(f"{PROFILE}/avatar")

    assert (reply.status, reply.json) == (200, before)


async def test_a_picture_is_shown_with_the_person_wherever_they_are(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    person, nobody = api.acting_as(ana), api.acting_as(None)

    changed = await person.call("PUT", PROFILE, files={"profile[avatar]": ("me.png", PNG)})
    shown = await nobody.get(changed.json["avatar_url"].removeprefix(BASE_URL))
    in_the_team = (await api.get("/agents")).json[0]
    removed = await person.delete(f"{PROFILE}/avatar")
    await given.worked()

    assert (shown.status, shown.body) == (200, PNG)
    assert (in_the_team["id"], in_the_team["thumbnail"]) == (ana.id, changed.json["avatar_url"])
    assert (removed.status, removed.json["avatar_url"]) == (200, "")
    assert (await nobody.get(changed.json["avatar_url"].removeprefix(BASE_URL))).status == 404


async def test_a_picture_that_is_none_is_refused(api: Api) -> None:
    reply = await api.call(
        "PUT", PROFILE, files={"profile[avatar]": ("me.png", b"<svg/>"), "profile[name]": (None, "Eva")}
    )

    assert (reply.status, reply.json["attributes"]) == (422, ["avatar"])
    assert (await api.get(PROFILE)).json["name"] == "Beatriz"


async def test_bots_and_strangers_have_no_profile(api: Api, given: Given) -> None:
    bot, nobody = api.acting_as(await given.bot()), api.acting_as(None)

    for caller in (bot, nobody):
        assert (await caller.get(PROFILE)).status == 401
        assert (await caller.patch(PROFILE, {"name": "Eva"})).status == 401
        assert (await caller.delete(f"{PROFILE}/avatar")).status == 401
        for path in ("availability", "auto_offline"):
            assert (await caller.post(f"{PROFILE}/{path}", {"account_id": given.account_id})).status == 401
        assert (await caller.put(f"{PROFILE}/set_active_account", {"account_id": given.account_id})).status == 401
