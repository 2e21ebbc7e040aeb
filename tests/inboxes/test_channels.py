from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from harness import BASE_URL, Api, Given, numbers

from criachat.inboxes.events import InboxCreated, InboxUpdated
from criachat.kit.db import Database
from criachat.kit.tokens import random_token

WEBSITE = {"type": "web_widget", "website_url": "https://loja.example"}
CLOUD = {"api_key": "cloud-key", "phone_number_id": "cloud-number", "business_account_id": "cloud-business"}
BANDWIDTH = {
    "account_id": "bandwidth-account",
    "application_id": "bandwidth-application",
    "api_key": "bandwidth-key",
    "api_secret": "bandwidth-secret",
}
BLANK = "can't be blank"


def number() -> str:
    """A telephone number that no other test has."""
    return f"+5511{next(numbers):09}"


def bot_token() -> str:
    """A token of a bot that no other test has."""
    return f"{next(numbers):010}:{random_token(35)}"


def channels(given: Given) -> dict[str, dict[str, Any]]:
    """One channel of each kind there is beside the API's."""
    return {
        "web_widget": WEBSITE,
        "email": {"type": "email", "email": f"Help.{given.account_id}@Loja.example"},
        "whatsapp": {
            "type": "whatsapp",
            "phone_number": number(),
            "provider": "whatsapp_cloud",
            "provider_config": CLOUD,
        },
        "telegram": {"type": "telegram", "bot_token": bot_token()},
        "line": {
            "type": "line",
            "line_channel_id": f"line-{given.account_id}",
            "line_channel_secret": "line-secret",
            "line_channel_token": "line-token",
        },
        "sms": {"type": "sms", "phone_number": number(), "provider_config": BANDWIDTH},
    }


async def row(database: Database, account_id: int) -> str:
    """What the database holds of the account's channels and of what happened to them."""
    async with database.reading() as db:
        return await db.fetch_value(
            "SELECT coalesce((SELECT string_agg(channels::text, '') FROM channels WHERE account_id = $1), '')"
            " || (SELECT string_agg(events::text, '') FROM events WHERE account_id = $1)"
            " || (SELECT string_agg(directory::text, '') FROM directory WHERE account_id = $1)",
            account_id,
        )


async def test_a_website_has_all_its_settings_and_a_script_to_include(api: Api, given: Given) -> None:
    inbox = await given.inbox("Loja", channel=WEBSITE)

    assert inbox["channel_type"] == "Channel::WebWidget"
    assert {
        "website_url": "https://loja.example",
        "widget_color": "#1f93ff",
        "welcome_title": None,
        "welcome_tagline": None,
        "reply_time": "in_a_few_minutes",
        "pre_chat_form_enabled": False,
        "continuity_via_email": True,
        "hmac_mandatory": False,
        "allowed_domains": "",
        "selected_feature_flags": ["attachments", "emoji_picker", "end_conversation"],
    }.items() <= inbox.items()
    form = inbox["pre_chat_form_options"]
    assert form["pre_chat_message"]
    assert [(field["name"], field["type"], field["required"]) for field in form["pre_chat_fields"]] == [
        ("emailAddress", "email", True),
        ("fullName", "text", False),
        ("phoneNumber", "text", False),
    ]
    assert {field["enabled"] for field in form["pre_chat_fields"]} == {False}
    assert len(inbox["website_token"]) == len(inbox["hmac_token"]) == 24
    assert inbox["website_token"] in inbox["web_widget_script"]
    assert f'{BASE_URL}" + "/packs/js/sdk.js' in inbox["web_widget_script"]
    assert (await api.get(f"/inboxes/{inbox['id']}")).json == inbox
    (event,) = await given.emitted(InboxCreated)
    assert event.snapshot.channel["website_token"] == inbox["website_token"]


