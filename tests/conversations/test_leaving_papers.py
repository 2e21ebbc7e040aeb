"""Members whom very many survey answers, notes, notifications and articles name: gone at once, let go of afterwards."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import timedelta
from typing import Any, LiteralString, NamedTuple

import pytest
from harness import Api, Given, Person

from criachat.conversations.jobs import LetGo, let_go
from criachat.conversations.operations.leaving import BATCH, let_go_of_some
from criachat.kit.jobs import JobContext

MANY = 2 * BATCH + 50
TABLES: dict[str, LiteralString] = {
    "answers": "SELECT count(*) FROM csat_survey_responses WHERE account_id = $1 AND assigned_agent_id = $2",
    "notes": "SELECT count(*) FROM notes WHERE account_id = $1 AND user_id = $2",
    "notifications": "SELECT count(*) FROM notifications WHERE account_id = $1 AND user_id = $2",
    "articles": "SELECT count(*) FROM articles WHERE account_id = $1 AND author_id = $2",
}
SAY_OFTEN = """
INSERT INTO messages (account_id, conversation_id, inbox_id, message_type, content_type, content, created_at,
    updated_at)
SELECT $1, id, inbox_id, 3, 'input_csat', 'How was it?', created_at, created_at
FROM conversations, generate_series(1, $3::int)
WHERE account_id = $1 AND display_id = $2
"""
ANSWER_ALL = """
INSERT INTO csat_survey_responses (account_id, conversation_id, message_id, contact_id, assigned_agent_id, rating,
    created_at, updated_at)
SELECT $1, messages.conversation_id, messages.id, conversations.contact_id, $2, 5, now(), now()
FROM messages
JOIN conversations ON conversations.account_id = $1 AND conversations.id = messages.conversation_id
WHERE messages.account_id = $1 AND messages.content_type = 'input_csat'
ORDER BY messages.id DESC
"""
NOTE_OFTEN = """
INSERT INTO notes (account_id, contact_id, user_id, content, created_at, updated_at)
SELECT $1, $2, $3, 'Likes tea', now(), now() FROM generate_series(1, $4::int)
"""
CONVERSE_OFTEN = """
INSERT INTO conversations (account_id, display_id, inbox_id, contact_id, contact_inbox_id, last_activity_at, created_at,
    updated_at)
SELECT account_id, display_id + number, inbox_id, contact_id, contact_inbox_id, last_activity_at, created_at, updated_at
FROM conversations, generate_series(1, $3::int) AS number
WHERE account_id = $1 AND display_id = $2
"""
COUNT_ON = "UPDATE account_counters SET conversations = conversations + $2 WHERE account_id = $1"
NOTIFY_OFTEN = """
INSERT INTO notifications (account_id, user_id, notification_type, conversation_id, event_id, last_activity_at,
    created_at, updated_at)
