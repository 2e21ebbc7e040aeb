"""The sample account, as its administrator finds it."""

from __future__ import annotations

import time

from commands import Started, criachat


async def test_the_sample_account_is_lively(first_start: Started) -> None:
    filled = await criachat("demo", "--data-dir", str(first_start.data_dir))

    token = filled.out.strip()
    profile = (await first_start.get("/api/v1/profile", token)).json()
    base = f"/api/v1/accounts/{profile['account_id']}/conversations"
    listed = (await first_start.get(f"{base}?status=all", token)).json()["data"]
    statuses = {
        status: (await first_start.get(f"{base}/meta?status={status}", token)).json()["meta"]["all_count"]
        for status in ("open", "pending", "resolved", "snoozed")
    }

    assert (filled.status, filled.out.count("\n")) == (0, 1)
    assert listed["meta"]["all_count"] == sum(statuses.values()) == 60
    assert all(statuses.values())
    assert all(each["last_activity_at"] <= time.time() for each in listed["payload"])
    assert any(each["labels"] for each in listed["payload"])
    assert any(each["meta"]["assignee"] for each in listed["payload"])


async def test_a_sample_account_is_made_once(first_start: Started) -> None:
    where = ("--data-dir", str(first_start.data_dir))
    first = await criachat("demo", *where)

    again = await criachat("demo", *where)

    ids = [(await first_start.get("/api/v1/profile", each.out.strip())).json()["account_id"] for each in (first, again)]
    assert ids[0] == ids[1]
    assert "is there already" in again.err
