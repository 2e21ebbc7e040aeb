from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given

from criachat.contacts.events import ContactCreated, ContactDeleted, ContactUpdated
from criachat.kit import clock

NOT_FOUND = {"error": "Resource could not be found"}


async def test_a_contact_is_created_with_all_of_their_details(api: Api, given: Given) -> None:
    body = {
        "name": "Marta Reis",
        "email": "Marta@Nordwind.test",
        "phone_number": "+351912000111",
        "identifier": "CRM-4471",
        "blocked": "true",
        "additional_attributes": {"city": "Porto", "country": "Portugal", "social_profiles": {"linkedin": "m-reis"}},
        "custom_attributes": {"plan": "gold", "seats": 12, "tags": [1, None, {"deep": True}]},
    }

    reply = await api.post("/contacts", body)

    contact = reply.json["payload"]["contact"]
    assert reply.status == 200
    assert reply.json["payload"]["contact_inbox"] == {"inbox": None, "source_id": None}
    assert contact == {
        **body,
        "email": "marta@nordwind.test",
        "blocked": True,
        "id": contact["id"],
        "availability_status": "offline",
        "thumbnail": "",
        "created_at": contact["created_at"],
        "contact_inboxes": [],
    }
    assert reply.headers["etag"] == '"1"'
    (event,) = await given.emitted(ContactCreated)
    assert (event.contact_id, event.actor_type, event.actor_id) == (contact["id"], "user", given.boss.id)
    assert (event.changes, event.account.id, event.account.name) == (None, given.account_id, "Loja Azul")
    assert event.snapshot.email == "marta@nordwind.test"
    assert event.snapshot.custom_attributes == body["custom_attributes"]


async def test_a_contact_may_be_nameless_and_blank_addresses_are_none(api: Api) -> None:
    body = {"email": "", "phone_number": "  ", "identifier": "", "name": None, "additional_attributes": None}

    one = await api.post("/contacts", body)
    other = await api.post("/contacts", body)

    assert one.status == other.status == 200
    contact = other.json["payload"]["contact"]
    fields = ("name", "email", "phone_number", "identifier", "additional_attributes", "custom_attributes")
    assert [contact[field] for field in fields] == [None, None, None, None, {}, {}]


async def test_a_form_creates_a_contact_too(api: Api) -> None:
    form = {"name": "Rosa", "blocked": "1", "custom_attributes[plan]": "gold", "additional_attributes[city]": "Recife"}

    reply = await api.call("POST", "/contacts", data=form)

    contact = reply.json["payload"]["contact"]
    assert (contact["name"], contact["blocked"]) == ("Rosa", True)
    assert contact["custom_attributes"] == {"plan": "gold"}
    assert contact["additional_attributes"] == {"city": "Recife"}


@pytest.mark.parametrize(
    ("taken", "again"),
    [
        ({"email": "rosa@example.net"}, {"email": "Rosa@Example.NET"}),
        # A capital letter that is younger than Python's Unicode, and older than PostgreSQL's.
        ({"email": "\u019b@example.net"}, {"email": "\ua7dc@example.net"}),
        ({"phone_number": "+4915112345678"}, {"phone_number": "+4915112345678"}),
        ({"identifier": "crm-77"}, {"identifier": "crm-77"}),
    ],
)
async def test_what_belongs_to_another_contact_is_taken(api: Api, taken: dict[str, str], again: dict[str, str]) -> None:
    (field,) = taken
    name = field.replace("_", " ").capitalize()
    holder = (await api.post("/contacts", taken)).json["payload"]["contact"]
    other = (await api.post("/contacts", {"name": "Marta"})).json["payload"]["contact"]

    created = await api.post("/contacts", again)
    changed = await api.patch(f"/contacts/{other['id']}", again)

    sentence = f"{name} has already been taken"
    refusal = {"message": sentence, "attributes": [field], "taken_by": {field: holder["id"]}}
    assert (created.status, created.json) == (changed.status, changed.json) == (422, refusal)
    assert (await api.get(f"/contacts/{other['id']}")).json["payload"][field] is None


