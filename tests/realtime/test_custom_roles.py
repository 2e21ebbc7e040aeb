"""What people with a role of the account's own hear of the conversations in their inboxes."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Given, Person
from lines import Call, Line


async def stage(given: Given, *permissions: str) -> tuple[Person, dict[str, Any]]:
    """Ana with such a role, and in her inbox one conversation of each kind."""
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    await given.custom_role(*permissions, of=ana)
    of = {
        "mine": await given.conversation(inbox=inbox, assignee_id=ana.id),
        "unassigned": await given.conversation(inbox=inbox),
        "taking part": await given.conversation(inbox=inbox, assignee_id=davi.id),
        "of davi": await given.conversation(inbox=inbox, assignee_id=davi.id),
    }
    await given.api.post(f"/conversations/{of['taking part']['id']}/participants", {"user_ids": [ana.id]})
    return ana, of


async def heard(line: Line) -> list[str]:
    """What is said to be heard until the last word, which the whole team hears."""
    told = await line.events_until("contact.created", name="the last")
    return [each["data"]["content"] for each in told if each["event"] == "message.created"]


EACH_ROLE = pytest.mark.parametrize(
    ("permissions", "shown"),
    [
        (["conversation_manage"], ["mine", "unassigned", "taking part", "of davi"]),
        (["conversation_unassigned_manage"], ["mine", "unassigned"]),
        (["conversation_participating_manage"], ["mine", "taking part"]),
        (
            ["conversation_unassigned_manage", "conversation_participating_manage"],
            ["mine", "unassigned", "taking part"],
        ),
        (["report_manage"], []),
    ],
)


@EACH_ROLE
async def test_a_role_hears_of_what_it_may_open_and_has_the_same_repeated(
    given: Given, agent_line: Call, permissions: list[str], shown: list[str]
) -> None:
    ana, of = await stage(given, *permissions)
    await agent_line(given.boss)
    line = await agent_line(ana)
    await given.contact("Rosa")
    cursor = (await line.events_until("contact.created"))[-1]["cursor"]

    for name, conversation in of.items():
        await given.message(conversation, name)
    await given.contact("the last")
    live = await heard(line)
    repeated = await heard(await agent_line(ana, after=cursor))

    assert live == repeated == shown


async def test_what_was_kept_before_a_role_asked_who_takes_part_is_repeated_by_it(
    given: Given, agent_line: Call
) -> None:
    ana, of = await stage(given, "report_manage")
    line = await agent_line(given.boss)
    await given.contact("Rosa")
    cursor = (await line.events_until("contact.created"))[-1]["cursor"]
    for name, conversation in of.items():
        await given.message(conversation, name)
    await given.contact("the last")
    await heard(line)
    await given.custom_role("conversation_participating_manage", of=ana)
    await given.api.post("/labels", {"title": "a-label"})

    repeated = await heard(await agent_line(ana, after=cursor))

    assert repeated == ["mine", "taking part"]


async def test_whoever_loses_a_conversation_hears_of_that_and_of_nothing_later(given: Given, agent_line: Call) -> None:
    ana, of = await stage(given, "conversation_unassigned_manage")
    eva = await given.agent("Eva")
    await given.api.post("/inbox_members", {"inbox_id": of["mine"]["inbox_id"], "user_ids": [eva.id]})
    line = await agent_line(ana)

    for name in ("mine", "unassigned"):
        await given.api.post(f"/conversations/{of[name]['id']}/assignments", {"assignee_id": eva.id})
        await given.message(of[name], "canary")
    await given.contact("the last")
    told = await line.events_until("contact.created", name="the last")

    changed = [each["data"]["id"] for each in told if each["event"] == "assignee.changed"]
    assert changed == [of["mine"]["id"], of["unassigned"]["id"]]
    assert "canary" not in repr(told)


async def test_a_role_that_shows_less_now_is_told_of_nothing_later(given: Given, agent_line: Call) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    role = await given.custom_role("conversation_manage", of=ana)
    conversation = await given.conversation(inbox=inbox)
    line = await agent_line(ana)

    await given.message(conversation, "before")
    await line.events_until("message.created", content="before")
    changed = await given.api.patch(f"/custom_roles/{role['id']}", {"permissions": ["report_manage"]})
    await given.message(conversation, "canary")
    await given.contact("the last")

    assert changed.status == 200
    assert await heard(line) == []


@EACH_ROLE
async def test_a_role_sees_who_types_where_it_may_open(
    given: Given, agent_line: Call, permissions: list[str], shown: list[str]
) -> None:
    ana, of = await stage(given, *permissions)
    carla = await given.agent("Carla")
    members = {"inbox_id": of["mine"]["inbox_id"], "user_ids": [carla.id]}
    await given.api.post("/inbox_members", members)
    carlas, line = await agent_line(carla), await agent_line(ana)

    for conversation in of.values():
        path = f"/conversations/{conversation['id']}/toggle_typing_status"
        assert (await given.api.post(path, {"typing_status": "on"})).status == 200
        await carlas.events_until("conversation.typing_on")
    await given.contact("the last")
    told = await line.events_until("contact.created", name="the last")

    typing = [each["data"]["conversation"]["id"] for each in told if each["event"] == "conversation.typing_on"]
    assert typing == [of[name]["id"] for name in shown]
