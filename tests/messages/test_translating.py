"""Messages in other languages, by a service of the operator's choice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from harness import Api, Given, build_world
from receivers import Receiver, Say, Told

from criachat.messages.events import MessageUpdated


@pytest.fixture
async def translating(given: Given, receiver: Receiver, tmp_path: Path) -> AsyncIterator[Api]:
    """The API of an installation whose operator named a service."""
    chosen = {"translation_url": receiver.url, "translation_key": "k-1"}
    async with build_world(given.world.parts.database.url, tmp_path, **chosen) as world:
        yield Api(world, given.account_id, given.boss.token)


def path_of(conversation: Any, message: Any) -> str:
    return f"/conversations/{conversation['id']}/messages/{message['id']}/translate"


def translation(text: str) -> Say:
    return Say(body=json.dumps({"translatedText": text}).encode())


async def test_a_message_is_translated_once_and_kept_in_that_language(
    translating: Api, given: Given, receiver: Receiver
) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation, "Where is it?", message_type="incoming")
    receiver.will_answer(translation("Onde está?"), translation("¿Dónde está?"))
    path = path_of(conversation, message)

    first = await translating.post(path, {"target_language": "pt_BR"})
    again = await translating.post(path, {"target_language": "pt_BR"})
    other = await translating.post(path, {"target_language": "es"})

    assert [(each.status, each.json) for each in (first, again, other)] == [
        (200, {"content": "Onde está?"}),
        (200, {"content": "Onde está?"}),
        (200, {"content": "¿Dónde está?"}),
    ]
    asked = {"q": "Where is it?", "source": "auto", "format": "text", "api_key": "k-1"}
    assert [told.json for told in receiver.told] == [{**asked, "target": "pt-BR"}, {**asked, "target": "es"}]
    (kept,) = (await given.api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    assert kept["content"] == "Where is it?"
    assert kept["content_attributes"] == {"translations": {"pt_BR": "Onde está?", "es": "¿Dónde está?"}}
    assert len(await given.emitted(MessageUpdated)) == 2


async def test_of_what_is_taken_back_meanwhile_no_translation_is_kept(
    translating: Api, given: Given, receiver: Receiver
) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation, "Where is it?")
    thread = f"/conversations/{conversation['id']}/messages"

    async def take_it_back(_: Told) -> Say:
        assert (await given.api.delete(f"{thread}/{message['id']}")).status == 200
        return translation("Onde está?")

    receiver.behave = take_it_back
    await translating.post(path_of(conversation, message), {"target_language": "pt_BR"})

    (kept,) = (await given.api.get(thread)).json["payload"]
    assert kept["content_attributes"] == {"deleted": True}


async def test_of_an_email_its_html_is_translated(translating: Api, given: Given, receiver: Receiver) -> None:
    conversation = await given.conversation()
    email = {"html_content": {"full": "<p>Where?</p>"}}
    message = await given.message(conversation, "Where?", content_attributes={"email": email})
    receiver.will_answer(translation("<p>Onde?</p>"))

    reply = await translating.post(path_of(conversation, message), {"target_language": "pt"})

    assert reply.json == {"content": "<p>Onde?</p>"}
    assert (receiver.told[0].json["q"], receiver.told[0].json["format"]) == ("<p>Where?</p>", "html")


async def test_of_many_who_ask_at_once_all_read_the_same(translating: Api, given: Given, receiver: Receiver) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation, "Where is it?")
    receiver.will_answer(*(translation(f"Onde? {number}") for number in range(8)))
    path = path_of(conversation, message)

    replies = await asyncio.gather(*(translating.post(path, {"target_language": "pt"}) for _ in range(8)))

    assert len({reply.json["content"] for reply in replies}) == 1
    assert len(await given.emitted(MessageUpdated)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        500,
        302,
        Say(body=b"no JSON"),
        Say(body=b"{}"),
        Say(body=b'{"translatedText": 7}'),
        Say(body=b'{"translatedText": "\xff"}'),
        translation("a\x00b"),
        translation("x" * 150_001),
        Say(body=b" " * 2_000_000),
    ],
)
async def test_a_service_that_gives_none_changes_nothing(
    translating: Api, given: Given, receiver: Receiver, answer: int | Say
) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation, "Where is it?")
    receiver.always_answers(answer)

    reply = await translating.post(path_of(conversation, message), {"target_language": "pt"})

    sentence = "The translation service gave no translation; try again later"
    assert (reply.status, reply.json) == (422, {"error": sentence})
    assert await given.emitted(MessageUpdated) == []


@pytest.mark.parametrize("body", [{}, {"target_language": None}, {"target_language": "x" * 200_000}])
@pytest.mark.parametrize("language", ["", "p", "português", "pt BR", "pt_BR_x_y", "pt/../.."])
async def test_a_language_must_be_named(api: Api, given: Given, body: dict[str, Any], language: str) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation)

    for wrong in (body, {"target_language": language}):
        reply = await api.post(path_of(conversation, message), wrong)
        assert (reply.status, reply.json) == (422, {"error": "target_language must name a language, such as pt_BR"})


async def test_where_nothing_translates_there_is_no_translation_and_the_reason(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation)

    reply = await api.post(path_of(conversation, message), {"target_language": "pt"})

    assert (reply.status, reply.json) == (200, {"content": None, "error": "No translation service is set up"})


async def test_without_a_text_there_is_nothing_to_translate(translating: Api, given: Given) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation, content=None, template_params={"name": "order_ready"})

    reply = await translating.post(path_of(conversation, message), {"target_language": "pt"})

    assert (reply.status, reply.json) == (422, {"error": "This message has no text to translate"})


async def test_unknown_messages_and_those_of_another_account_are_not_found(translating: Api, given: Given) -> None:
    conversation = await given.conversation()
    others = await given.another_account()
    theirs = await others.message(await others.conversation())

    for message in (theirs, {"id": 10**12}):
        reply = await translating.post(path_of(conversation, message), {"target_language": "pt"})
        assert (reply.status, reply.json) == (404, {"error": "Resource could not be found"})
