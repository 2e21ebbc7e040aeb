"""The order of the log as its readers see it, and what finding it costs PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from feeds import names, present, read_all
from harness import Api, Given, World, build_world, open_folder

from criachat.kit import events as kit_events
from criachat.kit import postgres
from criachat.kit.cursors import read_cursor
from criachat.kit.db import Connection, Database, Tx
from criachat.kit.events import emit
from criachat.messages.events import MessageCreated

# Thousands of events, one in twenty of them the account's.
FILL_LOG = """
INSERT INTO events (account_id, epoch, name, details, created_at)
SELECT CASE number % 20 WHEN 0 THEN $1 ELSE $1 + number % 20 END, epoch, 'agent_added', '{"user_id": 1}', now()
FROM event_epoch, generate_series(1, 40000) AS number
"""
BEGIN_NEXT_EPOCH = "UPDATE event_epoch SET epoch = epoch + 1"


async def emit_on(connection: Connection, given: Given, event: MessageCreated) -> None:
    await emit(Tx(connection, given.world.parts.database.statements), event)


@pytest.fixture
async def own(world: World) -> AsyncIterator[tuple[Connection, Connection]]:
    """Two connections on which a test may hold transactions open."""
    first, second = [await Database(world.parts.database.url).connect() for _ in range(2)]
    yield first, second
    await first.close()
    await second.close()


async def test_a_transaction_that_commits_late_is_not_skipped(
    api: Api, given: Given, own: tuple[Connection, Connection]
) -> None:
    conversation = await given.conversation()
    for content in ("first id, last commit", "second id, first commit"):
        await given.message(conversation, content)
    early, late = await given.emitted(MessageCreated)
    cursor = await present(given)
    slow, quick = own

    async with slow.transaction():
        await emit_on(slow, given, early)
        async with quick.transaction():
            await emit_on(quick, given, late)
        meanwhile = await api.get("/events", params={"after": cursor})
        waited = await api.get("/events", params={"after": cursor, "wait": 0.05})
    later = await api.get("/events", params={"after": meanwhile.json["meta"]["cursor"]})

    assert meanwhile.json["payload"] == waited.json["payload"] == []
    assert [event["snapshot"]["message"]["content"] for event in later.json["payload"]] == [
        "first id, last commit",
        "second id, first commit",
    ]
    first_id, second_id = (event["id"] for event in later.json["payload"])
    assert first_id < second_id


async def test_what_is_rolled_back_never_happened(api: Api, given: Given, own: tuple[Connection, Connection]) -> None:
    await given.message(await given.conversation(), "Olá!")
    (event,) = await given.emitted(MessageCreated)
    cursor = await present(given)
    slow, quick = own

    transaction = slow.transaction()
    await transaction.start()
    await emit_on(slow, given, event)
    async with quick.transaction():
        await emit_on(quick, given, event)
    await transaction.rollback()
    reply = await api.get("/events", params={"after": cursor})

    assert names(reply) == ["message_created"]


async def test_every_interleaving_of_two_writers_is_told_in_the_order_of_their_transactions(
    api: Api, given: Given, own: tuple[Connection, Connection]
) -> None:
    """Writers take their number with their first event; whoever ends later is waited for, never skipped."""
    await given.message(await given.conversation(), "Olá!")
    (event,) = await given.emitted(MessageCreated)
    cursor = await present(given)
    seen: list[int] = []
    place = cursor

    for ending in ("first", "second"):
        one, two = own[0].transaction(), own[1].transaction()
        await one.start()
        await two.start()
        await emit_on(own[0], given, event)
        await emit_on(own[1], given, event)
        for transaction in (one, two) if ending == "first" else (two, one):
            await transaction.commit()
            reply = await api.get("/events", params={"after": place})
            place = reply.json["meta"]["cursor"]
            seen += [told["id"] for told in reply.json["payload"]]

    assert seen == [told["id"] for told in await read_all(api, after=cursor)]
    assert len(seen) == len(set(seen)) == 4


@pytest.fixture(scope="module")
async def restored(world: World) -> AsyncIterator[World]:
    """An application on a server of its own, whose log a test may lose."""
    with open_folder() as folder:
        server = await postgres.start(folder, tuning={"fsync": "off", "autovacuum": "off"})
        async with build_world(server.url, folder) as restored:
            yield restored
        await server.stop()


async def test_after_a_restore_cursors_go_on_where_the_log_still_has_them_and_say_so_where_not(
    restored: World,
) -> None:
    given = await Given.in_new_account(restored)
    await given.contact("kept")
    kept = (await read_all(given.api))[-1]["cursor"]
    horizon = await present(given)
    await given.contact("lost")
    lost = (await read_all(given.api))[-1]["cursor"]

    # The backup was made before the second contact came, and transaction ids are counted anew.
    async with restored.parts.database.transaction() as tx:
        await tx.execute(
            "DELETE FROM events WHERE account_id = $1 AND id = (SELECT max(id) FROM events)", given.account_id
        )
        await tx.execute(BEGIN_NEXT_EPOCH)
    await given.contact("after the restore")
    answers = [await given.api.get("/events", params={"after": cursor}) for cursor in (kept, horizon, lost)]

    assert [reply.status for reply in answers] == [200, 410, 410]
    assert [event["snapshot"]["contact"]["name"] for event in answers[0].json["payload"]] == ["after the restore"]


async def test_a_page_is_found_along_the_index_however_long_the_log_is(restored: World) -> None:
    given = await Given.in_new_account(restored)
    async with restored.parts.database.transaction() as tx:
        await tx.execute(FILL_LOG, given.account_id)
        await tx.execute("ANALYZE events")
    cursor = (await given.api.get("/events", params={"limit": 1000})).json["meta"]["cursor"]

    async with restored.parts.database.reading() as db:
        place = read_cursor(cursor)
        values = (given.account_id, place.epoch, place.xid, place.id, place.at, 100)
        explained = await db.fetch_value("EXPLAIN (ANALYZE, FORMAT JSON) " + kit_events.LIST_NEWS, *values)
    nodes = _nodes(json.loads(bytes(explained))[0]["Plan"])

    read = [node for node in nodes if node.get("Alias", "").startswith("events") and node["Actual Rows"]]
    assert {node["Node Type"] for node in read} == {"Index Scan"}
    assert sum(node["Actual Rows"] for node in read) == 100
    assert "Sort" not in {node["Node Type"] for node in nodes}


def _nodes(plan: Any) -> list[Any]:
    return [plan, *(node for inner in plan.get("Plans", []) for node in _nodes(inner))]
