"""What an inbox and its channel may be: from what was sent to what is kept, or a refusal."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import UNSET

from criachat.inboxes.errors import (
    AssignmentLimitInvalid,
    NameBlank,
    ReplyWindowInvalid,
    ReuseInvalid,
    SenderNameTypeUnknown,
    SettingsTooLarge,
    WebhookUrlInvalid,
)
from criachat.inboxes.hours import changed_week, check_timezone
from criachat.inboxes.models import API, Inbox
from criachat.inboxes.schemas import ApiChannelParams, AssignmentConfigParams, CsatParams, InboxParams
from criachat.kit.choices import chosen
from criachat.kit.http.binding import convert
from criachat.kit.outside import InvalidUrl, check_url

CSAT_DEFAULTS: dict[str, Any] = {
    "display_type": "emoji",
    "message": "",
    "button_text": "",
    "language": "en",
    "survey_rules": {"operator": "contains", "values": []},
}
SENDER_NAME_TYPES = ("friendly", "professional")
# Forms send words.
YES_OR_NO = (None, "", True, False, "true", "false")
# Written as they are sent; the others have a rule.
PLAIN = (
    "greeting_enabled",
    "greeting_message",
    "enable_email_collect",
    "csat_survey_enabled",
    "enable_auto_assignment",
    "working_hours_enabled",
    "out_of_office_message",
    "timezone",
    "allow_messages_after_resolved",
    "lock_to_single_conversation",
    "business_name",
    "portal_id",
)
MOST_SETTINGS_BYTES = 100_000
HOURS = re.compile(r"0*[1-9][0-9]{0,8}")


def changed(inbox: Inbox, params: InboxParams, *, is_new: bool = False) -> Inbox:
    """The inbox with what was sent. A survey is kept as it is sent for a new inbox, and rebuilt on a change."""
    sent = {name: value for name in PLAIN if (value := getattr(params, name)) is not UNSET}
    if "timezone" in sent:
        check_timezone(sent["timezone"])
    if params.name is not UNSET:
        sent["name"] = name_of(params)
    if params.working_hours is not UNSET:
        sent["working_hours"] = msgspec.to_builtins(changed_week(inbox.week, params.working_hours))
    if params.csat_config is not UNSET:
        sent["csat_config"] = bounded("csat_config", _survey(params.csat_config, is_new=is_new))
    if params.sender_name_type is not UNSET:
        sent["sender_name_type"] = _sender_name_type(params.sender_name_type)
    if params.auto_assignment_config is not UNSET:
        sent["auto_assignment_config"] = _assignment(params.auto_assignment_config)
    if params.channel is not None and inbox.channel_type == API:
        sent |= _api_channel(convert(params.channel, ApiChannelParams, plain_errors=False))
    return msgspec.structs.replace(inbox, **sent)


def name_of(params: InboxParams) -> str:
    """The name that was sent; there must be one."""
    name = "" if params.name is UNSET else (params.name or "").strip()
    if not name:
        raise NameBlank
    return name


def _survey(sent: CsatParams, *, is_new: bool) -> dict[str, Any]:
    survey: dict[str, Any] = msgspec.to_builtins(sent)
    return survey if is_new else {**CSAT_DEFAULTS, **survey}


def _sender_name_type(said: str | int) -> str:
    name = chosen(said, SENDER_NAME_TYPES)
    if name is None:
        raise SenderNameTypeUnknown
    return name


def _assignment(sent: AssignmentConfigParams) -> dict[str, Any]:
    if sent.max_assignment_limit is not UNSET and sent.max_assignment_limit <= 0:
        raise AssignmentLimitInvalid
    return msgspec.to_builtins(sent)


def _api_channel(channel: ApiChannelParams) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    if channel.webhook_url is not UNSET:
        sent["webhook_url"] = _webhook_url(channel.webhook_url)
    if channel.hmac_mandatory is not UNSET:
        sent["hmac_mandatory"] = channel.hmac_mandatory
    if channel.deduplicate_source_ids is not UNSET:
        sent["deduplicate_source_ids"] = channel.deduplicate_source_ids
    if channel.additional_attributes is not UNSET:
        attributes = channel.additional_attributes or {}
        _check_reply_window(attributes.get("agent_reply_time_window"))
        if attributes.get("reuse_contacts") not in YES_OR_NO:
            raise ReuseInvalid
        sent["additional_attributes"] = bounded("additional_attributes", attributes)
    return sent


def _webhook_url(url: str | None) -> str | None:
    if not url:
        return None
    try:
        check_url(url)
    except InvalidUrl as refusal:
        raise WebhookUrlInvalid from refusal
    return url


def _check_reply_window(hours: object) -> None:
    """Hours, as a number or as its digits; nothing is no window."""
    if hours is not None and hours != "" and not (isinstance(hours, str | int) and HOURS.fullmatch(str(hours))):
        raise ReplyWindowInvalid


def bounded(field: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings, unless they are too many to be carried by every list of inboxes."""
    if not is_bounded(settings):
        raise SettingsTooLarge(
            f"{field.replace('_', ' ').capitalize()} is too large (maximum is 100 kB)", attributes=[field]
        )
    return settings


def is_bounded(settings: dict[str, Any]) -> bool:
    """Whether lists of inboxes can carry them."""
    return len(msgspec.json.encode(settings)) <= MOST_SETTINGS_BYTES