async def test_everything_that_is_taken_is_named_at_once(api: Api) -> None:
    rosa = await api.post("/contacts", {"email": "rosa@example.net", "identifier": "crm-77"})
    marta = await api.post("/contacts", {"phone_number": "+4915112345678"})
    rosa_id, marta_id = (each.json["payload"]["contact"]["id"] for each in (rosa, marta))

    body = {"email": "rosa@example.net", "phone_number": "+4915112345678", "identifier": "crm-77"}
    reply = await api.post("/contacts", body)

    assert reply.status == 422
    assert reply.json["attributes"] == ["email", "phone_number", "identifier"]
    assert reply.json["taken_by"] == {"email": rosa_id, "phone_number": marta_id, "identifier": rosa_id}


async def test_what_is_wrong_is_named_together_with_what_is_taken(api: Api) -> None:
    await api.post("/contacts", {"email": "rosa@example.net"})
    marta = (await api.post("/contacts", {"name": "Marta"})).json["payload"]["contact"]
    body = {"email": "rosa@example.net", "phone_number": "0151 12345678"}

    replies = [await api.post("/contacts", body), await api.patch(f"/contacts/{marta['id']}", body)]

    sentence = "Email has already been taken, Phone number should be in e164 format"
    refusal = {"message": sentence, "attributes": ["email", "phone_number"]}
    assert [(reply.status, reply.json) for reply in replies] == [(422, refusal)] * 2


async def test_what_is_wrong_with_ones_own_details_is_not_called_taken(api: Api) -> None:
    rosa = (await api.post("/contacts", {"email": "rosa@example.net"})).json["payload"]["contact"]

    reply = await api.patch(f"/contacts/{rosa['id']}", {"email": "rosa@example.net", "phone_number": "0151"})

    assert (reply.status, reply.json["attributes"]) == (422, ["phone_number"])


async def test_an_identifier_is_kept_to_the_letter(api: Api) -> None:
    replies = [await api.post("/contacts", {"identifier": each}) for each in ("crm-77", "CRM-77", " crm-77 ")]

    assert [reply.json["payload"]["contact"]["identifier"] for reply in replies] == ["crm-77", "CRM-77", " crm-77 "]


async def test_another_account_may_know_the_same_person(api: Api, given: Given) -> None:
    others = await given.another_account()
    body = {"email": "rosa@example.net", "phone_number": "+4915112345678", "identifier": "crm-77"}

    assert (await api.post("/contacts", body)).status == (await others.api.post("/contacts", body)).status == 200


