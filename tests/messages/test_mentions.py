from __future__ import annotations

from typing import Any

from harness import Api, Given, Person

from criachat.conversations.events import ConversationMentioned, ParticipantsChanged
from criachat.messages.events import MessageCreated
from criachat.messages.listeners import ask_the_mentioned


def named(person: Person) -> str:
    return f"[@{person.name}](mention://user/{person.id}/{person.name}%20Silva)"


async def mentions_of(api: Api, **params: Any) -> list[int]:
    reply = await api.get("/conversations", params={"conversation_type": "mention", **params})
    return [each["id"] for each in reply.json["data"]["payload"]]


async def test_who_is_named_in_a_private_note_finds_it_and_takes_part(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana, davi, eva = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox), await given.agent()
    team = await given.team("vendas", davi, eva)
    conversation, _ = [await given.conversation(inbox=inbox) for _ in range(2)]
    note = f"{named(ana)} e [@Vendas](mention://team/{team['id']}/vendas), e {named(ana)} de novo?"

    message = await given.message(conversation, note, private=True)
    await given.relayed()

    for person in (ana, davi):
        assert await mentions_of(api.acting_as(person)) == [conversation["id"]]
    assert await mentions_of(api.acting_as(eva)) == await mentions_of(api) == []
    participants = (await api.get(f"/conversations/{conversation['id']}/participants")).json
    assert [each["name"] for each in participants] == ["Ana", "Davi"]
    (event,) = await given.emitted(ConversationMentioned)
    assert (event.user_ids, event.message_id) == (sorted([ana.id, davi.id]), message["id"])
    assert [each.added for each in await given.emitted(ParticipantsChanged)] == [event.user_ids]


async def test_administrators_are_named_everywhere(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    await given.message(conversation, named(given.boss), private=True)
    await given.relayed()

    assert await mentions_of(api) == [conversation["id"]]


async def test_nobody_is_named_in_public_nor_without_the_form_nor_from_elsewhere(api: Api, given: Given) -> None:
    boss, stranger = given.boss, (await given.another_account()).boss
    conversation = await given.conversation()

    await given.message(conversation, named(boss))
    for text in (
        f"@Beatriz mention://user/{boss.id}/Beatriz",
        "(mention://user/0/Nobody) (mention://user//Nobody) (mention://bot/1/Robot)",
        f"(mention://user/{'9' * 19}/Nobody) (mention://user/{'9' * 4000}/Nobody)",
        named(stranger),
    ):
        await given.message(conversation, text, private=True)
    await given.relayed()

    assert await mentions_of(api) == []
    assert await given.emitted(ConversationMentioned) == []


async def test_a_note_read_twice_asks_once_and_the_next_one_asks_again(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await given.message(conversation, named(given.boss), private=True)
    await given.relayed()
    first = await given.emitted(MessageCreated)

    async with given.world.parts.database.transaction() as tx:
        await ask_the_mentioned(tx, first)
    assert len(await given.emitted(ConversationMentioned)) == 1
    await given.message(conversation, f"E então, {named(given.boss)}?", private=True)
    await given.relayed()

    assert len(await given.emitted(ConversationMentioned)) == 2
