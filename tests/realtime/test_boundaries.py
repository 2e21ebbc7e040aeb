"""Who hears nothing: other accounts, agents of other inboxes, other contacts, and whoever has no right to listen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from apps import App, open_app
from feeds import present, read_all
from happenings import HAPPENINGS, Stage, set_stage
from harness import Given, Person
from lines import Call, Line
from receivers import Receiver

from criachat.kit import clock

# What the whole team hears of, whichever inboxes are theirs.
OF_THE_TEAM = {
    "account.cache_invalidated",
    "contact.created",
    "contact.updated",
    "contact.merged",
    "contact.deleted",
}
# What a contact hears of in their own conversations.
OF_THE_CONTACT = {
    "message.created",
    "message.updated",
    "conversation.created",
    "conversation.updated",
    "conversation.status_changed",
}


@pytest.fixture
async def stage(given: Given, receiver: Receiver) -> Stage:
    return await set_stage(given, receiver)


async def make_everything_happen(stage: Stage) -> None:
    """All there is, and a private note, which is for the team alone."""
    await stage.given.message(stage.conversation, "for the team alone", private=True)
    for act in dict.fromkeys(HAPPENINGS.values()):
        await act(stage)


async def listening(call: Call, **identifier: Any) -> Line:
    """A line that was let in."""
    line = await call()
    assert await line.subscribe(**identifier) == "confirm_subscription"
    return line


def agent(given: Given, person: Person) -> dict[str, Any]:
    """What an agent subscribes with."""
    return {"pubsub_token": person.pubsub_token, "account_id": given.account_id, "user_id": person.id}


def contact(app: App) -> dict[str, Any]:
    """What a contact subscribes with."""
    return {"pubsub_token": app.session["pubsub_token"]}


async def test_another_account_hears_and_reads_nothing_whatever_happens(
    given: Given, receiver: Receiver, stage: Stage, call: Call
) -> None:
    other = await given.another_account()
    mirror = await set_stage(other, receiver)
    after = await present(other)
    lines = [
        await listening(call, **agent(other, other.boss)),
        await listening(call, **agent(other, mirror.ana)),
        await listening(call, **contact(mirror.rosa)),
    ]

    await make_everything_happen(stage)
    await other.message(mirror.conversation, "the last")

    for line in lines:
        heard = await line.events_until("message.created", content="the last")
        assert [message["event"] for message in heard] == ["message.created"]
    assert [event["event"] for event in await read_all(other.api, after)] == [
        "message_created",
        "first_reply_created",
        "conversation_updated",
    ]


async def test_an_agent_hears_of_other_inboxes_only_what_the_whole_team_may_know(
    given: Given, stage: Stage, call: Call
) -> None:
    mine = await given.inbox("Mine", enable_auto_assignment=False)
    line = await listening(call, **agent(given, await given.agent("Carla", inbox=mine)))
    conversation = await given.conversation(inbox=mine)

    await make_everything_happen(stage)
    await given.message(conversation, "the last")
    heard = await line.events_until("message.created", content="the last")

    of_my_inbox = [message for message in heard if message["data"].get("inbox_id") == mine["id"]]
    assert {message["event"] for message in of_my_inbox} == {"conversation.created", "message.created"}
    assert {message["event"] for message in heard} - OF_THE_TEAM == {"conversation.created", "message.created"}
    assert "for the team alone" not in repr(heard)


async def test_a_contact_hears_of_their_own_conversations_and_never_what_is_for_the_team(
    given: Given, stage: Stage, call: Call
) -> None:
    line = await listening(call, **contact(stage.rosa))

    await make_everything_happen(stage)
    await given.message(stage.conversation, "the last")
    heard = await line.events_until("message.created", content="the last")

    assert {message["event"] for message in heard} == OF_THE_CONTACT
    messages = [message["data"] for message in heard if message["event"].startswith("message.")]
    assert {(data["private"], data["message_type"] == 2) for data in messages} == {(False, False)}
    assert "for the team alone" not in repr(heard)
    assert not {name for name in ("billing", "sales", given.boss.email, stage.ana.email) if name in repr(heard)}


async def test_a_contact_hears_nothing_of_another_in_the_same_inbox(given: Given, stage: Stage, call: Call) -> None:
    eva = await open_app(given, stage.inbox, name="Eva Lind")
    conversation = await eva.conversation()
    line = await listening(call, **contact(eva))

    await make_everything_happen(stage)
    await given.message(conversation, "the last")
    heard = await line.events_until("message.created", content="the last")

    assert [message["event"] for message in heard] == ["message.created"]


async def test_nobody_listens_with_a_token_that_is_not_theirs(given: Given, stage: Stage, call: Call) -> None:
    other = await given.another_account()
    ours = agent(given, given.boss)
    wrong = [
        {**ours, "user_id": stage.ana.id},
        {**ours, "pubsub_token": stage.rosa.session["pubsub_token"]},
        {**ours, "account_id": other.account_id},
        {**agent(other, other.boss), "account_id": given.account_id},
        {**agent(other, other.boss), "user_id": given.boss.id},
        {"pubsub_token": given.boss.pubsub_token},
        {"pubsub_token": given.boss.token},
        {**ours, "pubsub_token": given.boss.token},
        {"pubsub_token": stage.rosa.session["source_id"]},
        {"pubsub_token": ""},
    ]
    line = await call()

    answers = [await line.subscribe(**identifier) for identifier in wrong]

    assert set(answers) == {"reject_subscription"}


async def test_who_was_cut_off_is_not_let_in_again(given: Given, stage: Stage, call: Call) -> None:
    ana = agent(given, stage.ana)
    line = await listening(call, **ana)
    await line.event("presence.update")

    async with given.world.parts.database.transaction() as tx:
        await tx.execute(
            "DELETE FROM account_users WHERE account_id = $1 AND user_id = $2", given.account_id, ana["user_id"]
        )
    goodbye = await line.frame()
    again = await call()

    assert goodbye == {"type": "disconnect", "reason": "remote", "reconnect": True}
    assert await again.subscribe(**ana) == "reject_subscription"


async def test_a_contact_who_was_deleted_is_cut_off(given: Given, stage: Stage, call: Call) -> None:
    line = await listening(call, **contact(stage.rosa))
    await line.event("presence.update")
    # Contacts who are online are not deleted; nobody has seen her for a while.
    clock.travel(timedelta(minutes=10))

    deleted = await given.api.delete(f"/contacts/{stage.rosa.session['id']}")
    while (frame := await line.frame()).get("type") != "disconnect":
        assert frame["message"]["event"] != "contact.deleted"

    assert deleted.status == 200
    assert frame["reason"] == "remote"
