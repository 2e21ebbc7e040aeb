"""Campaigns against the contract, key by key."""

from __future__ import annotations

from typing import Any

from harness import Api, Given
from shapes import iso, misfits, one_of, unix

CAMPAIGN: dict[str, Any] = {
    "id": int,
    "title": str,
    "description": one_of(str, None),
    "account_id": int,
    "inbox": dict,
    "sender?": dict,
    "message": str,
    "template_params": one_of(dict, None),
    "campaign_status": one_of("active", "completed"),
    "enabled": bool,
    "campaign_type": "ongoing",
    "trigger_rules": dict,
    "trigger_only_during_business_hours": bool,
    "created_at": iso,
    "updated_at": iso,
}
ONE_OFF = {**CAMPAIGN, "campaign_type": "one_off", "scheduled_at": unix, "audience": [{"type": "Label", "id": int}]}


async def test_campaigns_are_bare_and_their_removal_empty(api: Api, given: Given) -> None:
    website = await given.inbox("Loja", channel={"type": "web_widget", "website_url": "https://loja.example"})
    body = {"title": "Spring", "message": "20% off", "inbox_id": website["id"], "sender_id": given.boss.id}

    created = await api.post("/campaigns", {"campaign": body})
    path = f"/campaigns/{created.json['id']}"

    for reply in (created, await api.get(path), await api.patch(path, {"enabled": False})):
        assert (reply.status, misfits(reply.json, CAMPAIGN)) == (200, [])
        assert reply.json["inbox"]["id"] == website["id"]
    assert misfits((await api.get("/campaigns")).json, [CAMPAIGN]) == []
    assert misfits((await api.get(f"/inboxes/{website['id']}/campaigns")).json, [CAMPAIGN]) == []
    removed = await api.delete(path)
    assert (removed.status, removed.body) == (200, b"")
    unknown = await api.get(path)
    assert (unknown.status, misfits(unknown.json, {"error": str})) == (404, [])


async def test_only_what_is_sent_once_has_a_time_and_an_audience(api: Api, given: Given) -> None:
    config = {"account_id": "1", "application_id": "2", "api_key": "key", "api_secret": "secret"}
    channel = {"type": "sms", "phone_number": "+5511988880001", "provider_config": config}
    inbox = await given.inbox("SMS", channel=channel)
    label = (await api.post("/labels", {"title": "vip"})).json
    audience = [{"type": "Label", "id": label["id"]}]
    body = {"title": "Spring", "message": "20% off", "inbox_id": inbox["id"], "audience": audience}

    created = await api.post("/campaigns", body)

    assert (created.status, misfits(created.json, ONE_OFF)) == (200, [])
