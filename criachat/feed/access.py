"""What of the log a caller may see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from criachat.contacts.events import ContactEvent
from criachat.conversations import access as conversations
from criachat.conversations.events import ConversationEvent
from criachat.conversations.shares import ALL, Share
from criachat.feed import queries
from criachat.feed.models import Item
from criachat.inboxes.events import InboxEvent
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.kit.events import Record, catalogue
from criachat.messages.events import MessageEvent

# What every member of the team can read elsewhere, whichever inboxes are theirs; beside all events of contacts.
OF_THE_TEAM: Final = frozenset(
    (
        "account_created",
        "account_cache_invalidated",
        "agent_added",
        "agent_updated",
        "agent_removed",
        "label_renamed",
    )
)


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """Events of whole kinds, and those of inboxes. None of either stands for all of them.

    Of the conversations in their inboxes a custom role may show a share, and what they take part in.
    """

    sees_everything: bool = False
    sees_team: bool = False
    inbox_ids: frozenset[int] | None = frozenset()
    user_id: int | None = None
    share: Share = ALL
    taken_part_in: frozenset[int] = frozenset()

    def shows(self, name: str, inbox_id: int | None) -> bool:
        """Whether an event of this kind, in this inbox, may be seen. Kinds nobody thought of are administrators'."""
        if self.sees_everything:
            return True
        kind = catalogue.kinds.get(name)
        if kind is None:
            return False
        if issubclass(kind, ConversationEvent | MessageEvent):
            return self.inbox_ids is None or inbox_id in self.inbox_ids
        if issubclass(kind, InboxEvent):
            return self.sees_team and self.inbox_ids is not None and inbox_id in self.inbox_ids
        return self.sees_team and (issubclass(kind, ContactEvent) or name in OF_THE_TEAM)

    def shares(self, item: Item) -> bool:
        """Whether the caller's role shows the conversation of this event, if it is of one."""
        if self.share == ALL or item.conversation_id is None:
            return True
        return self.share.lists(self.user_id, item.assignee_ids) or item.conversation_id in self.taken_part_in


EVERYTHING: Final = Sight(sees_everything=True)
# Bots open every conversation of their account, and nothing else.
EVERY_CONVERSATION: Final = Sight(inbox_ids=None)


def sight_at_once(actor: Actor) -> Sight | None:
    """What the caller sees, where that need not be looked up.

    Scopes of tokens play no part: everybody makes their own, so one never shows more than its owner sees.
    """
    if actor.is_administrator:
        return EVERYTHING
    return EVERY_CONVERSATION if actor.agent_bot_id is not None else None


async def load_sight(db: Db, actor: Actor) -> Sight:
    """What the caller sees: agents what belongs to the whole team, and to the inboxes they are members of now."""
    known = sight_at_once(actor)
    if known is not None:
        return known
    inbox_ids = await queries.list_inbox_ids(db, actor.account_id, actor.id or 0)
    share = conversations.share_shown_to(actor)
    return Sight(sees_team=True, inbox_ids=frozenset(inbox_ids), user_id=actor.user_id, share=share)


async def with_participations(db: Db, account_id: int, sight: Sight, found: Iterable[Record | Item]) -> Sight:
    """The same sight, which knows in which conversations of these events the caller takes part, if that matters."""
    if not sight.share.is_of_participants:
        return sight
    conversation_ids = {each.conversation_id for each in found if each.conversation_id is not None}
    taken = await queries.list_participations(db, account_id, sight.user_id, list(conversation_ids))
    return msgspec.structs.replace(sight, taken_part_in=frozenset(taken))
