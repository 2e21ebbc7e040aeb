from __future__ import annotations

from typing import Any

import pytest
from apps import PNG
from harness import Api, Given

Conversation = dict[str, Any]
PICTURE = {"attachments[]": ("loja.png", PNG, "image/png")}


def path_of(conversation: Conversation) -> str:
    return f"/conversations/{conversation['id']}/messages"


async def said(given: Given, conversation: Conversation, count: int) -> list[int]:
    """The ids of so many new messages."""
    return [(await given.message(conversation, f"{number}"))["id"] for number in range(count)]


async def listed(api: Api, conversation: Conversation, **params: object) -> list[int]:
    """The ids of a page, as they come."""
    reply = await api.get(path_of(conversation), params=params)
    assert reply.status == 200, reply.body
    return [message["id"] for message in reply.json["payload"]]


async def test_the_newest_twenty_come_oldest_first(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    ids = await said(given, conversation, 23)

    assert await listed(api, conversation) == ids[3:]


async def test_before_an_id_the_nearest_twenty_come(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    ids = await said(given, conversation, 25)

    assert await listed(api, conversation, before=ids[22]) == ids[2:22]
    assert await listed(api, conversation, before=ids[2]) == ids[:2]
    assert await listed(api, conversation, before=ids[0]) == []
    assert await listed(api, conversation, before=ids[-1] + 1000) == ids[5:]


async def test_whoever_pages_back_sees_each_message_once(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    ids = await said(given, conversation, 45)
    seen: list[int] = []

    while page := await listed(api, conversation, **({"before": seen[0]} if seen else {})):
        seen = page + seen

    assert seen == ids


async def test_behind_an_id_the_first_hundred_come_without_itself(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    ids = await said(given, conversation, 103)

    assert await listed(api, conversation, after=ids[0]) == ids[1:101]
    assert await listed(api, conversation, after=ids[-1]) == []


async def test_between_two_ids_all_come_with_the_first_itself(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    ids = await said(given, conversation, 30)

    assert await listed(api, conversation, after=ids[2], before=ids[28]) == ids[2:28]
    assert await listed(api, conversation, after=ids[28], before=ids[2]) == []


async def test_long_messages_behind_an_id_come_in_pages_that_a_client_can_take(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    long = {"content": "x" * 100_000, "content_attributes": {"note": "y" * 900_000}}
    ids = [(await given.message(conversation, **long))["id"] for _ in range(7)]
    seen: list[int] = []

    while page := await listed(api, conversation, after=seen[-1] if seen else 0):
        seen += page
        assert len(page) <= 5
    between = await listed(api, conversation, after=ids[0], before=ids[-1] + 1)

    assert seen == ids
    assert between == ids[: len(between)]
    assert 0 < len(between) <= 5


@pytest.mark.parametrize("junk", ["x", "-5", "1.5", "1e3", " ", "²"])
async def test_a_cursor_that_is_no_number_is_zero(api: Api, given: Given, junk: str) -> None:
    conversation = await given.conversation()
    ids = await said(given, conversation, 2)

    assert await listed(api, conversation, before=junk) == []
    assert await listed(api, conversation, after=junk) == ids
    assert await listed(api, conversation, before=junk, after=junk) == []


async def test_an_empty_cursor_is_none_and_a_huge_one_is_behind_everything(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    ids = await said(given, conversation, 2)

    assert await listed(api, conversation, before="", after="") == ids
    for huge in (2**63, "9" * 25, "9" * 29):
        assert await listed(api, conversation, before=huge) == ids
        assert await listed(api, conversation, after=huge) == []


@pytest.mark.parametrize("value", ["true", "false", "0", "x"])
async def test_notes_and_activities_are_left_out_on_request(api: Api, given: Given, value: str) -> None:
    conversation = await given.conversation()
    public = await given.message(conversation, "Olá!")
    note = await given.message(conversation, "Só nós", private=True)
    activity = await given.message(conversation, "Rita entrou", message_type="activity")
    template = await given.message(conversation, "Bem-vindo", message_type="template")

    shown = await listed(api, conversation, filter_internal_messages=value)

    assert shown == [public["id"], template["id"]]
    everything = [each["id"] for each in (public, note, activity, template)]
    assert await listed(api, conversation, filter_internal_messages="") == everything
    assert await listed(api, conversation) == everything


async def test_the_thread_says_who_is_in_it(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    contact = await given.contact("Noa Pires", identifier="crm-77")
    conversation = await given.conversation(inbox=inbox, contact=contact, additional_attributes={"type": "order"})
    await api.post(f"/conversations/{conversation['id']}/labels", {"labels": ["vip"]})
    await api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": ana.id})
    seen = (await api.acting_as(ana).post(f"/conversations/{conversation['id']}/update_last_seen")).json

    meta = (await api.get(path_of(conversation))).json["meta"]

    assert seen["agent_last_seen_at"] > 0
    assert meta == {
        "labels": ["vip"],
        "additional_attributes": {"type": "order"},
        "contact": {
            "additional_attributes": {},
            "custom_attributes": {},
            "email": contact["email"],
            "id": contact["id"],
            "identifier": "crm-77",
            "name": "Noa Pires",
            "phone_number": None,
            "thumbnail": "",
            "blocked": False,
            "type": "contact",
        },
        "assignee": {
            "id": ana.id,
            "name": "Ana",
            "available_name": "Ana",
            "avatar_url": "",
            "type": "user",
            "availability_status": meta["assignee"]["availability_status"],
            "thumbnail": "",
        },
        "agent_last_seen_at": meta["agent_last_seen_at"],
        "assignee_last_seen_at": meta["assignee_last_seen_at"],
    }
    assert meta["agent_last_seen_at"] == meta["assignee_last_seen_at"]
    assert meta["agent_last_seen_at"].endswith("Z")


async def test_an_empty_thread_that_nobody_has_has_no_assignee_key(api: Api, given: Given) -> None:
    reply = await api.get(path_of(await given.conversation()))

    assert reply.json["payload"] == []
    assert "assignee" not in reply.json["meta"]
    assert (reply.json["meta"]["agent_last_seen_at"], reply.json["meta"]["assignee_last_seen_at"]) == (None, None)


async def test_a_bot_is_no_assignee_of_a_thread(api: Api, given: Given) -> None:
    bot = await given.bot()
    conversation = await given.conversation()
    body = {"assignee_type": "AgentBot", "assignee_id": bot.id}
    await api.post(f"/conversations/{conversation['id']}/assignments", body)

    assert "assignee" not in (await api.get(path_of(conversation))).json["meta"]


async def test_a_person_who_left_is_still_the_author_of_what_they_said(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)
    await api.acting_as(ana).post(path_of(conversation), {"content": "Tchau!"})
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("DELETE FROM account_users WHERE user_id = $1", ana.id)

    (message,) = (await api.get(path_of(conversation))).json["payload"]

    assert (message["sender"]["id"], message["sender"]["name"]) == (ana.id, "Ana")


async def test_a_page_is_one_statement_however_many_messages_it_has(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)
    await said(given, conversation, 20)
    for person in (api, api.acting_as(ana)):
        await person.get(path_of(conversation))

        with given.queries(at_most=1):
            await person.get(path_of(conversation))
        with given.queries(at_most=1):
            await person.get(path_of(conversation), params={"after": 0, "before": 2**62})


async def test_files_are_one_statement_more_and_so_is_whom_nobody_remembers(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await api.get(path_of(conversation))
    for _ in range(5):
        await given.message(conversation, sender_type="AgentBot", sender_id=(await given.bot()).id)
        await api.post(path_of(conversation), {"content": "Oi"})

    with given.queries(at_most=2):
        await api.get(path_of(conversation))
    for _ in range(5):
        await api.post(path_of(conversation), files=PICTURE)
    with given.queries(at_most=2):
        await api.get(path_of(conversation))


async def test_a_thread_shows_each_message_as_it_was_answered(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana, bot = await given.agent("Ana", inbox=inbox), await given.bot("Robô")
    contact = await given.contact("Noa Pires", identifier="crm-77", custom_attributes={"tier": {"of": ["a", 1.5]}})
    conversation = await given.conversation(inbox=inbox, contact=contact)
    path = path_of(conversation)
    items = {"items": [{"title": "Sim", "value": "s"}], "note": {"um": [1, 2.5, None, "é\u2028"]}}
    answered = [
        (await api.post(path, {"content": "Olá!", "message_type": "incoming", "source_id": "x-1"})).json,
        (await api.acting_as(ana).post(path, {"content": "Bom dia", "private": True})).json,
        (await api.post(path, {"content": "?", "content_type": "input_select", "content_attributes": items})).json,
        (await api.post(path, {"content": "Sou um robô", "sender_type": "AgentBot", "sender_id": bot.id})).json,
        (await api.post(path, {"content": "Ana entrou", "message_type": "activity"})).json,
        (await api.post(path, data={"message_type": "incoming"}, files=PICTURE)).json,
        (await api.post(path, data={"content": "Veja"}, files=PICTURE)).json,
    ]

    shown = (await api.get(path)).json["payload"]
    followed = (await api.get(path, params={"after": 0})).json["payload"]

    assert [each["content"] for each in shown] == [each["content"] for each in answered]
    assert shown == answered
    assert followed == answered


async def test_a_thread_assigned_to_a_bot_or_to_somebody_who_left_has_no_assignee(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana, bot = await given.agent("Ana", inbox=inbox), await given.bot("Robô")
    conversation = await given.conversation(inbox=inbox)
    assignments = f"/conversations/{conversation['id']}/assignments"

    async def assignee() -> Any:
        return (await api.get(path_of(conversation))).json["meta"].get("assignee")

    await api.post(assignments, {"assignee_id": ana.id})
    of_ana = await assignee()
    await api.post(assignments, {"assignee_id": bot.id, "assignee_type": "AgentBot"})
    of_bot = await assignee()
    await api.post(assignments, {"assignee_id": ana.id})
    await api.delete(f"/agents/{ana.id}")

    assert (of_ana["id"], of_ana["name"]) == (ana.id, "Ana")
    assert of_bot is None
    assert await assignee() is None


async def test_what_a_contact_carries_counts_where_a_page_ends(api: Api, given: Given) -> None:
    contact = await given.contact(custom_attributes={"history": "x" * 99_000})
    conversation = await given.conversation(contact=contact)
    ids = [(await given.message(conversation, message_type="incoming"))["id"] for _ in range(45)]

    page = await listed(api, conversation, after=0)

    assert page == ids[:41]


async def test_members_of_the_inbox_read_it_and_others_do_not(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    member, outsider, bot = await given.agent("Ana", inbox=inbox), await given.agent("Caio"), await given.bot()
    others = await given.another_account()
    path = path_of(await given.conversation(inbox=inbox))

    assert (await api.acting_as(member).get(path)).status == 200
    assert (await api.acting_as(outsider).get(path)).json == {"error": "You are not authorized to do this action"}
    assert (await api.acting_as(bot).get(path)).json == {"error": "Access to this endpoint is not authorized for bots"}
    statuses = [
        (await api.acting_as(outsider).get(path)).status,
        (await api.acting_as(bot).get(path)).status,
        (await api.acting_as(None).get(path)).status,
        (await others.api.in_account(given.account_id).get(path)).status,
        (await api.get(path_of({"id": 10**12}))).status,
    ]
    assert statuses == [401, 401, 401, 401, 404]


async def test_a_conversation_of_another_account_is_unknown(api: Api, given: Given) -> None:
    others = await given.another_account()
    for _ in range(3):
        theirs = await others.conversation()

    reply = await api.get(path_of(theirs))

    assert (reply.status, reply.json) == (404, {"error": "Resource could not be found"})
