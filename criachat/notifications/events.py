"""What notifications tell others: of one occasion, all whom it concerns."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from criachat.kit.events import declare
from criachat.kit.languages import language_of
from criachat.notifications.models import Notification, Subject
from criachat.notifications.payloads import NotificationOut, notification_out
from criachat.users.events import PersonalEvent
from criachat.users.shown import Shown
from criachat.users.snapshots import UserSnapshot


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One person's notification, and how many they have not read now."""

    notification: Notification
    user: UserSnapshot
    unread_count: int


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A notification somebody has no more, and how many they have not read now."""

    id: int
    user_id: int
    unread_count: int


class NotificationPushOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a socket is told of a notification."""

    account_id: int
    notification: NotificationOut
    unread_count: int
    count: int


class NotificationRefOut(msgspec.Struct, frozen=True):
    """A notification by its id."""

    id: int


class NotificationGoneOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a socket is told of a notification that is gone."""

    account_id: int
    notification: NotificationRefOut
    unread_count: int
    count: int


class NotificationEvent(PersonalEvent, frozen=True, kw_only=True):
    """Something about notifications of the same occasion."""

    snapshot: Subject
    notifications: list[Told]
    locale: str = "en"

    def told(self, shown: Shown) -> Mapping[int, object]:
        """Each person's own notification. Its title is its body here, as clients of sockets know it."""
        return {each.user.id: self._push(each, shown) for each in self.notifications}

    def _push(self, told: Told, shown: Shown) -> NotificationPushOut:
        out = notification_out(told.notification, self.snapshot, told.user, shown, language_of(self.locale))
        return NotificationPushOut(
            account_id=self.account_id,
            notification=msgspec.structs.replace(
                out, push_message_title=out.push_message_body, account_id=self.account_id
            ),
            unread_count=told.unread_count,
            count=told.unread_count,
        )


@declare("notification_created", realtime="notification.created")
class NotificationCreated(NotificationEvent, frozen=True, kw_only=True):
    """People were told of something that concerns them."""


@declare("notification_updated", realtime="notification.updated")
class NotificationUpdated(NotificationEvent, frozen=True, kw_only=True):
    """A notification was read, marked as unread, put off, or came back."""


@declare("notification_deleted", realtime="notification.deleted")
class NotificationDeleted(PersonalEvent, frozen=True, kw_only=True):
    """Notifications were removed, or newer ones took their place."""

    notifications: list[Gone]

    def told(self, shown: Shown) -> Mapping[int, object]:
        """Which one each person has no more."""
        return {
            each.user_id: NotificationGoneOut(
                account_id=self.account_id,
                notification=NotificationRefOut(each.id),
                unread_count=each.unread_count,
                count=each.unread_count,
            )
            for each in self.notifications
        }
