"""From what callers ask of the delivery log to what is looked for.

Places in it are one opaque text outside.
"""

from __future__ import annotations

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta
from typing import Final, cast, get_args
from uuid import UUID

from criachat.kit import clock
from criachat.kit.times import utc
from criachat.webhooks.errors import CursorInvalid, EventUnknown, MomentInvalid, StatusUnknown
from criachat.webhooks.models import (
    EVENTS,
    Delivery,
    DeliveryFilter,
    DeliveryStatus,
    Span,
    bot_target,
    inbox_target,
    webhook_target,
)
from criachat.webhooks.schemas import DeliveriesParams, ReplayParams

PLACE: Final = struct.Struct(">Q16s")
LENGTH: Final = -(-PLACE.size * 8 // 6)
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
MOST: Final = 100

Place = tuple[datetime, UUID]


def filter_of(params: DeliveriesParams) -> DeliveryFilter:
    """Which deliveries were asked for."""
    target = None
    if params.webhook_id is not None:
        target = webhook_target(params.webhook_id)
    elif params.inbox_id is not None:
        target = inbox_target(params.inbox_id)
    elif params.agent_bot_id is not None:
        target = bot_target(params.agent_bot_id)
    if params.status is not None and params.status not in get_args(DeliveryStatus):
        raise StatusUnknown
    return DeliveryFilter(
        target=target,
        status=cast(DeliveryStatus | None, params.status),
        event_name=params.event,
        conversation_display_id=params.conversation_id,
        message_id=params.message_id,
    )


def span_of(params: ReplayParams) -> Span:
    """Which deliveries are to be sent again."""
    if any(event not in EVENTS for event in params.events or ()):
        raise EventUnknown(f"Events must be among {', '.join(EVENTS)}")
    return Span(
        since=_moment(params.since) or BEGINNING,
        until=_moment(params.until) or clock.now(),
        event_names=params.events,
        includes_delivered=params.include_delivered,
    )


def cursor_behind(delivery: Delivery) -> str:
    """The place behind this delivery, as callers name it."""
    microseconds = (delivery.created_at - BEGINNING) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(PLACE.pack(microseconds, delivery.id.bytes)).rstrip(b"=").decode()


def read_cursor(text: str | None) -> Place | None:
    """The place a caller's cursor names; the beginning when there is none."""
    if not text:
        return None
    if len(text) != LENGTH or not text.isascii():
        raise CursorInvalid
    try:
        packed = base64.b64decode(text + "=" * (-LENGTH % 4), altchars=b"-_", validate=True)
        microseconds, delivery_id = PLACE.unpack(packed)
        return BEGINNING + timedelta(microseconds=microseconds), UUID(bytes=delivery_id)
    except (binascii.Error, OverflowError) as failure:
        raise CursorInvalid from failure


def page_size(asked: int) -> int:
    """How many to show, whatever was asked for."""
    return min(max(asked, 1), MOST)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError) as failure:
        raise MomentInvalid from failure
