"""Messages of the Application API, key by key as their contract says."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, LiteralString

import pytest
from harness import BASE_URL, Api, Given, Reply
from pushes import BOT
from pushes import NAMELESS_CONTACT as CONTACT
from pushes import PRESENT_USER as USER
from shapes import iso, misfits, one_of, unix

text_or_null = one_of(str, None)
number_or_null = one_of(int, None)

SENDER = one_of(CONTACT, USER, BOT)

ATTACHMENT: dict[str, Any] = {"id": int, "message_id": int, "file_type": str, "account_id": int}
MEDIA: dict[str, Any] = {
    **ATTACHMENT,
    "file_type": one_of("image", "video", "file", "share", "story_mention", "ig_reel", "ig_post", "ig_story"),
    "extension": text_or_null,
    "data_url": str,
    "thumb_url": str,
    "file_size": number_or_null,
    "width": number_or_null,
    "height": number_or_null,
}
AUDIO: dict[str, Any] = {**MEDIA, "file_type": "audio", "transcribed_text": str}
LOCATION: dict[str, Any] = {
    **ATTACHMENT,
    "file_type": "location",
    "coordinates_lat": float,
    "coordinates_long": float,
    "fallback_title": text_or_null,
    "data_url": text_or_null,
}
FALLBACK: dict[str, Any] = {**ATTACHMENT, "file_type": "fallback", "fallback_title": text_or_null, "data_url": str}
CARD: dict[str, Any] = {**ATTACHMENT, "file_type": "contact", "fallback_title": text_or_null, "meta": dict}
EMBED: dict[str, Any] = {**ATTACHMENT, "file_type": "embed", "data_url": str}

MESSAGE: dict[str, Any] = {
    "id": int,
    "content": text_or_null,
    "inbox_id": int,
    "conversation_id": int,
    "message_type": one_of(0, 1, 2, 3),
    "content_type": str,
    "status": one_of("sent", "delivered", "read", "failed"),
    "content_attributes": dict,
    "created_at": unix,
    "private": bool,
    "source_id": text_or_null,
    "sender?": SENDER,
    "attachments?": [one_of(MEDIA, AUDIO, LOCATION, FALLBACK, CARD, EMBED)],
}
THREAD: dict[str, Any] = {
    "meta": {
        "labels": [str],
        "additional_attributes": dict,
        "contact": CONTACT,
        "assignee?": USER,
        "agent_last_seen_at": one_of(iso, None),
        "assignee_last_seen_at": one_of(iso, None),
    },
    "payload": [MESSAGE],
}
MESSAGE_EVENT: dict[str, Any] = {
    **MESSAGE,
    "account_id": int,
    "updated_at": iso,
    "sender_type": one_of("User", "Contact", "AgentBot", None),
    "sender_id": number_or_null,
    "external_source_ids": dict,
    "additional_attributes": dict,
    "processed_message_content": text_or_null,
    "sentiment": {},
    "conversation": {
        "assignee_id": number_or_null,
        "unread_count": int,
        "last_activity_at": unix,
        "contact_inbox": {"source_id": str},
    },
}
UPLOAD: dict[str, Any] = {"file_url": str, "blob_id": str}
ANNOUNCED: dict[str, Any] = {
    "id": int,
    "key": str,
    "filename": str,
    "content_type": str,
    "metadata": dict,
    "service_name": str,
    "byte_size": int,
    "checksum": str,
    "created_at": iso,
    "signed_id": str,
    "direct_upload": {"url": str, "headers": {"Content-Type": str, "Content-MD5": str}},
}
REFUSED: dict[str, Any] = {"error": str}
SIGNED_OUT: dict[str, Any] = {"errors": [str]}

GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff;"
MP3 = b"ID3\x03\x00\x00\x00\x00\x00\x00" + b"\0" * 200


def fits(reply: Reply, shape: Any, *, status: int = 200) -> Any:
    """The body, which is as the contract says, with this status and as JSON."""
    assert reply.status == status, (reply.status, reply.body)
    assert reply.headers["content-type"].startswith("application/json")
    assert misfits(reply.json, shape) == []
    return reply.json


def path_of(conversation: dict[str, Any]) -> str:
    return f"/conversations/{conversation['id']}/messages"


async def test_create(api: Api, given: Given) -> None:
    bot = await given.bot()
    path = path_of(await given.conversation())
    files = [("attachments[]", ("a.gif", GIF, "image/gif")), ("attachments[]", ("a.mp3", MP3, "audio/mpeg"))]

    outgoing = fits(await api.post(path, {"content": "Olá!", "echo_id": "c1"}), {**MESSAGE, "echo_id": "c1"})
    incoming = fits(await api.post(path, {"content": "Oi", "message_type": "incoming"}), MESSAGE)
    of_bot = fits(await api.acting_as(bot).post(path, {"content": "Oi", "private": True}), MESSAGE)
    with_files = fits(await api.call("POST", path, data={"content": "Veja"}, files=files), MESSAGE)

    assert misfits(outgoing["sender"], USER) == misfits(incoming["sender"], CONTACT) == []
    assert misfits(of_bot["sender"], BOT) == []
    assert [misfits(each, shape) for each, shape in zip(with_files["attachments"], (MEDIA, AUDIO), strict=True)] == [
        [],
        [],
    ]
    assert "attachments" not in outgoing
    assert "echo_id" not in incoming


async def test_list(api: Api, given: Given) -> None:
    inbox = await given.inbox(greeting_enabled=True, greeting_message="Oi!")
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)
    empty = fits(await api.get(path_of(conversation)), THREAD)
    await api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": ana.id})
    await api.acting_as(ana).post(f"/conversations/{conversation['id']}/update_last_seen")
    await given.message(conversation, "Olá!", message_type="incoming")
    await given.relayed()
    await given.message(conversation, "Só nós", private=True)

    thread = fits(await api.get(path_of(conversation)), THREAD)

    assert empty["payload"] == []
    assert {"assignee", "agent_last_seen_at"} <= set(thread["meta"])
    assert {message["message_type"] for message in thread["payload"]} == {0, 1, 2, 3}
    assert "sender" not in next(each for each in thread["payload"] if each["message_type"] == 3)


async def test_update_and_delete(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    said = await given.message(conversation)
    path = f"{path_of(conversation)}/{said['id']}"

    for method in ("PATCH", "PUT"):
        reported = fits(await api.call(method, path, json={"status": "failed", "external_error": "x"}), MESSAGE)
    deleted = fits(await api.delete(path), MESSAGE)

    assert (reported["status"], reported["content_attributes"]) == ("failed", {"external_error": "x"})
    assert deleted["content_attributes"] == {"deleted": True}


async def test_retry_and_translate(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    said = await given.message(conversation)
    path = f"{path_of(conversation)}/{said['id']}"
    await api.patch(path, {"status": "failed", "external_error": "x"})

    retried = fits(await api.post(f"{path}/retry"), MESSAGE)
    translated = fits(
        await api.post(f"{path}/translate", {"target_language": "pt_BR"}), {"content": None, "error": str}
    )

    assert (retried["status"], translated["content"]) == ("sent", None)
    fits(await api.post(f"{path_of(conversation)}/{10**9}/retry"), REFUSED, status=422)
    fits(await api.post(f"{path}/translate"), REFUSED, status=422)
    fits(await api.post(f"{path_of(conversation)}/{10**9}/translate", {"target_language": "pt"}), REFUSED, status=404)


async def test_upload(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    sent = fits(await api.call("POST", "/upload", files={"attachment": ("a.gif", GIF, "image/gif")}), UPLOAD)
    said = fits(await api.post(path_of(conversation), {"attachments": [sent["blob_id"]]}), MESSAGE)

    assert misfits(said["attachments"], [MEDIA]) == []
    fits(await api.post("/upload"), REFUSED, status=422)
    fits(await api.acting_as(await given.bot()).post("/upload"), REFUSED, status=401)


async def test_direct_upload(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}/direct_uploads"
    checksum = base64.b64encode(hashlib.md5(GIF, usedforsecurity=False).digest()).decode()
    blob = {"filename": "a.gif", "byte_size": len(GIF), "checksum": checksum, "content_type": "image/gif"}

    told = fits(await api.post(path, {"blob": {**blob, "metadata": {}}}), ANNOUNCED)
    direct = told["direct_upload"]
    arrived = await api.call("PUT", direct["url"].removeprefix(BASE_URL), content=GIF, headers=direct["headers"])
    said = fits(await api.post(path_of(conversation), {"attachments": [told["signed_id"]]}), MESSAGE)

    assert (arrived.status, arrived.body) == (204, b"")
    assert misfits(said["attachments"], [MEDIA]) == []
    fits(await api.post(path, {"blob": {}}), REFUSED, status=422)
    fits(await api.post("/conversations/999999999/direct_uploads", {"blob": blob}), REFUSED, status=404)
    fits(await api.acting_as(await given.bot()).post(path, {"blob": blob}), REFUSED, status=401)


async def test_messages_inside_conversations(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    files = [("attachments[]", ("a.gif", GIF, "image/gif"))]
    await api.call("POST", path_of(conversation), data={"content": "Veja"}, files=files)

    shown = (await api.get(f"/conversations/{conversation['id']}")).json

    assert misfits(shown["messages"], [MESSAGE_EVENT]) == []
    assert misfits(shown["last_non_activity_message"], MESSAGE_EVENT) == []
    assert shown["messages"][0]["sender_type"] == "User"


@pytest.mark.parametrize(
    ("file_type", "shape"),
    [
        ("image", MEDIA),
        ("audio", AUDIO),
        ("video", MEDIA),
        ("file", MEDIA),
        ("location", LOCATION),
        ("fallback", FALLBACK),
        ("share", MEDIA),
        ("story_mention", MEDIA),
        ("contact", CARD),
        ("ig_reel", MEDIA),
        ("ig_post", MEDIA),
        ("ig_story", MEDIA),
        ("embed", EMBED),
    ],
)
async def test_attachments_of_every_type(api: Api, given: Given, file_type: str, shape: Any) -> None:
    # Only channels bring the others, so one that was uploaded is made into each.
    conversation = await given.conversation()
    await api.call("POST", path_of(conversation), files=[("attachments[]", ("a.gif", GIF, "image/gif"))])
    change: LiteralString = """
    UPDATE attachments SET file_type = $2, external_url = 'https://x.example/a', coordinates_lat = 38.7,
        coordinates_long = -9.1, fallback_title = '+351910000000', meta = '{"first_name": "Noa"}'
    WHERE account_id = $1
    """
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(change, given.account_id, file_type)

    (message,) = fits(await api.get(path_of(conversation)), THREAD)["payload"]

    assert misfits(message["attachments"], [shape]) == []


async def test_refusals(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    conversation = await given.conversation(inbox=inbox)
    said = await given.message(conversation)
    path, body = path_of(conversation), {"content": "Olá!"}
    outsider, bot = api.acting_as(await given.agent("Caio")), api.acting_as(await given.bot())
    nobody, elsewhere = api.acting_as(None), path_of({"id": 10**9})

    fits(await nobody.get(path), SIGNED_OUT, status=401)
    fits(await nobody.post(path, body), SIGNED_OUT, status=401)
    for stranger in (outsider, bot):
        fits(await stranger.get(path), REFUSED, status=401)
        fits(await stranger.delete(f"{path}/{said['id']}"), REFUSED, status=401)
        fits(await stranger.patch(f"{path}/{said['id']}"), REFUSED, status=401)
    fits(await outsider.post(path, body), REFUSED, status=401)
    fits(await api.get(elsewhere), REFUSED, status=404)
    fits(await api.post(elsewhere, body), REFUSED, status=404)
    fits(await api.patch(f"{path}/{10**9}"), REFUSED, status=404)
    fits(await api.delete(f"{path}/{10**9}"), REFUSED, status=404)
    for wrong in ({}, {"content": "x" * 150_001}, {"content": []}, {"message_type": "x"}, {"attachments": "x"}):
        fits(await api.post(path, wrong), REFUSED, status=422)