@pytest.mark.parametrize(
    ("body", "attributes", "message"),
    [
        ({"email": "rosa"}, ["email"], "Email Invalid email"),
        ({"email": "rosa@@example.net"}, ["email"], "Email Invalid email"),
        ({"email": "ro sa@example.net"}, ["email"], "Email Invalid email"),
        ({"phone_number": "4915112345678"}, ["phone_number"], "Phone number should be in e164 format"),
        ({"phone_number": "call +4915112345678"}, ["phone_number"], "Phone number should be in e164 format"),
        ({"phone_number": "+0151"}, ["phone_number"], "Phone number should be in e164 format"),
        ({"phone_number": "+1234567890123456"}, ["phone_number"], "Phone number should be in e164 format"),
        ({"phone_number": "+\uff14\uff19\uff11\uff15"}, ["phone_number"], "Phone number should be in e164 format"),
        ({"phone_number": "+4915112345678\n"}, [], ""),
        (
            {"email": "rosa", "phone_number": "1"},
            ["email", "phone_number"],
            "Email Invalid email, Phone number should be in e164 format",
        ),
        ({"name": "x" * 256}, ["name"], "Name is too long (maximum is 255 characters)"),
        ({"name": "x" * 200_000}, ["name"], "Name is too long (maximum is 255 characters)"),
        ({"email": "x" * 250 + "@a.bc"}, [], ""),
        ({"email": "x" * 251 + "@a.bc"}, ["email"], "Email is too long (maximum is 255 characters)"),
        ({"identifier": "x" * 256}, ["identifier"], "Identifier is too long (maximum is 255 characters)"),
        (
            {"custom_attributes": {"note": "x" * 200_000}},
            ["custom_attributes"],
            "Custom attributes is too large (maximum is 100 kB)",
        ),
        (
            {"additional_attributes": {"note": "x" * 200_000}},
            ["additional_attributes"],
            "Additional attributes is too large (maximum is 100 kB)",
        ),
    ],
)
async def test_what_a_contact_cannot_be_is_said(
    api: Api, given: Given, body: dict[str, Any], attributes: list[str], message: str
) -> None:
    known = await given.contact()
    before = await api.get(f"/contacts/{known['id']}")

    created = await api.post("/contacts", body)
    changed = await api.patch(f"/contacts/{known['id']}", body)

    if not attributes:
        assert created.status == 200
        return
    assert (created.status, created.json) == (422, {"message": message, "attributes": attributes})
    assert (changed.status, changed.json) == (422, created.json)
    assert (await api.get(f"/contacts/{known['id']}")).json == before.json
    assert len(await given.emitted(ContactCreated)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"name": ["a"]},
        {"name": {"a": 1}},
        {"blocked": "perhaps"},
        {"custom_attributes": "plan"},
        {"custom_attributes": ["plan"]},
        {"additional_attributes": 7},
        {"inbox_id": "first"},
        {"inbox_id": 10**30},
        {"inbox_id": [1]},
        {"inbox_id": 1.5},
    ],
)
async def test_what_is_of_the_wrong_kind_is_refused(api: Api, given: Given, body: dict[str, Any]) -> None:
    reply = await api.post("/contacts", body)

    assert reply.status == 422
    assert reply.json.keys() == {"error"}
    assert await given.emitted(ContactCreated) == []


@pytest.mark.parametrize(
    "body",
    [b'{"name":"\\u0000"}', b'{"custom_attributes":{"\\u0000":1}}', b'{"name":"\\ud800"}', b"{", b'{"n":"\xff"}'],
)
async def test_what_cannot_be_stored_is_refused(api: Api, given: Given, body: bytes) -> None:
    reply = await api.call("POST", "/contacts", content=body, headers={"content-type": "application/json"})

    assert reply.status == 400
    assert await given.emitted(ContactCreated) == []


async def test_numbers_of_any_size_come_back_as_they_were(api: Api) -> None:
    attributes = {"large": 10**40, "small": -(10**25), "exact": 9007199254740993, "half": 0.5}

    reply = await api.post("/contacts", {"custom_attributes": attributes})

    assert reply.status == 200
    assert reply.json["payload"]["contact"]["custom_attributes"] == attributes


async def test_a_number_for_a_name_is_its_digits(api: Api) -> None:
    reply = await api.post("/contacts", {"name": 42, "identifier": 4471})

    contact = reply.json["payload"]["contact"]
    assert (contact["name"], contact["identifier"]) == ("42", "4471")


async def test_a_change_merges_attributes_by_their_top_level_keys(api: Api, given: Given) -> None:
    attributes = {"plan": "gold", "address": {"city": "Porto", "zip": "4000"}}
    contact = await given.contact(custom_attributes=attributes, additional_attributes={"city": "Porto"})

    reply = await api.patch(
        f"/contacts/{contact['id']}",
        {
            "custom_attributes": {"address": {"city": "Braga"}, "seats": None},
            "additional_attributes": {"country_code": "PT"},
        },
    )

    shown = reply.json["payload"]
    assert shown["custom_attributes"] == {"plan": "gold", "address": {"city": "Braga"}, "seats": None}
    assert shown["additional_attributes"] == {"city": "Porto", "country_code": "PT"}
    assert (await api.get(f"/contacts/{contact['id']}")).json == reply.json


