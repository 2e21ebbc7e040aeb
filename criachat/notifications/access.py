"""The ways to get notifications: everybody gets their own."""

from __future__ import annotations

from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import existing
from criachat.notifications.models import Flags, Notification
from criachat.notifications.queries import reading, wishes


async def load_notification_to_change(tx: Tx, actor: Actor, notification_id: int) -> Notification:
    """The caller's own notification; nothing else happens to it before this transaction ends."""
    return existing(await reading.lock_notification(tx, actor.account_id, actor.user_id or 0, notification_id))


async def load_flags(db: Db, actor: Actor) -> Flags:
    """How the caller wants to be told."""
    return existing(await wishes.find_flags(db, actor.account_id, actor.user_id or 0))
