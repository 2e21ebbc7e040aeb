"""Contacts against the contract: every endpoint and every refusal, key by key."""

from __future__ import annotations

import re
from typing import Any

import pytest
from harness import Api, Given
from shapes import misfits, one_of

ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
INBOX_SLIM = {
    "id": int,
    "avatar_url": str,
    "channel_id": int,
    "name": str,
    "channel_type": "Channel::Api",
    "provider": one_of(str, None),
}
CONTACT_INBOX = {"source_id": str, "inbox": INBOX_SLIM}
BARE_CONTACT = {
    "additional_attributes": dict,
    "availability_status": one_of("online", "offline"),
    "email": one_of(str, None),
    "id": int,
    "name": one_of(str, None),
    "phone_number": one_of(str, None),
    "blocked": bool,
    "identifier": one_of(str, None),
    "thumbnail": str,
    "custom_attributes": dict,
    "last_activity_at?": int,
    "created_at": int,
}
CONTACT = {**BARE_CONTACT, "contact_inboxes": [CONTACT_INBOX]}
INBOX_RAW = {
    "id": int,
    "channel_id": int,
    "account_id": int,
    "name": str,
    "created_at": str,
    "updated_at": str,
    "channel_type": "Channel::Api",
    "enable_auto_assignment": bool,
    "greeting_enabled": bool,
    "greeting_message": one_of(str, None),
    "email_address": one_of(str, None),
    "working_hours_enabled": bool,
    "out_of_office_message": one_of(str, None),
    "timezone": str,
    "enable_email_collect": bool,
    "csat_survey_enabled": bool,
    "allow_messages_after_resolved": bool,
    "auto_assignment_config": dict,
    "lock_to_single_conversation": bool,
    "portal_id": one_of(int, None),
    "sender_name_type": one_of("friendly", "professional"),
    "business_name": one_of(str, None),
    "csat_config": dict,
}
CREATED = {"payload": {"contact": CONTACT, "contact_inbox": {"inbox": INBOX_RAW, "source_id": str}}}
CREATED_ALONE = {"payload": {"contact": CONTACT, "contact_inbox": {"inbox": None, "source_id": None}}}
LIST = {"meta": {"count": int, "current_page": 1}, "payload": [CONTACT]}
LIST_OF_PAGE = {"meta": {"count": int, "current_page": "1"}, "payload": [BARE_CONTACT]}
AGENT = {
    "id": int,
    "account_id": int,
    "availability_status": str,
    "auto_offline": bool,
    "confirmed": bool,
    "email": str,
    "provider": str,
    "available_name": str,
    "custom_attributes?": dict,
    "custom_role_id?": one_of(int, None),
    "name": str,
    "role": one_of("agent", "administrator"),
    "thumbnail": str,
}
NOTE = {
    "id": int,
    "content": str,
    "account_id": int,
    "contact_id": int,
    "user": AGENT,
    "created_at": int,
    "updated_at": int,
}
IMPORT = {
    "id": int,
    "status": "completed",
    "total_rows": int,
    "processed_rows": int,
    "created_rows": int,
    "updated_rows": int,
    "rejected_rows": int,
    "rejects_url": str,
    "error": None,
    "created_at": str,
    "updated_at": str,
}
EXPORT = {
    "id": int,
    "status": "completed",
    "column_names": [str],
    "exported_rows": int,
    "download_url": str,
    "created_at": str,
    "updated_at": str,
}
RECORD_REFUSAL = {"message": str, "attributes": [str]}
ERROR = {"error": str}


@pytest.fixture
async def rosa(api: Api, given: Given) -> Any:
    """A contact with a session, a conversation, labels and attributes: with everything lists and objects can show."""
    inbox = await given.inbox()
    created = await api.post(
        "/contacts",
        {
            "name": "Rosa Lind",
            "email": "rosa@example.net",
            "phone_number": "+4915112345678",
            "identifier": "crm-77",
            "additional_attributes": {"city": "Berlin", "social_profiles": {"github": "rosa"}},
            "custom_attributes": {"plan": "gold", "seats": 12},
            "inbox_id": inbox["id"],
        },
    )
    assert misfits(created.json, CREATED) == []
    assert ISO_TIME.fullmatch(created.json["payload"]["contact_inbox"]["inbox"]["created_at"])
    contact = created.json["payload"]["contact"]
    conversation = await given.conversation(inbox=inbox, contact=contact)
    await given.message(conversation, message_type="incoming")
    assert (await api.post(f"/contacts/{contact['id']}/labels", {"labels": ["vip"]})).status == 200
    return {**contact, "inbox": inbox}