async def test_a_change_is_told_with_what_was_and_what_is(api: Api, given: Given) -> None:
    contact = await given.contact("Rosa", email="rosa@example.net", additional_attributes={"city": "Porto"})

    await api.put(
        f"/contacts/{contact['id']}",
        {"name": "Rosa Lind", "phone_number": "", "email": "", "additional_attributes": {"city": "Recife"}},
    )

    (event,) = await given.emitted(ContactUpdated)
    updated_at = event.changes.pop("updated_at")
    assert event.changes == {
        "name": ["Rosa", "Rosa Lind"],
        "email": ["rosa@example.net", None],
        "location": ["Porto", "Recife"],
        "additional_attributes": [{"city": "Porto"}, {"city": "Recife"}],
    }
    assert updated_at[0] < updated_at[1]
    assert (event.snapshot.name, event.snapshot.email) == ("Rosa Lind", None)
    assert event.snapshot.additional_attributes == {"city": "Recife"}
    assert (event.contact_id, event.actor_id) == (contact["id"], given.boss.id)


async def test_what_changes_nothing_is_told_to_nobody(api: Api, given: Given) -> None:
    contact = await given.contact("Rosa", email="rosa@example.net", custom_attributes={"plan": "gold"})
    path = f"/contacts/{contact['id']}"
    before = await api.get(path)

    replies = [
        await api.patch(path, {"name": "Rosa", "email": "ROSA@example.net", "custom_attributes": {"plan": "gold"}}),
        await api.patch(path, {}),
        await api.patch(path, {"unknown": 1, "id": 7, "account_id": 7, "contact_type": "customer"}),
        await api.post(f"{path}/labels", {"labels": []}),
        await api.post(f"{path}/labels/remove", {"label": "vip"}),
        await api.post(f"{path}/destroy_custom_attributes", {"custom_attributes": ["seats"]}),
        await api.patch(f"{path}/custom_attributes", {"custom_attributes": {"seats": None, "plan": "gold"}}),
    ]

    assert {reply.status for reply in replies} == {200}
    assert (await api.get(path)).json == before.json
    assert {reply.headers["etag"] for reply in replies} == {before.headers["etag"]}
    assert await given.emitted(ContactUpdated) == []


async def test_custom_attributes_are_removed_by_name(api: Api, given: Given) -> None:
    contact = await given.contact(custom_attributes={"plan": "gold", "seats": 12, "since": 2019})

    reply = await api.post(
        f"/contacts/{contact['id']}/destroy_custom_attributes", {"custom_attributes": ["plan", "seats", "unknown"]}
    )

    assert reply.status == 200
    assert reply.json == {"payload": {**contact, "custom_attributes": {"since": 2019}}}
    (event,) = await given.emitted(ContactUpdated)
    assert event.changes["custom_attributes"] == [{"plan": "gold", "seats": 12, "since": 2019}, {"since": 2019}]


async def test_one_custom_attribute_is_written_or_taken_away_and_the_others_stay(api: Api, given: Given) -> None:
    contact = await given.contact(custom_attributes={"plan": "gold", "seats": 12})
    path = f"/contacts/{contact['id']}/custom_attributes"

    written = await api.patch(path, {"custom_attributes": {"since": 2019}})
    taken = await api.patch(path, {"custom_attributes": {"plan": None}})
    nothing = await api.patch(path, {})

    assert (written.status, written.json) == (
        200,
        {"custom_attributes": {"plan": "gold", "seats": 12, "since": 2019}},
    )
    assert (taken.status, taken.json) == (200, {"custom_attributes": {"seats": 12, "since": 2019}})
    assert (nothing.status, nothing.json) == (
        422,
        {"error": "param is missing or the value is empty: custom_attributes"},
    )


