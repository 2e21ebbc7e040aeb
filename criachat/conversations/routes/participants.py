"""Who is told of a conversation beside its assignee, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.conversations import access
from criachat.conversations.operations import participating
from criachat.conversations.queries import people
from criachat.conversations.schemas import ParticipantsParams
from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes
from criachat.users import access as users
from criachat.users.schemas import AgentOut, agent_out
from criachat.users.shown import Shown

routes = Routes(
    "/api/v1/accounts/{account_id}/conversations/{conversation_id}/participants",
    tag="Conversations",
    scope="conversations",
)


@routes.get(actors=AGENT)
async def list_participants(db: Db, actor: Actor, shown: Shown, conversation_id: int) -> list[AgentOut]:
    """Who takes part."""
    conversation = await access.load_conversation(db, actor, conversation_id)
    return await _agents(db, actor, shown, await people.list_participant_ids(db, conversation))


@routes.post(actors=AGENT)
async def add_participants(
    tx: Tx, actor: Actor, shown: Shown, conversation_id: int, params: ParticipantsParams
) -> list[AgentOut]:
    """Have these people take part too; answers those who are new.

    Whoever is neither a member of the inbox nor an administrator is passed over.
    """
    conversation = await access.load_conversation(tx, actor, conversation_id)
    added = await participating.add_participants(tx, conversation, params.user_ids, actor=actor)
    return await _agents(tx, actor, shown, added)


@routes.update(actors=AGENT)
async def set_participants(
    tx: Tx, actor: Actor, shown: Shown, conversation_id: int, params: ParticipantsParams
) -> list[AgentOut]:
    """Have just these people take part; answers all who do."""
    conversation = await access.load_conversation(tx, actor, conversation_id)
    await participating.set_participants(tx, conversation, params.user_ids, actor=actor)
    return await _agents(tx, actor, shown, await people.list_participant_ids(tx, conversation))


@routes.delete(actors=AGENT)
async def remove_participants(tx: Tx, actor: Actor, conversation_id: int, params: ParticipantsParams) -> None:
    """Have these people take part no more."""
    conversation = await access.load_conversation(tx, actor, conversation_id)
    await participating.remove_participants(tx, conversation, params.user_ids, actor=actor)


async def _agents(db: Db, actor: Actor, shown: Shown, user_ids: Sequence[int]) -> list[AgentOut]:
    return [agent_out(each, shown) for each in await users.list_colleagues(db, actor, user_ids)] if user_ids else []