async def test_what_is_sent_of_a_website_changes_and_the_rest_stays(api: Api, given: Given) -> None:
    inbox = await given.inbox("Loja", channel={**WEBSITE, "welcome_title": "Oi!"})
    sent = {
        "widget_color": "#009688",
        "welcome_tagline": "Estamos aqui",
        "reply_time": "in_a_day",
        "selected_feature_flags": ["use_inbox_avatar_for_bot", "use_inbox_avatar_for_bot"],
        "hmac_mandatory": "true",
        "pre_chat_form_options": {"pre_chat_message": "Quem é?", "pre_chat_fields": [{"name": "cpf", "label": "CPF"}]},
    }

    changed = await api.patch(f"/inboxes/{inbox['id']}", {"channel": {**sent, "website_token": "mine", "email": 5}})

    assert changed.status == 200
    assert changed.json == {
        **inbox,
        **sent,
        "hmac_mandatory": True,
        "selected_feature_flags": ["use_inbox_avatar_for_bot"],
        "pre_chat_form_options": {
            "pre_chat_message": "Quem é?",
            "pre_chat_fields": [
                {
                    "name": "cpf",
                    "field_type": "standard",
                    "label": "CPF",
                    "type": "text",
                    "enabled": False,
                    "required": False,
                }
            ],
        },
    }
    (event,) = await given.emitted(InboxUpdated)
    assert event.changes["widget_color"] == ["#1f93ff", "#009688"]
    assert event.changes["hmac_mandatory"] == [False, True]
    assert "welcome_title" not in event.changes


async def test_every_channel_shows_its_own_settings(api: Api, given: Given) -> None:
    shown = {name: await given.inbox(name, channel=channel) for name, channel in channels(given).items()}

    assert {inbox["channel_type"] for inbox in shown.values()} == {
        "Channel::WebWidget",
        "Channel::Email",
        "Channel::Whatsapp",
        "Channel::Telegram",
        "Channel::Line",
        "Channel::Sms",
    }
    assert shown["email"]["email"] == f"help.{given.account_id}@loja.example"
    assert (shown["email"]["provider"], shown["email"]["smtp_authentication"]) == (None, "login")
    assert shown["email"]["forwarding_enabled"] is False
    whatsapp = shown["whatsapp"]
    assert whatsapp["callback_webhook_url"] == f"{BASE_URL}/webhooks/whatsapp/{whatsapp['phone_number']}"
    assert {**CLOUD}.items() <= whatsapp["provider_config"].items()
    assert len(whatsapp["provider_config"]["webhook_verify_token"]) == 32
    assert (whatsapp["provider"], whatsapp["message_templates"]) == ("whatsapp_cloud", [])
    assert shown["telegram"]["bot_name"] == ""
    assert shown["line"]["callback_webhook_url"] == f"{BASE_URL}/webhooks/line/line-{given.account_id}"
    digits = shown["sms"]["phone_number"].removeprefix("+")
    assert shown["sms"]["callback_webhook_url"] == f"{BASE_URL}/webhooks/sms/{digits}"
    listed = (await api.get("/inboxes")).json["payload"]
    assert sorted(each["id"] for each in listed) == sorted(each["id"] for each in shown.values())
    assert all(each in listed for each in shown.values())


async def test_an_inbox_of_telegram_needs_no_name(api: Api) -> None:
    reply = await api.post("/inboxes", {"channel": {"type": "telegram", "bot_token": bot_token()}})

    assert (reply.status, reply.json["name"]) == (200, "Telegram")


async def test_mail_is_forwarded_to_the_accounts_own_domain(api: Api, given: Given) -> None:
    inbox = await given.inbox(channel=channels(given)["email"])
    assert (await api.patch("/", {"domain": "mail.loja.example"})).status == 200

    shown = (await api.get(f"/inboxes/{inbox['id']}")).json

    assert shown["forwarding_enabled"] is True
    local, _, domain = shown["forward_to_email"].partition("@")
    assert (len(local), domain) == (32, "mail.loja.example")


