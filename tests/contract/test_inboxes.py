"""Inboxes against the contract: every endpoint, every kind of channel and every refusal, key by key."""

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
TEXT = one_of(str, None)
FIELD = {
    "name": str,
    "field_type": one_of("standard", "contact_attribute", "conversation_attribute"),
    "label?": str,
    "placeholder?": str,
    "type": str,
    "enabled": bool,
    "required": bool,
    "locale?": str,
    "values?": [str],
    "regex_pattern?": TEXT,
    "regex_cue?": TEXT,
}
# What each kind of channel has beside the keys that are there for all, and what of it only administrators see.
OF_KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "web_widget": (
        {
            "channel_type": "Channel::WebWidget",
            "website_url": str,
            "widget_color": str,
            "welcome_title": TEXT,
            "welcome_tagline": TEXT,
            "website_token": str,
            "web_widget_script": str,
            "allowed_domains": str,
            "selected_feature_flags": [str],
            "reply_time": one_of("in_a_few_minutes", "in_a_few_hours", "in_a_day"),
            "hmac_mandatory": bool,
            "pre_chat_form_enabled": bool,
            "pre_chat_form_options": {"pre_chat_message": str, "require_email?": bool, "pre_chat_fields": [FIELD]},
            "continuity_via_email": bool,
        },
        {"hmac_token": str},
    ),
    "email": (
        {"channel_type": "Channel::Email", "email": str, "forwarding_enabled": bool, "forward_to_email": str},
        {
            "imap_enabled": bool,
            "imap_address": str,
            "imap_port": int,
            "imap_login": str,
            "imap_password": str,
            "imap_enable_ssl": bool,
            "smtp_enabled": bool,
            "smtp_address": str,
            "smtp_port": int,
            "smtp_login": str,
            "smtp_password": str,
            "smtp_domain": str,
            "smtp_enable_ssl_tls": bool,
            "smtp_enable_starttls_auto": bool,
            "smtp_openssl_verify_mode": str,
            "smtp_authentication": str,
        },
    ),
    "whatsapp": (
        {
            "channel_type": "Channel::Whatsapp",
            "phone_number": str,
            "provider": one_of("default", "whatsapp_cloud"),
            "callback_webhook_url": str,
            "message_templates": one_of([dict], dict),
            "reauthorization_required": bool,
        },
        {"provider_config": {"api_key": str, "webhook_verify_token?": str}},
    ),
    "telegram": ({"channel_type": "Channel::Telegram", "bot_name": str}, {}),
    "line": ({"channel_type": "Channel::Line", "callback_webhook_url": str}, {}),
    "sms": (
        {"channel_type": "Channel::Sms", "phone_number": str, "provider": "default", "callback_webhook_url": str},
        {},
    ),
    "twilio": (
        {
            "channel_type": "Channel::TwilioSms",
            "medium": one_of("sms", "whatsapp"),
            "phone_number": TEXT,
            "messaging_service_sid": TEXT,
            "content_templates": one_of(dict, None),
            "callback_webhook_url": str,
        },
        {"auth_token": str, "account_sid": str},
    ),
}
OF_API_ALONE = ("webhook_url", "inbox_identifier", "additional_attributes", "deduplicate_source_ids")
OF_ALL = {**{name: shape for name, shape in OF_AGENTS.items() if name not in OF_API_ALONE}, "hmac_mandatory": None}
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
    "custom_role_id?": one_of(int, None),
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


async def test_every_kind_of_channel_has_its_keys(api: Api, given: Given) -> None:
    unique = str(given.account_id)
    sent: dict[str, dict[str, Any]] = {
        "web_widget": {"website_url": "https://loja.example"},
        "email": {"email": f"contract-{unique}@loja.example"},
        "whatsapp": {"phone_number": f"+4420{unique}77", "provider_config": {"api_key": "k"}},
        "telegram": {"bot_token": f"77{unique}:{'t' * 35}"},
        "line": {"line_channel_id": f"contract-{unique}", "line_channel_secret": "s", "line_channel_token": "t"},
        "sms": {
            "phone_number": f"+4421{unique}77",
            "provider_config": dict.fromkeys(("account_id", "application_id", "api_key", "api_secret"), "x"),
        },
    }
    twilio = {"name": "T", "account_sid": "AC", "auth_token": "t", "messaging_service_sid": f"MG{unique}"}
    await api.patch("/", {"domain": "mail.loja.example"})

    made = {
        kind: await api.post("/inboxes", {"name": kind, "channel": {"type": kind, **channel}})
        for kind, channel in sent.items()
    }
    made["twilio"] = await api.post("/channels/twilio_channel", {"twilio_channel": twilio})

    ana = await given.agent("Ana")
    for kind, reply in made.items():
        for_agents, for_administrators = OF_KINDS[kind]
        assert reply.status == 200
        assert misfits(reply.json, {**OF_ALL, **for_agents, **for_administrators}) == []
        await api.post("/inbox_members", {"inbox_id": reply.json["id"], "user_ids": [ana.id]})
        shown = await api.acting_as(ana).get(f"/inboxes/{reply.json['id']}")
        assert misfits(shown.json, {**OF_ALL, **for_agents}) == []


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
