"""What a campaign may be, by its channel: websites show one for as long as it is enabled, others send it once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final, cast

import msgspec
from msgspec import UNSET

from criachat.campaigns.errors import (
    AudienceInvalid,
    InboxUnsupported,
    MessageBlank,
    ScheduleInvalid,
    TemplateInvalid,
    TitleBlank,
    TriggerRulesInvalid,
    UrlInvalid,
)
from criachat.campaigns.models import ONE_OFF_CHANNELS, Campaign, CampaignType
from criachat.campaigns.schemas import CampaignParams
from criachat.inboxes.models import WEBSITE
from criachat.kit import clock
from criachat.kit.http.binding import whole_number
from criachat.kit.times import LAST_SECOND, utc

MOST_LABELS: Final = 100
LONGEST_URL: Final = 2_048
LONGEST_OBJECT: Final = 20_000


def type_of(channel_type: str) -> CampaignType:
    """What kind of campaign a channel has."""
    if channel_type == WEBSITE:
        return "ongoing"
    if channel_type in ONE_OFF_CHANNELS:
        return "one_off"
    raise InboxUnsupported


def with_texts(campaign: Campaign, params: CampaignParams) -> Campaign:
    """The campaign with what was sent of its texts and switches."""
    title = campaign.title if params.title is UNSET else (params.title or "").strip()
    message = campaign.message if params.message is UNSET else params.message or ""
    if not title:
        raise TitleBlank
    if not message.strip():
        raise MessageBlank
    hours = params.trigger_only_during_business_hours
    return msgspec.structs.replace(
        campaign,
        title=title,
        message=message,
        description=campaign.description if params.description is UNSET else params.description,
        enabled=campaign.enabled if params.enabled in (UNSET, None) else params.enabled,
        trigger_only_during_business_hours=campaign.trigger_only_during_business_hours
        if hours in (UNSET, None)
        else hours,
    )


def with_plan(campaign: Campaign, params: CampaignParams, *, label_ids: Collection[int]) -> Campaign:
    """The campaign with what was sent of when and to whom it is shown or sent."""
    is_ongoing = campaign.campaign_type == "ongoing"
    rules = campaign.trigger_rules if params.trigger_rules is UNSET else _rules(params.trigger_rules)
    url = rules.get("url")
    if is_ongoing and url is not None and not str(url).startswith(("http://", "https://")):
        raise UrlInvalid
    scheduled_at = campaign.scheduled_at if params.scheduled_at is UNSET else _moment(params.scheduled_at)
    audience = campaign.audience if params.audience is UNSET else _audience(params.audience, label_ids)
    template = campaign.template_params if params.template_params is UNSET else _template(params.template_params)
    return msgspec.structs.replace(
        campaign,
        trigger_rules=rules,
        template_params=template,
        scheduled_at=None if is_ongoing else scheduled_at or clock.now(),
        audience=[] if is_ongoing else audience,
    )


def _rules(sent: object) -> dict[str, Any]:
    if sent is not None and not isinstance(sent, dict):
        raise TriggerRulesInvalid
    asked = cast(dict[str, Any], sent or {})
    rules = {name: asked[name] for name in ("url", "time_on_page") if name in asked}
    url, seconds = rules.get("url"), rules.get("time_on_page")
    if url is not None and (not isinstance(url, str) or len(url) > LONGEST_URL):
        raise UrlInvalid
    if seconds is not None:
        number = whole_number(seconds)
        if number is None:
            raise TriggerRulesInvalid
        rules = {**rules, "time_on_page": number}
    return rules


def _moment(sent: object) -> datetime | None:
    if sent is None or sent == "":
        return None
    seconds = whole_number(sent)
    if seconds is not None and seconds <= LAST_SECOND:
        return datetime.fromtimestamp(seconds, UTC)
    try:
        return utc(datetime.fromisoformat(sent if isinstance(sent, str) else ""))
    except (ValueError, OverflowError) as failure:
        raise ScheduleInvalid from failure


def _audience(sent: object, label_ids: Collection[int]) -> list[dict[str, Any]]:
    parts = cast(list[Any], sent or []) if isinstance(sent, list) or sent is None else [None]
    if len(parts) > MOST_LABELS:
        raise AudienceInvalid
    return [_label(part, label_ids) for part in parts]


def _label(part: object, label_ids: Collection[int]) -> dict[str, Any]:
    label = cast(dict[str, Any], part) if isinstance(part, dict) else {}
    number = whole_number(label.get("id"))
    if label.get("type") != "Label" or number not in label_ids:
        raise AudienceInvalid
    return {"type": "Label", "id": number}


def _template(sent: object) -> dict[str, Any] | None:
    if sent is None:
        return None
    if not isinstance(sent, dict) or len(msgspec.json.encode(sent)) > LONGEST_OBJECT:
        raise TemplateInvalid
    return cast(dict[str, Any], sent)