async def test_servers_of_a_mailbox_are_kept_and_their_passwords_sealed(api: Api, given: Given) -> None:
    servers = {
        "imap_enabled": True,
        "imap_address": "imap.loja.example",
        "imap_port": 993,
        "imap_login": "help",
        "imap_password": "imap-password-1",
        "smtp_enabled": True,
        "smtp_address": "smtp.loja.example",
        "smtp_port": "587",
        "smtp_password": "smtp-password-1",
        "smtp_openssl_verify_mode": "peer",
    }
    inbox = await given.inbox(channel=channels(given)["email"])

    changed = await api.patch(f"/inboxes/{inbox['id']}", {"channel": servers})
    later = await api.patch(f"/inboxes/{inbox['id']}", {"channel": {"smtp_password": "smtp-password-2"}})

    assert {**servers, "smtp_port": 587}.items() <= changed.json.items()
    assert {**servers, "smtp_port": 587, "smtp_password": "smtp-password-2"}.items() <= later.json.items()
    kept = await row(given.world.parts.database, given.account_id)
    assert "password-" not in kept
    assert "imap.loja.example" in kept
    told = await given.emitted(InboxUpdated)
    assert len(told) == 2
    for event in told:
        assert not [name for name in event.snapshot.channel if name.startswith(("imap_", "smtp_"))]
        assert not [name for name in event.changes if name.startswith(("imap_", "smtp_"))]


async def test_no_credential_is_in_the_database_in_an_event_or_shown_to_agents(api: Api, given: Given) -> None:
    made = channels(given)
    twilio = {"name": "Tw", "account_sid": "AC-secret-1", "auth_token": "twilio-secret", "phone_number": number()}
    inboxes = [await given.inbox(name, channel=channel) for name, channel in made.items()]
    inboxes.append((await api.post("/channels/twilio_channel", {"twilio_channel": twilio})).json)
    ana = await given.agent("Ana", inbox=inboxes[0])
    for inbox in inboxes[1:]:
        await api.post("/inbox_members", {"inbox_id": inbox["id"], "user_ids": [ana.id]})

    seen = (await api.acting_as(ana).get("/inboxes")).body.decode()
    kept = await row(given.world.parts.database, given.account_id)

    assert len(json.loads(seen)["payload"]) == 7
    secrets = [
        *CLOUD.values(),
        *BANDWIDTH.values(),
        made["telegram"]["bot_token"],
        "line-secret",
        "line-token",
        "AC-secret-1",
        "twilio-secret",
        *(inbox["hmac_token"] for inbox in inboxes if "hmac_token" in inbox),
    ]
    assert [secret for secret in secrets if secret in seen] == []
    assert [secret for secret in secrets if secret in kept] == []


