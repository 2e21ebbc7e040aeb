"""Notifications, over HTTP: always the caller's own."""

from __future__ import annotations

from typing import Any, cast

from criachat.kit import clock
from criachat.kit.actors import AGENT, PERSON, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.binding import id_of
from criachat.kit.http.routes import Routes
from criachat.kit.languages import language_of
from criachat.kit.paging import page_of
from criachat.kit.tokens import Keyring
from criachat.notifications import access
from criachat.notifications.models import PAGE
from criachat.notifications.operations import reading as operations
from criachat.notifications.operations import wishing
from criachat.notifications.payloads import CONVERSATION, notification_out
from criachat.notifications.queries import reading
from criachat.notifications.queries.reading import Wanted
from criachat.notifications.schemas import (
    DestroyAllParams,
    FlagsOut,
    FlagsParams,
    ListDataOut,
    ListMetaOut,
    ListOut,
    ListParams,
    NotificationRowOut,
    ReadAllParams,
    SnoozeParams,
    SubscriptionOut,
    SubscriptionParams,
    UnsubscriptionParams,
    flags_out,
    row_out,
    subscription_out,
)
from criachat.notifications.subjects import find_subjects
from criachat.users import access as people
from criachat.users.shown import Shown

TAG = "Notifications"
routes = Routes("/api/v1/accounts/{account_id}/notifications", tag=TAG, scope="notifications")
settings_routes = Routes("/api/v1/accounts/{account_id}/notification_settings", tag=TAG, scope="notifications")
subscription_routes = Routes("/api/v1/notification_subscriptions", tag=TAG, scope="notifications")


@routes.get(actors=AGENT)
async def list_notifications(db: Db, actor: Actor, shown: Shown, params: ListParams) -> ListOut:
    """A page of 15, the latest first unless `sort_order` is `asc`."""
    wanted = _wanted(params)
    counts = await reading.count(db, actor, wanted)
    offset = (page_of(params.page) - 1) * PAGE
    found = await reading.list_page(
        db, actor, wanted, is_oldest_first=params.sort_order == "asc", limit=PAGE, offset=offset
    )
    subjects = await find_subjects(db, actor, found)
    owner = (await people.load_colleague(db, actor, actor.user_id or 0)).snapshot()
    language = language_of(actor.locale)
    page = 1 if params.page is None else params.page if isinstance(params.page, int) else str(params.page)
    return ListOut(
        ListDataOut(
            meta=ListMetaOut(unread_count=counts.unread_count, count=counts.count, current_page=page),
            payload=[
                notification_out(each, subjects[each.id], owner, shown, language)
                for each in found
                if each.id in subjects
            ],
        )
    )


@routes.get("/unread_count", actors=AGENT)
async def count_unread(db: Db, actor: Actor, params: ListParams) -> int:
    """How many of these the caller has not read: just the number."""
    return (await reading.count(db, actor, _wanted(params))).unread_count


@routes.post("/read_all", actors=AGENT)
async def mark_all_read(tx: Tx, actor: Actor, params: ReadAllParams) -> None:
    """Mark everything as read, or what is about one conversation; sockets are not told one by one."""
    is_about_one = params.primary_actor_type == CONVERSATION
    conversation_id = (id_of(str(params.primary_actor_id)) or 0) if is_about_one else None
    await reading.set_read(tx, actor, conversation_id, clock.now())


@routes.post("/destroy_all", actors=AGENT)
async def delete_all(tx: Tx, actor: Actor, params: DestroyAllParams) -> None:
    """Remove all notifications of the caller in this account, or with `type` `read` those that were read."""
    await reading.delete_all(tx, actor, only_read=params.type == "read")


@routes.update("/{notification_id}", actors=AGENT)
async def mark_read(tx: Tx, actor: Actor, notification_id: int) -> NotificationRowOut:
    """Mark as read, whatever else is sent."""
    found = await access.load_notification_to_change(tx, actor, notification_id)
    return row_out(await operations.mark_read(tx, found, actor=actor))


@routes.post("/{notification_id}/unread", actors=AGENT)
async def mark_unread(tx: Tx, actor: Actor, notification_id: int) -> NotificationRowOut:
    """Mark as unread."""
    found = await access.load_notification_to_change(tx, actor, notification_id)
    return row_out(await operations.mark_unread(tx, found, actor=actor))


@routes.post("/{notification_id}/snooze", actors=AGENT)
async def snooze_notification(tx: Tx, actor: Actor, notification_id: int, params: SnoozeParams) -> NotificationRowOut:
    """Put off until a time, when it is new again."""
    found = await access.load_notification_to_change(tx, actor, notification_id)
    return row_out(await operations.snooze(tx, found, params.snoozed_until, actor=actor))


@routes.delete("/{notification_id}", actors=AGENT)
async def delete_notification(tx: Tx, actor: Actor, notification_id: int) -> None:
    """Remove it."""
    found = await access.load_notification_to_change(tx, actor, notification_id)
    await operations.delete(tx, found, actor=actor)


@settings_routes.get(actors=AGENT)
async def show_settings(db: Db, actor: Actor) -> FlagsOut:
    """By what the caller is told in this account."""
    return flags_out(await access.load_flags(db, actor))


@settings_routes.update(actors=AGENT, wrapper="notification_settings", wrapper_is_required=True)
async def change_settings(tx: Tx, actor: Actor, params: FlagsParams) -> FlagsOut:
    """Choose by what to be told; a list that is missing is empty."""
    return flags_out(await wishing.set_flags(tx, await access.load_flags(tx, actor), params))


@subscription_routes.post(actors=PERSON, wrapper="notification_subscription")
async def subscribe(tx: Tx, actor: Actor, keyring: Keyring, params: SubscriptionParams) -> SubscriptionOut:
    """Have a browser or phone told; one that was known is the caller's from now on."""
    subscription, attributes = await wishing.subscribe(tx, keyring, actor.user_id or 0, params)
    identifier = attributes[wishing.IDENTIFIED_BY[subscription.subscription_type]]
    return subscription_out(subscription, attributes, identifier=identifier)


@subscription_routes.delete(actors=PERSON)
async def unsubscribe(tx: Tx, actor: Actor, keyring: Keyring, params: UnsubscriptionParams) -> None:
    """Tell the caller nothing any more on the phone with this `push_token`."""
    await wishing.unsubscribe(tx, keyring, actor.user_id or 0, params.push_token)


def _wanted(params: ListParams) -> Wanted:
    includes = cast(list[Any], params.includes) if isinstance(params.includes, list) else [params.includes]
    return Wanted(with_read="read" in includes, with_snoozed="snoozed" in includes)
