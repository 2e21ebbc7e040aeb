"""Files in two steps: announced with a token, then put to the address that the answer tells."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from apps import PNG
from harness import BASE_URL, Api, Given, Reply, build_world
from stores import files_of, swept

from criachat.kit import clock

DIFFERS = {"error": "The file is not the one that was announced: its type, its size or its checksum differs"}
PUT = "/rails/active_storage/disk/"
GONE = {"status": 404, "error": "Not Found"}


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def blob(content: bytes = PNG, **fields: Any) -> dict[str, Any]:
    told = {"filename": "a.png", "byte_size": len(content), "checksum": md5(content), "content_type": "image/png"}
    return {"blob": {**told, **fields}}


def path_of(conversation: Any) -> str:
    return f"/conversations/{conversation['id']}/direct_uploads"


def place(url: str) -> str:
    return urlsplit(url).path


async def announced(api: Api, conversation: Any, content: bytes = PNG, **fields: Any) -> Any:
    reply = await api.post(path_of(conversation), blob(content, **fields))
    assert reply.status == 200, reply.body
    return reply.json


async def put(api: Api, told: Any, content: Any = PNG, **headers: str) -> Reply:
    """What a browser without any token sends to the address it was told, with the headers it was told."""
    sent = {**told["direct_upload"]["headers"], **headers}
    return await api.acting_as(None).call("PUT", place(told["direct_upload"]["url"]), content=content, headers=sent)


async def say(api: Api, conversation: Any, *signed_ids: str) -> Reply:
    return await api.post(f"/conversations/{conversation['id']}/messages", {"attachments": signed_ids})


async def shown(api: Api, attachment: Any) -> Reply:
    return await api.acting_as(None).get(place(attachment["data_url"]))


async def test_a_file_is_announced_then_put_and_then_a_message_carries_it(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    ana = api.acting_as(await given.agent("Ana", inbox={"id": conversation["inbox_id"]}))

    told = await announced(ana, conversation, metadata={"width": 2})
    arrived = await put(api, told)
    said = await say(ana, conversation, told["signed_id"])
    opened = await shown(api, said.json["attachments"][0])

    url = told["direct_upload"]["url"]
    assert url.startswith(f"{BASE_URL}/rails/active_storage/disk/")
    assert told == {
        "id": told["id"],
        "key": told["key"],
        "filename": "a.png",
        "content_type": "image/png",
        "metadata": {"width": 2},
        "service_name": "local",
        "byte_size": len(PNG),
        "checksum": md5(PNG),
        "created_at": told["created_at"],
        "signed_id": told["signed_id"],
        "direct_upload": {"url": url, "headers": {"Content-Type": "image/png", "Content-MD5": md5(PNG)}},
    }
    assert (arrived.status, arrived.body) == (204, b"")
    attachment = said.json["attachments"][0]
    assert (attachment["file_type"], attachment["file_size"], attachment["width"]) == ("image", len(PNG), 2)
    assert opened.body == PNG


async def test_announcing_and_taking_a_file_take_few_statements(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await announced(api, conversation)

    with given.queries(at_most=4):
        told = await announced(api, conversation)
    with given.queries(at_most=4):
        await put(api, told)


async def test_a_signed_id_is_unknown_until_its_file_has_come(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    told = await announced(api, conversation)

    early = await say(api, conversation, told["signed_id"])
    await put(api, told)
    late = await say(api, conversation, told["signed_id"])

    assert (early.status, late.status) == (422, 200)
    assert early.json == {"error": "Attachments must be files; this signed id is not known"}


async def test_what_a_file_is_is_told_from_its_bytes(api: Api, given: Given) -> None:
    conversation, page = await given.conversation(), b"<html><script>alert(1)</script></html>"
    told = await announced(api, conversation, page, filename="../../a.png")

    await put(api, told, page)
    said = await say(api, conversation, told["signed_id"])

    opened = await shown(api, said.json["attachments"][0])
    assert told["filename"] == "a.png"
    assert said.json["attachments"][0]["file_type"] == "file"
    assert opened.headers["content-disposition"].startswith("attachment")
    assert opened.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("size", [0, 3_000_000])
async def test_files_of_any_size_arrive_piece_by_piece(api: Api, given: Given, size: int) -> None:
    conversation, content = await given.conversation(), bytes(range(250)) * (size // 250)
    told = await announced(api, conversation, content, content_type="")

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size, 70_000):
            yield content[start : start + 70_000]

    arrived = await put(api, told, pieces())

    assert (arrived.status, told["content_type"]) == (204, "application/octet-stream")
    assert files_of(given) == [content]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (PNG + b"x", {}, 413),
        (PNG[:-1], {}, 422),
        (PNG[:-1] + b"x", {}, 422),
        (b"", {}, 422),
        (PNG, {"Content-Type": "text/html"}, 422),
        (PNG, {"Content-MD5": md5(b"x")}, 422),
    ],
)
async def test_another_file_is_refused_and_the_right_one_taken_after_it(
    api: Api, given: Given, content: bytes, headers: dict[str, str], status: int
) -> None:
    conversation = await given.conversation()
    told = await announced(api, conversation)

    refused = await put(api, told, content, **headers)
    left, named = files_of(given), await say(api, conversation, told["signed_id"])
    arrived = await put(api, told)

    assert (refused.status, left, named.status) == (status, [], 422)
    assert refused.json == ({"error": "The request is too large"} if status == 413 else DIFFERS)
    assert arrived.status == 204


async def test_a_body_of_unknown_length_is_not_read_past_what_was_announced(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    told = await announced(api, conversation)
    asked: list[int] = []

    async def without_end() -> AsyncIterator[bytes]:
        for at in range(1000):
            asked.append(at)
            yield b"x" * 1000

    refused = await put(api, told, without_end())

    assert (refused.status, len(asked) < 1000, files_of(given)) == (413, True, [])


async def test_a_put_that_breaks_off_keeps_nothing_and_may_be_tried_again(api: Api, given: Given) -> None:
    told = await announced(api, await given.conversation())
    direct = told["direct_upload"]
    headers = [(name.lower().encode(), value.encode()) for name, value in direct["headers"].items()]
    scope = {"type": "http", "method": "PUT", "path": place(direct["url"]), "query_string": b"", "headers": headers}
    parts = iter([{"type": "http.request", "body": PNG, "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(parts)

    async def send(message: Any) -> None:
        sent.append(message)

    await given.world.parts.http(scope, receive, send)
    left = files_of(given)
    again = await put(api, told)

    assert (sent[0]["status"], left, again.status) == (400, [], 204)


async def test_the_address_is_good_once(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    told = await announced(api, conversation)

    replies = await asyncio.gather(*[put(api, told) for _ in range(8)])
    late = await put(api, told)

    assert sorted(reply.status for reply in replies) == [204, *[404] * 7]
    assert (late.status, late.json) == (404, GONE)
    assert (await shown(api, (await say(api, conversation, told["signed_id"])).json["attachments"][0])).body == PNG


async def test_the_address_ends_after_some_minutes(api: Api, given: Given) -> None:
    told = await announced(api, await given.conversation())

    clock.travel(timedelta(minutes=31))
    reply = await put(api, told)

    assert (reply.status, reply.json, files_of(given)) == (404, GONE, [])


async def test_a_file_that_takes_too_long_is_not_kept(api: Api, given: Given) -> None:
    told = await announced(api, await given.conversation())

    async def slowly() -> AsyncIterator[bytes]:
        yield PNG[:10]
        clock.travel(timedelta(hours=1, minutes=1))
        yield PNG[10:]

    reply = await put(api, told, slowly())

    assert (reply.status, reply.json, files_of(given)) == (404, GONE, [])


async def test_what_was_announced_and_did_not_come_in_time_leaves_nothing(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    used, unused, died = [await announced(api, conversation) for _ in range(3)]
    await put(api, used)
    # As a process leaves it that dies between storing the bytes and writing down that they have come.
    await given.world.parts.files.put(died["key"], PNG)

    await swept(given)

    async with given.world.parts.database.reading() as db:
        reserved = await db.fetch_value(
            "SELECT count(*) FROM upload_reservations WHERE account_id = $1", given.account_id
        )
        due = await db.fetch_value("SELECT count(*) FROM files_to_remove WHERE account_id = $1", given.account_id)
    assert (reserved, due, files_of(given)) == (0, 0, [PNG])
    assert (await say(api, conversation, used["signed_id"])).status == 200
    assert [(await say(api, conversation, each["signed_id"])).status for each in (unused, died)] == [422, 422]


async def test_a_file_that_no_message_names_goes_after_some_days(api: Api, given: Given) -> None:
    await put(api, await announced(api, await given.conversation()))

    await swept(given, timedelta(days=2))
    early = files_of(given)
    await swept(given, timedelta(days=2))

    assert (early, files_of(given)) == ([PNG], [])


@pytest.mark.parametrize("token", ["", "--", "²", "x--y", "AAAA"])
async def test_forged_addresses_are_not_found(api: Api, given: Given, token: str) -> None:
    told = await announced(api, await given.conversation())
    forged = {**told, "direct_upload": {**told["direct_upload"], "url": f"/rails/active_storage/disk/{token}"}}
    by_signed_id = {**forged, "direct_upload": {**forged["direct_upload"], "url": f"{PUT}{told['signed_id']}"}}

    replies = [await put(api, each) for each in (forged, by_signed_id)]

    assert [(reply.status, reply.json) for reply in replies] == [(404, GONE)] * 2
    assert files_of(given) == []


async def test_a_file_of_another_account_is_not_known_here(api: Api, given: Given) -> None:
    others = await given.another_account()
    told = await announced(others.api, await others.conversation())
    await put(api, told)

    reply = await say(api, await given.conversation(), told["signed_id"])

    assert reply.status == 422


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"filename": " "}, "filename is missing"),
        ({"filename": None}, "filename is invalid: Expected `str`, got `null`"),
        ({"byte_size": -1}, "byte_size must be the number of the file's bytes"),
        ({"byte_size": "many"}, "byte_size is invalid: Expected `int`, got `str`"),
        ({"checksum": "x"}, "checksum must be the MD5 of the file in base64"),
        ({"checksum": "é" * 22 + "=="}, "checksum must be the MD5 of the file in base64"),
        ({"checksum": "A" * 21 + "B=="}, "checksum must be the MD5 of the file in base64"),
        ({"content_type": "png"}, "content_type must name a media type, such as image/png"),
        ({"content_type": "image/png\r\nX: y"}, "content_type must name a media type, such as image/png"),
        ({"metadata": 7}, "metadata is invalid: Expected `object | null`, got `int`"),
    ],
)
async def test_an_announcement_that_says_too_little_is_refused(
    api: Api, given: Given, fields: dict[str, Any], error: str
) -> None:
    reply = await api.post(path_of(await given.conversation()), blob(**fields))

    assert (reply.status, reply.json) == (422, {"error": error})


async def test_a_file_past_the_limit_is_refused_when_it_is_announced(given: Given, tmp_path: Path) -> None:
    conversation = await given.conversation()
    async with build_world(given.world.parts.database.url, tmp_path, maximum_file_upload_mb=1) as world:
        api = Api(world, given.account_id, given.boss.token)

        large = await api.post(path_of(conversation), blob(byte_size=1024 * 1024 + 1))
        huge = await api.post(path_of(conversation), blob(byte_size=2**63 - 1))

    assert (large.status, large.json) == (413, {"error": "The file is too large"})
    assert huge.status == 413


async def test_only_who_may_see_the_conversation_announces_files(api: Api, given: Given) -> None:
    conversation, others = await given.conversation(), await given.another_account()
    outsider, bot = api.acting_as(await given.agent("Caio")), api.acting_as(await given.bot())
    theirs = await others.conversation()
    while theirs["id"] <= conversation["id"]:
        theirs = await others.conversation()

    refused = [await each.post(path_of(conversation), blob()) for each in (outsider, bot, api.acting_as(None))]
    unknown = [await api.post(path_of({"id": each}), blob()) for each in (10**9, theirs["id"], "x")]

    assert [reply.status for reply in refused] == [401] * 3
    assert [(reply.status, reply.json) for reply in unknown] == [(404, {"error": "Resource could not be found"})] * 3