@pytest.mark.parametrize(
    ("channel", "attribute", "message"),
    [
        ({"type": "web_widget"}, "website_url", f"Website url {BLANK}"),
        ({**WEBSITE, "widget_color": " "}, "widget_color", f"Widget color {BLANK}"),
        ({**WEBSITE, "welcome_title": "x" * 256}, "welcome_title", None),
        ({**WEBSITE, "pre_chat_form_options": {"pre_chat_fields": [{"name": "x" * 256}]}}, None, None),
        ({**WEBSITE, "pre_chat_form_options": {"pre_chat_fields": [{"name": "a", "field_type": "b"}]}}, None, None),
        (
            {**WEBSITE, "pre_chat_form_options": {"pre_chat_fields": [{"name": "x" * 250}] * 500}},
            "pre_chat_form_options",
            None,
        ),
        ({**WEBSITE, "reply_time": "soon"}, None, None),
        ({**WEBSITE, "selected_feature_flags": ["fireworks"]}, None, None),
        ({"type": "email"}, "email", f"Email {BLANK}"),
        ({"type": "email", "email": "nobody"}, "email", "Email is invalid"),
        ({"type": "email", "email": "a@b.example", "imap_port": 65_536}, None, None),
        ({"type": "email", "email": "a@b.example", "imap_enabled": True}, "imap_address", None),
        ({"type": "email", "email": "a@b.example", "smtp_authentication": "magic"}, None, None),
        ({"type": "whatsapp", "provider_config": {"api_key": "k"}}, "phone_number", f"Phone number {BLANK}"),
        ({"type": "whatsapp", "phone_number": "0800", "provider_config": {"api_key": "k"}}, "phone_number", None),
        (
            {"type": "whatsapp", "phone_number": "+4930123456", "provider": "whatsapp_cloud", "provider_config": {}},
            "provider_config",
            "Provider config Invalid Credentials",
        ),
        (
            {"type": "whatsapp", "phone_number": "+4930123456", "provider_config": {"api_key": ["k"]}},
            "provider_config",
            None,
        ),
        ({"type": "whatsapp", "phone_number": "+4930123456", "provider": "pigeon"}, None, None),
        ({"type": "telegram", "bot_token": "123"}, "bot_token", "Bot token invalid token"),
        ({"type": "line", "line_channel_id": "1", "line_channel_secret": "s"}, "line_channel_token", None),
        ({"type": "sms", "phone_number": "+4930123456", "provider_config": CLOUD}, "provider_config", None),
        ({"type": "sms", "phone_number": ["+4930123456"]}, None, None),
        ({"type": ["email"]}, "channel", "Channel must exist"),
        ({"type": "twilio_sms"}, "channel", "Channel must exist"),
    ],
)
async def test_what_a_channel_cannot_be_is_refused(
    api: Api, given: Given, channel: dict[str, Any], attribute: str | None, message: str | None
) -> None:
    reply = await api.post("/inboxes", {"name": "Nova", "channel": channel})

    assert reply.status == 422
    if attribute is not None:
        assert reply.json["attributes"] == [attribute]
    if message is not None:
        assert reply.json["message"] == message
    assert (await api.get("/inboxes")).json == {"payload": []}
    assert await given.emitted(InboxCreated) == []


async def test_everything_that_a_channel_lacks_is_named_at_once(api: Api) -> None:
    reply = await api.post("/inboxes", {"name": "Nova", "channel": {"type": "line"}})

    assert (reply.status, reply.json) == (
        422,
        {
            "message": f"Line channel id {BLANK}, Line channel secret {BLANK}, Line channel token {BLANK}",
            "attributes": ["line_channel_id", "line_channel_secret", "line_channel_token"],
        },
    )


async def test_an_address_belongs_to_one_inbox_of_the_installation(api: Api, given: Given) -> None:
    others = await given.another_account()
    fields = {
        "email": "email",
        "whatsapp": "phone_number",
        "telegram": "bot_token",
        "line": "line_channel_id",
        "sms": "phone_number",
    }
    taken = {name: channel for name, channel in channels(given).items() if name in fields}
    first = {name: await given.inbox(name, channel=channel) for name, channel in taken.items()}

    for name, channel in taken.items():
        for caller in (api, others.api):
            reply = await caller.post("/inboxes", {"name": name, "channel": channel})
            assert reply.status == 422
            title = fields[name].replace("_", " ").capitalize()
            assert reply.json == {"message": f"{title} has already been taken", "attributes": [fields[name]]}

    for name, inbox in first.items():
        await api.delete(f"/inboxes/{inbox['id']}")
        freed = await others.api.post("/inboxes", {"name": name, "channel": taken[name]})
        assert freed.status == 200


async def test_of_many_who_claim_an_address_at_once_one_gets_it(api: Api, given: Given) -> None:
    body = {"name": "Correio", "channel": channels(given)["email"]}

    replies = await asyncio.gather(*(api.post("/inboxes", body) for _ in range(32)))

    assert sorted(reply.status for reply in replies) == [200] + [422] * 31
    assert len((await api.get("/inboxes")).json["payload"]) == 1


