from __future__ import annotations

import asyncio
from typing import Any

from harness import Api, Given
from shapes import misfits

LIMIT = {"allowed": int, "consumed": int}


def path(given: Given) -> str:
    return f"/enterprise/api/v1/accounts/{given.account_id}/limits"


async def test_it_is_told_how_much_of_what_is_allowed_there_is(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    await given.inbox()
    await given.inbox("Loja", channel={"type": "web_widget", "website_url": "https://loja.example"})

    with given.queries(at_most=1):
        reply = await api.get(path(given))

    assert (await api.acting_as(ana).get(path(given))).json == reply.json
    shape: Any = {"conversation": {}, "non_web_inboxes": LIMIT, "agents": LIMIT, "captain": {}}
    assert (reply.status, misfits(reply.json, {"id": given.account_id, "limits": shape})) == (200, [])
    limits = reply.json["limits"]
    assert [limits[name]["consumed"] for name in ("agents", "non_web_inboxes")] == [2, 1]
    assert limits["agents"]["allowed"] == 100_000


async def test_an_account_has_no_more_inboxes_than_its_plan(api: Api, given: Given) -> None:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE accounts SET limits = $2 WHERE id = $1", given.account_id, {"inboxes": 2})
    body: dict[str, Any] = {"name": "App", "channel": {"type": "api"}}
    website = {"name": "Loja", "channel": {"type": "web_widget", "website_url": "https://loja.example"}}
    twilio = {"name": "SMS", "account_sid": "AC1", "auth_token": "x", "medium": "sms", "phone_number": "+14155550100"}

    replies = await asyncio.gather(*(api.post("/inboxes", body) for _ in range(5)))
    others = [await api.post("/inboxes", website), await api.post("/channels/twilio_channel", twilio)]
    made = [inbox["id"] for inbox in (await api.get("/inboxes")).json["payload"] if inbox["name"] == "App"]
    await api.delete(f"/inboxes/{made[0]}")
    again = await api.post("/inboxes", body)

    assert sorted(reply.status for reply in replies) == [200, 200, 402, 402, 402]
    assert {tuple(reply.json) for reply in replies if reply.status == 402} == {("error",)}
    assert [reply.status for reply in others] == [200, 402]
    assert (len(made), again.status) == (2, 200)


async def test_limits_are_for_members(api: Api, given: Given) -> None:
    others = await given.another_account()

    for caller in (others.api, api.acting_as(await given.bot()), api.acting_as(None)):
        assert (await caller.get(path(given))).status == 401
