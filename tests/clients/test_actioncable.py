"""The JavaScript client that apps of the family use, against a real server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from apps import App, open_app
from harness import Given, Person, World
from lines import Server
from nodes import NodeProgram, node_program

ONLINE = "online"


@pytest.fixture
async def server(world: World) -> AsyncIterator[Server]:
    async with Server(world).running() as server:
        yield server


@asynccontextmanager
async def client(server: Server, **identifier: Any) -> AsyncGenerator[NodeProgram]:
    """Somebody's app, which was let in."""
    async with node_program("actioncable.js", f"ws://{server.address}/cable") as program:
        await program.tell("subscribe", **identifier)
        assert await program.fact() == {"fact": "connected", "reconnected": False}
        yield program


def agent(person: Person, given: Given) -> dict[str, Any]:
    """What an agent's app subscribes with."""
    return {"pubsub_token": person.pubsub_token, "account_id": given.account_id, "user_id": person.id}


def contact(app: App) -> dict[str, Any]:
    """What a contact's app subscribes with."""
    return {"pubsub_token": app.session["pubsub_token"]}


async def test_an_agent_s_app_hears_messages_status_typing_and_presence(given: Given, server: Server) -> None:
    rosa = await open_app(given)
    conversation = await rosa.conversation()
    async with client(server, **agent(given.boss, given)) as bosses:
        first = await bosses.receives("presence.update")
        message = await rosa.say(conversation, "Olá!")
        heard = await bosses.receives("message.created")
        await given.api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
        resolved = await bosses.receives("conversation.status_changed")
        await rosa.post(f"/conversations/{conversation['id']}/toggle_typing", {"typing_status": "on"})
        typing = await bosses.receives("conversation.typing_on")
        await bosses.tell("perform", action="update_presence")
        presence = await bosses.receives("presence.update")

    assert first["users"] == presence["users"] == {str(given.boss.id): ONLINE}
    assert first["contacts"] == presence["contacts"] == {}
    assert (heard["id"], heard["content"], heard["message_type"]) == (message["id"], "Olá!", 0)
    assert (resolved["id"], resolved["status"]) == (conversation["id"], "resolved")
    assert (typing["user"]["type"], typing["conversation"]["id"]) == ("contact", conversation["id"])
    assert {data["account_id"] for data in (first, heard, resolved, typing, presence)} == {given.account_id}


async def test_a_contact_s_app_hears_answers_status_typing_and_presence_but_no_private_note(
    given: Given, server: Server
) -> None:
    rosa = await open_app(given)
    conversation = await rosa.conversation()
    async with client(server, **contact(rosa)) as rosas:
        first = await rosas.receives("presence.update")
        await given.message(conversation, "for the team", private=True)
        message = await given.message(conversation, "Como posso ajudar?")
        heard = await rosas.receives("message.created")
        typing_path = f"/conversations/{conversation['id']}/toggle_typing_status"
        await given.api.post(typing_path, {"typing_status": "on", "is_private": True})
        await given.api.post(typing_path, {"typing_status": "on"})
        typing = await rosas.receives("conversation.typing_on")
        await given.api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
        resolved = await rosas.receives("conversation.status_changed")
        await rosas.tell("perform", action="update_presence")
        presence = await rosas.receives("presence.update")

    assert first == presence == {"account_id": given.account_id, "users": {}}
    assert (heard["id"], heard["content"]) == (message["id"], "Como posso ajudar?")
    assert (typing["user"]["type"], typing["is_private"]) == ("user", False)
    assert (resolved["id"], resolved["status"]) == (conversation["id"], "resolved")


async def test_an_app_with_a_wrong_token_is_told_so(given: Given, server: Server) -> None:
    async with node_program("actioncable.js", f"ws://{server.address}/cable") as program:
        await program.tell("subscribe", **{**agent(given.boss, given), "pubsub_token": "guessed"})

        assert await program.fact() == {"fact": "rejected"}


async def test_an_app_comes_back_by_itself_after_a_restart_and_hears_on(given: Given, world: World) -> None:
    conversation = await given.conversation()
    async with AsyncExitStack() as stack:
        async with Server(world).running() as first:
            bosses = await stack.enter_async_context(client(first, **agent(given.boss, given)))
            await bosses.tell("hurry")
        gone = await bosses.hears("disconnected")
        port = int(first.address.rsplit(":", 1)[1])
        await stack.enter_async_context(Server(world).running(port=port))
        back = await bosses.hears("connected")
        await bosses.tell("patience")
        await given.message(conversation, "Olá!")
        heard = await bosses.receives("message.created")

    assert gone["willAttemptReconnect"] is True
    assert back["reconnected"] is True
    assert heard["content"] == "Olá!"


async def test_an_app_whose_token_was_changed_is_sent_away_and_not_let_in_again(given: Given, server: Server) -> None:
    ana = await given.agent("Ana")
    async with client(server, **agent(ana, given)) as anas:
        await anas.tell("hurry")
        async with given.world.parts.database.transaction() as tx:
            await tx.execute("UPDATE users SET pubsub_token = pubsub_token || 'x' WHERE id = $1", ana.id)
        gone = await anas.hears("disconnected")
        answer = await anas.fact()

    assert gone["willAttemptReconnect"] is True
    assert answer == {"fact": "rejected"}