async def test_an_address_can_be_changed_and_the_old_one_is_free(api: Api, given: Given) -> None:
    inbox = await given.inbox(channel=channels(given)["email"])
    old = inbox["email"]

    changed = await api.patch(f"/inboxes/{inbox['id']}", {"channel": {"email": f"new-{old}"}})
    same = await api.patch(f"/inboxes/{inbox['id']}", {"channel": {"email": f"new-{old}"}})
    freed = await api.post("/inboxes", {"name": "Outro", "channel": {"type": "email", "email": old}})
    refused = await api.patch(f"/inboxes/{inbox['id']}", {"channel": {"email": old}, "name": "Never"})

    assert (changed.status, changed.json["email"]) == (200, f"new-{old}")
    assert (same.status, same.json) == (200, changed.json)
    assert freed.status == 200
    assert refused.status == 422
    assert (await api.get(f"/inboxes/{inbox['id']}")).json == changed.json


async def test_a_verify_token_stays_when_the_provider_is_set_up_anew(api: Api, given: Given) -> None:
    inbox = await given.inbox(channel=channels(given)["whatsapp"])
    token = inbox["provider_config"]["webhook_verify_token"]

    changed = await api.patch(f"/inboxes/{inbox['id']}", {"channel": {"provider_config": {**CLOUD, "api_key": "new"}}})

    assert changed.json["provider_config"] == {**CLOUD, "api_key": "new", "webhook_verify_token": token}


@pytest.mark.parametrize(
    ("medium", "address"),
    [("sms", "{}"), ("whatsapp", "whatsapp:{}")],
)
async def test_a_twilio_number_becomes_an_inbox_and_only_its_credentials_change(
    api: Api, given: Given, medium: str, address: str
) -> None:
    phone = number()
    body = {"name": "Twilio", "account_sid": "AC1", "auth_token": "t1", "medium": medium, "phone_number": phone}

    made = await api.post("/channels/twilio_channel", {"twilio_channel": body})
    path = f"/inboxes/{made.json['id']}"
    changed = await api.patch(path, {"channel": {"auth_token": "t2", "medium": "sms", "phone_number": "+4930123456"}})

    assert made.status == 200
    assert {
        "channel_type": "Channel::TwilioSms",
        "medium": medium,
        "phone_number": address.format(phone),
        "messaging_service_sid": None,
        "content_templates": {},
        "account_sid": "AC1",
        "auth_token": "t1",
        "callback_webhook_url": f"{BASE_URL}/twilio/callback",
    }.items() <= made.json.items()
    assert "api_key_sid" not in made.json
    assert changed.json == {**made.json, "auth_token": "t2"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"name": "T"}, "Account sid can't be blank"),
        ({"account_sid": "AC1", "auth_token": "t"}, "Name can't be blank"),
        ({"name": "T", "account_sid": "AC1", "auth_token": "t"}, "Either a phone number or a messaging"),
        (
            {
                "name": "T",
                "account_sid": "A",
                "auth_token": "t",
                "phone_number": "+4930123456",
                "messaging_service_sid": "M",
            },
            "Either a phone",
        ),
        ({"name": "T", "account_sid": "A", "auth_token": "t", "phone_number": "12"}, "Phone number must be in e164"),
        ({"name": "T", "account_sid": {"a": 1}, "auth_token": "t", "phone_number": "+4930123456"}, "account_sid is"),
        ({"name": "T", "account_sid": "A", "auth_token": "t", "phone_number": "+4930123456", "medium": "x"}, "medium"),
    ],
)
async def test_what_twilio_cannot_use_is_refused(api: Api, given: Given, body: dict[str, Any], error: str) -> None:
    reply = await api.post("/channels/twilio_channel", {"twilio_channel": body})

    assert reply.status == 422
    assert reply.json["error"].startswith(error)
    assert (await api.get("/inboxes")).json == {"payload": []}
    assert await given.emitted(InboxCreated) == []


