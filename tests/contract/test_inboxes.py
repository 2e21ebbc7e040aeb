"""Inboxes with an API channel against the contract: every endpoint and every refusal, key by key."""

from __future__ import annotations

from typing import Any

from harness import Api, Given
from shapes import misfits, one_of

HOUR = one_of(int, None)
DAY = {
    "day_of_week": int,
    "closed_all_day": bool,
    "open_all_day": bool,
    "open_hour": HOUR,
    "close_hour": HOUR,
    "open_minutes": HOUR,
    "close_minutes": HOUR,
}
OF_AGENTS: dict[str, Any] = {
    "id": int,
    "avatar_url": str,
    "channel_id": int,
    "name": str,
    "channel_type": "Channel::Api",
    "greeting_enabled": bool,
    "greeting_message": one_of(str, None),
    "working_hours_enabled": bool,
    "working_hours": [DAY],
    "out_of_office_message": one_of(str, None),
    "timezone": str,
    "enable_email_collect": bool,
    "csat_survey_enabled": bool,
    "csat_config": dict,
    "enable_auto_assignment": bool,
    "auto_assignment_config": dict,
    "allow_messages_after_resolved": bool,
    "lock_to_single_conversation": bool,
    "sender_name_type": one_of("friendly", "professional"),
    "business_name": one_of(str, None),
    "callback_webhook_url": None,
    "allowed_domains": None,
    "widget_color": None,
    "website_url": None,
    "welcome_title": None,
    "welcome_tagline": None,
    "web_widget_script": None,
    "website_token": None,
    "selected_feature_flags": None,
    "reply_time": None,
    "hmac_mandatory": bool,
    "messaging_service_sid": None,
    "phone_number": None,
    "provider": None,
    "webhook_url": one_of(str, None),
    "inbox_identifier": str,
    "additional_attributes": dict,
    # What the contract does not have: ours, beside its keys.
    "deduplicate_source_ids": bool,
}
OF_ADMINISTRATORS = {**OF_AGENTS, "hmac_token": str, "secret": str}
AGENT = {
    "id": int,
    "account_id": int,
    "availability_status": one_of("online", "busy", "offline"),
    "auto_offline": bool,
    "confirmed": bool,
    "email": str,
    "provider": "email",
    "available_name": str,
    "custom_attributes?": dict,
    "name": str,
    "role": one_of("agent", "administrator"),
    "thumbnail": str,
}
AGENTS = {"payload": [AGENT]}
RECORD_REFUSAL = {"message": str, "attributes": [str]}
ERROR = {"error": str}


async def test_a_single_inbox_is_bare_and_the_list_wrapped(api: Api) -> None:
    body = {"name": "Bridge", "channel": {"type": "api", "webhook_url": "https://bridge.example.com/in"}}

    created = await api.post("/inboxes/", body)
    path = f"/inboxes/{created.json['id']}"
    full = await api.patch(path, {"greeting_message": "Olá", "out_of_office_message": "Até", "business_name": "Loja"})

    for reply in (
        created,
        full,
        await api.get(path),
        await api.get(f"{path}/"),
        await api.put(path, {"name": "Ponte"}),
    ):
        assert reply.status == 200
        assert misfits(reply.json, OF_ADMINISTRATORS) == []
        assert [day["day_of_week"] for day in reply.json["working_hours"]] == list(range(7))
    assert misfits((await api.get("/inboxes")).json, {"payload": [OF_ADMINISTRATORS]}) == []


async def test_for_agents_secrets_have_no_key(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = api.acting_as(await given.agent("Ana", inbox=inbox))

    assert misfits((await ana.get("/inboxes")).json, {"payload": [OF_AGENTS]}) == []
    assert misfits((await ana.get(f"/inboxes/{inbox['id']}")).json, OF_AGENTS) == []


async def test_a_removal_tells_in_words_and_that_of_a_picture_is_empty(api: Api, given: Given) -> None:
    inbox = await given.inbox()

    picture = await api.delete(f"/inboxes/{inbox['id']}/avatar")
    removal = await api.delete(f"/inboxes/{inbox['id']}")

    assert (picture.status, picture.body) == (200, b"")
    assert (removal.status, misfits(removal.json, {"message": str})) == (200, [])


async def test_members_are_agents(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana")
    members = {"inbox_id": inbox["id"], "user_ids": [ana.id]}

    for reply in (
        await api.post("/inbox_members", members),
        await api.patch("/inbox_members", members),
        await api.get(f"/inbox_members/{inbox['id']}"),
        await api.get(f"/inboxes/{inbox['id']}/assignable_agents"),
        await api.get(f"/assignable_agents?inbox_ids[]={inbox['id']}"),
    ):
        assert (reply.status, misfits(reply.json, AGENTS)) == (200, [])
        assert reply.json["payload"]
    removal = await api.delete("/inbox_members", members)
    assert (removal.status, removal.body) == (200, b"")


async def test_refusals_have_the_contracts_bodies(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    path = f"/inboxes/{inbox['id']}"
    agent, bot = api.acting_as(await given.agent("Ana")), api.acting_as(await given.bot())

    records = [
        await api.post("/inboxes", {"name": "App", "channel": {"type": "pigeon"}}),
        await api.post("/inboxes", {"channel": {"type": "api"}}),
        await api.patch(path, {"timezone": "Mars"}),
        await api.patch(path, {"channel": {"additional_attributes": {"agent_reply_time_window": -1}}}),
        await api.post("/inbox_members", {"inbox_id": inbox["id"], "user_ids": [999_999_999]}),
    ]
    missing = await api.post("/inbox_members", {"inbox_id": inbox["id"]})
    not_found = [await api.get("/inboxes/999999999"), await api.post("/inbox_members", {"user_ids": []})]
    not_allowed = [await agent.get(path), await agent.delete(path), await bot.get(path)]

    assert [(each.status, misfits(each.json, RECORD_REFUSAL)) for each in records] == [(422, [])] * 5
    assert (missing.status, misfits(missing.json, ERROR)) == (422, [])
    assert [(each.status, misfits(each.json, ERROR)) for each in not_found] == [(404, [])] * 2
    assert [(each.status, misfits(each.json, ERROR)) for each in not_allowed] == [(401, [])] * 3