async def test_labels_are_replaced_as_a_set(api: Api, given: Given) -> None:
    contact = await given.contact()
    path = f"/contacts/{contact['id']}/labels"

    replies = [
        await api.get(path),
        await api.post(path, {"labels": ["VIP", " lead ", "vip", "", "a,b"]}),
        await api.get(path),
        await api.post(path, {"labels": "gold"}),
        await api.post(path, {}),
    ]

    payloads = [reply.json["payload"] for reply in replies]
    assert payloads == [[], ["vip", "lead", "a", "b"], ["vip", "lead", "a", "b"], ["gold"], []]
    changes = [event.changes["label_list"] for event in await given.emitted(ContactUpdated)]
    assert changes == [[[], payloads[1]], [payloads[1], ["gold"]], [["gold"], []]]


async def test_one_label_is_added_or_taken_away_and_the_others_stay(api: Api, given: Given) -> None:
    contact = await given.contact()
    path = f"/contacts/{contact['id']}/labels"
    await api.post(path, {"labels": ["vip", "lead"]})

    replies = [
        await api.post(f"{path}/add", {"label": "Gold"}),
        await api.post(f"{path}/add", {"label": "gold"}),
        await api.post(f"{path}/remove", {"label": " VIP "}),
        await api.post(f"{path}/remove", {"label": "unknown"}),
    ]

    assert [reply.json["payload"] for reply in replies] == [
        ["vip", "lead", "gold"],
        ["vip", "lead", "gold"],
        ["lead", "gold"],
        ["lead", "gold"],
    ]
    assert len(await given.emitted(ContactUpdated)) == 3


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("labels", {"labels": ["x" * 256]}, {"attributes": ["label_list"]}),
        ("labels", {"labels": ["x" * 200_000]}, {"attributes": ["label_list"]}),
        ("labels", {"labels": [f"label{number}" for number in range(201)]}, {"attributes": ["label_list"]}),
        ("labels", {"labels": {"vip": True}}, {}),
        ("labels", {"labels": [["vip"]]}, {}),
        ("labels/add", {"label": " , "}, {"message": "Label can't be blank", "attributes": ["label_list"]}),
        ("labels/add", {"label": "x" * 256}, {"attributes": ["label_list"]}),
        ("labels/add", {}, {"error": "param is missing or the value is empty: label"}),
        ("labels/remove", {"label": ""}, {"message": "Label can't be blank", "attributes": ["label_list"]}),
        ("labels/remove", {"label": ["vip"]}, {}),
        ("custom_attributes", {"custom_attributes": ["plan"]}, {}),
        ("destroy_custom_attributes", {"custom_attributes": {"plan": 1}}, {}),
        ("destroy_custom_attributes", {"custom_attributes": [["plan"]]}, {}),
    ],
)
async def test_labels_and_attributes_that_cannot_be_are_refused_and_change_nothing(
    api: Api, given: Given, path: str, body: dict[str, Any], refusal: dict[str, Any]
) -> None:
    contact = await given.contact(custom_attributes={"plan": "gold"})
    await api.post(f"/contacts/{contact['id']}/labels", {"labels": ["vip"]})
    method = "PATCH" if path == "custom_attributes" else "POST"

    reply = await api.call(method, f"/contacts/{contact['id']}/{path}", json=body)

    assert reply.status == 422
    assert refusal.items() <= reply.json.items()
    assert (await api.get(f"/contacts/{contact['id']}/labels")).json == {"payload": ["vip"]}
    assert (await api.get(f"/contacts/{contact['id']}")).json["payload"]["custom_attributes"] == {"plan": "gold"}


