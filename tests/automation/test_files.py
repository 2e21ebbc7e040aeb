from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from harness import Api, Given

from criachat.kit import clock

PATH = "/automation_rules"


async def upload(api: Api, name: str = "price list.pdf") -> str:
    reply = await api.call("POST", "/upload", files={"attachment": (name, b"%PDF-1.4 prices", "application/pdf")})
    assert reply.status == 200, reply.body
    return reply.json["blob_id"]


def sending(blob: Any) -> dict[str, Any]:
    return {
        "name": "Prices",
        "event_name": "message_created",
        "conditions": [],
        "actions": [{"action_name": "send_attachment", "action_params": [blob]}],
    }


async def is_there(given: Given, rule: Any) -> bool:
    """Whether the rule's file is still to be had, days later."""
    clock.travel(timedelta(days=5))
    await given.world.parts.jobs.drain(ahead=timedelta(days=1))
    reply = await given.api.acting_as(None).get(urlsplit(rule["files"][0]["file_url"]).path)
    return reply.status == 200


async def test_a_file_is_named_by_its_upload_and_kept_by_its_number(api: Api, given: Given) -> None:
    created = await api.post(PATH, sending(await upload(api)))

    assert created.status == 200, created.body
    (file,) = created.json["files"]
    number = file["blob_id"]
    assert created.json["actions"] == [{"action_name": "send_attachment", "action_params": [number]}]
    assert file == {
        "id": number,
        "automation_rule_id": created.json["id"],
        "file_type": "application/pdf",
        "account_id": given.account_id,
        "file_url": file["file_url"],
        "blob_id": number,
        "filename": "price list.pdf",
    }
    assert (await api.get(PATH)).json["payload"] == [created.json]


async def test_a_number_is_taken_where_the_rule_has_that_file_already(api: Api) -> None:
    first = (await api.post(PATH, sending(await upload(api)))).json
    number = first["files"][0]["blob_id"]

    again = await api.patch(f"{PATH}/{first['id']}", sending(number))
    elsewhere = await api.post(PATH, sending(number))

    assert again.json["payload"]["files"] == first["files"]
    assert (elsewhere.status, elsewhere.json) == (422, {"error": "Invalid attachment"})


async def test_the_file_of_another_account_cannot_be_sent(api: Api, given: Given) -> None:
    others = await given.another_account()

    reply = await api.post(PATH, sending(await upload(others.api)))

    assert (reply.status, reply.json) == (422, {"error": "Invalid attachment"})


async def test_a_file_stays_as_long_as_a_rule_sends_it(api: Api, given: Given) -> None:
    rule = (await api.post(PATH, sending(await upload(api)))).json

    assert await is_there(given, rule)


async def test_a_file_goes_with_the_last_rule_that_sends_it(api: Api, given: Given) -> None:
    rule = (await api.post(PATH, sending(await upload(api)))).json
    clone = (await api.post(f"{PATH}/{rule['id']}/clone")).json["payload"]

    await api.delete(f"{PATH}/{rule['id']}")
    stayed = await is_there(given, rule)
    await api.patch(f"{PATH}/{clone['id']}", {"actions": [{"action_name": "resolve_conversation"}]})

    assert stayed
    assert not await is_there(given, rule)


async def test_the_list_of_rules_with_files_is_two_statements(api: Api, given: Given) -> None:
    for _ in range(3):
        assert (await api.post(PATH, sending(await upload(api)))).status == 200

    with given.queries(at_most=2):
        assert len((await api.get(PATH)).json["payload"]) == 3
