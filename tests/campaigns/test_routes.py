from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from harness import Api, Given, numbers

from criachat.campaigns import operations, queries
from criachat.campaigns.errors import Completed
from criachat.campaigns.schemas import CampaignParams
from criachat.kit.actors import system

PATH = "/campaigns"
WEBSITE = {"type": "web_widget", "website_url": "https://loja.example"}
KEYS = {"account_id": "1", "application_id": "2", "api_key": "key", "api_secret": "secret"}


def sms() -> dict[str, Any]:
    return {"type": "sms", "phone_number": f"+55119{next(numbers):08d}", "provider_config": KEYS}


async def website(given: Given) -> Any:
    return await given.inbox("Loja", channel=WEBSITE)


async def campaign(given: Given, inbox: Any, **fields: Any) -> Any:
    body = {"title": "Spring offer", "message": "20% off until Friday", "inbox_id": inbox["id"], **fields}
    reply = await given.api.post(PATH, body)
    assert reply.status == 200, reply.body
    return reply.json


async def test_a_website_shows_a_campaign_for_as_long_as_it_is_enabled(api: Api, given: Given) -> None:
    inbox, ana = await website(given), await given.agent("Ana")
    rules = {"url": "https://loja.example/*", "time_on_page": "10", "unknown": 1}

    created = await campaign(given, inbox, sender_id=ana.id, trigger_rules=rules, scheduled_at=1_900_000_000)
    path = f"{PATH}/{created['id']}"
    changed = await api.patch(path, {"campaign": {"enabled": False, "description": "Só na primavera"}})
    shown = await api.get(path)
    listed = await api.get(PATH)
    of_inbox = await api.get(f"/inboxes/{inbox['id']}/campaigns")
    removed = await api.delete(path)

    assert created["id"] == 1
    assert created["inbox"] == (await api.get(f"/inboxes/{inbox['id']}")).json
    assert created["sender"]["id"] == ana.id
    assert created["trigger_rules"] == {"url": "https://loja.example/*", "time_on_page": 10}
    assert (created["campaign_type"], created["campaign_status"], created["enabled"]) == ("ongoing", "active", True)
    assert not created.keys() & {"scheduled_at", "audience"}
    assert (
        changed.json
        == shown.json
        == {
            **created,
            "enabled": False,
            "description": "Só na primavera",
            "updated_at": changed.json["updated_at"],
        }
    )
    assert listed.json == of_inbox.json == [shown.json]
    assert (removed.status, removed.body) == (200, b"")
    assert (await api.get(path)).status == 404


async def test_a_token_for_campaigns_alone_reads_no_settings_of_inboxes(api: Api, given: Given) -> None:
    inbox = await website(given)
    made = await campaign(given, inbox)
    path = f"{PATH}/{made['id']}"
    narrow = api.acting_as(await given.narrowed(given.boss, "campaigns:write"))
    both = api.acting_as(await given.narrowed(given.boss, "campaigns:read", "inboxes:read"))

    shown = [
        (await narrow.get(path)).json,
        (await narrow.get(PATH)).json[0],
        (await narrow.get(f"/inboxes/{inbox['id']}/campaigns")).json[0],
        (await narrow.patch(path, {"title": "Spring offer"})).json,
    ]

    slim = {name: inbox[name] for name in ("id", "avatar_url", "channel_id", "name", "channel_type", "provider")}
    assert [each["inbox"] for each in shown] == [slim] * 4
    assert (await both.get(path)).json == (await api.get(path)).json
    assert "hmac_token" in (await both.get(path)).json["inbox"]


async def test_other_channels_send_it_once_to_whoever_has_a_label(api: Api, given: Given) -> None:
    inbox = await given.inbox("SMS", channel=sms())
    label = (await api.post("/labels", {"title": "vip"})).json
    audience = [{"type": "Label", "id": str(label["id"])}]

    by_iso = await campaign(given, inbox, audience=audience, scheduled_at="2026-12-24T10:00:00-03:00")
    by_seconds = await campaign(given, inbox, scheduled_at=1_900_000_000)
    at_once = await campaign(given, inbox)

    assert by_iso["campaign_type"] == "one_off"
    assert by_iso["audience"] == [{"type": "Label", "id": label["id"]}]
    assert by_iso["scheduled_at"] == int(datetime(2026, 12, 24, 13, tzinfo=UTC).timestamp())
    assert by_seconds["scheduled_at"] == 1_900_000_000
    assert isinstance(at_once["scheduled_at"], int)
    assert [each["id"] for each in (by_iso, by_seconds, at_once)] == [1, 2, 3]
    assert "sender" not in at_once


