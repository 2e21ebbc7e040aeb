from __future__ import annotations

from typing import Any

from harness import Api, Given


async def search(api: Api, **params: Any) -> Any:
    reply = await api.get("/conversations/search", params=params)
    assert reply.status == 200, reply.body
    return reply.json


async def test_what_was_said_is_found_with_the_messages_that_say_it(api: Api, given: Given) -> None:
    inbox, rosa = await given.inbox("App"), await given.contact("Rosa Lind")
    conversation = await given.conversation(inbox=inbox, contact=rosa, status="resolved", assignee_id=given.boss.id)
    await given.message(conversation, "Nothing of interest")
    asked = await given.message(conversation, "Where is my PARCEL?", message_type="incoming")
    note = await given.message(conversation, "parcel is late", private=True)
    await given.conversation(message={"content": "Olá!"})

    found = await search(api, q="parcel")

    shown = (await api.get(f"/conversations/{conversation['id']}")).json
    assert found == {
        "meta": {"mine_count": 1, "unassigned_count": 0, "all_count": 1},
        "payload": [
            {
                "id": conversation["id"],
                "uuid": shown["uuid"],
                "created_at": shown["created_at"],
                "contact": {"id": rosa["id"], "name": "Rosa Lind"},
                "inbox": {"id": inbox["id"], "name": "App", "channel_type": "Channel::Api"},
                "messages": [
                    {
                        "content": message["content"],
                        "id": message["id"],
                        "sender_name": name,
                        "message_type": message["message_type"],
                        "created_at": message["created_at"],
                    }
                    for message, name in ((asked, "Rosa Lind"), (note, "Beatriz"))
                ],
                "account_id": given.account_id,
            }
        ],
    }


async def test_signs_that_stand_for_others_stand_for_themselves(api: Api, given: Given) -> None:
    percent = await given.conversation(message={"content": "100% cotton_shirt"})
    await given.conversation(message={"content": "1000 cotton shirts"})

    for words in ("100%", "cotton_shirt"):
        assert [each["id"] for each in (await search(api, q=words))["payload"]] == [percent["id"]]


async def test_without_words_everything_of_every_status_is_found(api: Api, given: Given) -> None:
    opened = await given.conversation(message={"content": "Olá!"})
    resolved = await given.conversation(status="resolved")

    for params in ({}, {"q": ""}, {"q": "", "status": "open"}):
        found = await search(api, **params)
        assert [each["id"] for each in found["payload"]] == [resolved["id"], opened["id"]]
        assert found["meta"] == {"mine_count": 0, "unassigned_count": 2, "all_count": 2}


async def test_agents_find_what_is_in_their_inboxes_25_a_page_in_three_statements(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    ana = api.acting_as(await given.agent("Ana", inbox=inbox))
    await given.conversation(message={"content": "Olá, ninguém!"})
    for _ in range(26):
        await given.conversation(inbox=inbox, contact=contact, message={"content": "Olá, Rosa!"})
    await search(ana, q="OLÁ")

    with given.queries(at_most=3):
        first = await search(ana, q="OLÁ")

    assert len(first["payload"]) == 25
    assert first["meta"]["all_count"] == 26
    assert len((await search(ana, q="olá", page=2))["payload"]) == 1
    assert (await search(ana, q="olá", page=3))["payload"] == []


async def test_bots_and_strangers_search_nothing(api: Api, given: Given) -> None:
    stranger = (await given.another_account()).api

    for door in (api.acting_as(await given.bot()), api.acting_as(None), stranger.in_account(given.account_id)):
        assert (await door.get("/conversations/search?q=a")).status == 401
    assert (await api.get("/conversations/search?q=a&team_id=0")).status == 404
