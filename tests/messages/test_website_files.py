"""Which files go to the visitors of a website."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given, Reply

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\n" + b"\x00" * 64
MP3 = b"ID3\x03\x00\x00\x00\x00\x00\x21TIT2" + b"\xff\xfb\x90\x64" * 64
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
ZIP = b"PK\x03\x04" + b"\x00" * 64
PROGRAM = b"MZ\x90\x00" + b"\x00" * 300
PAGE = b"<html><script>alert(1)</script></html>"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


async def on_a_website(given: Given) -> Any:
    channel = {"type": "web_widget", "website_url": "https://loja.example"}
    return await given.conversation(inbox=await given.inbox("Site", channel=channel))


async def send(api: Api, conversation: Any, name: str, content: bytes, declared: str = "text/plain") -> Reply:
    files = [("attachments[]", (name, content, declared))]
    return await api.call("POST", f"/conversations/{conversation['id']}/messages", files=files)


@pytest.mark.parametrize(
    ("name", "content", "declared"),
    [
        ("photo.gif", GIF, "image/gif"),
        ("voice.mp3", MP3, "audio/mpeg"),
        ("order.pdf", PDF, "application/pdf"),
        ("list.csv", b"a,b\n1,2\n", "text/csv"),
        ("list.txt", b"one\n", "text/plain"),
        ("list.json", b"[1]", "application/json"),
        ("list.zip", ZIP, "application/zip"),
        ("list.docx", ZIP, WORD),
        ("list.rtf", b"{\\rtf1 one}", "text/rtf"),
    ],
)
async def test_pictures_sounds_and_documents_go_there(
    api: Api, given: Given, name: str, content: bytes, declared: str
) -> None:
    reply = await send(api, await on_a_website(given), name, content, declared)

    assert reply.status == 200, reply.body
    assert len(reply.json["attachments"]) == 1


@pytest.mark.parametrize(
    ("name", "content", "declared"),
    [
        ("photo.gif", PROGRAM, "image/gif"),
        ("photo.gif", PAGE, "image/gif"),
        ("setup.exe", PROGRAM, "application/x-msdownload"),
        ("page.html", PAGE, "text/html"),
        ("nothing.bin", b"\x00\x01\x02", "application/octet-stream"),
    ],
)
async def test_programs_and_pages_do_not_whatever_they_are_called(
    api: Api, given: Given, name: str, content: bytes, declared: str
) -> None:
    conversation = await on_a_website(given)

    refused = await send(api, conversation, name, content, declared)
    elsewhere = await send(api, await given.conversation(), name, content, declared)

    assert (refused.status, refused.json) == (
        422,
        {"error": "Validation failed: Attachments of this type are not sent to websites"},
    )
    assert (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"] == []
    assert elsewhere.status == 200


async def test_the_first_message_of_a_conversation_is_looked_at_too(api: Api, given: Given) -> None:
    known = await on_a_website(given)
    place = {"inbox_id": known["inbox_id"], "contact_id": known["meta"]["sender"]["id"]}

    reply = await api.call(
        "POST",
        "/conversations",
        data={**{name: str(number) for name, number in place.items()}, "message[content]": "Veja!"},
        files=[("message[attachments][]", ("setup.exe", PROGRAM, "application/x-msdownload"))],
    )

    assert (reply.status, reply.json) == (
        422,
        {"message": "Attachments of this type are not sent to websites", "attributes": ["attachments"]},
    )
