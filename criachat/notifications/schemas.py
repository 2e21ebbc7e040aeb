"""Notifications, and how people want to be told, on the wire."""

from __future__ import annotations

from typing import Any

import msgspec

from criachat.kit.times import iso, iso_or_none
from criachat.notifications.models import EMAIL_FLAGS, PUSH_FLAGS, Flags, Notification, Subscription
from criachat.notifications.payloads import CONVERSATION, NotificationOut


class ListParams(msgspec.Struct, kw_only=True):
    """Which notifications: unread ones that are not put off, and those of `includes`: `read`, `snoozed`."""

    includes: Any = None
    sort_order: Any = None
    page: Any = None


class SnoozeParams(msgspec.Struct, kw_only=True):
    """Until when, in unix seconds."""

    snoozed_until: Any = None


class ReadAllParams(msgspec.Struct, kw_only=True):
    """What is about one conversation, by its database id; everything without it."""

    primary_actor_type: Any = None
    primary_actor_id: Any = None


class DestroyAllParams(msgspec.Struct, kw_only=True):
    """`read` or `all`."""

    type: Any = None


class FlagsParams(msgspec.Struct, kw_only=True):
    """By what the caller wants to be told; a list that is missing is empty."""

    selected_email_flags: Any = None
    selected_push_flags: Any = None


class SubscriptionParams(msgspec.Struct, kw_only=True):
    """A browser (`endpoint`, `p256dh`, `auth`) or a phone (`device_id`, `push_token`, …)."""

    subscription_type: Any = None
    subscription_attributes: Any = None


class UnsubscriptionParams(msgspec.Struct, kw_only=True):
    """The token of a phone."""

    push_token: str | None = None


class ListMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are, and how many of them are unread. `current_page` is the page as it was asked for."""

    unread_count: int
    count: int
    current_page: str | int


class ListDataOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of notifications."""

    meta: ListMetaOut
    payload: list[NotificationOut]


class ListOut(msgspec.Struct, frozen=True):
    """A page of notifications, wrapped."""

    data: ListDataOut


class NotificationRowOut(msgspec.Struct, frozen=True, kw_only=True):
    """A notification with every column."""

    id: int
    account_id: int
    user_id: int
    notification_type: str
    primary_actor_type: str
    primary_actor_id: int
    secondary_actor_type: str | None
    secondary_actor_id: int | None
    read_at: str | None
    created_at: str
    updated_at: str
    snoozed_until: str | None
    last_activity_at: str
    meta: dict[str, Any]


class FlagsOut(msgspec.Struct, frozen=True, kw_only=True):
    """How the caller wants to be told, and what there is to choose from."""

    id: int
    user_id: int
    account_id: int
    all_email_flags: list[str]
    selected_email_flags: list[str]
    all_push_flags: list[str]
    selected_push_flags: list[str]


class SubscriptionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A browser or phone; `identifier` is its endpoint or device id."""

    id: int
    user_id: int
    subscription_type: str
    subscription_attributes: dict[str, str]
    created_at: str
    updated_at: str
    identifier: str


def row_out(notification: Notification) -> NotificationRowOut:
    """The notification as whoever changes it reads it."""
    is_about_message = notification.message_id is not None
    secondary_id = notification.message_id if is_about_message else notification.person_id
    return NotificationRowOut(
        id=notification.id,
        account_id=notification.account_id,
        user_id=notification.user_id,
        notification_type=notification.notification_type,
        primary_actor_type=CONVERSATION,
        primary_actor_id=notification.conversation_id,
        secondary_actor_type="Message" if is_about_message else "User" if secondary_id is not None else None,
        secondary_actor_id=secondary_id,
        read_at=iso_or_none(notification.read_at),
        created_at=iso(notification.created_at),
        updated_at=iso(notification.updated_at),
        snoozed_until=iso_or_none(notification.snoozed_until),
        last_activity_at=iso(notification.last_activity_at),
        meta=notification.meta,
    )


def flags_out(flags: Flags) -> FlagsOut:
    """The choice beside everything there is to choose from."""
    return FlagsOut(
        id=flags.id,
        user_id=flags.user_id,
        account_id=flags.account_id,
        all_email_flags=list(EMAIL_FLAGS),
        selected_email_flags=flags.email_flags,
        all_push_flags=list(PUSH_FLAGS),
        selected_push_flags=flags.push_flags,
    )


def subscription_out(subscription: Subscription, attributes: dict[str, str], *, identifier: str) -> SubscriptionOut:
    """The browser or phone as whoever subscribed it reads it."""
    return SubscriptionOut(
        id=subscription.id,
        user_id=subscription.user_id,
        subscription_type=subscription.subscription_type,
        subscription_attributes=attributes,
        created_at=iso(subscription.created_at),
        updated_at=iso(subscription.updated_at),
        identifier=identifier,
    )
