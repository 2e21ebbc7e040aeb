"""Contacts with a very long history: gone at once, and the history after them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, LiteralString, NamedTuple

from harness import Api, Given

from criachat.contacts.events import ContactDeleted
from criachat.conversations.events import ConversationDeleted
from criachat.conversations.jobs import LetGo, let_go
from criachat.conversations.operations.deleting import BATCH
from criachat.conversations.operations.leaving import let_go_of_some
from criachat.kit import directory
from criachat.kit.jobs import JobContext

# More than go along in the same breath.
MANY = 600
MULTIPLY = """
INSERT INTO conversations (account_id, display_id, inbox_id, contact_id, contact_inbox_id, last_activity_at, created_at,
    updated_at)
SELECT account_id, display_id + number, inbox_id, contact_id, contact_inbox_id, last_activity_at, created_at, updated_at
FROM conversations, generate_series(1, $3::int) AS number
WHERE account_id = $1 AND display_id = $2
"""
COUNT_ON = "UPDATE account_counters SET conversations = conversations + $2 WHERE account_id = $1"
THEIRS: LiteralString = """
SELECT (SELECT count(*) FROM contact_inboxes WHERE account_id = $1 AND contact_id = $2)
    + (SELECT count(*) FROM conversations WHERE account_id = $1 AND contact_id = $2)
    + (SELECT count(*) FROM named_contacts WHERE account_id = $1 AND contact_id = $2)
    + (SELECT count(*) FROM messages
        WHERE account_id = $1
          AND conversation_id NOT IN (SELECT id FROM conversations WHERE account_id = $1 AND contact_id <> $2))
"""
SAID = {"content": "Olá!"}


class Rosa(NamedTuple):
    """A contact with a very long history, as their own app and as the team sees it."""

    id: int
    path: str
    inbox: dict[str, Any]
    session: dict[str, Any]
    conversation: dict[str, Any]
    last: int


async def rosa(given: Given) -> Rosa:
    """Rosa, with very many conversations."""
    inbox = await given.inbox()
    session = await given.session(inbox, identifier="crm-77", email=f"rosa{given.account_id}@long.example")
    contact = {"id": session["id"]}
    conversation = await given.conversation(
        inbox=inbox, contact=contact, source_id=session["source_id"], message={**SAID, "message_type": "incoming"}
    )
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(MULTIPLY, given.account_id, conversation["id"], MANY)
        await tx.execute(COUNT_ON, given.account_id, MANY)
    return Rosa(session["id"], f"/contacts/{session['id']}", inbox, session, conversation, conversation["id"] + MANY)


async def left_of(given: Given, contact: Rosa) -> int:
    async with given.world.parts.database.reading() as db:
        return await db.fetch_value(THEIRS, given.account_id, contact.id)


def context(given: Given) -> JobContext:
    parts = given.world.parts
    return JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)


async def test_a_contact_with_a_very_long_history_is_gone_at_once(api: Api, given: Given) -> None:
    contact = await rosa(given)
    app = api.acting_as(None)
    theirs = f"/public/api/v1/inboxes/{contact.inbox['inbox_identifier']}/contacts/{contact.session['source_id']}"
    said = f"{theirs}/conversations/{contact.last}/messages"

    reply = await api.delete(contact.path)

    found = [await api.get(f"/conversations/{number}") for number in (contact.conversation["id"], contact.last)]
    listed = (await api.get("/conversations?status=all")).json["data"]["payload"]
    written = await api.post(f"/conversations/{contact.last}/messages", SAID)
    assert (reply.status, reply.body) == (200, b"")
    assert [each.status for each in (await api.get(contact.path), *found, written)] == [404] * 4
    assert (await app.get(theirs)).status == (await app.post(said, SAID)).status == 404
    assert listed == []
    assert (await api.get("/contacts")).json["meta"]["count"] == 0
    assert (await api.delete(contact.path)).status == 404
    async with given.world.parts.database.reading() as db:
        assert await directory.find(db, "contact_pubsub_token", contact.session["pubsub_token"]) is None
    assert [event.contact_id for event in await given.emitted(ContactDeleted)] == [contact.id]


async def test_what_a_contact_with_a_very_long_history_was_known_by_is_free_at_once(api: Api, given: Given) -> None:
    contact = await rosa(given)
    body = {
        "identifier": "crm-77",
        "email": f"rosa{given.account_id}@long.example",
        "inbox_id": contact.inbox["id"],
        "source_id": contact.session["source_id"],
    }

    await api.delete(contact.path)
    again = await api.post("/contacts", body)
    await given.worked()

    assert again.status == 200
    created = again.json["payload"]["contact"]
    shown = (await api.get(f"/contacts/{created['id']}")).json["payload"]
    assert created["id"] != contact.id
    assert [each["source_id"] for each in shown["contact_inboxes"]] == [contact.session["source_id"]]


async def test_afterwards_nothing_of_a_very_long_history_is_left(api: Api, given: Given) -> None:
    contact = await rosa(given)
    other = await given.another_account()
    ours, theirs = await given.conversation(inbox=contact.inbox), await other.conversation()

    await api.delete(contact.path)
    await given.worked()

    assert await left_of(given, contact) == 0
    assert (await api.get("/conversations?status=all")).json["data"]["meta"]["all_count"] == 1
    assert (await api.get(f"/conversations/{ours['id']}")).status == 200
    assert (await other.api.get(f"/conversations/{theirs['id']}")).status == 200
    assert await given.emitted(ConversationDeleted) == []
    assert len(await given.emitted(ContactDeleted)) == 1


async def test_a_very_long_history_that_is_half_gone_goes_on_by_itself(api: Api, given: Given) -> None:
    contact = await rosa(given)
    await api.delete(contact.path)
    before = await left_of(given, contact)
    async with given.world.parts.database.transaction() as tx:
        await let_go_of_some(tx, given.account_id)
    half_way = await left_of(given, contact)

    await given.world.parts.jobs.drain(ahead=timedelta(minutes=1))

    assert 0 < before - half_way <= BATCH + len(["the message"])
    assert await left_of(given, contact) == 0


async def test_a_very_long_history_removed_beside_itself_and_once_more_is_gone_once(api: Api, given: Given) -> None:
    contact = await rosa(given)
    replies = await asyncio.gather(*(api.delete(contact.path) for _ in range(4)))

    await asyncio.gather(*(let_go(context(given), LetGo(given.account_id)) for _ in range(8)))
    await let_go(context(given), LetGo(given.account_id))

    assert sorted(reply.status for reply in replies) == [200] + [404] * 3
    assert await left_of(given, contact) == 0


async def test_removing_a_very_long_history_takes_as_many_statements_as_a_short_one(api: Api, given: Given) -> None:
    contact = await rosa(given)

    with given.queries(at_most=10):
        assert (await api.delete(contact.path)).status == 200
