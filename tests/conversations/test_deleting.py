from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any, LiteralString

import pytest
from harness import Api, Given

from criachat.contacts.jobs import RemoveSessions, remove_sessions
from criachat.conversations.events import ConversationDeleted
from criachat.conversations.jobs import LetGo, RemoveConversations, let_go, remove_conversations
from criachat.conversations.operations import deleting
from criachat.conversations.operations.deleting import BATCH, MESSAGES_BATCH, remove_some_of_inbox
from criachat.conversations.operations.leaving import let_go_of_some
from criachat.kit.jobs import JobContext

LEFT = """
SELECT (SELECT count(*) FROM messages WHERE account_id = $1) + (SELECT count(*) FROM attachments WHERE account_id = $1)
    + (SELECT count(*) FROM conversation_participants WHERE account_id = $1)
    + (SELECT count(*) FROM directory WHERE account_id = $1 AND kind = 'conversation_uuid')
"""
# So many more like the first, numbered after the second.
MULTIPLY = """
INSERT INTO conversations (account_id, display_id, inbox_id, contact_id, contact_inbox_id, last_activity_at, created_at,
    updated_at)
SELECT account_id, $3 + number, inbox_id, contact_id, contact_inbox_id, last_activity_at, created_at, updated_at
FROM conversations, generate_series(1, $4::int) AS number
WHERE account_id = $1 AND display_id = $2
"""
SAY_OFTEN = """
INSERT INTO messages (account_id, conversation_id, inbox_id, message_type, content_type, content, created_at,
    updated_at)
SELECT account_id, id, inbox_id, 1, 'text', 'Nr. ' || number, created_at, created_at
FROM conversations, generate_series(1, $3::int) AS number
WHERE account_id = $1 AND display_id = $2
"""
STOOD_IN = """
SELECT (SELECT count(*) FROM named_contacts WHERE account_id = $1 AND left_at IS NOT NULL)
    + (SELECT count(*) FROM contact_inboxes WHERE account_id = $1 AND source_id LIKE 'left-%')
"""
LONG = 250
OF_INBOX: LiteralString = """
SELECT (SELECT count(*) FROM contact_inboxes WHERE account_id = $1 AND inbox_id = $2)
    + (SELECT count(*) FROM conversations WHERE account_id = $1 AND inbox_id = $2)
    + (SELECT count(*) FROM messages WHERE account_id = $1 AND inbox_id = $2)
"""


SAID = {"content": "Olá!"}


def context(given: Given) -> JobContext:
    parts = given.world.parts
    return JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)


async def rows(given: Given, sql: LiteralString, inbox: dict[str, Any]) -> int:
    async with given.world.parts.database.reading() as db:
        return await db.fetch_value(sql, given.account_id, inbox["id"])


async def sessions_removed(given: Given, inbox: dict[str, Any]) -> None:
    await remove_sessions(context(given), RemoveSessions(given.account_id, inbox["id"]))


async def conversations_removed(given: Given, inbox: dict[str, Any]) -> None:
    await remove_conversations(context(given), RemoveConversations(given.account_id, inbox["id"]))


async def test_an_administrator_removes_it_with_all_that_was_said(api: Api, given: Given) -> None:
    conversation = await given.conversation(assignee_id=given.boss.id, message={"content": "Olá!"})
    path = f"/conversations/{conversation['id']}"

    reply = await api.delete(path)
    await given.worked()

    assert (reply.status, reply.body) == (200, b"")
    assert (await api.get(path)).status == (await api.get(f"{path}/messages")).status == 404
    assert (await api.get("/conversations")).json["data"]["meta"]["all_count"] == 0
    (event,) = await given.emitted(ConversationDeleted)
    assert (event.snapshot.id, event.performer.id) == (conversation["id"], given.boss.id)
    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value(LEFT, given.account_id) == 0


