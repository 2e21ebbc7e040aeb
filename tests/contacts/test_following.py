"""Contacts with a very long history who become part of another: who they are at once, and the history after them."""

from __future__ import annotations

import asyncio
import hmac
from datetime import timedelta
from itertools import pairwise
from typing import Any, LiteralString, NamedTuple

import pytest
from harness import Api, Given, Reply

from criachat.contacts.events import ContactDeleted, ContactMerged
from criachat.conversations.events import ConversationContactChanged
from criachat.kit.jobs import JobContext
from criachat.messages.jobs import Follow, follow
from criachat.messages.operations import merging

# More than are moved in the same breath.
MANY = 600
MULTIPLY = """
INSERT INTO conversations (account_id, display_id, inbox_id, contact_id, contact_inbox_id, last_activity_at, created_at,
    updated_at)
SELECT account_id, display_id + number, inbox_id, contact_id, contact_inbox_id, last_activity_at, created_at, updated_at
FROM conversations, generate_series(1, $3::int) AS number
WHERE account_id = $1 AND display_id = $2
"""
COUNT_ON = "UPDATE account_counters SET conversations = conversations + $2 WHERE account_id = $1"
SAY_OFTEN = """
INSERT INTO messages (account_id, conversation_id, inbox_id, message_type, content_type, content, sender_type,
    sender_id, created_at, updated_at)
SELECT account_id, id, inbox_id, 0, 'text', 'Nr. ' || number, 'Contact', contact_id, created_at, created_at
FROM conversations, generate_series(1, $3::int) AS number
WHERE account_id = $1 AND display_id = $2
"""
NOTE_OFTEN = """
INSERT INTO notes (account_id, contact_id, content, created_at, updated_at)
SELECT $1, $2, 'Likes tea', now(), now() FROM generate_series(1, $3::int)
"""
THEIRS: LiteralString = """
SELECT (SELECT count(*) FROM conversations WHERE account_id = $1 AND contact_id = $2) AS conversations,
    (SELECT count(*) FROM messages WHERE account_id = $1 AND sender_type = 'Contact' AND sender_id = $2) AS messages,
    (SELECT count(*) FROM contact_inboxes WHERE account_id = $1 AND contact_id = $2) AS sessions,
    (SELECT count(*) FROM notes WHERE account_id = $1 AND contact_id = $2) AS notes
"""
NOT_FOUND = {"error": "Resource could not be found"}


class Theirs(NamedTuple):
    """How much belongs to a contact."""

    conversations: int
    messages: int
    sessions: int
    notes: int


class Two(NamedTuple):
    """Who stays, who becomes part of them, and where the second writes from."""

    base: Any
    mergee: Any
    inbox: Any
    conversation: Any


async def two(given: Given) -> Two:
    """Two contacts, the second with very many conversations and notes."""
    inbox = await given.inbox()
    base = await given.contact("Rosa", email=f"rosa{given.account_id}@short.example")
    mergee = await given.contact("R. Lind", identifier="crm-77", phone_number="+351912000111")
    said = {"content": "Olá!", "message_type": "incoming"}
    conversation = await given.conversation(inbox=inbox, contact=mergee, source_id="rosa-1", message=said)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(MULTIPLY, given.account_id, conversation["id"], MANY - 1)
        await tx.execute(COUNT_ON, given.account_id, MANY - 1)
        await tx.execute(SAY_OFTEN, given.account_id, conversation["id"] + 1, 50)
        await tx.execute(NOTE_OFTEN, given.account_id, mergee["id"], 300)
    return Two(base, mergee, inbox, conversation)


async def merge(api: Api, base: Any, mergee: Any) -> Reply:
    return await api.post("/actions/contact_merge", {"base_contact_id": base["id"], "mergee_contact_id": mergee["id"]})


async def theirs(given: Given, contact: Any) -> Theirs:
    async with given.world.parts.database.reading() as db:
        return Theirs(*(await db.connection.fetchrow(THEIRS, given.account_id, contact["id"])))


async def a_minute_later(given: Given) -> None:
    await given.world.parts.jobs.drain(ahead=timedelta(minutes=1))


