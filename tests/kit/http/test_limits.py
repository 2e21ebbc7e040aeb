"""Rate limits, as callers meet them."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from doors import Caller
from harness import BASE_URL, Api, Given

from criachat.kit import clock


def labels(given: Given) -> str:
    return f"/api/v1/accounts/{given.account_id}/labels"


async def test_every_answer_tells_what_is_left(strict: Given) -> None:
    caller = Caller(strict.world)

    first = await caller.get(labels(strict), token=strict.boss.token)
    refused = await caller.get(f"{labels(strict)}/999999999", token=strict.boss.token)

    assert first.headers["ratelimit-policy"] == refused.headers["ratelimit-policy"] == '"token";q=3;w=60'
    assert first.headers["ratelimit"] == '"token";r=2;t=60'
    assert refused.status == 404
    assert re.fullmatch(r'"token";r=1;t=\d+', refused.headers["ratelimit"])
    assert "retry-after" not in first.headers


async def test_past_the_limit_a_token_waits_as_long_as_it_is_told(strict: Given) -> None:
    caller, ana = Caller(strict.world), await strict.agent("Ana")
    await caller.statuses(labels(strict), 3, token=ana.token)

    refused = await caller.get(labels(strict), token=ana.token)
    somebody_else = await caller.get(labels(strict), token=strict.boss.token)
    wait = int(refused.headers["retry-after"])
    clock.travel(timedelta(seconds=wait))
    later = await caller.get(labels(strict), token=ana.token)

    assert (refused.status, refused.body) == (429, b"Retry later\n")
    assert refused.headers["content-type"] == "text/plain"
    assert refused.headers["ratelimit-policy"] == '"token";q=3;w=60'
    assert refused.headers["ratelimit"] == f'"token";r=0;t={wait}'
    assert 0 < wait <= 60
    assert (somebody_else.status, later.status) == (200, 200)


async def test_a_refused_request_changes_nothing(strict: Given, api: Api) -> None:
    transport = httpx.ASGITransport(app=strict.world.parts.http, client=("203.0.113.200", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        headers = {"api_access_token": strict.boss.token}
        replies = [await client.post(labels(strict), json={"title": f"vip{n}"}, headers=headers) for n in range(5)]

    assert [reply.status_code for reply in replies] == [200, 200, 200, 429, 429]
    assert len((await api.get("/labels")).json["payload"]) == 3


async def test_a_door_may_have_a_limit_of_its_own_that_an_account_shares(strict: Given) -> None:
    path = f"/api/v1/accounts/{strict.account_id}/contacts/search?q=rosa"
    ana, davi = await strict.agent("Ana"), await strict.agent("Davi")
    caller = Caller(strict.world)

    first = await caller.get(path, token=ana.token)
    await caller.get(path, token=davi.token)
    refused = await caller.get(path, token=ana.token)

    assert first.headers["ratelimit-policy"] == '"token";q=3;w=60, "contact-search";q=2;w=60'
    assert first.headers["ratelimit"] == '"token";r=2;t=60, "contact-search";r=1;t=60'
    assert refused.status == 429
    assert (await caller.get(labels(strict), token=davi.token)).status == 200


@pytest.mark.parametrize("token", [None, "junk", "cria_pat_" + "0" * 38])
async def test_strangers_and_those_who_guess_tokens_are_counted_by_address(strict: Given, token: str | None) -> None:
    caller, neighbour = Caller(strict.world), Caller(strict.world)

    statuses = await caller.statuses(labels(strict), 4, token=token)

    assert statuses == [401, 401, 401, 429]
    assert await neighbour.statuses(labels(strict), 1, token=token) == [401]
    assert await caller.statuses(labels(strict), 1, token=strict.boss.token) == [200]


async def test_an_address_of_the_new_protocol_counts_with_its_whole_network(strict: Given) -> None:
    one, other = Caller(strict.world, "2001:db8:1:2::5"), Caller(strict.world, "2001:db8:1:2:ffff::9")
    elsewhere = Caller(strict.world, "2001:db8:1:3::5")

    assert await one.statuses("/api", 2) == [200, 200]
    assert await other.statuses("/api", 2) == [200, 429]
    assert await elsewhere.statuses("/api", 1) == [200]


async def test_a_trusted_proxy_is_believed_and_nobody_else(strict: Given) -> None:
    proxy, liar = Caller(strict.world, "10.1.2.3"), Caller(strict.world)

    by_proxy = await proxy.statuses("/api", 4, via="198.51.100.1")
    of_another = await proxy.statuses("/api", 1, via="198.51.100.2")
    behind_two = await proxy.statuses("/api", 1, via="198.51.100.1, 10.9.9.9")
    forged = await proxy.statuses("/api", 1, via="198.51.100.77, 198.51.100.1")
    lies = [status for n in range(4) for status in await liar.statuses("/api", 1, via=f"192.0.2.{n}")]

    assert by_proxy == [200, 200, 200, 429]
    assert (of_another, behind_two, forged) == ([200], [429], [429])
    assert lies == [200, 200, 200, 429]


async def test_callers_on_this_machine_are_exempt_unless_something_forwards_for_them(strict: Given) -> None:
    here = Caller(strict.world, "127.0.0.1")

    assert await here.statuses(labels(strict), 6, token=strict.boss.token) == [200] * 6
    assert "ratelimit" not in (await here.get(labels(strict), token=strict.boss.token)).headers
    assert (await here.statuses("/api", 5, via="198.51.100.9"))[-1] == 429


async def test_contacts_are_counted_by_their_session_and_strangers_by_inbox(given: Given, strict: Given) -> None:
    inbox = await given.inbox()
    rosa, clara = await given.session(inbox), await given.session(inbox)
    door = f"/public/api/v1/inboxes/{inbox['inbox_identifier']}"
    shop = Caller(strict.world)

    first = await shop.get(f"{door}/contacts/{rosa['source_id']}")
    of_rosa = await shop.statuses(f"{door}/contacts/{rosa['source_id']}", 3)
    of_clara = await Caller(strict.world).statuses(f"{door}/contacts/{clara['source_id']}", 1)
    of_inbox = await shop.statuses(door, 4)

    assert first.headers["ratelimit-policy"] == '"contact";q=3;w=60'
    assert of_rosa == [200, 200, 429]
    assert of_clara == [200]
    assert of_inbox == [200, 200, 200, 429]