async def test_a_change_meant_for_another_version_changes_nothing(api: Api, given: Given) -> None:
    contact = await given.contact("Rosa", custom_attributes={"plan": "gold"})
    path = f"/contacts/{contact['id']}"
    read = await api.get(path)
    stale = {"if-match": read.headers["etag"]}
    await api.patch(path, {"name": "Rosa Lind"}, headers=stale)
    now = await api.get(path)

    replies = [
        await api.patch(path, {"name": "Marta"}, headers=stale),
        await api.delete(path, headers=stale),
        await api.post(f"{path}/labels", {"labels": ["vip"]}, headers=stale),
        await api.post(f"{path}/labels/add", {"label": "vip"}, headers=stale),
        await api.post(f"{path}/labels/remove", {"label": "vip"}, headers=stale),
        await api.post(f"{path}/destroy_custom_attributes", {"custom_attributes": ["plan"]}, headers=stale),
        await api.patch(f"{path}/custom_attributes", {"custom_attributes": {"plan": 1}}, headers=stale),
    ]

    assert {reply.status for reply in replies} == {412}
    assert replies[0].json == {"error": "This was changed since you read it; read it again"}
    assert (await api.get(path)).json == now.json
    assert now.json["payload"]["name"] == "Rosa Lind"
    fresh = await api.patch(path, {"name": "Marta"}, headers={"if-match": now.headers["etag"]})
    assert (fresh.status, fresh.json["payload"]["name"]) == (200, "Marta")
    assert (await api.patch(path, {"name": "Ana"}, headers={"if-match": "*"})).status == 200


async def test_of_two_who_change_one_version_at_once_one_is_told_to_read_again(api: Api, given: Given) -> None:
    contact = await given.contact()
    path = f"/contacts/{contact['id']}"
    headers = {"if-match": (await api.get(path)).headers["etag"]}

    replies = await asyncio.gather(*[api.patch(path, {"name": f"Rosa {n}"}, headers=headers) for n in range(16)])

    assert sorted(reply.status for reply in replies) == [200, *[412] * 15]


async def test_a_contact_who_is_online_is_not_deleted(api: Api, given: Given) -> None:
    contact = await given.contact("Rosa Lind")
    given.world.parts.presence.touch_contact(given.account_id, contact["id"])

    reply = await api.delete(f"/contacts/{contact['id']}")

    shown = await api.get(f"/contacts/{contact['id']}")
    assert (reply.status, reply.json) == (422, {"message": "Rosa Lind is Online, please try again later"})
    assert shown.json["payload"]["availability_status"] == "online"
    assert await given.emitted(ContactDeleted) == []


async def test_a_contact_who_wrote_shows_when(api: Api, given: Given) -> None:
    contact = await given.contact()
    conversation = await given.conversation(contact=contact)
    before = int(clock.unix())
    await given.message(conversation, "Olá!", message_type="incoming")

    shown = (await api.get(f"/contacts/{contact['id']}")).json["payload"]

    assert "last_activity_at" not in contact
    assert before <= shown["last_activity_at"] <= clock.unix()
    assert await given.emitted(ContactUpdated) == []


@pytest.mark.parametrize("contact_id", ["0", str(2**63 - 1), str(2**63), "9" * 40, "-1", "abc", "1.5", "%00"])
async def test_an_id_that_is_nobodys_is_not_found(api: Api, contact_id: str) -> None:
    replies = [await api.get(f"/contacts/{contact_id}"), await api.delete(f"/contacts/{contact_id}")]

    assert [reply.status for reply in replies] == [404, 404]


