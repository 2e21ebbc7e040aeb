"""What balancers, apps and watchers are told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from harness import Api, World, build_world, open_folder

from criachat.kit import postgres

COUNT_FAILED = "SELECT count(*) FROM jobs.pgqueuer WHERE status = 'failed'"


async def test_a_server_whose_database_answers_is_healthy(api: Api) -> None:
    reply = await api.acting_as(None).get("/health")

    assert (reply.status, reply.json) == (200, {"status": "ok"})
    assert reply.headers["cache-control"] == "no-store"


async def test_an_app_learns_the_version_of_the_api_without_signing_in(fresh_database: str, tmp_path: Path) -> None:
    # Not among the other tests, whose events nobody relays.
    async with build_world(fresh_database, tmp_path) as world:
        reply = await world.client.get("/api")

    body = reply.json()
    said_at = datetime.fromisoformat(body.pop("timestamp") + "+00:00")
    assert reply.status_code == 200
    assert abs(datetime.now(UTC) - said_at) < timedelta(seconds=5)
    assert body == {"version": "4.10.0", "queue_services": "ok", "data_services": "ok"}


async def test_a_server_without_its_database_says_so(tmp_path: Path) -> None:
    with open_folder() as folder:
        server = await postgres.start(folder, tuning={"fsync": "off"})
        async with build_world(server.url, tmp_path) as world:
            await server.stop()

            health = await world.client.get("/health")
            told = await world.client.get("/api")
            metrics = await world.client.get("/metrics")

    assert (health.status_code, health.json()) == (503, {"status": "unavailable"})
    assert told.status_code == 200
    assert (told.json()["queue_services"], told.json()["data_services"]) == ("failing", "failing")
    assert "criachat_database_up 0.0" in metrics.text


async def test_metrics_count_what_was_answered(api: Api, world: World) -> None:
    await api.acting_as(None).get("/no-such-page")
    # Other tests leave jobs that failed.
    async with world.parts.database.reading() as db:
        failed = await db.fetch_value(COUNT_FAILED)

    reply = await api.get("/metrics")

    text = reply.body.decode()
    assert reply.headers["content-type"].startswith("text/plain")
    assert re.search(r'^criachat_requests_total{method="GET",route="",status="404"} [1-9]', text, re.MULTILINE)
    assert re.search(r'^criachat_request_seconds_bucket{le="\+Inf",method="GET",route=""} [1-9]', text, re.MULTILINE)
    assert re.search(r"^criachat_statements_total [1-9]", text, re.MULTILINE)
    assert "criachat_relay_lag_seconds" in text
    assert f"criachat_jobs_failed {float(failed)}\n" in text
    assert "criachat_database_up 1.0" in text


async def test_metrics_are_not_for_strangers(world: World) -> None:
    transport = httpx.ASGITransport(app=world.parts.http, client=("203.0.113.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://criachat.test") as stranger:
        refused = await stranger.get("/metrics")

    assert refused.status_code == 403
    assert "CRIACHAT_METRICS_TOKEN" in refused.json()["error"]


async def test_metrics_are_not_for_those_a_local_proxy_forwards(world: World) -> None:
    refused = await world.client.get("/metrics", headers={"X-Real-IP": "203.0.113.7"})

    assert refused.status_code == 403


async def test_the_bearer_token_opens_the_metrics_from_anywhere(world: World, tmp_path: Path) -> None:
    async with build_world(world.parts.database.url, tmp_path, metrics_token="olha-eu") as other:
        transport = httpx.ASGITransport(app=other.parts.http, client=("203.0.113.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://criachat.test") as watcher:
            opened = await watcher.get("/metrics", headers={"Authorization": "Bearer olha-eu"})
            refused = await watcher.get("/metrics", headers={"Authorization": "Bearer olha-tu"})

    assert (opened.status_code, refused.status_code) == (200, 403)
