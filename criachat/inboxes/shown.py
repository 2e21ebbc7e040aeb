"""Inboxes as administrators and agents see them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType

from criachat.inboxes.channel import settings_for_administrators, told_settings
from criachat.inboxes.models import WEBSITE, Inbox, hmac_context, secret_context
from criachat.inboxes.schemas import HelpCenterOut, InboxOut, InboxSlimOut
from criachat.kit.actors import Actor
from criachat.kit.files import Files
from criachat.kit.tokens import Keyring

SCRIPT = """<script>
(function (page, tag) {{
  var script = page.createElement(tag), first = page.getElementsByTagName(tag)[0];
  script.src = {base_url} + "/packs/js/sdk.js";
  script.async = true;
  script.onload = function () {{ window.chatwootSDK.run({{ websiteToken: {token}, baseUrl: {base_url} }}); }};
  first.parentNode.insertBefore(script, first);
}})(document, "script");
</script>"""
# Whoever fetches mail with these has a permission to renew.
RENEWED = ("google", "microsoft")
GMAIL = "imap.gmail.com"


class ShownInboxes(msgspec.Struct, frozen=True):
    """What rendering needs besides the rows: the keys that open secrets, and the addresses things are found under."""

    keyring: Keyring
    files: Files
    base_url: str
    inbound_email_domain: str | None = None


def inbox_out(inbox: Inbox, shown: ShownInboxes, *, with_secrets: bool) -> InboxOut:
    """The inbox as administrators (with secrets) or agents see it."""
    return InboxOut(
        id=inbox.id,
        avatar_url=shown.files.avatar_url(inbox.avatar_key),
        channel_id=inbox.channel_id,
        name=inbox.name,
        channel_type=inbox.channel_type,
        greeting_enabled=inbox.greeting_enabled,
        greeting_message=inbox.greeting_message,
        working_hours_enabled=inbox.working_hours_enabled,
        enable_email_collect=inbox.enable_email_collect,
        csat_survey_enabled=inbox.csat_survey_enabled,
        csat_config=inbox.csat_config,
        enable_auto_assignment=inbox.enable_auto_assignment,
        auto_assignment_config=inbox.auto_assignment_config,
        out_of_office_message=inbox.out_of_office_message,
        working_hours=inbox.week,
        timezone=inbox.timezone,
        allow_messages_after_resolved=inbox.allow_messages_after_resolved,
        lock_to_single_conversation=inbox.lock_to_single_conversation,
        sender_name_type=inbox.sender_name_type,
        business_name=inbox.business_name,
        callback_webhook_url=_callback_url(inbox, shown),
        web_widget_script=_script(inbox, shown),
        help_center=_help_center(inbox),
        **{"hmac_mandatory": None, **told_settings(inbox)},
        **_of_kind(inbox, shown),
        **(_secrets(inbox, shown.keyring) if with_secrets else {}),
    )


def inbox_beside_out(inbox: Inbox, shown: ShownInboxes, *, actor: Actor) -> InboxOut | InboxSlimOut:
    """The inbox as it stands beside something else: whole for whom it would be shown to alone, else in a few words."""
    if not actor.covers("inboxes:read"):
        return inbox_slim_out(inbox, shown.files)
    return inbox_out(inbox, shown, with_secrets=actor.is_administrator)


def inbox_slim_out(inbox: Inbox, files: Files) -> InboxSlimOut:
    """The inbox in a few words."""
    return InboxSlimOut(
        id=inbox.id,
        avatar_url=files.avatar_url(inbox.avatar_key),
        channel_id=inbox.channel_id,
        name=inbox.name,
        channel_type=inbox.channel_type,
        provider=(inbox.channel or {}).get("provider"),
    )


def _help_center(inbox: Inbox) -> HelpCenterOut | UnsetType:
    if inbox.portal_name is None or inbox.portal_slug is None:
        return UNSET
    return HelpCenterOut(name=inbox.portal_name, slug=inbox.portal_slug)


def _of_kind(inbox: Inbox, shown: ShownInboxes) -> dict[str, Any]:
    """What is worked out for one kind of channel."""
    channel = inbox.channel or {}
    match inbox.channel_type:
        case "Channel::Api":
            return {
                "webhook_url": inbox.webhook_url,
                "inbox_identifier": inbox.identifier,
                "deduplicate_source_ids": inbox.deduplicate_source_ids,
            }
        case "Channel::Email":
            domain = inbox.account_domain or shown.inbound_email_domain
            forwarded = {"forward_to_email": f"{channel['forward_key']}@{domain}"} if domain else {}
            return {"forwarding_enabled": domain is not None, **forwarded}
        case "Channel::Whatsapp":
            return {"reauthorization_required": False}
        case _:
            return {}


def _secrets(inbox: Inbox, keyring: Keyring) -> dict[str, Any]:
    secrets = settings_for_administrators(inbox, keyring)
    if inbox.hmac_token is not None:
        secrets["hmac_token"] = keyring.open(inbox.hmac_token, context=hmac_context(inbox.channel_id))
    if inbox.secret is not None:
        secrets["secret"] = keyring.open(inbox.secret, context=secret_context(inbox.channel_id))
    if inbox.channel_type == "Channel::Email" and _is_renewed(inbox.channel or {}):
        secrets["reauthorization_required"] = False
    return secrets


def _is_renewed(channel: dict[str, Any]) -> bool:
    return channel.get("provider") in RENEWED or channel.get("imap_address") == GMAIL


def _script(inbox: Inbox, shown: ShownInboxes) -> str | None:
    """What a website includes to show the chat window."""
    if inbox.channel_type != WEBSITE or inbox.channel is None:
        return None
    token, base_url = (msgspec.json.encode(text).decode() for text in (inbox.channel["website_token"], shown.base_url))
    return SCRIPT.format(token=token, base_url=base_url)


def _callback_url(inbox: Inbox, shown: ShownInboxes) -> str | None:
    """Where the provider tells of what happened."""
    channel = inbox.channel or {}
    match inbox.channel_type:
        case "Channel::TwilioSms":
            path = "twilio/callback"
        case "Channel::Sms":
            path = f"webhooks/sms/{channel['phone_number'].removeprefix('+')}"
        case "Channel::Line":
            path = f"webhooks/line/{quote(channel['line_channel_id'], safe='')}"
        case "Channel::Whatsapp":
            path = f"webhooks/whatsapp/{channel['phone_number']}"
        case _:
            return None
    return f"{shown.base_url}/{path}"