CALLS: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("PATCH", "", {"name": "Mallory"}),
    ("DELETE", "", None),
    ("GET", "/labels", None),
    ("POST", "/labels", {"labels": ["vip"]}),
    ("POST", "/labels/add", {"label": "vip"}),
    ("POST", "/labels/remove", {"label": "vip"}),
    ("PATCH", "/custom_attributes", {"custom_attributes": {"plan": "none"}}),
    ("POST", "/destroy_custom_attributes", {"custom_attributes": ["plan"]}),
    ("GET", "/contactable_inboxes", None),
    ("POST", "/contact_inboxes", {"inbox_id": 1}),
    ("GET", "/conversations", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_a_contact_of_another_account_does_not_exist(
    api: Api, given: Given, method: str, path: str, body: Any
) -> None:
    others = await given.another_account()
    theirs = await others.contact(custom_attributes={"plan": "gold"})

    reply = await api.call(method, f"/contacts/{theirs['id']}{path}", json=body)

    assert (reply.status, reply.json) == (404, NOT_FOUND)
    assert (await others.api.get(f"/contacts/{theirs['id']}")).json["payload"] == theirs
    assert await others.emitted(ContactUpdated) == []


LISTS: list[tuple[str, str, Any]] = [
    ("GET", "/contacts", None),
    ("GET", "/contacts/search?q=rosa", None),
    ("GET", "/contacts/active", None),
    ("POST", "/contacts/filter", {"payload": []}),
    ("POST", "/contacts", {"name": "Mallory"}),
    ("POST", "/contact_inboxes/filter", {"inbox_id": 1, "source_id": "x"}),
]


@pytest.mark.parametrize(
    ("method", "path", "body"), [*LISTS, *[(method, f"/contacts/{{id}}{path}", body) for method, path, body in CALLS]]
)
async def test_bots_and_strangers_have_nothing_to_do_with_contacts(
    api: Api, given: Given, method: str, path: str, body: Any
) -> None:
    contact = await given.contact()
    others = await given.another_account()
    path = path.format(id=contact["id"])

    bot = await api.acting_as(await given.bot()).call(method, path, json=body)
    nobody = await api.acting_as(None).call(method, path, json=body)
    neighbour = await others.api.in_account(given.account_id).call(method, path, json=body)

    assert (bot.status, bot.json) == (401, {"error": "Access to this endpoint is not authorized for bots"})
    assert (nobody.status, nobody.json) == (401, {"errors": ["You need to sign in or sign up before continuing."]})
    assert neighbour.status in (401, 404)
    assert (await api.get(f"/contacts/{contact['id']}")).json["payload"] == contact


async def test_agents_do_everything_with_contacts_but_delete_them(api: Api, given: Given) -> None:
    agent = api.acting_as(await given.agent("Ana"))

    created = await agent.post("/contacts", {"name": "Rosa", "email": "rosa@example.net"})
    path = f"/contacts/{created.json['payload']['contact']['id']}"
    replies = [
        created,
        await agent.get("/contacts"),
        await agent.get(path),
        await agent.patch(path, {"name": "Rosa Lind"}),
        await agent.post(f"{path}/labels", {"labels": ["vip"]}),
    ]
    deleted = await agent.delete(path)

    assert [reply.status for reply in replies] == [200] * 5
    assert (deleted.status, deleted.json) == (401, {"error": "You are not authorized to do this action"})
    assert (await api.get(path)).status == 200


async def test_a_retried_request_creates_one_contact(api: Api, given: Given) -> None:
    body = {"name": "Rosa", "email": "rosa@example.net"}
    headers = {"idempotency-key": "create-rosa"}

    replies = [await api.post("/contacts", body, headers=headers) for _ in range(2)]

    assert replies[0].status == replies[1].status == 200
    assert replies[0].json == replies[1].json
    assert len(await given.emitted(ContactCreated)) == 1


async def test_each_call_sends_few_statements(api: Api, given: Given) -> None:
    contact = await given.contact()
    path = f"/contacts/{contact['id']}"
    await api.get(path)

    with given.queries(at_most=2):
        await api.get(path)
    with given.queries(at_most=1):
        await api.get(f"{path}?include_contact_inboxes=false")
    with given.queries(at_most=5):  # BEGIN, the contact with its lock, the change, the event, COMMIT
        await api.patch(path, {"name": "Marta", "include_contact_inboxes": False})
    with given.queries(at_most=5):
        await api.post(f"{path}/labels", {"labels": ["vip"]})