async def test_creating_answers_the_contact_and_its_session_below_payload(api: Api) -> None:
    reply = await api.post("/contacts", {"name": "Marta"})

    assert reply.status == 200
    assert misfits(reply.json, CREATED_ALONE) == []
    assert "last_activity_at" not in reply.json["payload"]["contact"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/contacts", None),
        ("GET", "/contacts/search?q=rosa", None),
        ("POST", "/contacts/filter", {"payload": []}),
    ],
)
async def test_lists_answer_a_count_a_page_and_contacts(api: Api, rosa: Any, method: str, path: str, body: Any) -> None:
    reply = await api.call(method, path, json=body)
    joint = "&" if "?" in path else "?"
    paged = await api.call(method, f"{path}{joint}page=1&include_contact_inboxes=false", json=body)

    assert reply.status == paged.status == 200
    assert misfits(reply.json, LIST) == []
    assert misfits(paged.json, LIST_OF_PAGE) == []
    assert len(reply.json["payload"]) == len(paged.json["payload"]) == 1
    assert "last_activity_at" in reply.json["payload"][0]


async def test_the_active_are_listed_alike(api: Api, given: Given, rosa: Any) -> None:
    given.world.parts.presence.touch_contact(given.account_id, rosa["id"])

    reply = await api.get("/contacts/active")

    assert misfits(reply.json, LIST) == []
    assert reply.json["payload"][0]["availability_status"] == "online"


async def test_showing_and_changing_answer_the_contact_below_payload(api: Api, rosa: Any) -> None:
    path = f"/contacts/{rosa['id']}"

    shown = await api.get(path)
    changed = await api.patch(path, {"name": "Rosa L."})
    put = await api.put(path, {"name": "Rosa Lind"})
    slim = await api.get(f"{path}?include_contact_inboxes=false")
    removed = await api.post(f"{path}/destroy_custom_attributes", {"custom_attributes": ["seats"]})

    assert [reply.status for reply in (shown, changed, put, slim, removed)] == [200] * 5
    for reply in (shown, changed, put, removed):
        assert misfits(reply.json, {"payload": CONTACT}) == []
    assert misfits(slim.json, {"payload": BARE_CONTACT}) == []


async def test_labels_answer_their_names(api: Api, rosa: Any) -> None:
    path = f"/contacts/{rosa['id']}/labels"

    replies = [
        await api.get(path),
        await api.post(path, {"labels": ["vip", "lead"]}),
        # Ours, beside those that replace.
        await api.post(f"{path}/add", {"label": "gold"}),
        await api.post(f"{path}/remove", {"label": "vip"}),
    ]

    for reply in replies:
        assert reply.status == 200
        assert misfits(reply.json, {"payload": [str]}) == []


async def test_single_custom_attributes_answer_all_of_them(api: Api, rosa: Any) -> None:
    """Ours."""
    reply = await api.patch(f"/contacts/{rosa['id']}/custom_attributes", {"custom_attributes": {"plan": None}})

    assert (reply.status, reply.json) == (200, {"custom_attributes": {"seats": 12}})


async def test_sessions_answer_their_inbox_in_a_few_words(api: Api, rosa: Any) -> None:
    path = f"/contacts/{rosa['id']}"

    made = await api.post(f"{path}/contact_inboxes", {"inbox_id": rosa["inbox"]["id"]})
    offered = await api.get(f"{path}/contactable_inboxes")

    assert made.status == offered.status == 200
    assert misfits(made.json, {"source_id": str, "inbox": INBOX_SLIM}) == []
    assert misfits(offered.json, {"payload": [CONTACT_INBOX]}) == []
    assert len(offered.json["payload"]) == 1


