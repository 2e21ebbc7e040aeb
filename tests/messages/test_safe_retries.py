"""A message sent again, or many times at once, is one message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from harness import Api, Given, Reply
from hypothesis import HealthCheck, settings
from hypothesis import given as each
from hypothesis import strategies as st

from criachat.messages.events import MessageCreated

Conversation = dict[str, Any]


def path_of(conversation: Conversation) -> str:
    return f"/conversations/{conversation['id']}/messages"


def keyed() -> dict[str, str]:
    """Headers with a key nobody used yet."""
    return {"Idempotency-Key": str(uuid4())}


async def thread(api: Api, conversation: Conversation) -> list[dict[str, Any]]:
    return (await api.get(path_of(conversation))).json["payload"]


async def careful_inbox(given: Given) -> dict[str, Any]:
    """An inbox that takes each outside id once."""
    return await given.inbox(channel={"deduplicate_source_ids": True})


# With a key


async def test_sixteen_at_once_with_one_key_are_one_message(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    headers = keyed()

    replies = await asyncio.gather(
        *(api.post(path_of(conversation), {"content": "Olá!", "echo_id": 7}, headers=headers) for _ in range(16))
    )

    done = [reply for reply in replies if reply.status == 200]
    assert {reply.status for reply in replies} <= {200, 409}
    assert len({reply.body for reply in done}) == 1
    assert sum("idempotent-replayed" not in reply.headers for reply in done) == 1
    assert [each["id"] for each in await thread(api, conversation)] == [done[0].json["id"]]
    assert len(await given.emitted(MessageCreated)) == 1


async def test_the_same_key_with_another_message_is_refused(api: Api, given: Given) -> None:
    conversation, headers = await given.conversation(), keyed()
    first = await api.post(path_of(conversation), {"content": "Olá!"}, headers=headers)

    for body in ({"content": "Adeus!"}, {"content": "Olá!", "private": True}, {}, {"content": "Olá!", "echo_id": 1}):
        other = await api.post(path_of(conversation), body, headers=headers)

        assert (other.status, other.json) == (422, {"error": "This Idempotency-Key was used with other parameters"})
    again = await api.post(path_of(conversation), {"content": "Olá!"}, headers=headers)
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert len(await thread(api, conversation)) == 1


async def test_a_refused_message_gives_its_key_back(api: Api, given: Given) -> None:
    conversation, headers = await given.conversation(), keyed()

    refused = await api.post(path_of(conversation), {"content": ""}, headers=headers)
    done = await api.post(path_of(conversation), {"content": "Olá!"}, headers=headers)

    assert (refused.status, done.status) == (422, 200)
    assert "idempotent-replayed" not in done.headers


async def test_a_key_belongs_to_its_caller_and_conversation(api: Api, given: Given) -> None:
    inbox, headers = await given.inbox(), keyed()
    here, there = await given.conversation(inbox=inbox), await given.conversation(inbox=inbox)
    ana = await given.agent("Ana", inbox=inbox)

    replies = [
        await api.post(path_of(here), {"content": "Olá!"}, headers=headers),
        await api.acting_as(ana).post(path_of(here), {"content": "Oi"}, headers=headers),
        await api.post(path_of(there), {"content": "Bom dia"}, headers=headers),
    ]

    assert [reply.status for reply in replies] == [200] * 3
    assert len({reply.json["id"] for reply in replies}) == 3


def multipart(boundary: str, content: bytes) -> bytes:
    """A message with one file."""
    return (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="content"\r\n\r\nVeja!\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="attachments[]"; filename="a.txt"\r\n'
            "Content-Type: text/plain\r\n\r\n"
        ).encode()
        + content
        + f"\r\n--{boundary}--\r\n".encode()
    )


async def test_the_same_files_in_another_wrapping_are_the_same_message(api: Api, given: Given) -> None:
    conversation, headers = await given.conversation(), keyed()

    async def send(boundary: str, content: bytes = b"Lista") -> Reply:
        body = multipart(boundary, content)
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return await api.call("POST", path_of(conversation), content=body, headers={**headers, **kind})

    first = await send("one")
    again = await send("another-boundary")
    other_file = await send("one", b"Outra lista")

    assert first.status == 200
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert other_file.status == 422
    assert len(await thread(api, conversation)) == 1


async def test_without_the_header_nothing_is_different(api: Api, given: Given) -> None:
    body = {"content": "Olá!", "echo_id": "c1", "message_type": "incoming", "source_id": "WAID:1"}
    bodies: list[bytes] = []
    names: list[set[str]] = []

    for headers in ({}, keyed()):
        inbox, contact = await given.inbox(), await given.contact("Rosa Lind", email="rosa@example.net")
        conversation = await given.conversation(inbox=inbox, contact=contact)
        reply = await api.post(path_of(conversation), body, headers=headers)
        assert (await api.delete(f"/contacts/{contact['id']}")).status == 200
        said = reply.json
        text = reply.body
        for key, number in (
            ('"created_at":', said["created_at"]),
            ('"conversation_id":', conversation["id"]),
            ('"inbox_id":', inbox["id"]),
            ('"id":', said["id"]),
            ('"id":', contact["id"]),
        ):
            text = text.replace(f"{key}{number},".encode(), f"{key}0,".encode())
        bodies.append(text)
        names.append(set(reply.headers))

    assert bodies[0] == bodies[1]
    assert names[0] == names[1]


async def test_two_messages_without_a_key_are_two(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    first, second = [await api.post(path_of(conversation), {"content": "Olá!"}) for _ in range(2)]

    assert first.json["id"] != second.json["id"]


class Send(NamedTuple):
    """Somebody sends a message under a name of theirs; the process dies after so many steps, or does not."""

    name: int
    text: int
    dies_after: int | None


SENDS = st.builds(
    Send,
    name=st.integers(0, 1),
    text=st.integers(0, 1),
    dies_after=st.none() | st.integers(0, 40) | st.integers(0, 400),
)


async def answered(step: list[Send], send: Callable[[int, int], Awaitable[Reply]]) -> list[tuple[int, Reply]]:
    """Send all of a step at once; the answers of those who lived to see one."""
    tasks = [(sent, asyncio.create_task(send(sent.name, sent.text))) for sent in step]
    for sent, task in tasks:
        if sent.dies_after is not None:
            for _ in range(sent.dies_after):
                await asyncio.sleep(0)
            task.cancel()
    replies = await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)
    return [(sent.name, reply) for sent, reply in zip(step, replies, strict=True) if isinstance(reply, Reply)]


# Histories, where hypothesis has state machines, because the steps of those cannot wait.
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@each(history=st.lists(st.lists(SENDS, min_size=1, max_size=4), min_size=1, max_size=4), is_keyed=st.booleans())
async def test_whatever_dies_in_between_each_name_is_one_message(
    given: Given, history: list[list[Send]], *, is_keyed: bool
) -> None:
    conversation, run = await given.conversation(), str(uuid4())

    async def send(name: int, text: int) -> Reply:
        own = f"{run}:{name}"
        headers, fields = ({"Idempotency-Key": own}, {}) if is_keyed else ({}, {"client_message_id": own})
        return await given.api.post(path_of(conversation), {"content": f"{name}:{text}", **fields}, headers=headers)

    names = sorted({sent.name for step in history for sent in step})
    replies = [reply for step in history for reply in await answered(step, send)]
    replies += [(name, await send(name, text)) for name in names for text in (0, 1)]

    done = {(name, reply.body) for name, reply in replies if reply.status == 200}
    assert sorted(name for name, _ in done) == names
    assert {reply.status for _, reply in replies} <= ({200, 409, 422} if is_keyed else {200})
    assert sorted(message["content"][0] for message in await thread(given.api, conversation)) == [f"{n}" for n in names]


# With an id of the sender's own


async def test_a_client_message_id_is_one_message_for_ever(api: Api, given: Given) -> None:
    conversation, elsewhere = await given.conversation(), await given.conversation()

    first = await given.message(conversation, "Olá!", client_message_id="m-1", echo_id="c1")
    again = await given.message(conversation, "Outro texto", client_message_id="m-1", echo_id="c2")
    other = await given.message(elsewhere, "Olá!", client_message_id="m-1")
    await api.delete(f"{path_of(conversation)}/{first['id']}")
    after = await given.message(conversation, "Olá!", client_message_id="m-1")

    assert again == {**first, "echo_id": "c2"}
    assert other["id"] != first["id"]
    assert (after["id"], after["content_attributes"]) == (first["id"], {"deleted": True})
    assert len(await given.emitted(MessageCreated)) == 2


async def test_a_blank_client_message_id_is_none(given: Given) -> None:
    conversation = await given.conversation()

    said = [await given.message(conversation, client_message_id=blank) for blank in ("", "", None)]

    assert len({each["id"] for each in said}) == 3


@pytest.mark.parametrize("own_id", [{"client_message_id": "m-1"}, {"source_id": "WAID:1"}])
async def test_thirty_two_at_once_with_one_id_are_one_message(api: Api, given: Given, own_id: dict[str, str]) -> None:
    conversation = await given.conversation(inbox=await careful_inbox(given))
    body = {"content": "Olá!", "message_type": "incoming", **own_id}

    replies = await asyncio.gather(*(api.post(path_of(conversation), body) for _ in range(32)))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    assert len(await thread(api, conversation)) == 1
    assert len(await given.emitted(MessageCreated)) == 1
    shown = (await api.get(f"/conversations/{conversation['id']}")).json
    assert shown["unread_count"] == 1


async def test_a_message_sent_again_beside_others_is_one(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    path = path_of(conversation)

    replies = await asyncio.gather(
        *(api.post(path, {"content": "Olá!", "client_message_id": "m-1"}) for _ in range(8)),
        *(api.post(path, {"content": f"{n}"}) for n in range(16)),
    )

    assert {reply.status for reply in replies} == {200}
    assert len({reply.json["id"] for reply in replies[:8]}) == 1
    params = {"after": 0, "before": 2**62}
    assert len((await api.get(path, params=params)).json["payload"]) == 17


async def test_a_message_with_files_sent_again_keeps_the_first_files(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    async def send(content: bytes) -> Reply:
        return await api.call(
            "POST",
            path_of(conversation),
            data={"client_message_id": "m-1"},
            files=[("attachments[]", ("a.txt", content, "text/plain"))],
        )

    first, again = await send(b"um"), await send(b"dois")
    at_once = await asyncio.gather(*(send(b"%d" % n) for n in range(8)))

    assert first.json == again.json
    assert {reply.body for reply in at_once} == {first.body}
    assert len(await thread(api, conversation)) == 1


# With an outside id, where an inbox takes each once


async def test_an_outside_id_is_one_message_where_the_inbox_says_so(api: Api, given: Given) -> None:
    inbox = await careful_inbox(given)
    conversation = await given.conversation(inbox=inbox)

    first = await given.message(conversation, "Olá!", message_type="incoming", source_id="WAID:1")
    again = await given.message(conversation, "De novo", message_type="incoming", source_id="WAID:1")
    other = await given.message(conversation, "Olá!", message_type="incoming", source_id="WAID:2")
    without = [await given.message(conversation, "Olá!") for _ in range(2)]

    assert again == first
    assert len({first["id"], other["id"], *(each["id"] for each in without)}) == 4


async def test_elsewhere_an_outside_id_tells_nothing_apart(given: Given) -> None:
    conversation = await given.conversation()

    first, second = [await given.message(conversation, source_id="WAID:1") for _ in range(2)]

    assert first["id"] != second["id"]


async def test_an_outside_id_counts_in_its_inbox_whatever_the_conversation(api: Api, given: Given) -> None:
    inbox, other_inbox = await careful_inbox(given), await careful_inbox(given)
    here, there = await given.conversation(inbox=inbox), await given.conversation(inbox=inbox)
    first = await given.message(here, "Olá!", source_id="WAID:1")

    again = await given.message(there, "Olá!", source_id="WAID:1")
    elsewhere = await given.message(await given.conversation(inbox=other_inbox), "Olá!", source_id="WAID:1")

    assert again == first
    assert again["conversation_id"] == here["id"]
    assert elsewhere["id"] != first["id"]
    assert await thread(api, there) == []


async def test_one_outside_id_in_many_conversations_at_once_is_one_message(api: Api, given: Given) -> None:
    inbox = await careful_inbox(given)
    conversations = [await given.conversation(inbox=inbox) for _ in range(4)]

    replies = await asyncio.gather(
        *(
            api.post(path_of(conversation), {"content": "Olá!", "message_type": "incoming", "source_id": "WAID:1"})
            for conversation in conversations * 4
        )
    )

    assert {reply.status for reply in replies} == {200}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert len(await given.emitted(MessageCreated)) == 1


async def test_an_outside_id_stays_taken_when_its_message_is_gone(api: Api, given: Given) -> None:
    inbox = await careful_inbox(given)
    gone, stays = await given.conversation(inbox=inbox), await given.conversation(inbox=inbox)
    await given.message(gone, source_id="WAID:1")
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(
            "DELETE FROM conversations WHERE account_id = $1 AND display_id = $2", given.account_id, gone["id"]
        )

    reply = await api.post(path_of(stays), {"content": "Olá!", "source_id": "WAID:1"})

    assert (reply.status, reply.json) == (422, {"error": "Validation failed: Source has already been taken"})
    assert await thread(api, stays) == []


async def test_a_first_message_shows_itself_only_to_whoever_may_open_it(api: Api, given: Given) -> None:
    inbox = await careful_inbox(given)
    team = (await api.post("/teams", {"name": "delivery"})).json
    teammate = await given.agent("Tia")
    await api.post(f"/teams/{team['id']}/team_members", {"user_ids": [teammate.id]})
    secret, shared = await given.conversation(inbox=inbox), await given.conversation(inbox=inbox)
    await api.post(f"/conversations/{shared['id']}/assignments", {"team_id": team["id"]})
    await given.message(secret, "Segredo", source_id="WAID:1")

    reply = await api.acting_as(teammate).post(path_of(shared), {"content": "Olá!", "source_id": "WAID:1"})

    assert (reply.status, reply.json) == (422, {"error": "Validation failed: Source has already been taken"})


async def test_nobody_takes_the_names_of_what_the_product_says(given: Given) -> None:
    inbox = await given.inbox()
    session = await given.session(inbox)
    path = f"/public/api/v1/inboxes/{inbox['inbox_identifier']}/contacts/{session['source_id']}/conversations"
    stranger = given.api.acting_as(None)
    conversation = (await stranger.post(path, {})).json
    body = {"content": "Olá!", "client_message_id": "criachat:activity:1:0"}

    reply = await stranger.post(f"{path}/{conversation['id']}/messages", body)

    assert reply.status == 422
    assert await thread(given.api, conversation) == []