async def test_tokens_are_made_anew_and_the_old_ones_lead_nowhere(api: Api, given: Given) -> None:
    app = await given.inbox()
    website = await given.inbox("Loja", channel=WEBSITE)
    nobody = api.acting_as(None)

    for inbox, name in ((app, "inbox_identifier"), (website, "website_token")):
        path = f"/inboxes/{inbox['id']}"
        identifier = await api.post(f"{path}/reset_identifier")
        key = await api.post(f"{path}/reset_hmac_token")

        assert (identifier.status, key.status) == (200, 200)
        assert identifier.json[name] != inbox[name]
        assert key.json["hmac_token"] != inbox["hmac_token"]
        assert key.json[name] == identifier.json[name]
        assert (await api.get(path)).json == key.json
    new = (await api.get(f"/inboxes/{app['id']}")).json["inbox_identifier"]
    assert (await nobody.get(f"/public/api/v1/inboxes/{app['inbox_identifier']}")).status == 404
    assert (await nobody.get(f"/public/api/v1/inboxes/{new}")).status == 200
    assert len(await given.emitted(InboxUpdated)) == 4


async def test_what_has_no_such_token_cannot_be_given_a_new_one(api: Api, given: Given) -> None:
    inbox = await given.inbox(channel=channels(given)["email"])
    theirs = await (await given.another_account()).inbox()
    ana = api.acting_as(await given.agent("Ana", inbox=inbox))

    for action in ("reset_identifier", "reset_hmac_token"):
        assert (await api.post(f"/inboxes/{inbox['id']}/{action}")).status == 404
        assert (await api.post(f"/inboxes/{theirs['id']}/{action}")).status == 404
        assert (await ana.post(f"/inboxes/{inbox['id']}/{action}")).status == 401
        assert (await api.acting_as(await given.bot()).post(f"/inboxes/{inbox['id']}/{action}")).status == 401


async def test_agents_and_bots_make_no_twilio_inboxes(api: Api, given: Given) -> None:
    body = {"twilio_channel": {"name": "T", "account_sid": "A", "auth_token": "t", "phone_number": number()}}

    for caller in (await given.agent("Ana"), await given.bot(), None):
        assert (await api.acting_as(caller).post("/channels/twilio_channel", body)).status == 401


async def test_a_channel_goes_with_its_inbox(api: Api, given: Given) -> None:
    inbox = await given.inbox("Loja", channel=WEBSITE)

    await api.delete(f"/inboxes/{inbox['id']}")
    await given.worked()

    async with given.world.parts.database.reading() as db:
        left = await db.fetch_value(
            "SELECT (SELECT count(*) FROM channels WHERE account_id = $1)"
            " + (SELECT count(*) FROM directory WHERE account_id = $1 AND kind = 'website_token')",
            given.account_id,
        )
    assert left == 0


@pytest.mark.parametrize(
    ("kind", "can_reply"),
    [("whatsapp", False), ("sms", True), ("email", True), ("twilio sms", True), ("twilio whatsapp", False)],
)
async def test_where_a_provider_has_a_window_nobody_is_answered_who_did_not_write(
    api: Api, given: Given, kind: str, *, can_reply: bool
) -> None:
    if kind.startswith("twilio"):
        twilio = {"name": "T", "account_sid": "A", "auth_token": "t", "phone_number": number()}
        inbox = (
            await api.post("/channels/twilio_channel", {"twilio_channel": {**twilio, "medium": kind.split()[1]}})
        ).json
    else:
        inbox = await given.inbox(channel=channels(given)[kind])
    contact = await given.contact(phone_number=number())

    conversation = await given.conversation(inbox=inbox, contact=contact)

    assert conversation["can_reply"] is can_reply


async def test_contacts_show_the_provider_of_their_inboxes(api: Api, given: Given) -> None:
    inbox = await given.inbox(channel=channels(given)["whatsapp"])
    contact = await given.contact(phone_number=number())
    path = f"/contacts/{contact['id']}"

    offered = (await api.get(f"{path}/contactable_inboxes")).json["payload"]
    made = (await api.post(f"{path}/contact_inboxes", {"inbox_id": inbox["id"]})).json
    shown = (await api.get(path)).json["payload"]["contact_inboxes"]

    assert [each["inbox"]["provider"] for each in (*offered, made, *shown)] == ["whatsapp_cloud"] * 3
