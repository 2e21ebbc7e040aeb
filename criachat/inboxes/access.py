"""The ways to get an inbox on somebody's behalf."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.inboxes import queries
from criachat.inboxes.models import Inbox
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotAuthorized, NotFound


async def load_inbox(db: Db, actor: Actor, inbox_id: int) -> Inbox:
    """The inbox, if the caller may see it; one they are no member of is refused."""
    inbox = await queries.find_inbox(db, actor.account_id, inbox_id, limited_to=actor.limited_to_user)
    if inbox is None:
        raise NotFound
    if not inbox.is_visible:
        raise NotAuthorized
    return inbox


async def load_inboxes(db: Db, actor: Actor, inbox_ids: Sequence[int]) -> list[Inbox]:
    """All of these inboxes, if the caller may see each of them."""
    wanted = set(inbox_ids)
    found = await queries.list_inboxes_by_id(db, actor.account_id, list(wanted), limited_to=actor.limited_to_user)
    if len(found) < len(wanted):
        raise NotFound
    if not all(inbox.is_visible for inbox in found):
        raise NotAuthorized
    return found


async def load_inbox_to_change(tx: Tx, actor: Actor, inbox_id: int) -> Inbox:
    """The inbox; nobody else changes it before this transaction ends."""
    await queries.lock_inbox(tx, actor.account_id, inbox_id)
    return await load_inbox(tx, actor, inbox_id)


async def find_inbox(db: Db, account_id: int, inbox_id: int) -> Inbox | None:
    """The inbox, for listeners and jobs."""
    return await queries.find_inbox(db, account_id, inbox_id)


async def list_inboxes_by_id(db: Db, account_id: int, inbox_ids: Sequence[int]) -> list[Inbox]:
    """Those of these inboxes that the account has, for what names them."""
    return await queries.list_inboxes_by_id(db, account_id, inbox_ids, limited_to=None)


async def is_member(db: Db, account_id: int, inbox_id: int, user_id: int) -> bool:
    """Whether the person is in the inbox."""
    return await queries.is_member(db, account_id, inbox_id, user_id)


async def list_inboxes(db: Db, actor: Actor) -> list[Inbox]:
    """The inboxes the caller may see, by name."""
    found = await queries.list_inboxes(db, actor.account_id, limited_to=actor.limited_to_user)
    return [inbox for inbox in found if inbox.is_visible]
