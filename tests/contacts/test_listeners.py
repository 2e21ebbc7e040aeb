from __future__ import annotations

from harness import Api, Given

from criachat.contacts import operations
from criachat.contacts.events import ContactUpdated
from criachat.contacts.listeners import have_contacts_retagged
from criachat.labels.events import LabelRenamed

INSERT_LABELLED = """
INSERT INTO contacts (account_id, identifier, labels, created_at, updated_at)
SELECT $1, 'crm-' || number, '{vip}', now(), now() FROM generate_series(1, $2::int) AS number
"""


# So many sessions in one inbox, with a conversation in each and so many messages in that.
INSERT_THREADS = """
WITH sessions AS (
    INSERT INTO contact_inboxes (account_id, contact_id, inbox_id, source_id, pubsub_token, created_at, updated_at)
    SELECT $1, $2, $3::bigint, 'source-' || number, 'token-' || $3::bigint || '-' || number, now(), now()
    FROM generate_series(1, $4::int) AS number
    RETURNING id
), threads AS (
    INSERT INTO conversations (account_id, display_id, inbox_id, contact_id, contact_inbox_id, last_activity_at,
        created_at, updated_at)
    SELECT $1, 1000 + row_number() OVER (), $3, $2, sessions.id, now(), now(), now() FROM sessions
    RETURNING id
)
INSERT INTO messages (account_id, conversation_id, inbox_id, message_type, content, created_at, updated_at)
SELECT $1, threads.id, $3, 0, 'Olá', now(), now() FROM threads, generate_series(1, $5::int)
"""
LEFT = "SELECT count(*) FROM contact_inboxes WHERE account_id = $1 AND inbox_id = $2"


async def labels_of(api: Api, contact: dict[str, object]) -> list[str]:
    return (await api.get(f"/contacts/{contact['id']}/labels")).json["payload"]


async def test_who_has_a_renamed_label_has_it_under_its_new_title(api: Api, given: Given) -> None:
    others = await given.another_account()
    rosa, marta, ana = await given.contact("Rosa"), await given.contact("Marta"), await given.contact("Ana")
    theirs = await others.contact("Rosa")
    for door, contact, labels in (
        (api, rosa, ["vip", "lead"]),
        (api, marta, ["gold", "vip"]),
        (api, ana, ["lead"]),
        (others.api, theirs, ["vip"]),
    ):
        await door.post(f"/contacts/{contact['id']}/labels", {"labels": labels})
    label = (await api.post("/labels", {"title": "vip"})).json

    await api.patch(f"/labels/{label['id']}", {"title": "gold"})
    await given.relayed()
    assert await given.world.parts.jobs.drain() == []

    assert await labels_of(api, rosa) == ["gold", "lead"]
    assert await labels_of(api, marta) == ["gold"]
    assert await labels_of(api, ana) == ["lead"]
    assert await labels_of(others.api, theirs) == ["vip"]
    (renamed,) = await given.emitted(LabelRenamed)
    first, second = (await given.emitted(ContactUpdated))[3:]
    assert first.changes["label_list"] == [["vip", "lead"], ["gold", "lead"]]
    assert second.changes["label_list"] == [["gold", "vip"], ["gold"]]
    assert first.changes["updated_at"][0] < first.changes["updated_at"][1]
    assert (first.actor_type, first.cause) == ("system", f"event:{renamed.id}")


async def test_a_renamed_label_delivered_twice_is_followed_once(api: Api, given: Given) -> None:
    rosa = await given.contact("Rosa")
    await api.post(f"/contacts/{rosa['id']}/labels", {"labels": ["vip"]})
    event = LabelRenamed(account_id=given.account_id, id=7, label_id=1, previous="vip", current="gold")

    for _ in range(2):
        async with given.world.parts.database.transaction() as tx:
            await have_contacts_retagged(tx, [event])
        assert await given.world.parts.jobs.drain() == []

    assert await labels_of(api, rosa) == ["gold"]
    assert len(await given.emitted(ContactUpdated)) == 2


async def test_more_than_one_batch_is_retagged(api: Api, given: Given) -> None:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(INSERT_LABELLED, given.account_id, 450)
    label = (await api.post("/labels", {"title": "vip"})).json

    await api.patch(f"/labels/{label['id']}", {"title": "gold"})
    await given.relayed()
    assert await given.world.parts.jobs.drain() == []

    assert (await api.get("/contacts?labels[]=gold")).json["meta"]["count"] == 450
    assert (await api.get("/contacts?labels[]=vip")).json["meta"]["count"] == 0
    assert len({event.contact_id for event in await given.emitted(ContactUpdated)}) == 450


async def test_sessions_of_a_deleted_inbox_go_a_few_messages_at_a_time(given: Given) -> None:
    inbox, other = await given.inbox(), await given.inbox()
    contact = await given.contact()
    async with given.world.parts.database.transaction() as tx:
        for each in (inbox, other):
            await tx.execute(INSERT_THREADS, given.account_id, contact["id"], each["id"], 5, 900)
            await tx.execute(
                "UPDATE conversations SET display_id = display_id + 1000 WHERE account_id = $1", given.account_id
            )

    left: list[int] = []
    is_left = True
    while is_left:
        async with given.world.parts.database.transaction() as tx:
            is_left = await operations.remove_sessions(tx, given.account_id, inbox["id"])
            left.append(await tx.fetch_value(LEFT, given.account_id, inbox["id"]))

    assert left == [2, 0, 0]
    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value(LEFT, given.account_id, other["id"]) == 5
