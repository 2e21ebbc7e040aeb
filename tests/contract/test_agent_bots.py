"""Bots against the contract: every endpoint, key by key."""

from __future__ import annotations

from harness import Api, Given
from shapes import misfits, one_of

BOT = {
    "id": int,
    "name": one_of(str, None),
    "description": one_of(str, None),
    "thumbnail": str,
    "outgoing_url": one_of(str, None),
    "bot_type": "webhook",
    "bot_config": dict,
    "account_id": int,
    "access_token": str,
    "secret": str,
    "system_bot": False,
}


async def test_every_endpoint_of_bots(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    created = await api.post("/agent_bots", {"name": "Order bot", "outgoing_url": "https://bot.example.com/in"})
    path = f"/agent_bots/{created.json['id']}"
    none = await api.get(f"/inboxes/{inbox['id']}/agent_bot")
    connected = await api.post(f"/inboxes/{inbox['id']}/set_agent_bot", {"agent_bot": created.json["id"]})

    bots = [
        created,
        await api.get(path),
        await api.patch(path, {"description": "Knows orders"}),
        await api.put(path, {"bot_config": {"tone": "kind"}}),
        await api.post(f"{path}/reset_access_token"),
        await api.post(f"{path}/reset_secret"),
        await api.delete(f"{path}/avatar"),
    ]
    listed = await api.get("/agent_bots")
    of_inbox = await api.get(f"/inboxes/{inbox['id']}/agent_bot")
    removed = await api.delete(path)

    assert [reply.status for reply in (*bots, listed, of_inbox)] == [200] * 9
    assert [misfits(bot.json, BOT) for bot in bots] == [[]] * len(bots)
    assert misfits(listed.json, [BOT]) == []
    assert misfits(of_inbox.json, {"agent_bot": BOT}) == []
    assert none.json == {}
    assert (connected.status, connected.body) == (removed.status, removed.body) == (200, b"")
