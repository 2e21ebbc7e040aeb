from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from harness import Api, Given, Reply, build_world
from stores import files_of, folder_of, swept

from criachat.kit import clock
from criachat.messages.events import MessageCreated, MessageUpdated

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\n" + b"\x00" * 64
PAGE = b"<html><script>alert(1)</script></html>"
MP3 = b"ID3\x03\x00\x00\x00\x00\x00\x21TIT2" + b"\xff\xfb\x90\x64" * 64
MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + b"\x00" * 64


def png(width: int = 3, height: int = 2) -> bytes:
    """A picture that any viewer opens."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\x00" + b"\x40\x80\xc0" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


Part = tuple[str, tuple[str, bytes, str]]


def part(name: str, content: bytes, declared: str = "application/octet-stream") -> Part:
    return ("attachments[]", (name, content, declared))


def path_of(conversation: dict[str, Any]) -> str:
    return f"/conversations/{conversation['id']}/messages"


async def send(api: Api, conversation: dict[str, Any], parts: Sequence[Part], **fields: Any) -> Reply:
    return await api.call("POST", path_of(conversation), files=list(parts), data={"content": "Veja!", **fields})


async def attach(api: Api, given: Given, name: str, content: bytes, declared: str = "text/plain") -> dict[str, Any]:
    """The one attachment of a new message in a new conversation."""
    reply = await send(api, await given.conversation(), [part(name, content, declared)])
    assert reply.status == 200, reply.body
    (attachment,) = reply.json["attachments"]
    return attachment


async def shown(api: Api, url: str, **options: Any) -> Reply:
    """What a browser without any token gets under an address."""
    return await api.acting_as(None).get(urlsplit(url).path, **options)


async def test_a_picture_is_shown_whole(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    reply = await send(api, conversation, [part("Foto da loja.PNG", png(800, 600), "image/png")], echo_id="c1")

    assert reply.status == 200
    (attachment,) = reply.json["attachments"]
    assert attachment == {
        "id": attachment["id"],
        "message_id": reply.json["id"],
        "file_type": "image",
        "account_id": given.account_id,
        "extension": None,
        "data_url": attachment["data_url"],
        "thumb_url": attachment["thumb_url"],
        "file_size": len(png(800, 600)),
        "width": 800,
        "height": 600,
    }
    assert attachment["data_url"].startswith("http://criachat.test/rails/active_storage/blobs/redirect/")
    assert attachment["data_url"].endswith("/Foto%20da%20loja.PNG")
    assert attachment["thumb_url"].startswith("http://criachat.test/rails/active_storage/representations/redirect/")
    listed = (await api.get(path_of(conversation))).json["payload"][0]
    assert listed["attachments"] == [attachment]
    (event,) = await given.emitted(MessageCreated)
    (snapshot,) = event.snapshot.message.attachments
    assert (snapshot.id, snapshot.filename, snapshot.width) == (attachment["id"], "Foto da loja.PNG", 800)


@pytest.mark.parametrize(
    ("name", "content", "declared", "file_type"),
    [
        ("a.png", png(), "application/octet-stream", "image"),
        ("a.mp3", MP3, "audio/mpeg", "audio"),
        ("a.mp4", MP4, "video/mp4", "video"),
        ("a.pdf", PDF, "application/pdf", "file"),
        ("a.svg", b"<svg xmlns='x'><script/></svg>", "image/svg+xml", "file"),
        ("a.png", PAGE, "image/png", "file"),
        ("a.txt", b"Lista de compras", "text/plain", "file"),
        ("a", b"", "image/png", "file"),
    ],
)
async def test_the_kind_of_a_file_is_told_by_its_bytes(
    api: Api, given: Given, name: str, content: bytes, declared: str, file_type: str
) -> None:
    attachment = await attach(api, given, name, content, declared)

    assert attachment["file_type"] == file_type
    assert attachment["file_size"] == len(content)
    assert bool(attachment["thumb_url"]) is (file_type == "image")
    assert ("transcribed_text" in attachment) is (file_type == "audio")
    assert (await shown(api, attachment["data_url"])).body == content


async def test_a_message_may_be_files_alone_up_to_fifteen(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    parts = [part(f"{number}.txt", b"%d" % number) for number in range(16)]

    fifteen = await send(api, conversation, parts[:15], content="")
    sixteen = await send(api, conversation, parts)

    assert fifteen.status == 200
    sizes = [each["data_url"].rsplit("/", 1)[-1] for each in fifteen.json["attachments"]]
    assert sizes == [f"{number}.txt" for number in range(15)]
    assert (sixteen.status, sixteen.json) == (
        422,
        {"error": "Validation failed: A message takes 15 attachments at most"},
    )
    assert len(files_of(given)) == 15


async def test_a_bridge_sends_attributes_as_text_beside_its_files(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    asked = await given.message(conversation, source_id="WAID:3E")

    reply = await send(
        api,
        conversation,
        [part("photo.jpg", b"\xff\xd8\xff\xe0" + b"\x00" * 64, "image/jpeg")],
        message_type="incoming",
        source_id="WAID:3EB0A1",
        content_attributes='{"in_reply_to_external_id":"WAID:3E"}',
        source_reply_id="7",
    )

    assert reply.status == 200
    assert (reply.json["message_type"], reply.json["source_id"]) == (0, "WAID:3EB0A1")
    assert reply.json["content_attributes"] == {"in_reply_to": asked["id"], "in_reply_to_external_id": "WAID:3E"}
    assert reply.json["attachments"][0]["file_type"] == "image"


async def test_a_field_in_which_no_file_was_chosen_is_no_file(api: Api, given: Given) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="content"\r\n\r\nOi\r\n'
        b'--x\r\nContent-Disposition: form-data; name="attachments[]"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    reply = await api.call("POST", path_of(await given.conversation()), content=body, headers=headers)

    assert reply.status == 200
    assert "attachments" not in reply.json


async def test_one_file_without_brackets_is_refused(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    reply = await send(api, conversation, [("attachments", ("a.txt", b"a", "text/plain"))])

    assert (reply.status, reply.json) == (422, {"error": "Attachments must be a list of files"})


# Under which address, and how it is shown


@pytest.mark.parametrize(
    ("name", "content", "disposition", "content_type"),
    [
        ("a.png", png(), "inline", "image/png"),
        ("a.mp3", MP3, "inline", "audio/mpeg"),
        ("a.mp4", MP4, "inline", "video/mp4"),
        ("a.pdf", PDF, "inline", "application/pdf"),
        ("a.html", PAGE, "attachment", "application/octet-stream"),
        ("a.svg", b"<svg xmlns='x'><script/></svg>", "attachment", "application/octet-stream"),
        ("a.png", PAGE, "attachment", "application/octet-stream"),
        ("a.txt", b"Lista", "attachment", "text/plain"),
    ],
)
async def test_only_what_is_harmless_opens_in_a_browser(
    api: Api, given: Given, name: str, content: bytes, disposition: str, content_type: str
) -> None:
    attachment = await attach(api, given, name, content)

    reply = await shown(api, attachment["data_url"])

    assert (reply.status, reply.body) == (200, content)
    assert reply.headers["content-type"] == content_type
    assert reply.headers["content-disposition"].split(";")[0] == disposition
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-length"] == str(len(content))


@pytest.mark.parametrize("name", ["../../etc/passwd", 'a"; evil="x.png', "a\r\nX: y.png", "ação.png", ".", "x" * 500])
async def test_a_name_never_becomes_a_path_or_a_header(api: Api, given: Given, name: str) -> None:
    attachment = await attach(api, given, name, png())

    reply = await shown(api, attachment["data_url"])

    assert reply.status == 200
    assert "x" not in reply.headers
    assert files_of(given) == [png()]
    assert not any("passwd" in path.name for path in folder_of(given).rglob("*"))


async def test_a_forged_or_expired_address_shows_nothing(api: Api, given: Given) -> None:
    attachment = await attach(api, given, "a.png", png())
    url = attachment["data_url"]
    signed = urlsplit(url).path.split("/")[-2]
    payload, signature = signed.split("--")

    forged = [
        await shown(api, url.replace(signature, signature[:-1] + ("0" if signature[-1] != "0" else "1"))),
        await shown(api, url.replace(payload, payload[:-2] + "AA")),
        await shown(api, url.replace(signed, "x")),
    ]
    in_time = await shown(api, url)
    clock.travel(timedelta(days=61))
    late = await shown(api, url)

    assert [reply.status for reply in forged] == [404] * 3
    assert (in_time.status, late.status) == (200, 404)


async def test_an_address_lasts_a_month_at_least(api: Api, given: Given) -> None:
    attachment = await attach(api, given, "a.png", png())

    clock.travel(timedelta(days=30, seconds=-1))

    assert (await shown(api, attachment["data_url"])).status == 200
    assert (await shown(api, attachment["thumb_url"])).body == png()


@pytest.mark.parametrize(
    ("asked", "status", "part", "content_range"),
    [
        ("bytes=0-1", 206, b"01", "bytes 0-1/10"),
        ("bytes=0-", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-100", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-100", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("bytes=10-", 416, None, None),
        ("bytes=5-4", 416, None, None),
        ("bytes=-0", 416, None, None),
    ],
)
async def test_players_get_the_part_they_ask_for(
    api: Api, given: Given, asked: str, status: int, part: bytes | None, content_range: str | None
) -> None:
    attachment = await attach(api, given, "a.txt", b"0123456789")

    reply = await shown(api, attachment["data_url"], headers={"Range": asked})

    assert reply.status == status
    assert reply.headers.get("content-range") == content_range
    if part is not None:
        assert (reply.body, reply.headers["accept-ranges"]) == (part, "bytes")


async def test_a_file_that_is_gone_from_the_store_is_not_found(api: Api, given: Given) -> None:
    attachment = await attach(api, given, "a.txt", b"0123456789")
    for path in folder_of(given).rglob("*.txt"):
        path.unlink()

    assert (await shown(api, attachment["data_url"])).status == 404


# Limits, and what breaks off


async def test_a_file_past_its_limit_is_refused_and_nothing_of_the_message_is_kept(
    given: Given, tmp_path: Path
) -> None:
    async with build_world(given.world.parts.database.url, tmp_path, maximum_file_upload_mb=1) as world:
        small = Api(world, given.account_id, given.boss.token)
        conversation = await given.conversation()
        parts = [part("a.txt", b"a"), part("b.bin", b"b" * (1024 * 1024 + 1))]

        reply = await send(small, conversation, parts)
        fits = await send(small, conversation, [part("c.bin", b"c" * (1024 * 1024))])

        assert (reply.status, reply.json) == (413, {"error": "The file is too large"})
        assert fits.status == 200
        assert [each["id"] for each in (await small.get(path_of(conversation))).json["payload"]] == [fits.json["id"]]
        await swept(Given(world, given.account_id, given.boss))
        assert files_of(Given(world, given.account_id, given.boss)) == [b"c" * (1024 * 1024)]


async def test_a_request_past_its_limit_is_refused_before_it_is_read(given: Given, tmp_path: Path) -> None:
    conversation = await given.conversation()
    async with build_world(given.world.parts.database.url, tmp_path, maximum_request_mb=1) as world:
        for declared in (True, False):
            whole = multipart(("attachments[]", "a.bin", b"y" * 7_000_000))
            chunks = iter([whole[at : at + 65536] for at in range(0, len(whole), 65536)])
            status, read = await call_raw(world, given, conversation, chunks, declared=7_000_000 if declared else None)

            assert status == 413
            assert read <= (0 if declared else 17)


async def test_an_upload_that_breaks_off_leaves_nothing(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    whole = multipart(("content", "Veja!"), ("attachments[]", "a.txt", b"a" * 100_000))

    for length in (len(whole) // 2, len(whole) - 9, 40, 1):
        status, _ = await call_raw(given.world, given, conversation, iter([whole[:length]]), declared=None)
        hung_up, _ = await call_raw(given.world, given, conversation, iter([whole[:length], None]), declared=None)

        assert status == hung_up == 400, length
    assert (await api.get(path_of(conversation))).json["payload"] == []
    assert files_of(given) == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"no boundary here"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken header\r\n\r\na\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a\x00"\r\n\r\n\x00\r\n--x--',
        ),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x--"),
    ],
)
async def test_a_broken_multipart_body_is_refused(api: Api, given: Given, content_type: str, body: bytes) -> None:
    conversation = await given.conversation()

    reply = await api.call("POST", path_of(conversation), content=body, headers={"Content-Type": content_type})

    assert reply.status == 400, reply.body
    assert (await api.get(path_of(conversation))).json["payload"] == []


def multipart(*parts: tuple[str, str] | tuple[str, str, bytes], boundary: str = "x") -> bytes:
    """A multipart body as bytes."""
    body = b""
    for each in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{each[0]}"'
        if len(each) == 3:
            body += f'{head}; filename="{each[1]}"\r\n\r\n'.encode() + each[2] + b"\r\n"
        else:
            body += f"{head}\r\n\r\n{each[1]}\r\n".encode()
    return body + f"--{boundary}--\r\n".encode()


async def call_raw(
    world: Any, given: Given, conversation: Any, chunks: Any, *, declared: int | None
) -> tuple[int, int]:
    """The status of a request whose body arrives in these chunks (None hangs up), and how many of them were read."""
    headers = [
        (b"content-type", b"multipart/form-data; boundary=x"),
        (b"api_access_token", given.boss.token.encode()),
        *([] if declared is None else [(b"content-length", str(declared).encode())]),
    ]
    path = f"/api/v1/accounts/{given.account_id}{path_of(conversation)}"
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers, "client": None}
    sent: list[Any] = []
    read = 0

    async def receive() -> Any:
        nonlocal read
        chunk = next(chunks, b"")
        if chunk is None:
            return {"type": "http.disconnect"}
        read += chunk != b""
        return {"type": "http.request", "body": chunk, "more_body": chunk != b""}

    async def send_back(message: Any) -> None:
        sent.append(message)

    await world.parts.http(scope, receive, send_back)
    return sent[0]["status"], read


# Files and messages live and die together


async def test_files_without_a_message_are_removed_and_others_stay(api: Api, given: Given) -> None:
    outsider = await given.agent("Caio")
    conversation = await given.conversation()
    kept = await send(api, conversation, [part("a.txt", b"kept")])
    refusals = [
        await send(api, conversation, [part("b.txt", b"refused")], content_type="hologram"),
        await send(api.acting_as(outsider), conversation, [part("c.txt", b"forbidden")]),
        await send(api, {"id": conversation["id"] + 1000}, [part("d.txt", b"nowhere")]),
    ]

    await swept(given)
    await swept(given)

    assert kept.status == 200
    assert [reply.status for reply in refusals] == [422, 401, 404]
    assert files_of(given) == [b"kept"]


async def test_a_file_that_cannot_be_removed_keeps_no_other_from_being_removed(api: Api, given: Given) -> None:
    behind = await given.another_account()
    for each in (given, behind):
        for name in (b"first", b"second"):
            await send(each.api, await each.conversation(), [part("a.txt", name)], content_type="hologram")
    stuck = next(path for path in folder_of(given).rglob("*") if path.is_file() and path.read_bytes() == b"first")
    # The store removes files, and no folders.
    stuck.unlink()
    (stuck / "inside").mkdir(parents=True)

    await swept(given)
    left = [*files_of(given), *files_of(behind)]
    (stuck / "inside").rmdir()
    stuck.rmdir()
    stuck.write_bytes(b"first")
    await swept(given)

    assert left == []
    assert files_of(given) == []


async def test_accounts_with_nothing_to_remove_are_not_asked_one_by_one(given: Given) -> None:
    for _ in range(3):
        await given.another_account()
    await swept(given)

    with given.queries(at_most=2):
        await swept(given, timedelta())


async def test_the_files_of_a_message_that_is_taken_back_are_gone(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    said = (await send(api, conversation, [part("a.txt", b"a"), part("b.txt", b"b")])).json
    stays = (await send(api, conversation, [part("c.txt", b"c")])).json

    deleted = await api.delete(f"{path_of(conversation)}/{said['id']}")
    gone = await shown(api, said["attachments"][0]["data_url"])
    await swept(given)

    assert (deleted.status, gone.status) == (200, 404)
    assert "attachments" not in deleted.json
    assert files_of(given) == [b"c"]
    assert (await shown(api, stays["attachments"][0]["data_url"])).body == b"c"
    (event,) = await given.emitted(MessageUpdated)
    assert event.snapshot.message.attachments == []


async def test_the_files_of_an_inbox_that_is_removed_are_gone(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    await send(api, await given.conversation(inbox=inbox), [part("a.txt", b"a")])
    await send(api, await given.conversation(), [part("b.txt", b"b")])

    async with given.world.parts.database.transaction() as tx:
        await tx.execute(
            "DELETE FROM conversations WHERE account_id = $1 AND inbox_id = $2", given.account_id, inbox["id"]
        )
    await swept(given)

    assert files_of(given) == [b"b"]


async def test_a_listing_with_files_takes_no_more_statements(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    for _ in range(5):
        await send(api, conversation, [part("a.png", png(), "image/png")])

    with given.queries(at_most=2):
        reply = await api.get(path_of(conversation))

    assert [len(each["attachments"]) for each in reply.json["payload"]] == [1] * 5