async def a_batch(given: Given, contact: Any) -> bool:
    async with given.world.parts.database.transaction() as tx:
        return await merging.follow_some(tx, given.account_id, contact["id"])


def context(given: Given) -> JobContext:
    parts = given.world.parts
    return JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)


ALL = Theirs(conversations=MANY, messages=51, sessions=1, notes=300)
NOTHING = Theirs(0, 0, 0, 0)


async def test_the_base_is_who_the_other_was_at_once(api: Api, given: Given) -> None:
    people = await two(given)

    with given.queries(at_most=25):
        reply = await merge(api, people.base, people.mergee)

    shown = (await api.get(f"/contacts/{people.base['id']}")).json["payload"]
    other = (await api.get(f"/contacts/{people.mergee['id']}")).json["payload"]
    found = (await api.get("/contacts/search?q=crm-77")).json["payload"]
    listed = (await api.get("/contacts")).json["payload"]
    assert reply.status == 200
    assert reply.json == {key: value for key, value in shown.items() if key != "contact_inboxes"}
    assert (shown["identifier"], shown["phone_number"], shown["email"]) == (
        "crm-77",
        "+351912000111",
        people.base["email"],
    )
    assert (other["identifier"], other["phone_number"], other["name"]) == (None, None, "R. Lind")
    assert [each["id"] for each in (*found, *listed)] == [people.base["id"]] * 2
    assert (await api.get(f"/conversations/{people.conversation['id']}")).status == 200
    assert await theirs(given, people.mergee) == ALL._replace(sessions=0)


async def test_afterwards_everything_is_the_base_s_and_it_was_told_of(api: Api, given: Given) -> None:
    people = await two(given)
    await merge(api, people.base, people.mergee)

    await a_minute_later(given)

    assert await theirs(given, people.base) == ALL
    assert await theirs(given, people.mergee) == NOTHING
    assert (await api.get(f"/contacts/{people.mergee['id']}")).status == 404
    shown = (await api.get(f"/conversations/{people.conversation['id']}")).json
    assert shown["meta"]["sender"]["id"] == shown["messages"][0]["sender"]["id"] == people.base["id"]
    (merged,), (deleted,) = await given.emitted(ContactMerged), await given.emitted(ContactDeleted)
    moved = await given.emitted(ConversationContactChanged)
    assert (merged.contact_id, merged.merged_contact_id) == (people.base["id"], people.mergee["id"])
    assert (deleted.contact_id, deleted.actor_id) == (people.mergee["id"], given.boss.id)
    assert len({event.conversation_id for event in moved}) == len(moved) == MANY
    assert {event.actor_id for event in moved} == {given.boss.id}


async def test_a_merge_that_stopped_half_way_goes_on_by_itself(api: Api, given: Given) -> None:
    people = await two(given)
    await merge(api, people.base, people.mergee)
    while (await theirs(given, people.base)).conversations == 0:
        assert await a_batch(given, people.mergee)
    half_way = await theirs(given, people.base)

    await a_minute_later(given)

    assert half_way.conversations == merging.BATCH
    assert await theirs(given, people.base) == ALL
    assert len(await given.emitted(ContactMerged)) == 1


async def test_following_beside_itself_and_once_more_is_harmless(api: Api, given: Given) -> None:
    people = await two(given)
    await merge(api, people.base, people.mergee)
    params = Follow(given.account_id, people.mergee["id"])

    await asyncio.gather(*(follow(context(given), params) for _ in range(8)))
    await follow(context(given), params)

    assert await theirs(given, people.base) == ALL
    assert (await api.get(f"/contacts/{people.mergee['id']}")).status == 404
    assert len(await given.emitted(ContactMerged)) == 1


