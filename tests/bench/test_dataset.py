"""The data set of the measurements: loaded past the API, yet what the API would have made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from harness import Given

from bench.dataset import BUSY_MESSAGES, DataSet, Size, fill
from criachat.conversations.snapshots import ACTIVITY, LastMessages
from criachat.kit.db import Connection

SIZE = Size(conversations=200, messages=1_000, agents=3, busy=10)


@pytest.fixture
async def connection(given: Given) -> AsyncIterator[Connection]:
    connection = await given.world.parts.database.connect()
    yield connection
    await connection.close()


@pytest.fixture
async def inboxes(given: Given) -> list[Any]:
    return [await given.inbox("App"), await given.inbox("Loja")]


@pytest.fixture
async def loaded(given: Given, inboxes: list[Any], connection: Connection) -> DataSet:
    return await fill(connection, given.account_id, [inbox["id"] for inbox in inboxes], size=SIZE)


@pytest.mark.parametrize("size", [SIZE, Size(), Size(conversations=7, messages=3, busy=0)])
def test_the_busy_conversations_come_first_and_the_rest_is_shared(size: Size) -> None:
    counts = [size.messages_of(number) for number in range(size.conversations)]

    assert counts[: size.busy] == [BUSY_MESSAGES] * size.busy
    assert max(counts[size.busy :]) - min(counts[size.busy :]) <= 1
    assert sum(counts) == max(size.messages, size.conversations)


async def test_the_sums_behind_the_tabs_equal_the_truth(loaded: DataSet, connection: Connection) -> None:
    key = "inbox_id, status, team_id, assignee_id"
    told = await connection.fetch(
        f"SELECT {key}, sum(difference)::bigint AS count FROM conversation_counts WHERE account_id = $1 GROUP BY {key}",
        loaded.account_id,
    )
    true = await connection.fetch(
        f"SELECT {key}, count(*) FROM conversations WHERE account_id = $1 GROUP BY {key}", loaded.account_id
    )

    assert sorted(map(tuple, told), key=str) == sorted(map(tuple, true), key=str)
    assert sum(row["count"] for row in true) == 200


async def test_the_sums_of_labels_and_priorities_equal_the_truth(loaded: DataSet, connection: Connection) -> None:
    told = await connection.fetch(
        "SELECT mark, sum(difference)::bigint FROM marked_counts WHERE account_id = $1 GROUP BY mark", loaded.account_id
    )
    true = await connection.fetch(
        """
        SELECT mark, count(*) FROM conversations CROSS JOIN LATERAL marks_of(priority, labels) AS mark
        WHERE account_id = $1 GROUP BY mark
        """,
        loaded.account_id,
    )

    assert sorted(map(tuple, told)) == sorted(map(tuple, true))
    assert {row["mark"] for row in true} >= {"priority 3", "labelled", "label vip"}


async def test_every_conversation_shows_its_newest_message(loaded: DataSet, connection: Connection) -> None:
    rows = await connection.fetch(
        """
        SELECT conversations.display_id, conversations.last_activity_at, conversations.last_messages, messages.id,
            messages.content, messages.message_type, messages.private, messages.sender_id, messages.created_at
        FROM conversations
        JOIN LATERAL (
            SELECT * FROM messages
            WHERE messages.account_id = $1 AND messages.conversation_id = conversations.id ORDER BY id DESC LIMIT 1
        ) AS messages ON true
        WHERE conversations.account_id = $1
        """,
        loaded.account_id,
    )

    assert len(rows) == 200
    for row in rows:
        shown = msgspec.json.decode(row["last_messages"], type=LastMessages).newest
        assert (shown.id, shown.content, shown.sender_id) == (row["id"], row["content"], row["sender_id"])
        assert (shown.created_at, shown.conversation_id) == (row["created_at"], row["display_id"])
        assert row["last_activity_at"] == row["created_at"]
        assert row["message_type"] != ACTIVITY
        assert not row["private"]


async def test_what_is_said_to_be_there_is_there(loaded: DataSet, connection: Connection) -> None:
    count = "SELECT count(*) FROM messages WHERE account_id = $1"
    busy = """
        SELECT count(*) FROM messages JOIN conversations ON conversations.account_id = $1
            AND conversations.id = messages.conversation_id
        WHERE messages.account_id = $1 AND conversations.display_id BETWEEN $2 AND $3
    """
    first, last = loaded.first_display_id, loaded.first_display_id + loaded.busy - 1

    assert await connection.fetchval(count, loaded.account_id) == loaded.messages == 1_000
    assert await connection.fetchval(busy, loaded.account_id, first, last) == SIZE.busy * BUSY_MESSAGES


async def test_the_api_goes_on_where_the_load_ended(given: Given, inboxes: list[Any], loaded: DataSet) -> None:
    conversation = await given.conversation(inbox=inboxes[0])

    assert conversation["id"] == loaded.first_display_id + loaded.conversations


async def test_a_loaded_conversation_is_listed_and_answered_like_any_other(given: Given, loaded: DataSet) -> None:
    page = await given.api.get("/conversations?status=all&page=8")
    messages = await given.api.get(f"/conversations/{loaded.first_display_id}/messages")
    answer = await given.api.post(f"/conversations/{loaded.first_display_id}/messages", {"content": "Olá!"})

    assert [len(page.json["data"]["payload"]), page.json["data"]["meta"]["all_count"]] == [25, 200]
    assert len(messages.json["payload"]) == 20
    assert answer.status == 200


async def test_a_contact_of_the_load_reaches_their_conversation(
    given: Given, inboxes: list[Any], loaded: DataSet
) -> None:
    session = loaded.sessions[0]
    identifier = next(inbox["inbox_identifier"] for inbox in inboxes if inbox["id"] == session.inbox_id)
    path = f"/public/api/v1/inboxes/{identifier}/contacts/{session.source_id}"

    contact = await given.api.acting_as(None).get(path)
    answer = await given.api.acting_as(None).post(
        f"{path}/conversations/{session.display_id}/messages", {"content": "Oi!"}
    )

    assert contact.json["pubsub_token"] == session.pubsub_token
    assert answer.status == 200


async def test_everything_that_was_said_is_found_by_searches(loaded: DataSet, connection: Connection) -> None:
    said = await connection.fetchval(
        "SELECT array_agg(id ORDER BY id) FROM messages WHERE account_id = $1", loaded.account_id
    )
    kept = await connection.fetchval(
        "SELECT array_agg(message_id ORDER BY message_id) FROM message_words WHERE account_id = $1", loaded.account_id
    )
    progress = await connection.fetchrow(
        "SELECT kept_id, settled_id FROM message_words_progress WHERE account_id = $1", loaded.account_id
    )

    assert kept == said
    assert progress is not None
    assert tuple(progress) == (said[-1], said[-1])
