"""What people do with their notifications: read them, put them off, remove them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.events import by, emit
from criachat.kit.http.binding import whole_number
from criachat.kit.times import LAST_SECOND, iso_or_none
from criachat.notifications.errors import MomentInvalid
from criachat.notifications.events import Gone, NotificationDeleted, NotificationUpdated, Told
from criachat.notifications.models import Notification, Subject
from criachat.notifications.queries import making, reading
from criachat.notifications.subjects import find_subjects
from criachat.users import access as people


async def mark_read(tx: Tx, notification: Notification, *, actor: Actor) -> Notification:
    """The person has seen it."""
    at = notification.read_at or clock.now()
    return await _save(tx, notification, actor=actor, read_at=at)


async def mark_unread(tx: Tx, notification: Notification, *, actor: Actor) -> Notification:
    """The person wants to see it again."""
    return await _save(tx, notification, actor=actor, read_at=None)


async def snooze(tx: Tx, notification: Notification, until: object, *, actor: Actor) -> Notification:
    """The person wants to be told again then; without a time nothing changes."""
    if until is None or until == "":
        return notification
    seconds = whole_number(until)
    if seconds is None or seconds > LAST_SECOND:
        raise MomentInvalid
    return await _save(tx, notification, actor=actor, snoozed_until=datetime.fromtimestamp(seconds, UTC))


async def delete(tx: Tx, notification: Notification, *, actor: Actor) -> None:
    """The person wants it no more."""
    await reading.delete_notification(tx, notification)
    unread = await making.count_unread(tx, actor.account_id, [notification.user_id])
    gone = Gone(id=notification.id, user_id=notification.user_id, unread_count=unread.get(notification.user_id, 0))
    await emit(
        tx,
        NotificationDeleted(
            account_id=actor.account_id,
            conversation_id=notification.conversation_id,
            notifications=[gone],
            **by(actor),
        ),
    )


async def wake(tx: Tx, notification: Notification, *, actor: Actor) -> Notification:
    """Its time has come: it is new again, and says for how long it was put off."""
    until = notification.snoozed_until
    meta = {**notification.meta, "last_snoozed_at": iso_or_none(until)}
    return await _save(
        tx, notification, actor=actor, snoozed_until=None, read_at=None, last_activity_at=clock.now(), meta=meta
    )


async def _save(tx: Tx, notification: Notification, *, actor: Actor, **changes: Any) -> Notification:
    wanted = msgspec.structs.replace(notification, **changes)
    if wanted == notification:
        return notification
    saved = await reading.save_notification(tx, wanted)
    if not await reading.is_shown(tx, saved):
        return saved
    subject = (await find_subjects(tx, actor, [saved])).get(saved.id)
    if subject is not None:
        await _tell(tx, saved, subject, actor=actor)
    return saved


async def _tell(tx: Tx, notification: Notification, subject: Subject, *, actor: Actor) -> None:
    """Tell the person's sockets."""
    user = await people.find_colleague(tx, actor, notification.user_id)
    if user is None:
        return
    unread = await making.count_unread(tx, actor.account_id, [user.id])
    about = subject.conversation
    told = Told(notification=notification, user=user.snapshot(), unread_count=unread.get(user.id, 0))
    await emit(
        tx,
        NotificationUpdated(
            account_id=actor.account_id,
            inbox_id=about.inbox.id,
            conversation_id=about.conversation_id,
            contact_id=about.contact.id,
            snapshot=subject,
            notifications=[told],
            locale=actor.locale,
            **by(actor),
        ),
    )
