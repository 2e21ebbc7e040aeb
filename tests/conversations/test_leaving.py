"""Members, teams and bots who are named by very many conversations: gone at once, and let go of afterwards."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, LiteralString, NamedTuple

import pytest
from harness import Api, Given

from criachat.conversations.events import AssigneeChanged, ConversationUpdated
from criachat.conversations.jobs import LetGo, let_go
from criachat.conversations.operations.leaving import BATCH, let_go_of_some
from criachat.kit.jobs import JobContext
from criachat.users.events import AgentRemoved

MANY = 2 * BATCH + 50
MULTIPLY = """
INSERT INTO conversations (account_id, display_id, inbox_id, contact_id, contact_inbox_id, assignee_id,
    assignee_agent_bot_id, team_id, last_activity_at, created_at, updated_at)
SELECT account_id, display_id + number, inbox_id, contact_id, contact_inbox_id, assignee_id,
    assignee_agent_bot_id, team_id, last_activity_at, created_at, updated_at
FROM conversations, generate_series(1, $3::int) AS number
WHERE account_id = $1 AND display_id = $2
"""
COUNT_ON = "UPDATE account_counters SET conversations = conversations + $2 WHERE account_id = $1"
TAKE_PART = """
INSERT INTO conversation_participants (account_id, conversation_id, user_id, created_at)
SELECT account_id, id, assignee_id, now() FROM conversations WHERE account_id = $1 AND assignee_id IS NOT NULL
ON CONFLICT DO NOTHING
"""
STILL_NAMING = """
SELECT display_id FROM conversations
WHERE account_id = $1 AND coalesce(assignee_id, assignee_agent_bot_id, team_id) IS NOT NULL
ORDER BY display_id
"""
LEFT = """
SELECT (SELECT count(*) FROM conversations
        WHERE account_id = $1 AND coalesce(assignee_id, assignee_agent_bot_id, team_id) IS NOT NULL)
    + (SELECT count(*) FROM conversation_participants WHERE account_id = $1)
    + (SELECT count(*) FROM named_members WHERE account_id = $1 AND left_at IS NOT NULL)
    + (SELECT count(*) FROM named_teams WHERE account_id = $1 AND left_at IS NOT NULL)
    + (SELECT count(*) FROM named_bots WHERE account_id = $1 AND left_at IS NOT NULL)
