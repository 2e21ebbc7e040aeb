from __future__ import annotations

import asyncio
from typing import Any

from harness import Api, Given

from criachat.conversations.events import ConversationDeleted

LEFT = """
SELECT (SELECT count(*) FROM messages WHERE account_id = $1) + (SELECT count(*) FROM attachments WHERE account_id = $1)
    + (SELECT count(*) FROM conversation_participants WHERE account_id = $1)
    + (SELECT count(*) FROM directory WHERE account_id = $1 AND kind = 'conversation_uuid')
"""


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
