from __future__ import annotations

from typing import LiteralString

from harness import Api, Given

from criachat.contacts.jobs import RemoveSessions, remove_sessions
from criachat.inboxes.jobs import RemoveInbox, remove_inbox
from criachat.kit.jobs import JobContext

LEFT: LiteralString = """
SELECT (SELECT count(*) FROM inboxes WHERE account_id = $1 AND id = $2)
    + (SELECT count(*) FROM contact_inboxes WHERE account_id = $1 AND inbox_id = $2)
    + (SELECT count(*) FROM conversations WHERE account_id = $1 AND inbox_id = $2)
    + (SELECT count(*) FROM messages WHERE account_id = $1 AND inbox_id = $2)
    + (SELECT count(*) FROM inbox_members WHERE account_id = $1 AND inbox_id = $2)
"""
CHANNELS: LiteralString = "SELECT count(*) FROM api_channels WHERE account_id = $1"


async def count(given: Given, sql: LiteralString, *values: object) -> int:
    async with given.world.parts.database.reading() as db:
        return await db.fetch_value(sql, given.account_id, *values)


def context(given: Given) -> JobContext:
    parts = given.world.parts
    return JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)


async def test_what_was_in_a_deleted_inbox_goes_and_everything_else_stays(api: Api, given: Given) -> None:
    doomed, other = await given.inbox("Doomed"), await given.inbox("Other")
    await given.agent("Ana", inbox=doomed)
    contact = await given.contact()
    for inbox in (doomed, other):
        await given.message(await given.conversation(inbox=inbox, contact=contact))

    await api.delete(f"/inboxes/{doomed['id']}")
    await given.worked()

    assert await count(given, LEFT, doomed["id"]) == 0
    assert await count(given, LEFT, other["id"]) >= 4
    assert await count(given, CHANNELS) == 1
    assert (await api.get(f"/contacts/{contact['id']}")).status == 200


async def test_an_inbox_waits_for_its_sessions_and_a_second_run_finds_nothing(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    for _ in range(3):
        await given.session(inbox)
    await api.delete(f"/inboxes/{inbox['id']}")
    inbox_job = RemoveInbox(given.account_id, inbox["id"])
    sessions_job = RemoveSessions(given.account_id, inbox["id"])

    await remove_inbox(context(given), inbox_job)
    waiting = await count(given, LEFT, inbox["id"])
    for _ in range(2):
        await remove_sessions(context(given), sessions_job)
        await remove_inbox(context(given), inbox_job)

    assert waiting == 4
    assert await count(given, LEFT, inbox["id"]) == 0


async def test_an_inbox_that_was_not_deleted_is_never_removed(given: Given) -> None:
    inbox = await given.inbox()

    await remove_inbox(context(given), RemoveInbox(given.account_id, inbox["id"]))

    assert await count(given, LEFT, inbox["id"]) == 1
