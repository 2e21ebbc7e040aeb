"""Giving a conversation that is nobody's to somebody who is there."""

from __future__ import annotations

from criachat.assignment import queries
from criachat.conversations import access as conversations
from criachat.conversations.events import ConversationEvent
from criachat.conversations.models import Conversation
from criachat.conversations.operations.assigning import assign_if_free
from criachat.inboxes import access as inboxes
from criachat.kit.actors import Actor, system
from criachat.kit.db import Db, Tx
from criachat.teams import access as teams
from criachat.users import access as users
from criachat.users.presence import Presence


async def hand_out_opened(tx: Tx, event: ConversationEvent, presence: Presence) -> None:
    """Give what was opened to whose turn it is in its inbox, or within its team, where the inbox wants that.

    What somebody has who is not in the inbox any more counts as nobody's.
    """
    conversation = await _load(tx, event)
    inbox = None if conversation is None else await inboxes.find_inbox(tx, event.account_id, conversation.inbox_id)
    if conversation is None or conversation.status != "open" or inbox is None or not inbox.enable_auto_assignment:
        return
    if conversation.team_id is not None and not await _hands_out(tx, event.account_id, conversation.team_id):
        return
    holder = conversation.assignee_id
    if holder is None or not await inboxes.is_member(tx, event.account_id, conversation.inbox_id, holder):
        most_open = inbox.auto_assignment_config.get("max_assignment_limit")
        await _hand_out(tx, conversation, event, presence, most_open=most_open)


async def hand_out_within_team(tx: Tx, event: ConversationEvent, presence: Presence) -> None:
    """Give what a team got to whose turn it is among those of its inbox who are in the team, where the team wants that.

    Only what is nobody's by then: the assignee may be in the team.
    """
    conversation = await _load(tx, event)
    if conversation is None or conversation.team_id is None or conversation.assignee_id is not None:
        return
    if await _hands_out(tx, event.account_id, conversation.team_id):
        await _hand_out(tx, conversation, event, presence, most_open=None)


async def _hand_out(
    tx: Tx, conversation: Conversation, event: ConversationEvent, presence: Presence, *, most_open: int | None
) -> None:
    candidates = await queries.list_candidates(tx, conversation, team_id=conversation.team_id, most_open=most_open)
    chosen = next((each.user_id for each in candidates if each.is_online(presence)), None)
    if chosen is not None and await queries.take_turn(tx, conversation, chosen):
        actor = await _actor(tx, event)
        await assign_if_free(tx, conversation, chosen, actor=actor, cause=f"event:{event.id}")


async def _load(db: Db, event: ConversationEvent) -> Conversation | None:
    """The conversation as it is now, unless a bot has it."""
    place = event.snapshot.conversation_id
    conversation = await conversations.find_conversation_by_id(db, event.account_id, place)
    return None if conversation is None or conversation.assignee_agent_bot_id is not None else conversation


async def _hands_out(db: Db, account_id: int, team_id: int) -> bool:
    team = await teams.find_team(db, system(account_id), team_id)
    return team is not None and team.allow_auto_assign


async def _actor(db: Db, event: ConversationEvent) -> Actor:
    """The person whose request led to it; the product itself where it was nobody's."""
    actor = None
    if event.actor_type == "user" and event.actor_id is not None:
        actor = await users.find_actor(db, event.account_id, event.actor_id)
    return actor or system(event.account_id)
