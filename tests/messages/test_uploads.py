"""Files that are sent ahead of the messages that carry them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from apps import PNG, open_app
from harness import Api, Given, Reply, build_world
from receivers import Receiver, Say
from stores import files_of, swept

from criachat.kit import clock
from criachat.messages.operations.uploads import hold_uploads, release_uploads

PATH = "/upload"


async def upload(api: Api, content: bytes = PNG, name: str = "a.png") -> Any:
    reply = await api.call("POST", PATH, files={"attachment": (name, content, "image/png")})
    assert reply.status == 200, reply.body
    return reply.json


async def say(api: Api, conversation: Any, *signed_ids: str) -> Reply:
    return await api.post(f"/conversations/{conversation['id']}/messages", {"attachments": signed_ids})


async def opened(api: Api, url: str) -> Reply:
    """What a browser without any token gets under an address."""
    return await api.acting_as(None).get(urlsplit(url).path)


async def test_a_file_sent_ahead_can_be_opened_and_is_known_by_its_signed_id(api: Api, given: Given) -> None:
    ana = api.acting_as(await given.agent("Ana"))

    sent = await upload(ana)

    assert list(sent) == ["file_url", "blob_id"]
    assert sent["file_url"].endswith(f"{sent['blob_id']}/a.png")
    shown = await opened(api, sent["file_url"])
    assert (shown.status, shown.body, shown.headers["content-type"]) == (200, PNG, "image/png")


async def test_each_message_that_names_it_carries_a_copy_that_goes_with_it(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    blob_id = (await upload(api))["blob_id"]

    first, second = await say(api, conversation, blob_id), await say(api, conversation, blob_id, blob_id)
    await api.delete(f"/conversations/{conversation['id']}/messages/{first.json['id']}")
    await swept(given, timedelta(hours=2))

    assert [len(each.json["attachments"]) for each in (first, second)] == [1, 2]
    shown = first.json["attachments"][0]
    assert (shown["file_type"], shown["file_size"], shown["width"], shown["height"]) == ("image", len(PNG), 2, 3)
    gone = await opened(api, shown["data_url"])
    kept = [await opened(api, each["data_url"]) for each in second.json["attachments"]]
    assert gone.status == 404
    assert [(each.status, each.body) for each in kept] == [(200, PNG)] * 2
    assert files_of(given) == [PNG] * 3


async def test_one_that_nothing_names_goes_after_some_days_and_one_that_is_held_stays(api: Api, given: Given) -> None:
    held, let_go, unused = [await upload(api, PNG + bytes([at])) for at in range(3)]
    files = given.world.parts.files
    ids = [blob.id for each in (held, let_go) if (blob := files.verify(each["blob_id"], purpose="upload"))]
    async with given.world.parts.database.transaction() as tx:
        assert await hold_uploads(tx, given.account_id, ids)
        assert not await hold_uploads(tx, given.account_id, [*ids, 10**12])
        assert not await hold_uploads(tx, (await given.another_account()).account_id, ids)
        await release_uploads(tx, given.account_id, ids[1:])

    await swept(given, timedelta(days=2))
    early = files_of(given)
    await swept(given, timedelta(days=2))

    assert early == [PNG + bytes([at]) for at in range(3)]
    assert files_of(given) == [PNG + b"\x00"]
    assert (await opened(api, unused["file_url"])).status == 404


async def test_a_file_is_fetched_from_an_address(api: Api, given: Given, receiver: Receiver) -> None:
    receiver.always_answers(Say(body=PNG, headers={"Content-Type": "image/png"}))

    reply = await api.post(PATH, {"external_url": f"{receiver.url}/pic%20ture.png?size=2"})
    said = await say(api, await given.conversation(), reply.json["blob_id"])

    assert reply.status == 200, reply.body
    assert reply.json["file_url"].endswith("/pic%20ture.png")
    assert said.json["attachments"][0]["file_type"] == "image"
    assert [each.path for each in receiver.told] == ["/hook/pic%20ture.png?size=2"]


@pytest.mark.parametrize("answer", [404, 302, 500])
async def test_what_cannot_be_fetched_is_refused(api: Api, given: Given, receiver: Receiver, answer: int) -> None:
    receiver.always_answers(answer)

    reply = await api.post(PATH, {"external_url": receiver.url})

    assert (reply.status, reply.json) == (422, {"error": "The file could not be fetched from external_url"})
    assert files_of(given) == []


@pytest.mark.parametrize("url", ["ftp://x.example/a", "http://", "x", "http://10.0.0.1/a", "http://[::1]:1/"])
async def test_addresses_that_are_none_or_private_are_not_asked(api: Api, url: str) -> None:
    reply = await api.post(PATH, {"external_url": url})

    assert (reply.status, reply.json) == (422, {"error": "The file could not be fetched from external_url"})


async def test_a_file_past_the_limit_is_refused(given: Given, receiver: Receiver, tmp_path: Path) -> None:
    large = b"x" * (1024 * 1024 + 1)
    receiver.always_answers(Say(body=large))
    async with build_world(given.world.parts.database.url, tmp_path, maximum_file_upload_mb=1) as world:
        api = Api(world, given.account_id, given.boss.token)

        sent = await api.call("POST", PATH, files={"attachment": ("a.bin", large, "image/png")})
        fetched = await api.post(PATH, {"external_url": receiver.url})

    assert (sent.status, sent.json) == (413, {"error": "The file is too large"})
    assert (fetched.status, list(fetched.json)) == (422, ["error"])


@pytest.mark.parametrize("body", [{}, {"external_url": ""}, {"external_url": None}, {"attachment": ""}])
async def test_without_a_file_there_is_nothing_to_keep(api: Api, body: dict[str, Any]) -> None:
    reply = await api.post(PATH, body)

    assert (reply.status, reply.json) == (422, {"error": "attachment or external_url is missing"})


@pytest.mark.parametrize("attachment", [7, {"a": 1}, ["a"], "a-signed-id"])
async def test_what_is_no_file_is_refused(api: Api, attachment: Any) -> None:
    assert (await api.post(PATH, {"attachment": attachment})).status == 422


async def test_signed_ids_of_another_account_forged_and_expired_ones_are_refused(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    theirs = (await upload((await given.another_account()).api))["blob_id"]
    mine = (await upload(api))["blob_id"]
    message = await say(api, conversation, mine)
    of_message = urlsplit(message.json["attachments"][0]["data_url"]).path.split("/")[-2]

    for signed_id in (theirs, mine[:-1] + ("0" if mine[-1] != "0" else "1"), of_message, "", "--", "²"):
        reply = await say(api, conversation, mine, signed_id)
        assert (reply.status, list(reply.json)) == (422, ["error"])
    clock.travel(timedelta(days=2))
    assert (await say(api, conversation, mine)).status == 422


async def test_people_of_the_account_upload_and_nobody_else(api: Api, given: Given) -> None:
    others = await given.another_account()
    callers = [api.acting_as(await given.bot()), api.acting_as(None), others.api.in_account(given.account_id)]

    replies = [await each.call("POST", PATH, files={"attachment": ("a.png", PNG, "image/png")}) for each in callers]

    assert [reply.status for reply in replies] == [401] * 3
    assert files_of(given) == []


async def test_a_contact_may_name_a_file_that_was_uploaded_for_them(api: Api, given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    blob_id = (await upload(api))["blob_id"]

    reply = await app.post(f"/conversations/{conversation['id']}/messages", {"attachments": [blob_id]})

    assert [each["file_type"] for each in reply.json["attachments"]] == ["image"]
