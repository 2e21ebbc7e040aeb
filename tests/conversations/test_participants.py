from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given, Person

from criachat.conversations.events import ParticipantsChanged


def path_of(conversation: Any) -> str:
    return f"/conversations/{conversation['id']}/participants"


async def taking_part(api: Api, conversation: Any) -> list[str]:
    return [each["name"] for each in (await api.get(path_of(conversation))).json]


async def stage(given: Given) -> tuple[Any, Person, Person, Person]:
    """A conversation, two members of its inbox, and an agent who is none."""
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    return await given.conversation(inbox=inbox), ana, davi, await given.agent("Eva")


async def test_adding_answers_those_who_are_new_and_passes_over_who_cannot_see_it(api: Api, given: Given) -> None:
    conversation, ana, davi, eva = await stage(given)
    stranger = (await given.another_account()).boss
    await api.post(path_of(conversation), {"user_ids": [ana.id]})
    asked = [ana.id, str(davi.id), eva.id, given.boss.id, stranger.id, 0, -1, 2**62]

    reply = await api.post(path_of(conversation), {"user_ids": asked})

    assert reply.status == 200
    assert reply.json == [
        {
            "id": person.id,
            "account_id": given.account_id,
            "availability_status": "offline",
            "auto_offline": True,
            "confirmed": True,
            "email": person.email,
            "provider": "email",
            "available_name": person.name,
            "name": person.name,
            "role": role,
            "thumbnail": "",
            "custom_role_id": None,
        }
        for person, role in ((given.boss, "administrator"), (davi, "agent"))
    ]
    assert await taking_part(api, conversation) == ["Ana", "Beatriz", "Davi"]
    first, second = await given.emitted(ParticipantsChanged)
    assert (first.added, first.removed) == ([ana.id], [])
    assert (second.added, second.removed) == (sorted([given.boss.id, davi.id]), [])


async def test_setting_leaves_just_these_and_answers_all(api: Api, given: Given) -> None:
    conversation, ana, davi, eva = await stage(given)
    await api.post(path_of(conversation), {"user_ids": [ana.id, given.boss.id]})

    reply = await api.patch(path_of(conversation), {"user_ids": [ana.id, davi.id, eva.id]})

    assert [each["name"] for each in reply.json] == ["Ana", "Davi"]
    told = (await given.emitted(ParticipantsChanged))[-2:]
    assert {(tuple(event.added), tuple(event.removed)) for event in told[-1:]} == {((davi.id,), (given.boss.id,))}
    assert (await api.put(path_of(conversation), {"user_ids": []})).json == []
    assert await taking_part(api, conversation) == []


async def test_removing_takes_those_away_who_take_part(api: Api, given: Given) -> None:
    conversation, ana, davi, _ = await stage(given)
    await api.post(path_of(conversation), {"user_ids": [ana.id, davi.id]})

    by_query = await api.delete(f"{path_of(conversation)}?user_ids[]={ana.id}")
    by_body = await api.delete(path_of(conversation), {"user_ids": [ana.id]})

    assert [(each.status, each.body) for each in (by_query, by_body)] == [(200, b""), (200, b"")]
    assert await taking_part(api, conversation) == ["Davi"]
    assert [event.removed for event in await given.emitted(ParticipantsChanged)] == [[], [ana.id]]


@pytest.mark.parametrize("body", [{}, {"user_ids": None}, {"user_ids": "all"}, {"user_ids": [{}]}, {"user_ids": 7}])
async def test_people_are_named_by_a_list_of_ids(api: Api, given: Given, body: dict[str, Any]) -> None:
    conversation, ana, _, _ = await stage(given)
    await api.post(path_of(conversation), {"user_ids": [ana.id]})

    for call in (api.post, api.patch, api.delete):
        assert (await call(path_of(conversation), body)).status == 422

    assert await taking_part(api, conversation) == ["Ana"]


async def test_whoever_it_is_assigned_to_takes_part(api: Api, given: Given) -> None:
    conversation, ana, davi, eva = await stage(given)

    for person in (ana, davi, eva):
        await api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": person.id})

    assert await taking_part(api, conversation) == ["Ana", "Davi", "Eva"]
    assert [each["id"] for each in (await listed(api.acting_as(ana)))] == [conversation["id"]]


async def listed(api: Api) -> Any:
    return (await api.get("/conversations?conversation_type=participating")).json["data"]["payload"]


async def test_of_many_who_set_them_at_once_one_list_remains(api: Api, given: Given) -> None:
    conversation, ana, davi, _ = await stage(given)
    wanted = [[ana.id], [davi.id], [ana.id, given.boss.id], []] * 8

    replies = await asyncio.gather(*(api.put(path_of(conversation), {"user_ids": each}) for each in wanted))

    assert {reply.status for reply in replies} == {200}
    assert await taking_part(api, conversation) in (["Ana"], ["Davi"], ["Ana", "Beatriz"], [])


async def test_they_are_listed_in_three_statements(api: Api, given: Given) -> None:
    conversation, ana, davi, _ = await stage(given)
    await api.post(path_of(conversation), {"user_ids": [ana.id, davi.id]})

    with given.queries(at_most=3):
        assert len((await api.get(path_of(conversation))).json) == 2
