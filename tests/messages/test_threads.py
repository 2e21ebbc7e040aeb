from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given, Reply
from mailserver import Mailbox, text_of
from structlog.testing import capture_logs

from criachat.kit import tokens
from criachat.kit.jobs import JobContext
from criachat.kit.settings import Settings
from criachat.messages.events import TranscriptRequested
from criachat.messages.jobs import Transcript, send_transcript
from criachat.messages.listeners import have_transcripts_sent

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x03\x00\x00\x00\x02\x08\x02\x00\x00\x00"


async def attach(api: Api, conversation: Any, *names: str, **fields: str) -> Any:
    files = [("attachments[]", (name, PNG if name.endswith("png") else b"text", "text/plain")) for name in names]
    reply = await api.call("POST", f"/conversations/{conversation['id']}/messages", data=fields, files=files)
    assert reply.status == 200, reply.body
    return reply.json


async def attached(api: Api, conversation: Any, **params: Any) -> Reply:
    return await api.get(f"/conversations/{conversation['id']}/attachments", params=params)


async def test_attachments_are_listed_newest_first_with_who_sent_them(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    first = await attach(api, conversation, "label.png", "notes.txt", content="Aqui")
    second = await attach(api, conversation, "id.png", message_type="incoming")
    await attach(api, await given.conversation(), "elsewhere.png")
    thread = await api.get(f"/conversations/{conversation['id']}/messages")
    by_id = {message["id"]: message for message in thread.json["payload"]}

    reply = await attached(api, conversation)

    def shown(message: Any, number: int) -> dict[str, Any]:
        own = message["attachments"][number]
        keys = ("message_id", "thumb_url", "data_url", "file_size", "file_type", "extension", "width", "height")
        also = {"created_at": message["created_at"], "sender": by_id[message["id"]]["sender"]}
        return {**{key: own[key] for key in keys}, **also}

    assert reply.status == 200
    assert reply.json == {
        "meta": {"total_count": 3},
        "payload": [shown(second, 0), shown(first, 1), shown(first, 0)],
    }
    assert [each["file_type"] for each in reply.json["payload"]] == ["image", "file", "image"]


async def test_attachments_of_notes_are_listed_and_of_what_was_taken_back_are_not(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    note = await attach(api, conversation, "a.txt", private="true")
    gone = await attach(api, conversation, "b.txt")
    await api.delete(f"/conversations/{conversation['id']}/messages/{gone['id']}")

    reply = await attached(api, conversation)

    assert [each["message_id"] for each in reply.json["payload"]] == [note["id"]]
    assert reply.json["meta"] == {"total_count": 1}


async def test_a_hundred_attachments_are_a_page_of_four_statements(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    for _ in range(7):
        await attach(api, conversation, *(f"{number}.txt" for number in range(15)))
    await attached(api, conversation)

    with given.queries(at_most=4):
        first = await attached(api, conversation)
    second = await attached(api, conversation, page=2)

    assert [len(page.json["payload"]) for page in (first, second)] == [100, 5]
    assert first.json["meta"] == second.json["meta"] == {"total_count": 105}
    assert (await attached(api, conversation, page=3)).json["payload"] == []
    assert len((await attached(api, conversation, page="-1")).json["payload"]) == 100


async def test_attachments_and_transcripts_are_for_those_who_may_open_it(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi")
    conversation = await given.conversation(inbox=inbox)
    stranger = (await given.another_account()).api

    async def statuses(door: Api, number: Any = conversation["id"]) -> list[int]:
        path = f"/conversations/{number}"
        sent = await door.post(f"{path}/transcript", {"email": "rosa@example.net"})
        return [(await door.get(f"{path}/attachments")).status, sent.status]

    assert await statuses(api.acting_as(ana)) == [200, 200]
    for door in (api.acting_as(davi), api.acting_as(await given.bot()), api.acting_as(None)):
        assert await statuses(door) == [401, 401]
    assert await statuses(stranger) == await statuses(api, 999_999) == [404, 404]


async def test_a_transcript_has_what_people_said_in_public(api: Api, given: Given, mailbox: Mailbox) -> None:
    inbox, rosa = await given.inbox("Loja"), await given.contact("Rosa <Lind>")
    conversation = await given.conversation(inbox=inbox, contact=rosa)
    address = f"{tokens.random_token(10).lower()}@example.net"
    await given.message(conversation, "Where is <my> parcel?", message_type="incoming")
    await given.message(conversation, "she is always late", private=True)
    await given.message(conversation, "On its way")
    await attach(api, conversation, "label.png")
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
    await given.message(conversation, "How was it?", message_type="template")

    reply = await api.post(f"/conversations/{conversation['id']}/transcript", {"email": f" {address} "})
    await given.worked()

    (mail,) = mailbox.of(address)
    assert (reply.status, reply.body) == (200, b"")
    assert mail["Subject"] == f"[#{conversation['id']}] Transcript of your conversation with Loja"
    paragraphs = text_of(mail).strip().split("\n\n")
    assert paragraphs[0] == f"Conversation #{conversation['id']} of Rosa <Lind> with Loja"
    said = [tuple(paragraph.split("\n")) for paragraph in paragraphs[1:]]
    assert [(head.split(",")[0], body) for head, body in said] == [
        ("Rosa <Lind>", "Where is <my> parcel?"),
        ("Beatriz", "On its way"),
        ("Beatriz", "[label.png]"),
    ]
    page = mail.get_body(("html",))
    assert page is not None
    assert "Where is &lt;my&gt; parcel?" in page.get_content()


async def test_a_transcript_asked_for_once_is_sent_once(api: Api, given: Given, mailbox: Mailbox) -> None:
    conversation = await given.conversation(message={"content": "Olá!"})
    address = f"{tokens.random_token(10).lower()}@example.net"
    await api.post(f"/conversations/{conversation['id']}/transcript", {"email": address})

    async with given.world.parts.database.transaction() as tx:
        await have_transcripts_sent(tx, await given.emitted(TranscriptRequested))
    await given.worked()

    assert len(mailbox.of(address)) == 1


@pytest.mark.parametrize(
    "body", [{}, {"email": ""}, {"email": None}, {"email": "rosa"}, {"email": ["rosa@example.net"]}, {"email": "a@b c"}]
)
async def test_a_transcript_goes_to_an_address(api: Api, given: Given, body: dict[str, Any]) -> None:
    conversation = await given.conversation()

    reply = await api.post(f"/conversations/{conversation['id']}/transcript", body)

    assert reply.status == 422
    assert set(reply.json) == {"error"}
    assert await given.emitted(TranscriptRequested) == []


async def test_without_a_mail_server_no_word_of_it_is_logged(
    api: Api, given: Given, world: Any, mailbox: Mailbox
) -> None:
    conversation = await given.conversation(message={"content": "the secret of Rosa"})
    await api.post(f"/conversations/{conversation['id']}/transcript", {"email": "nobody@example.net"})
    (event,) = await given.emitted(TranscriptRequested)
    parts = world.parts
    context = JobContext(
        database=parts.database, outside=parts.outside, files=parts.files, settings=Settings(smtp_url=None)
    )

    with capture_logs() as logs:
        await send_transcript(context, Transcript(given.account_id, event.snapshot.conversation_id, event.email))

    assert [entry["event"] for entry in logs] == ["transcript_not_sent"]
    assert "secret" not in str(logs)
    assert "nobody" not in str(logs)


async def test_of_a_conversation_that_is_gone_nothing_is_sent(api: Api, given: Given, mailbox: Mailbox) -> None:
    conversation = await given.conversation(message={"content": "Olá!"})
    address = f"{tokens.random_token(10).lower()}@example.net"
    await api.post(f"/conversations/{conversation['id']}/transcript", {"email": address})
    await api.delete(f"/conversations/{conversation['id']}")

    await given.worked()

    assert mailbox.of(address) == []


async def test_a_long_conversation_is_sent_from_its_beginning(
    api: Api, given: Given, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("criachat.messages.jobs.RUN", 2)
    monkeypatch.setattr("criachat.messages.jobs.MOST_MAIL_BYTES", 450)
    conversation = await given.conversation()
    address = f"{tokens.random_token(10).lower()}@example.net"
    for number in range(1, 8):
        await given.message(conversation, f"line {number}")

    await api.post(f"/conversations/{conversation['id']}/transcript", {"email": address})
    await given.worked()

    (mail,) = mailbox.of(address)
    text = text_of(mail)
    assert "line 1" in text
    assert "line 7" not in text
    assert text.strip().endswith("The conversation is longer; this is its beginning.")
