from __future__ import annotations

from typing import Any

from harness import Api, Given

from criachat.conversations.events import ConversationUpdated
from criachat.conversations.listeners import have_conversations_retagged
from criachat.labels.events import LabelRenamed
from criachat.messages.events import MessageCreated

LABEL_ALL = "UPDATE conversations SET labels = '{vip}' WHERE account_id = $1"


async def labels_of(api: Api, conversation: dict[str, Any]) -> list[str]:
    return (await api.get(f"/conversations/{conversation['id']}/labels")).json["payload"]


async def test_what_has_a_renamed_label_has_it_under_its_new_title(api: Api, given: Given) -> None:
    others = await given.another_account()
    first, second, third = [await given.conversation() for _ in range(3)]
    theirs = await others.conversation()
    for door, conversation, labels in (
        (api, first, ["vip", "lead"]),
        (api, second, ["gold", "vip"]),
        (api, third, ["lead"]),
        (others.api, theirs, ["vip"]),
    ):
        await door.post(f"/conversations/{conversation['id']}/labels", {"labels": labels})
    label = (await api.post("/labels", {"title": "vip"})).json
    await given.relayed()
    before, said = await given.emitted(ConversationUpdated), await given.emitted(MessageCreated)

    await api.patch(f"/labels/{label['id']}", {"title": "gold"})
    await given.relayed()
    assert await given.world.parts.jobs.drain() == []
    await given.relayed()

    assert await labels_of(api, first) == ["gold", "lead"]
    assert await labels_of(api, second) == ["gold"]
    assert await labels_of(api, third) == ["lead"]
    assert await labels_of(others.api, theirs) == ["vip"]
    (renamed,) = await given.emitted(LabelRenamed)
    told = (await given.emitted(ConversationUpdated))[len(before) :]
    assert [event.changes["label_list"] for event in told] == [
        [["vip", "lead"], ["gold", "lead"]],
        [["gold", "vip"], ["gold"]],
    ]
    assert {(event.actor_type, event.cause) for event in told} == {("system", f"event:{renamed.id}")}
    assert len(await given.emitted(MessageCreated)) == len(said)


async def test_a_renamed_label_delivered_twice_is_followed_once(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await api.post(f"/conversations/{conversation['id']}/labels", {"labels": ["vip"]})
    event = LabelRenamed(account_id=given.account_id, id=7, label_id=1, previous="vip", current="gold")

    for _ in range(2):
        async with given.world.parts.database.transaction() as tx:
            await have_conversations_retagged(tx, [event])
        assert await given.world.parts.jobs.drain() == []

    assert await labels_of(api, conversation) == ["gold"]
    assert len(await given.emitted(ConversationUpdated)) == 2


async def test_more_than_one_batch_is_retagged(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    for _ in range(60):
        await given.conversation(inbox=inbox, contact=contact)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(LABEL_ALL, given.account_id)
    label = (await api.post("/labels", {"title": "vip"})).json

    await api.patch(f"/labels/{label['id']}", {"title": "gold"})
    await given.relayed()
    assert await given.world.parts.jobs.drain() == []

    assert (await api.get("/conversations/meta?labels[]=gold")).json["meta"]["all_count"] == 60
    assert (await api.get("/conversations/meta?labels[]=vip")).json["meta"]["all_count"] == 0
    assert len({event.conversation_id for event in await given.emitted(ConversationUpdated)}) == 60