async def test_nobody_else_removes_it(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana, robot = await given.agent("Ana", inbox=inbox), await given.bot()
    conversation = await given.conversation(inbox=inbox)
    stranger = (await given.another_account()).api
    path = f"/conversations/{conversation['id']}"

    refused = [await api.acting_as(each).delete(path) for each in (ana, robot, None)]
    elsewhere = await stranger.delete(path)
    unknown = await api.delete("/conversations/999999")

    assert [each.status for each in refused] == [401] * 3
    assert (elsewhere.status, unknown.status) == (404, 404)
    assert (await api.get(path)).status == 200


async def test_of_many_who_remove_it_at_once_one_does(api: Api, given: Given) -> None:
    conversation = await given.conversation(message={"content": "Olá!"})

    replies = await asyncio.gather(*(api.delete(f"/conversations/{conversation['id']}") for _ in range(16)))

    assert sorted(reply.status for reply in replies) == [200] + [404] * 15
    assert len(await given.emitted(ConversationDeleted)) == 1


async def test_who_writes_while_it_goes_is_told_that_it_is_gone_or_was_heard(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}"

    async def say() -> Any:
        return await api.post(f"{path}/messages", {"content": "Olá!"})

    replies = await asyncio.gather(*(say() for _ in range(8)), api.delete(path), *(say() for _ in range(8)))

    assert {reply.status for reply in replies} <= {200, 404}
    assert (await say()).status == 404


async def test_an_inbox_with_very_many_conversations_of_one_session_goes_a_batch_at_a_time(
    api: Api, given: Given
) -> None:
    doomed, other = await given.inbox("Doomed"), await given.inbox("Other")
    contact = await given.contact()
    many = await given.conversation(inbox=doomed, contact=contact, message={"content": "Olá!"})
    kept = await given.conversation(inbox=other, contact=contact)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(MULTIPLY, given.account_id, many["id"], kept["id"], MESSAGES_BATCH)

    deleted = await api.delete(f"/inboxes/{doomed['id']}")
    hidden = await api.get(f"/conversations/{many['id']}")
    await sessions_removed(given, doomed)
    waiting = await rows(given, OF_INBOX, doomed)
    async with given.world.parts.database.transaction() as tx:
        await remove_some_of_inbox(tx, given.account_id, doomed["id"])
    half_way = await rows(given, OF_INBOX, doomed)
    await asyncio.gather(*(conversations_removed(given, doomed) for _ in range(4)))
    await sessions_removed(given, doomed)

    assert (deleted.status, hidden.status) == (200, 404)
    assert waiting == MESSAGES_BATCH + len(["the first", "its message", "their session"])
    assert 0 < waiting - half_way <= BATCH + len(["the message"])
    assert await rows(given, OF_INBOX, doomed) == 0
    assert (await api.get(f"/conversations/{kept['id']}")).status == 200
    assert await given.emitted(ConversationDeleted) == []


async def test_an_inbox_is_removed_after_its_conversations_however_the_jobs_come(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    many = await given.conversation(inbox=inbox)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(MULTIPLY, given.account_id, many["id"], many["id"], MESSAGES_BATCH)

    await api.delete(f"/inboxes/{inbox['id']}")
    for _ in range(3):
        await given.worked()

    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value("SELECT count(*) FROM inboxes WHERE account_id = $1", given.account_id) == 0
        assert await db.fetch_value(LEFT, given.account_id) == 0


@pytest.fixture
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is long, and how much of it goes in one transaction, is less than in earnest."""
    monkeypatch.setattr(deleting, "LONG", 100)
    monkeypatch.setattr(deleting, "MESSAGES_BATCH", 40)


async def long_conversation(given: Given, **fields: Any) -> Any:
    """A conversation in which very much was said."""
    conversation = await given.conversation(message={"content": "Nr. 0"}, **fields)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(SAY_OFTEN, given.account_id, conversation["id"], LONG)
    return conversation


async def left(given: Given, sql: LiteralString = LEFT) -> int:
    async with given.world.parts.database.reading() as db:
        return await db.fetch_value(sql, given.account_id)


@pytest.mark.usefixtures("short_batches")
async def test_a_very_long_one_is_gone_at_once_and_what_was_said_after_it(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    conversation = await long_conversation(given, inbox=inbox, contact=contact)
    path = f"/conversations/{conversation['id']}"

    with given.queries(at_most=8):
        reply = await api.delete(path)

    assert (reply.status, reply.body) == (200, b"")
    assert [each.status for each in (await api.get(path), await api.get(f"{path}/messages"))] == [404] * 2
    assert [each.status for each in (await api.post(f"{path}/messages", SAID), await api.delete(path))] == [404] * 2
    assert (await api.get("/conversations?status=all")).json["data"]["payload"] == []
    assert (await api.get(f"/contacts/{contact['id']}/conversations")).json["payload"] == []
    assert await left(given) > LONG
    assert len(await given.emitted(ConversationDeleted)) == 1


@pytest.mark.usefixtures("short_batches")
async def test_afterwards_nothing_of_a_very_long_one_is_left_but_its_contact(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    conversation = await long_conversation(given, inbox=inbox, contact=contact, source_id="rosa-77")
    await api.delete(f"/conversations/{conversation['id']}")
    async with given.world.parts.database.transaction() as tx:
        await let_go_of_some(tx, given.account_id)
    half_way = await left(given)

    again = await given.conversation(inbox=inbox, contact=contact, source_id="rosa-77")
    await given.world.parts.jobs.drain(ahead=timedelta(minutes=1))

    shown = (await api.get(f"/contacts/{contact['id']}")).json["payload"]
    assert LONG - 41 < half_way < LONG
    assert await left(given, STOOD_IN) == 0
    assert [each["source_id"] for each in shown["contact_inboxes"]] == ["rosa-77"]
    assert (await api.get(f"/conversations/{again['id']}")).status == 200
    assert await left(given) == len(["the new one's uuid"])


@pytest.mark.usefixtures("short_batches")
async def test_letting_go_of_a_very_long_one_beside_itself_and_once_more_is_harmless(api: Api, given: Given) -> None:
    conversation = await long_conversation(given)
    await api.delete(f"/conversations/{conversation['id']}")

    await asyncio.gather(*(let_go(context(given), LetGo(given.account_id)) for _ in range(8)))
    await let_go(context(given), LetGo(given.account_id))

    assert (await left(given), await left(given, STOOD_IN)) == (0, 0)


@pytest.mark.usefixtures("short_batches")
async def test_a_contact_who_goes_takes_a_very_long_one_along_that_went_before(api: Api, given: Given) -> None:
    contact = await given.contact()
    conversation = await long_conversation(given, contact=contact)
    await api.delete(f"/conversations/{conversation['id']}")

    reply = await api.delete(f"/contacts/{contact['id']}")
    await given.world.parts.jobs.drain(ahead=timedelta(minutes=1))

    assert reply.status == 200
    assert (await left(given), await left(given, STOOD_IN)) == (0, 0)


@pytest.mark.usefixtures("short_batches")
async def test_of_a_very_long_one_in_an_inbox_that_goes_so_many_messages_go_at_a_time(api: Api, given: Given) -> None:
    inbox = await given.inbox("Doomed")
    await long_conversation(given, inbox=inbox)
    await given.conversation(inbox=inbox, message={"content": "Olá!"})
    await api.delete(f"/inboxes/{inbox['id']}")

    counts = [await rows(given, OF_INBOX, inbox)]
    is_left = True
    while is_left:
        async with given.world.parts.database.transaction() as tx:
            is_left = await remove_some_of_inbox(tx, given.account_id, inbox["id"])
        counts.append(await rows(given, OF_INBOX, inbox))

    assert all(0 <= before - after <= 41 for before, after in pairwise(counts))
    assert len(counts) >= LONG // 40
    assert counts[-1] == len(["one session", "the other"])


@pytest.mark.usefixtures("short_batches")
async def test_who_writes_while_a_very_long_one_goes_is_told_that_it_is_gone_or_was_heard(
    api: Api, given: Given
) -> None:
    conversation = await long_conversation(given)
    path = f"/conversations/{conversation['id']}"

    async def say() -> Any:
        return await api.post(f"{path}/messages", SAID)

    replies = await asyncio.gather(*(say() for _ in range(8)), api.delete(path), *(say() for _ in range(8)))

    assert {reply.status for reply in replies} <= {200, 404}
    assert (await say()).status == 404