async def test_of_one_who_said_very_much_in_one_conversation_so_many_messages_move_at_a_time(
    api: Api, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MESSAGES_BATCH", 20)
    people = await two(given)
    await merge(api, people.base, people.mergee)

    counts, is_left = [0], True
    while is_left:
        is_left = await a_batch(given, people.mergee)
        counts.append((await theirs(given, people.base)).messages)

    assert max(after - before for before, after in pairwise(counts)) <= 20
    assert await theirs(given, people.base) == ALL


async def test_what_is_said_meanwhile_is_heard_and_follows(api: Api, given: Given) -> None:
    people = await two(given)
    await merge(api, people.base, people.mergee)
    for _ in range(3):
        await a_batch(given, people.mergee)
    last = people.conversation["id"] + MANY - 1
    said = {"content": "Ainda cá?", "message_type": "incoming"}

    replies = [
        await api.post(f"/conversations/{number}/messages", said) for number in (people.conversation["id"], last)
    ]
    again = await given.conversation(inbox=people.inbox, contact=people.base, source_id="rosa-1")
    await a_minute_later(given)

    assert [reply.status for reply in replies] == [200, 200]
    assert await theirs(given, people.base) == Theirs(MANY + 1, 53, 1, 300)
    assert (await api.get(f"/conversations/{again['id']}")).json["meta"]["sender"]["id"] == people.base["id"]


async def test_where_the_base_is_removed_meanwhile_both_are_gone(api: Api, given: Given) -> None:
    people = await two(given)
    await merge(api, people.base, people.mergee)
    await a_batch(given, people.mergee)

    removed = await api.delete(f"/contacts/{people.base['id']}")
    await a_minute_later(given)
    await a_minute_later(given)

    assert removed.status == 200
    assert (await api.get(f"/contacts/{people.mergee['id']}")).status == 404
    assert (await theirs(given, people.mergee), await theirs(given, people.base)) == (NOTHING, NOTHING)


async def test_where_the_base_becomes_part_of_a_third_everything_is_the_third_s(api: Api, given: Given) -> None:
    people = await two(given)
    third = await given.contact("Rosa Maria")
    await merge(api, people.base, people.mergee)
    await a_batch(given, people.mergee)

    merged = await merge(api, third, people.base)
    await a_minute_later(given)

    assert (merged.status, merged.json["identifier"]) == (200, "crm-77")
    assert await theirs(given, third) == ALL
    assert {(await api.get(f"/contacts/{each['id']}")).status for each in (people.base, people.mergee)} == {404}


async def test_a_visitor_who_proves_who_they_are_is_them_at_once_however_long_they_were_nobody(given: Given) -> None:
    inbox = await given.inbox()
    known = await _proved(given, inbox, "crm-77")
    visitor = await given.session(inbox)
    conversation = await given.conversation(inbox=inbox, contact=visitor, source_id=visitor["source_id"])
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(MULTIPLY, given.account_id, conversation["id"], MANY - 1)
        await tx.execute(COUNT_ON, given.account_id, MANY - 1)

    recognised = [await _proved(given, inbox, "crm-77", source_id=visitor["source_id"]) for _ in range(3)]
    await a_minute_later(given)

    assert [each["id"] for each in recognised] == [known["id"]] * 3
    assert (await theirs(given, known)).conversations == MANY


async def _proved(given: Given, inbox: Any, identifier: str, **fields: Any) -> Any:
    """A session of somebody who proved that they are known by this identifier."""
    proof = hmac.new(inbox["hmac_token"].encode(), identifier.encode(), "sha256").hexdigest()
    return await given.session(inbox, identifier=identifier, identifier_hash=proof, **fields)


async def test_who_becomes_part_of_somebody_is_merged_no_more(api: Api, given: Given) -> None:
    people = await two(given)
    third = await given.contact("Rosa Maria")
    await merge(api, people.base, people.mergee)

    refused = [
        await merge(api, people.base, people.mergee),
        await merge(api, people.mergee, people.base),
        await merge(api, third, people.mergee),
        await merge(api, people.mergee, third),
    ]

    assert [(reply.status, reply.json) for reply in refused] == [(404, NOT_FOUND)] * 4


async def test_of_many_who_merge_them_at_once_one_does(api: Api, given: Given) -> None:
    people = await two(given)

    replies = await asyncio.gather(*(merge(api, people.base, people.mergee) for _ in range(8)))
    await a_minute_later(given)

    assert sorted(reply.status for reply in replies) == [200, *[404] * 7]
    assert await theirs(given, people.base) == ALL
    assert len(await given.emitted(ContactMerged)) == 1
