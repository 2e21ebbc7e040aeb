from __future__ import annotations

from harness import Api, Given

from criachat.inboxes.events import InboxDeleted
from criachat.inboxes.listeners import have_inboxes_removed

COUNT = "SELECT count(*) FROM jobs.pgqueuer WHERE dedupe_key = 'inboxes.remove_inbox:inbox:' || $1 || ':' || $2"


async def test_a_deletion_heard_twice_is_one_job(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    await api.delete(f"/inboxes/{inbox['id']}")
    events = await given.emitted(InboxDeleted)

    for _ in range(2):
        async with given.world.parts.database.transaction() as tx:
            await have_inboxes_removed(tx, events)

    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value(COUNT, str(given.account_id), str(inbox["id"])) == 1
