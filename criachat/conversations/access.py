"""The ways to get a conversation on somebody's behalf."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from criachat.conversations import queries
from criachat.conversations.models import Conversation, Counts, ListFilter, Part
from criachat.conversations.queries import counts, lists, people
from criachat.conversations.queries.narrowing import Asker
from criachat.conversations.shares import ALL, Share, share_of
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NoSuchPage, NotAuthorized, NotFound, existing
from criachat.kit.http.versions import Expected

UUIDS = "conversation_uuid"


class Openable(Protocol):
    """What has to be known of a conversation to say who may open it."""

    @property
    def account_id(self) -> int: ...
    @property
    def id(self) -> int: ...
    @property
    def assignee_id(self) -> int | None: ...
    @property
    def is_inbox_member(self) -> bool: ...
    @property
    def is_team_member(self) -> bool: ...


async def load_conversation(db: Db, actor: Actor, display_id: int) -> Conversation:
    """The conversation with this number, if the caller may open it.

    One of another account is answered like one that does not exist; one of an inbox and a team they are not in is
    refused.
    """
    found = await queries.find_conversation(db, actor.account_id, actor.user_id, display_id)
    return await _opened(db, actor, found)


async def load_conversation_to_change(tx: Tx, actor: Actor, display_id: int, expected: Expected) -> Conversation:
    """The same; where the caller means one version of it, nobody else changes it before this transaction ends."""
    conversation = await load_conversation(tx, actor, display_id)
    if expected.tags is None:
        return conversation
    await lock_conversation(tx, conversation)
    locked = await load_again(tx, conversation, actor=actor)
    expected.check(locked.version)
    return locked


async def load_conversation_and_reserve(db: Db, actor: Actor, display_id: int, *, sequence: str) -> Conversation:
    """The same, with the next number of a sequence as its `reserved_id`, for whoever writes next."""
    found = await queries.find_conversation_and_reserve(db, actor.account_id, actor.user_id, display_id, sequence)
    return await _opened(db, actor, found)


async def find_conversation(
    db: Db, account_id: int, display_id: int, *, sequence: str | None = None
) -> Conversation | None:
    """The conversation with this number, for whoever finds out by it who is asking."""
    if sequence is None:
        return await queries.find_conversation(db, account_id, None, display_id)
    return await queries.find_conversation_and_reserve(db, account_id, None, display_id, sequence)


async def load_own_conversation(
    db: Db, actor: Actor, display_id: int, *, is_verified: bool, sequence: str | None
) -> Conversation:
    """The conversation, if it belongs to this contact's session, or to the contact at all when that is verified."""
    found = await find_conversation(db, actor.account_id, display_id, sequence=sequence)
    if found is None:
        raise NoSuchPage
    # The session says whose it is: its contact may have become one with another since the caller was let in.
    is_own = found.contact_inbox_id == actor.contact_inbox_id
    if not (is_own or (is_verified and found.contact_id == actor.id)):
        raise NoSuchPage
    return found


async def load_conversation_by_id(db: Db, actor: Actor, conversation_id: int) -> Conversation:
    """The conversation with this database id, if the caller may open it."""
    found = await queries.find_conversation_by_id(db, actor.account_id, actor.user_id, conversation_id)
    return await _opened(db, actor, found)


async def load_again(db: Db, conversation: Conversation, *, actor: Actor) -> Conversation:
    """The same conversation as it is now."""
    return existing(await queries.find_conversation_by_id(db, conversation.account_id, actor.user_id, conversation.id))


async def lock_conversation(tx: Tx, conversation: Conversation) -> None:
    """Keep others from changing it until the transaction ends; what was read before may be old."""
    await queries.lock_conversation(tx, conversation.account_id, conversation.id)


async def find_conversation_by_id(db: Db, account_id: int, conversation_id: int) -> Conversation | None:
    """The conversation with this database id, for listeners and jobs."""
    return await queries.find_conversation_by_id(db, account_id, None, conversation_id)


async def list_conversations_by_id(db: Db, account_id: int, conversation_ids: Sequence[int]) -> dict[int, Conversation]:
    """Those of these database ids that there are, for whoever knows that the caller may see them."""
    found = await queries.list_conversations_by_id(db, account_id, conversation_ids)
    return {conversation.id: conversation for conversation in found}


async def list_conversations(db: Db, actor: Actor, filters: ListFilter, part: Part | None = None) -> list[Conversation]:
    """A page of what the caller may list: everything for administrators, their own inboxes for agents."""
    if filters.is_empty:
        return []
    return await lists.list_page(db, _asker(actor), filters, part or Part())


async def list_and_count_conversations(
    db: Db, actor: Actor, filters: ListFilter, part: Part
) -> tuple[list[Conversation], Counts]:
    """The same, with the numbers behind the tabs of the list.

    They are asked first: of a list that is empty no page is looked for, and one that is short is not looked for in
    order, which takes seconds where only a few of many conversations are meant.
    """
    counts = await count_conversations(db, actor, filters)
    if counts.all_count == 0:
        return [], counts
    is_few = counts.all_count <= lists.few_of(filters)
    return await list_conversations(db, actor, filters, msgspec.structs.replace(part, is_few=is_few)), counts


async def count_conversations(db: Db, actor: Actor, filters: ListFilter) -> Counts:
    """The numbers behind the tabs of such a list."""
    if filters.is_empty:
        return Counts(mine_count=0, unassigned_count=0, all_count=0)
    return await counts.count(db, _asker(actor), filters)


def share_shown_to(actor: Actor) -> Share:
    """What a caller's role shows of the conversations they could see as an agent; custom roles may show a part."""
    is_limited = actor.has_custom_role and not actor.is_administrator
    return share_of(actor.permissions) if is_limited else ALL


def _asker(actor: Actor) -> Asker:
    listed = share_shown_to(actor).listed
    return Asker(account_id=actor.account_id, user_id=actor.user_id, limited_to=actor.limited_to_user, listed=listed)


async def _opened(db: Db, actor: Actor, found: Conversation | None) -> Conversation:
    if found is None:
        raise NotFound
    await check_may_open(db, actor, found)
    return found


async def check_may_open(db: Db, actor: Actor, found: Openable) -> None:
    """Refuse a conversation that the caller may not open."""
    if actor.limited_to_user is not None and not (found.is_inbox_member or found.is_team_member):
        raise NotAuthorized
    if not await _is_shown(db, actor, found):
        raise NotAuthorized


async def _is_shown(db: Db, actor: Actor, conversation: Openable) -> bool:
    """Whether their role shows it. Lists leave out what somebody only takes part in, but they may open it."""
    share = share_shown_to(actor)
    if share.lists(actor.user_id, (conversation.assignee_id,)):
        return True
    key = conversation.account_id, conversation.id
    return share.is_of_participants and await people.is_participant(db, *key, actor.user_id)