async def test_a_contact_found_by_its_session_is_answered_bare(api: Api, rosa: Any) -> None:
    body = {"inbox_id": rosa["inbox"]["id"], "source_id": rosa["contact_inboxes"][0]["source_id"]}

    found = await api.post("/contact_inboxes/filter", body)
    nobody = await api.post("/contact_inboxes/filter", {**body, "source_id": "nobody"})

    assert found.status == 200
    assert misfits(found.json, CONTACT) == []
    assert (nobody.status, nobody.body) == (404, b"")


async def test_conversations_of_a_contact_stand_below_payload(api: Api, rosa: Any) -> None:
    reply = await api.get(f"/contacts/{rosa['id']}/conversations")

    assert reply.status == 200
    assert misfits(reply.json, {"payload": [dict]}) == []
    assert [each["meta"]["sender"]["id"] for each in reply.json["payload"]] == [rosa["id"]]


async def test_deleting_answers_nothing(api: Api, rosa: Any) -> None:
    reply = await api.delete(f"/contacts/{rosa['id']}")

    assert (reply.status, reply.body) == (200, b"")


async def test_refusals_have_the_shapes_of_the_family(api: Api, given: Given, rosa: Any) -> None:
    path = f"/contacts/{rosa['id']}"
    agent = api.acting_as(await given.agent("Ana"))
    inbox = {"inbox_id": rosa["inbox"]["id"]}

    taken = await api.post("/contacts", {"email": rosa["email"]})
    invalid = await api.patch(path, {"phone_number": "1"})
    stolen = await api.post("/contacts", {**inbox, "source_id": rosa["contact_inboxes"][0]["source_id"]})
    filtered = await api.post("/contacts/filter", {"payload": [{"attribute_key": "x", "filter_operator": "y"}]})
    unknown = await api.get("/contacts/0")
    unseen = await agent.post(f"{path}/contact_inboxes", inbox)
    not_theirs = await agent.delete(path)
    given.world.parts.presence.touch_contact(given.account_id, rosa["id"])
    online = await api.delete(path)

    for reply, status, shape in (
        # Whose it is, is ours.
        (taken, 422, {"message": str, "attributes": ["email"], "taken_by": {"email": int}}),
        (invalid, 422, {"message": str, "attributes": ["phone_number"]}),
        (stolen, 422, RECORD_REFUSAL),
        (filtered, 422, ERROR),
        (unknown, 404, ERROR),
        (unseen, 401, ERROR),
        (not_theirs, 401, ERROR),
        (online, 422, {"message": "Rosa Lind is Online, please try again later"}),
    ):
        assert reply.status == status
        assert misfits(reply.json, shape) == []


async def test_notes_are_answered_bare(api: Api, rosa: Any) -> None:
    path = f"/contacts/{rosa['id']}/notes"

    written = await api.post(path, {"note": {"content": "Likes tea"}})
    one = f"{path}/{written.json['id']}"
    replies = [written, await api.get(one), await api.patch(one, {"content": "x"}), await api.put(one, {"content": ""})]
    listed = await api.get(path)
    removed = await api.delete(one)

    for reply in replies:
        assert reply.status == 200
        assert misfits(reply.json, NOTE) == []
    assert misfits(listed.json, [NOTE]) == []
    assert (removed.status, removed.body) == (200, b"")


async def test_imports_and_exports_begin_without_a_word(api: Api, given: Given, rosa: Any) -> None:
    """How far they have come is ours."""
    imported = await api.post("/contacts/import", files={"import_file": ("contacts.csv", b"name,email\nx,wrong\n")})
    exported = await api.post("/contacts/export", {"column_names": ["name"], "payload": [], "label": ""})
    missing = await api.post("/contacts/import", {})
    refused = await api.acting_as(await given.agent("Ana")).post("/contacts/export", {})
    await given.worked()
    shown = [(await api.get(reply.headers["location"])).json for reply in (imported, exported)]

    for reply in (imported, exported):
        assert (reply.status, reply.body) == (200, b"")
    assert (missing.status, misfits(missing.json, ERROR)) == (422, [])
    assert (refused.status, misfits(refused.json, ERROR)) == (401, [])
    assert misfits(shown, [one_of(IMPORT, EXPORT)]) == []
