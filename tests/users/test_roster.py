"""Whoever reads a thread sees people and bots as they are now, however often they were read just before."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given, Person

from criachat.kit import clock
from criachat.kit.signals import Signals
from criachat.users.operations import CHANGED_TOPIC
from criachat.users.roster import Roster, Speaker, Unknown

Conversation = dict[str, Any]
USERS = "/platform/api/v1/users"


async def senders(api: Api, conversation: Conversation) -> list[Any]:
    """Who wrote the messages of the thread, as it shows them."""
    reply = await api.get(f"/conversations/{conversation['id']}/messages")
    assert reply.status == 200, reply.body
    return [message.get("sender") for message in reply.json["payload"]]


@pytest.fixture
async def ana(given: Given) -> Person:
    return await given.agent("Ana")


@pytest.fixture
async def conversation(api: Api, given: Given, ana: Person) -> Conversation:
    """One in which Ana said something, and that was read already."""
    inbox = await given.inbox()
    await api.post("/inbox_members", {"inbox_id": inbox["id"], "user_ids": [ana.id]})
    conversation = await given.conversation(inbox=inbox)
    await api.acting_as(ana).post(f"/conversations/{conversation['id']}/messages", {"content": "Olá!"})
    assert (await senders(api, conversation))[0]["name"] == "Ana"
    return conversation


async def test_a_new_name_is_seen_at_once(api: Api, ana: Person, conversation: Conversation) -> None:
    await api.acting_as(ana).put("/api/v1/profile", {"profile": {"name": "Ana Lima", "display_name": "Aninha"}})

    (sender,) = await senders(api, conversation)

    assert (sender["name"], sender["available_name"]) == ("Ana Lima", "Aninha")


async def test_what_the_operator_makes_of_a_person_is_seen_at_once(api: Api, given: Given) -> None:
    operator, email = api.acting_as(await given.operators_app()), f"rui-{given.account_id}@example.com"
    made = await operator.post(USERS, {"name": "Rui", "email": email, "password": "Segredo-123!"})
    await api.post("/agents", {"name": "Rui", "email": email, "role": "administrator"})
    conversation = await given.conversation(assignee_id=made.json["id"])

    async def assignee() -> Any:
        meta = (await api.get(f"/conversations/{conversation['id']}/messages")).json["meta"]
        return meta["assignee"]["name"] if "assignee" in meta else None

    before = await assignee()
    await operator.patch(f"{USERS}/{made.json['id']}", {"name": "Rui Costa"})
    renamed = await assignee()
    await operator.delete(f"{USERS}/{made.json['id']}")
    await given.worked()

    assert (before, renamed) == ("Rui", "Rui Costa")
    assert await assignee() is None


async def test_availability_is_seen_at_once(api: Api, given: Given, ana: Person, conversation: Conversation) -> None:
    shown: list[str] = []
    for wanted in ({"auto_offline": False}, {"availability": "busy"}):
        path = f"/api/v1/profile/{next(iter(wanted))}"
        await api.acting_as(ana).post(path, {"profile": {"account_id": given.account_id, **wanted}})
        shown.append((await senders(api, conversation))[0]["availability_status"])

    assert shown == ["online", "busy"]


async def test_who_left_is_offline_at_once_and_keeps_the_name(
    api: Api, given: Given, ana: Person, conversation: Conversation
) -> None:
    others = await given.another_account()
    await others.api.post("/agents", {"name": "Ana", "email": ana.email, "role": "agent"})
    profile = {"account_id": given.account_id, "auto_offline": False}
    await api.acting_as(ana).post("/api/v1/profile/auto_offline", {"profile": profile})
    (before,) = await senders(api, conversation)

    await api.delete(f"/agents/{ana.id}")

    (sender,) = await senders(api, conversation)
    assert (before["name"], before["availability_status"]) == ("Ana", "online")
    assert (sender["name"], sender["availability_status"]) == ("Ana", "offline")


async def test_a_bot_is_seen_as_it_is_called_now_and_not_when_it_is_gone(api: Api, given: Given) -> None:
    bot = await given.bot("Robô")
    conversation = await given.conversation()
    await given.message(conversation, sender_type="AgentBot", sender_id=bot.id)
    assert (await senders(api, conversation))[0]["name"] == "Robô"

    await api.patch(f"/agent_bots/{bot.id}", {"name": "Máquina"})
    renamed = await senders(api, conversation)
    await api.delete(f"/agent_bots/{bot.id}")

    assert renamed[0]["name"] == "Máquina"
    assert await senders(api, conversation) == [None]


def speaker(number: int) -> Speaker:
    return Speaker(number, "Ana", "Ana", None, "online", auto_offline=True, is_member=True, is_bot=False)


async def test_what_is_read_while_somebody_changes_is_not_remembered() -> None:
    signals = Signals()
    roster = Roster(signals)
    known = roster.known(7)
    await signals.publish(CHANGED_TOPIC, b"user:1")

    used = roster.learn(7, known, Unknown([1], []), [speaker(1)])

    assert used.people == {1: speaker(1)}
    assert roster.known(7).people == {}


async def test_nobody_is_remembered_when_signals_may_have_been_missed() -> None:
    class Bus(Signals):
        def miss(self) -> None:
            self._resync()

    signals = Bus()
    roster = Roster(signals)
    roster.learn(7, roster.known(7), Unknown([1], []), [speaker(1)])

    signals.miss()

    assert roster.known(7).people == {}


async def test_whoever_is_remembered_is_forgotten_after_three_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    roster, at = Roster(Signals()), clock.monotonic()
    roster.learn(7, roster.known(7), Unknown([1, 2], []), [speaker(1)])
    remembered = roster.known(7).people

    monkeypatch.setattr(clock, "monotonic", lambda: at + 4)

    assert remembered == {1: speaker(1), 2: None}
    assert roster.known(7).people == {}


async def test_no_more_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("criachat.users.roster.MOST_REMEMBERED", 2)
    roster = Roster(Signals())
    roster.learn(7, roster.known(7), Unknown([1], []), [speaker(1)])
    roster.learn(8, roster.known(8), Unknown([1, 2], []), [speaker(2)])

    assert roster.known(7).people == {}
    assert roster.known(8).people == {1: None, 2: speaker(2)}