"""
KINDS = ("agent", "team", "bot")


class Busy(NamedTuple):
    """Somebody who is named by very many conversations, and where they are removed."""

    id: int
    path: str


def context(given: Given) -> JobContext:
    parts = given.world.parts
    return JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)


async def count(given: Given, sql: LiteralString) -> int:
    async with given.world.parts.database.reading() as db:
        return await db.fetch_value(sql, given.account_id)


async def still_naming(given: Given) -> list[int]:
    """The conversations whose rows name somebody."""
    async with given.world.parts.database.reading() as db:
        return await db.fetch_values(STILL_NAMING, given.account_id)


async def busy(given: Given, kind: str, *, conversations: int = MANY) -> Busy:
    """Somebody of this kind with so many conversations."""
    conversation = await given.conversation()
    match kind:
        case "agent":
            someone = Busy((ana := await given.agent("Ana")).id, f"/agents/{ana.id}")
            assignment: dict[str, Any] = {"assignee_id": ana.id}
        case "team":
            someone = Busy((team := await given.team())["id"], f"/teams/{team['id']}")
            assignment = {"team_id": team["id"]}
        case _:
            someone = Busy((bot := await given.bot()).id, f"/agent_bots/{bot.id}")
            assignment = {"assignee_id": bot.id, "assignee_type": "AgentBot"}
    assert (await given.api.post(f"/conversations/{conversation['id']}/assignments", assignment)).status == 200
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(MULTIPLY, given.account_id, conversation["id"], conversations - 1)
        await tx.execute(COUNT_ON, given.account_id, conversations - 1)
        await tx.execute(TAKE_PART, given.account_id)
    return someone


@pytest.mark.parametrize("kind", KINDS)
async def test_whoever_has_very_many_conversations_is_gone_at_once(api: Api, given: Given, kind: str) -> None:
    someone = await busy(given, kind)

    reply = await api.delete(someone.path)

    last = (await still_naming(given))[-1]
    meta = (await api.get(f"/conversations/{last}")).json["meta"]
    listed = (await api.get("/conversations?status=all")).json["data"]["payload"]
    assert (reply.status, reply.body) == (200, b"")
    assert (await api.delete(someone.path)).status == 404
    assert meta.keys().isdisjoint(("assignee", "team"))
    assert all(each["meta"].keys().isdisjoint(("assignee", "team")) for each in listed)


@pytest.mark.parametrize("kind", KINDS)
async def test_afterwards_no_conversation_names_them_and_nobody_is_told_of_each(
    api: Api, given: Given, kind: str
) -> None:
    someone = await busy(given, kind)
    await given.worked()
    told = await given.emitted(ConversationUpdated), await given.emitted(AssigneeChanged)

    await api.delete(someone.path)
    await given.worked()

    assert await count(given, LEFT) == 0
    assert (await api.get("/conversations?status=all")).json["data"]["meta"]["unassigned_count"] == MANY
    assert (await given.emitted(ConversationUpdated), await given.emitted(AssigneeChanged)) == told
    assert len(await given.emitted(AgentRemoved)) == (kind == "agent")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_removal_that_stopped_half_way_goes_on_by_itself(api: Api, given: Given, kind: str) -> None:
    someone = await busy(given, kind)
    await api.delete(someone.path)
    async with given.world.parts.database.transaction() as tx:
        await let_go_of_some(tx, given.account_id)
    half_way = len(await still_naming(given))

    await given.world.parts.jobs.drain(ahead=timedelta(minutes=1))

    assert 0 < half_way < MANY - BATCH
    assert await count(given, LEFT) == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_letting_go_beside_itself_and_once_more_is_harmless(api: Api, given: Given, kind: str) -> None:
    someone = await busy(given, kind)
    await api.delete(someone.path)

    await asyncio.gather(*(let_go(context(given), LetGo(given.account_id)) for _ in range(8)))
    await let_go(context(given), LetGo(given.account_id))

    assert await count(given, LEFT) == 0


async def test_another_account_keeps_whom_both_had(api: Api, given: Given) -> None:
    other = await given.another_account()
    ana = await given.agent("Ana")
    await other.api.post("/agents", {"name": "Ana", "email": ana.email, "role": "agent"})
    theirs = await other.conversation(assignee_id=ana.id)
    ours = await given.conversation(assignee_id=ana.id)

    await api.delete(f"/agents/{ana.id}")
    await given.worked()
    await let_go(context(given), LetGo(other.account_id))

    assert "assignee" not in (await api.get(f"/conversations/{ours['id']}")).json["meta"]
    assert (await other.api.get(f"/conversations/{theirs['id']}")).json["meta"]["assignee"]["id"] == ana.id


async def test_who_is_taken_back_meanwhile_keeps_what_they_are_given(api: Api, given: Given) -> None:
    other = await given.another_account()
    ana = await given.agent("Ana")
    await other.api.post("/agents", {"name": "Ana", "email": ana.email, "role": "agent"})
    conversation = await given.conversation(assignee_id=ana.id)
    await api.delete(f"/agents/{ana.id}")

    await api.post("/agents", {"name": "Ana", "email": ana.email, "role": "agent"})
    await api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": ana.id})
    await given.worked()

    assert (await api.get(f"/conversations/{conversation['id']}")).json["meta"]["assignee"]["id"] == ana.id


async def test_what_still_names_somebody_who_left_is_worked_on_as_if_it_named_nobody(api: Api, given: Given) -> None:
    ana = await busy(given, "agent")
    await api.delete(ana.path)
    first, second, third = [f"/conversations/{each}" for each in (await still_naming(given))[:3]]

    labelled = await api.post(f"{first}/labels", {"labels": ["vip"]})
    answered = await api.post(f"{second}/messages", {"content": "Olá!"})
    taken = await api.post(f"{third}/assignments", {"assignee_id": given.boss.id})
    await given.worked()

    assert [labelled.status, answered.status, taken.status] == [200] * 3
    assert [(event.previous, event.current) for event in await given.emitted(AssigneeChanged)][-1] == (
        None,
        given.boss.id,
    )
    assert "assignee" not in (await api.get(first)).json["meta"]
    assert (await api.get(third)).json["meta"]["assignee"]["id"] == given.boss.id


async def test_who_leaves_with_their_person_is_let_go_of_in_every_account(given: Given) -> None:
    ana = await busy(given, "agent")
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("DELETE FROM users WHERE id = $1", ana.id)

    await given.world.parts.jobs.drain(ahead=timedelta(minutes=1))

    assert await count(given, LEFT) == 0


async def test_removing_somebody_sends_as_many_statements_however_many_conversations_name_them(
    api: Api, given: Given
) -> None:
    ana = await busy(given, "agent")

    with given.queries(at_most=12):
        await api.delete(ana.path)