SELECT account_id, $2, 'conversation_creation', id, 1, now(), now(), now() FROM conversations WHERE account_id = $1
ON CONFLICT DO NOTHING
"""
WRITE_OFTEN = """
INSERT INTO articles (account_id, portal_id, author_id, title, slug, content, locale, created_at, updated_at)
SELECT $1, $2, $3, 'Passos', 'passos-' || number, '# Passos', 'en', now(), now()
FROM generate_series(1, $4::int) AS number
"""


class Papers(NamedTuple):
    """What an agent left behind: a conversation, a contact and a portal."""

    agent: Person
    conversation: Any
    contact: Any
    portal: Any


def context(given: Given) -> JobContext:
    parts = given.world.parts
    return JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)


async def papers_of(given: Given, *, many: int = MANY) -> Papers:
    """An agent whom so many answers, notes, notifications and articles name."""
    ana, contact, portal = await given.agent("Ana"), await given.contact(), await given.portal()
    conversation = await given.conversation(contact=contact)
    account_id = given.account_id
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(SAY_OFTEN, account_id, conversation["id"], many)
        await tx.execute(ANSWER_ALL, account_id, ana.id)
        await tx.execute(NOTE_OFTEN, account_id, contact["id"], ana.id, many)
        await tx.execute(CONVERSE_OFTEN, account_id, conversation["id"], many - 1)
        await tx.execute(COUNT_ON, account_id, many - 1)
        await tx.execute(NOTIFY_OFTEN, account_id, ana.id)
        await tx.execute(WRITE_OFTEN, account_id, portal["id"], ana.id, many)
    return Papers(ana, conversation, contact, portal)


async def naming(given: Given, person: Person) -> dict[str, int]:
    """How many of each name them."""
    async with given.world.parts.database.reading() as db:
        return {name: await db.fetch_value(sql, given.account_id, person.id) for name, sql in TABLES.items()}


NOBODY = dict.fromkeys(TABLES, 0)


async def test_whoever_is_named_very_often_is_gone_at_once_and_shown_nowhere(api: Api, given: Given) -> None:
    ana, conversation, contact, portal = await papers_of(given)
    other = await given.another_account()
    await other.api.post("/agents", {"name": "Ana", "email": ana.email, "role": "agent"})

    with given.queries(at_most=12):
        reply = await api.delete(f"/agents/{ana.id}")

    left = await naming(given, ana)
    assert (reply.status, reply.body) == (200, b"")
    assert all(MANY - 25 <= count < MANY for count in left.values()), left
    notes = (await api.get(f"/contacts/{contact['id']}/notes")).json
    answers = (await api.get("/csat_survey_responses?sort=-created_at")).json
    written = (await api.get(f"/portals/{portal['slug']}/articles?locale=en")).json["payload"]
    period = {"since": 0, "until": 4_000_000_000}
    table = (await api.get("/csat_survey_responses/download", params=period)).body.decode()
    survey = await api.acting_as(None).get(f"/public/api/v1/csat_survey/{conversation['uuid']}")
    assert [each for each in notes if "user" in each] == []
    assert [each for each in answers if "assigned_agent" in each] == []
    assert [each for each in written if "author" in each] == []
    assert {row[0] for row in list(csv.reader(io.StringIO(table)))[1 : MANY + 1]} == {""}
    assert survey.json["csat_survey_response"]["assigned_agent_id"] is None


async def test_afterwards_nothing_names_them(api: Api, given: Given) -> None:
    papers = await papers_of(given)
    await given.worked()

    await api.delete(f"/agents/{papers.agent.id}")
    await given.worked()

    assert await naming(given, papers.agent) == NOBODY
    assert (await api.get("/csat_survey_responses/metrics")).json["total_count"] == MANY
    assert len((await api.get(f"/contacts/{papers.contact['id']}/notes")).json) == MANY


async def test_a_removal_that_stopped_half_way_goes_on_by_itself(api: Api, given: Given) -> None:
    papers = await papers_of(given)
    await api.delete(f"/agents/{papers.agent.id}")
    async with given.world.parts.database.transaction() as tx:
        await let_go_of_some(tx, given.account_id)
    half_way = await naming(given, papers.agent)

    await given.world.parts.jobs.drain(ahead=timedelta(minutes=1))

    assert all(0 < count <= MANY - BATCH for count in half_way.values()), half_way
    assert await naming(given, papers.agent) == NOBODY


async def test_letting_go_beside_itself_and_once_more_is_harmless(api: Api, given: Given) -> None:
    papers = await papers_of(given)
    await api.delete(f"/agents/{papers.agent.id}")

    await asyncio.gather(*(let_go(context(given), LetGo(given.account_id)) for _ in range(8)))
    await let_go(context(given), LetGo(given.account_id))

    assert await naming(given, papers.agent) == NOBODY


@pytest.mark.parametrize("many", [1, MANY])
async def test_a_person_who_is_forgotten_is_named_nowhere_in_the_end(given: Given, many: int) -> None:
    papers = await papers_of(given, many=many)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("DELETE FROM users WHERE id = $1", papers.agent.id)

    await given.world.parts.jobs.drain(ahead=timedelta(minutes=1))

    assert await naming(given, papers.agent) == NOBODY
