"""What clients were told is so, whoever dies: ID-1, ID-2, CH-2, CH-3."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from site_of_faults import Caller, Site, scaled, standing

RESTARTS = 3
WRITERS = 8


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with standing() as site:
        yield site


@pytest.mark.promise("ID-1")
async def test_of_64_identical_writes_with_one_key_one_is_done(site: Site) -> None:
    await site.web()
    async with site.calling() as caller:
        conversation = await caller.conversation(await caller.inbox())
        path = f"/conversations/{conversation}/messages"

        answers = await asyncio.gather(
            *(caller.post(path, {"content": "once"}, Idempotency_Key="the-key") for _ in range(64))
        )

        assert set(Counter(answer.status for answer in answers)) <= {200, 409}
        assert len({answer.body for answer in answers if answer.status == 200}) == 1
        assert await caller.contents(conversation) == ["once"]


@pytest.mark.promise("CH-2", "ID-2")
@pytest.mark.parametrize("point", ["before_commit", "after_commit", "while_answering"])
@pytest.mark.parametrize("guard", ["Idempotency-Key", "client_message_id"])
async def test_a_write_whose_process_died_is_done_once_when_it_is_sent_again(
    site: Site, point: str, guard: str
) -> None:
    trap = site.folder / "trap"
    process = await site.web(trap=f"{point}:{trap}")
    async with site.calling() as caller:
        conversation = await caller.conversation(await caller.inbox())
        body = {"content": "once"} | ({"client_message_id": "from-the-app-1"} if guard == "client_message_id" else {})
        headers = {"Idempotency_Key": "the-key"} if guard == "Idempotency-Key" else {}
        path = f"/conversations/{conversation}/messages"
        _set(trap)

        with pytest.raises(aiohttp.ClientError):
            await caller.post(path, body, **headers)
        await process.wait()
        await site.web()
        again = await caller.post(path, body, **headers)
        once_more = await caller.post(path, body, **headers)

        assert again.status == once_more.status == 200
        assert again.json["id"] == once_more.json["id"]
        assert await caller.contents(conversation) == ["once"]


@pytest.mark.promise("CH-3")
async def test_what_was_acknowledged_survives_restarts_of_the_database(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    await site.web()
    async with site.calling() as caller:
        conversations = [await caller.conversation(await caller.inbox()) for _ in range(WRITERS)]
        acknowledged: list[list[str]] = [[] for _ in conversations]
        refused: Counter[int] = Counter()
        is_over = asyncio.Event()
        writers = [
            asyncio.create_task(_write(caller, number, mine, refused, is_over))
            for number, mine in zip(conversations, acknowledged, strict=True)
        ]
        healed: list[float] = []
        for _ in range(RESTARTS):
            before = sum(map(len, acknowledged))
            await _until(lambda before=before: sum(map(len, acknowledged)) > before + scaled(200, at_least=40))
            await site.restart_database()
            healed.append(await site.until_healthy())
        is_over.set()
        await asyncio.gather(*writers)

        record_property("restarts", RESTARTS)
        record_property("writes acknowledged", sum(map(len, acknowledged)))
        record_property("answers of 503", refused[503])
        record_property("s until healed at most", round(max(healed), 1))
        assert set(refused) <= {503}
        assert max(healed) < 5
        for number, mine in zip(conversations, acknowledged, strict=True):
            kept = await caller.contents(number)
            assert set(mine) <= set(kept)
            assert len(kept) == len(set(kept))


async def _write(
    caller: Caller, conversation: int, acknowledged: list[str], refused: Counter[int], is_over: asyncio.Event
) -> None:
    """Say one thing after the other, each until it was acknowledged."""
    number = 0
    while not is_over.is_set():
        number += 1
        body = {"content": f"{conversation}/{number}", "client_message_id": f"{conversation}/{number}"}
        while True:
            answer = await caller.post(f"/conversations/{conversation}/messages", body)
            if answer.status == 200:
                acknowledged.append(body["content"])
                break
            refused[answer.status] += 1
            assert "Retry-After" in answer.headers
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await is_over.wait()


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not is_so():  # noqa: ASYNC110 - the writers go on meanwhile
            await asyncio.sleep(0.02)


def _set(trap: Path) -> None:
    trap.touch()