@pytest.mark.parametrize(
    ("fields", "attribute"),
    [
        ({"title": None}, "title"),
        ({"title": " "}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"message": ""}, "message"),
        ({"message": "x" * 20_001}, "message"),
        ({"inbox_id": None}, "inbox"),
        ({"inbox_id": "x"}, "inbox"),
        ({"inbox_id": 2**70}, "inbox"),
        ({"inbox_id": 999_999_999}, "inbox"),
        ({"sender_id": 999_999_999}, "sender"),
        ({"sender_id": {}}, "sender"),
        ({"trigger_rules": {"url": "ftp://loja.example"}}, "url"),
        ({"trigger_rules": {"url": 5}}, "url"),
        ({"trigger_rules": {"time_on_page": "soon"}}, "trigger_rules"),
        ({"trigger_rules": {"time_on_page": -1}}, "trigger_rules"),
        ({"trigger_rules": "https://loja.example"}, "trigger_rules"),
        ({"scheduled_at": "tomorrow"}, "scheduled_at"),
        ({"scheduled_at": "0001-01-01T00:00:00+14:00"}, "scheduled_at"),
        ({"scheduled_at": "0001-01-01"}, "scheduled_at"),
        ({"scheduled_at": "9999-12-31T23:59:59.999999Z"}, "scheduled_at"),
        ({"scheduled_at": 10**18}, "scheduled_at"),
        ({"scheduled_at": -5}, "scheduled_at"),
        ({"audience": "all"}, "audience"),
        ({"audience": [{"type": "Label", "id": 999_999_999}]}, "audience"),
        ({"audience": [{"type": "Team", "id": 1}]}, "audience"),
        ({"template_params": "x"}, "template_params"),
        ({"template_params": {"a": "x" * 20_001}}, "template_params"),
    ],
)
async def test_what_a_campaign_cannot_be_is_named(
    api: Api, given: Given, fields: dict[str, Any], attribute: str
) -> None:
    body = {"title": "Spring", "message": "20% off", "inbox_id": (await website(given))["id"], **fields}

    reply = await api.post(PATH, body)

    assert (reply.status, reply.json["attributes"]) == (422, [attribute])
    assert (await api.get(PATH)).json == []


async def test_an_api_inbox_has_no_campaigns(api: Api, given: Given) -> None:
    body = {"title": "Spring", "message": "20% off", "inbox_id": (await given.inbox())["id"]}

    reply = await api.post(PATH, body)

    assert (reply.status, reply.json) == (422, {"message": "Unsupported Inbox type", "attributes": ["inbox"]})


async def test_inboxes_agents_and_labels_of_another_account_are_refused(api: Api, given: Given) -> None:
    others = await given.another_account()
    inbox, theirs, ana = await website(given), await website(others), await others.agent("Ana")
    label = (await others.api.post("/labels", {"title": "vip"})).json
    body = {"title": "Spring", "message": "20% off", "inbox_id": inbox["id"]}

    replies = [
        await api.post(PATH, {**body, "inbox_id": theirs["id"]}),
        await api.post(PATH, {**body, "sender_id": ana.id}),
        await api.post(PATH, {**body, "audience": [{"type": "Label", "id": label["id"]}]}),
    ]

    assert [reply.json["attributes"] for reply in replies] == [["inbox"], ["sender"], ["audience"]]


async def test_a_campaign_that_was_sent_does_not_change(api: Api, given: Given) -> None:
    created = await campaign(given, await given.inbox("SMS", channel=sms()))
    async with given.world.parts.database.transaction() as tx:
        kept = await queries.find_campaign(tx, given.account_id, created["id"])
        assert kept is not None
        sent = msgspec.structs.replace(kept, campaign_status="completed")

        with pytest.raises(Completed) as refusal:
            await operations.change_campaign(tx, sent, CampaignParams(title="Other"), actor=system(given.account_id))

    assert refusal.value.invalid_attributes == ["status"]


async def test_campaigns_are_for_administrators(api: Api, given: Given) -> None:
    created = await campaign(given, await website(given))
    path = f"{PATH}/{created['id']}"
    for person in (await given.agent("Ana"), await given.bot(), None):
        caller = api.acting_as(person)

        replies = [
            await caller.get(PATH),
            await caller.get(path),
            await caller.post(PATH, {"title": "Mine"}),
            await caller.patch(path, {"title": "Mine"}),
            await caller.delete(path),
        ]

        assert [reply.status for reply in replies] == [401] * 5
    assert (await api.get(path)).json == created


async def test_a_campaign_of_another_account_does_not_exist(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = await campaign(others, await website(others))
    path = f"{PATH}/{theirs['id']}"

    replies = [await api.get(path), await api.patch(path, {"title": "Mine"}), await api.delete(path)]

    assert [reply.status for reply in replies] == [404] * 3
    assert (await others.api.get(path)).json == theirs


async def test_the_list_is_three_statements_however_long_it_is(api: Api, given: Given) -> None:
    inbox, ana = await website(given), await given.agent("Ana")
    for _ in range(3):
        await campaign(given, inbox, sender_id=ana.id)

    with given.queries(at_most=3):
        assert len((await api.get(PATH)).json) == 3
