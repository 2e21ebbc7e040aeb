"""The engine: order, fairness, leases, and receivers that behave badly."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from harness import PATIENCE_SECONDS, Api, Given, World, build_world, links_of, open_folder, running
from hostile import HOSTILE_ADDRESSES, PRIVATE_NAMES
from msgspec.structs import replace
from prometheus_client import REGISTRY
from receivers import Receiver, Say, Told
from structlog.testing import capture_logs

from criachat.kit import clock
from criachat.kit.db import Database
from criachat.kit.outside import Outside, Resolve
from criachat.messages.events import MessageCreated
from criachat.webhooks import operations
from criachat.webhooks.deliveries import DeliveryWorker
from criachat.webhooks.operations import TOPIC
from criachat.webhooks.queries import queue


@pytest.fixture
def random_numbers() -> random.Random:
    return random.Random(7)  # noqa: S311 - has to repeat itself


def another_worker(world: World, database: Database | None = None) -> DeliveryWorker:
    """One more worker beside the application's own."""
    parts = world.parts
    return DeliveryWorker(database or parts.database, parts.outside, world.keyring, parts.settings)


async def conversations(given: Given, count: int) -> list[Any]:
    inbox, contact = await given.inbox(), await given.contact()
    return [await given.conversation(inbox=inbox, contact=contact) for _ in range(count)]


async def write(given: Given, threads: list[Any], *, messages: int) -> None:
    """So many messages in each conversation, in all conversations at once."""

    async def write_in(conversation: Any) -> None:
        for number in range(messages):
            await given.message(conversation, str(number))

    await asyncio.gather(*(write_in(conversation) for conversation in threads))


def contents(receiver: Receiver) -> dict[int, list[int]]:
    """What came in of each conversation, in that order."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for body in receiver.events():
        found[body["conversation"]["id"]].append(int(body["content"]))
    return found


async def settled(given: Given) -> None:
    """Nothing is to be sent any more, however long that takes on a clock that does not wait."""
    await given.delivered()
    while waiting := (await given.api.get("/deliveries?status=pending&per_page=100")).json["deliveries"]:
        due = [datetime.fromisoformat(each["next_try_at"]) - clock.now() for each in waiting if each["tries"]]
        clock.travel(min([*due, timedelta(seconds=60)]) + timedelta(milliseconds=10))
        await given.world.parts.deliveries.drain(given.account_id)


async def hang(_: Told) -> Say:
    await asyncio.Event().wait()
    return Say()


async def test_a_healthy_receiver_is_told_in_the_order_of_each_conversation(
    given: Given, receiver: Receiver, random_numbers: random.Random
) -> None:
    await given.webhook(receiver.url, "message_created")

    async def take_a_moment(_: Told) -> Say:
        await asyncio.sleep(random_numbers.random() / 200)
        return Say()

    receiver.behave = take_a_moment
    threads = await conversations(given, 12)
    await write(given, threads, messages=12)

    await given.delivered()

    assert contents(receiver) == {each["id"]: list(range(12)) for each in threads}
    sequences: defaultdict[int, list[int]] = defaultdict(list)
    for told in receiver.told:
        sequences[told.json["conversation"]["id"]].append(int(told.headers["X-CriaChat-Sequence"]))
    assert all(numbers == sorted(set(numbers)) for numbers in sequences.values())


async def test_a_receiver_that_fails_at_random_is_told_in_order_but_for_what_failed_for_a_minute(
    given: Given, receiver: Receiver, random_numbers: random.Random
) -> None:
    await given.webhook(receiver.url, "message_created")
    failed_at: dict[tuple[int, int], datetime] = {}
    taken: list[tuple[int, int, datetime]] = []

    async def fail_at_random(told: Told) -> Say:
        key = told.json["conversation"]["id"], int(told.json["content"])
        if random_numbers.random() < 0.2:
            failed_at.setdefault(key, clock.now())
            return Say(status=503)
        taken.append((*key, clock.now()))
        return Say()

    receiver.behave = fail_at_random
    threads = await conversations(given, 15)
    await write(given, threads, messages=15)

    await settled(given)

    assert {(thread, number) for thread, number, _ in taken} == {(t["id"], n) for t in threads for n in range(15)}
    assert len(taken) == 15 * 15
    latest: dict[int, tuple[int, datetime]] = {}
    for thread, number, at in taken:
        overtaken_by, overtaken_at = latest.get(thread, (-1, at))
        if number < overtaken_by:
            waited = overtaken_at - failed_at[thread, number]
            assert waited >= timedelta(seconds=59), f"{number} of {thread} was overtaken after {waited}"
        latest[thread] = max((number, at), latest.get(thread, (-1, at)))
    assert len(failed_at) > 20


async def test_what_follows_a_failure_in_a_conversation_waits_a_minute_and_then_goes(
    given: Given, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created")
    first, second = await conversations(given, 2)
    receiver.will_answer(Say(status=503, headers={"Retry-After": "3600"}))
    await write(given, [first], messages=2)
    await given.delivered()
    await write(given, [second], messages=1)
    await given.delivered()

    clock.travel(timedelta(seconds=55))
    await given.delivered()
    held = contents(receiver)
    clock.travel(timedelta(seconds=6))
    await given.delivered()

    assert held == {first["id"]: [0], second["id"]: [0]}
    assert contents(receiver) == {first["id"]: [0, 1], second["id"]: [0]}


async def test_what_follows_a_failure_goes_as_soon_as_that_came_through(given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    (conversation,) = await conversations(given, 1)
    receiver.will_answer(503)
    await write(given, [conversation], messages=3)
    await given.delivered()

    clock.travel(timedelta(seconds=7))
    await given.delivered()

    assert contents(receiver) == {conversation["id"]: [0, 0, 1, 2]}


async def test_events_of_contacts_wait_for_nobody(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "contact_updated")
    rosa, lia = await given.contact("Rosa"), await given.contact("Lia")
    receiver.will_answer(503)
    await api.patch(f"/contacts/{rosa['id']}", {"name": "Rosa Lind"})
    await given.delivered()

    await api.patch(f"/contacts/{lia['id']}", {"name": "Lia Reis"})
    await given.delivered()

    assert [body["name"] for body in receiver.events()] == ["Rosa Lind", "Lia Reis"]


async def test_two_workers_send_everything_once_and_in_order(given: Given, world: World, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    threads = await conversations(given, 10)
    await write(given, threads, messages=10)
    await given.relayed()

    workers = [another_worker(world) for _ in range(3)]
    for _ in range(3):
        await asyncio.gather(*(worker.drain(given.account_id) for worker in workers))

    assert contents(receiver) == {each["id"]: list(range(10)) for each in threads}


async def test_while_one_worker_claims_for_an_account_no_other_does(
    given: Given, world: World, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created")
    (conversation,) = await conversations(given, 1)
    await write(given, [conversation], messages=2)
    await given.relayed()

    async with world.parts.database.transaction() as tx:
        await queue.lock_accounts(tx, [given.account_id])
        await another_worker(world).drain(given.account_id)
        meanwhile = contents(receiver)
    await given.delivered()

    assert meanwhile == {}
    assert contents(receiver) == {conversation["id"]: [0, 1]}


async def test_what_a_dead_worker_had_claimed_is_sent_by_another_within_a_minute(
    api: Api, given: Given, world: World, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created", timeout_seconds=1)
    (conversation,) = await conversations(given, 1)
    await write(given, [conversation], messages=2)
    await given.relayed()
    usual, receiver.behave = receiver.behave, hang
    database = Database(world.parts.database.url)
    await database.open()
    async with running(another_worker(world, database).run):
        await receiver.until(1)
        # From here on it can write nothing down, like one that was killed.
        await database.close()

    receiver.behave = usual
    await given.delivered()
    leased = contents(receiver)
    clock.travel(timedelta(seconds=46))
    await given.delivered()

    assert leased == {conversation["id"]: [0]}
    assert contents(receiver) == {conversation["id"]: [0, 0, 1]}
    assert len({told.headers["webhook-id"] for told in receiver.told}) == 2
    assert {each["status"] for each in (await api.get("/deliveries")).json["deliveries"]} == {"delivered"}


async def test_a_worker_that_is_stopped_ends_what_it_began_and_gives_back_the_rest(
    given: Given, world: World, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created")
    (conversation,) = await conversations(given, 1)
    await write(given, [conversation], messages=3)
    await given.relayed()
    may_end = asyncio.Event()

    async def wait(_: Told) -> Say:
        await may_end.wait()
        return Say()

    receiver.behave = wait
    stopping = asyncio.create_task(another_worker(world).run())
    await receiver.until(1)
    stopping.cancel()
    _, still_busy = await asyncio.wait({stopping}, timeout=0.3)
    may_end.set()
    await asyncio.wait({stopping})
    begun = contents(receiver)
    await given.delivered()

    assert still_busy == {stopping}
    assert begun == {conversation["id"]: [0]}
    assert contents(receiver) == {conversation["id"]: [0, 1, 2]}


async def test_workers_are_woken_by_the_commit_that_queued_something(
    given: Given, world: World, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created")
    (conversation,) = await conversations(given, 1)
    await given.delivered()
    rung = asyncio.Event()
    world.parts.signals.subscribe(TOPIC, ring := lambda _: rung.set())

    await given.message(conversation, "0")
    was_rung_before = rung.is_set()
    await given.relayed()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await rung.wait()
    world.parts.signals.unsubscribe(TOPIC, ring)

    assert not was_rung_before


@pytest.fixture
async def unwritable(world: World) -> AsyncIterator[str]:
    """An answer that PostgreSQL refuses to keep."""
    async with world.parts.database.transaction() as tx:
        for statement in UNWRITABLE:
            await tx.execute(statement)
    yield "unwritable"
    async with world.parts.database.transaction() as tx:
        await tx.execute("DROP TRIGGER refuse_unwritable ON delivery_attempts")


UNWRITABLE = (
    """
    CREATE OR REPLACE FUNCTION refuse_unwritable() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'this is not written'; END $$
    """,
    """
    CREATE TRIGGER refuse_unwritable BEFORE INSERT ON delivery_attempts
    FOR EACH ROW WHEN (NEW.answer = 'unwritable') EXECUTE FUNCTION refuse_unwritable()
    """,
)


async def test_a_result_that_cannot_be_written_keeps_no_other_from_being_written(
    api: Api, given: Given, receiver: Receiver, unwritable: str
) -> None:
    await given.webhook(receiver.url, "message_created")
    threads = await conversations(given, 5)
    receiver.will_answer(200, 200, Say(body=unwritable.encode()))
    await write(given, threads, messages=1)

    await given.delivered()
    statuses = [each["status"] for each in (await api.get("/deliveries")).json["deliveries"]]
    clock.travel(timedelta(seconds=46))
    await given.delivered()

    assert sorted(statuses) == ["delivered"] * 4 + ["pending"]
    assert {each["status"] for each in (await api.get("/deliveries")).json["deliveries"]} == {"delivered"}


async def test_an_account_with_much_to_send_does_not_make_the_others_wait(given: Given, world: World) -> None:
    others = await given.another_account()
    order: list[str] = []

    async def note(told: Told) -> Say:
        order.append(told.path)
        return Say()

    async with Receiver().listening() as receiver:
        receiver.behave = note
        await given.webhook(f"{receiver.url}/busy", "message_created")
        await others.webhook(f"{receiver.url}/quiet", "message_created")
        await write(given, await conversations(given, 30), messages=4)
        await given.relayed()
        await write(others, await conversations(others, 1), messages=1)
        await others.relayed()

        await world.parts.deliveries.drain()

    assert len(order) == 121
    assert order.index("/hook/quiet") < 60


async def test_a_receiver_that_hangs_keeps_nobody_else_waiting(given: Given, receiver: Receiver, worker: None) -> None:
    may_end = asyncio.Event()

    async def hang(told: Told) -> Say:
        if told.path.endswith("/hanging"):
            await may_end.wait()
        return Say()

    receiver.behave = hang
    await given.webhook(f"{receiver.url}/hanging", "message_created", timeout_seconds=30)
    for number in range(4):
        await given.webhook(f"{receiver.url}/{number}", "message_created")
    await write(given, await conversations(given, 10), messages=3)

    # Less than the hanging one has, so nobody waited for its end.
    async with asyncio.timeout(25):
        while sum(not told.path.endswith("/hanging") for told in receiver.told) < 4 * 30:
            await receiver.until(len(receiver.told) + 1)
    hanging = sum(told.path.endswith("/hanging") for told in receiver.told)
    may_end.set()

    assert 1 <= hanging <= 2


async def test_a_receiver_that_does_not_answer_is_asked_by_one_request_at_a_time(
    given: Given, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created", timeout_seconds=1)
    at_once, most_at_once = 0, 0

    async def hang(_: Told) -> Say:
        nonlocal at_once, most_at_once
        at_once += 1
        most_at_once = max(most_at_once, at_once)
        try:
            await asyncio.Event().wait()
        finally:
            at_once -= 1
        return Say()

    receiver.behave = hang
    await write(given, await conversations(given, 2), messages=1)
    await given.delivered()
    first_at_once, most_at_once = most_at_once, 0

    await write(given, await conversations(given, 2), messages=1)
    await given.delivered()

    assert (first_at_once, most_at_once) == (2, 1)


async def test_a_long_backlog_that_is_kept_back_hides_nobody_behind_it(
    given: Given, world: World, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created")
    flooded, other = await conversations(given, 2)
    receiver.will_answer(Say(status=503, headers={"Retry-After": "3600"}))
    await write(given, [flooded, other], messages=1)
    events = [event for event in await given.emitted(MessageCreated) if event.snapshot.conversation.id == flooded["id"]]
    backlog = [replace(events[0], id=2**40 + number, sequence=100 + number) for number in range(1200)]
    behind = [replace(event, sequence=5000) for event in await given.emitted(MessageCreated) if event not in events]

    async with world.parts.database.transaction() as tx:
        for batch in (events, backlog, behind):
            await operations.queue_deliveries(tx, batch, links_of(world))
    await world.parts.deliveries.drain(given.account_id)

    assert contents(receiver) == {flooded["id"]: [0], other["id"]: [0]}


async def test_backlogs_that_are_kept_back_are_looked_through_together(
    given: Given, world: World, receiver: Receiver
) -> None:
    (conversation,) = await conversations(given, 1)
    receiver.will_answer(*[Say(status=503, headers={"Retry-After": "3600"})] * 10)
    for number in range(10):
        await given.webhook(f"{receiver.url}/{number}", "message_created")
    await write(given, [conversation], messages=1)
    await given.delivered()
    await write(given, [conversation], messages=1)
    await given.relayed()

    # Two lists of lanes, a claim, and one look at where all of them end, however many there are.
    with given.queries(at_most=9):
        await world.parts.deliveries.drain(given.account_id)

    assert len(receiver.told) == 10


async def test_a_delivery_that_breaks_off_is_let_go_of_and_says_whose_it_was(
    given: Given, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given.webhook(receiver.url, "message_created")
    await write(given, await conversations(given, 1), messages=1)
    await given.relayed()
    worker = another_worker(world)

    async def break_off(*_: object, **__: object) -> None:
        raise RuntimeError("nobody thought of this")

    with capture_logs() as logs, monkeypatch.context() as patch:
        patch.setattr(world.parts.outside, "post", break_off)
        await worker.drain(given.account_id)
    claimed = REGISTRY.get_sample_value("criachat_webhook_claimed")
    clock.travel(timedelta(seconds=46))
    await given.delivered()

    (told,) = [each for each in logs if each["event"] == "delivery_broke_off"]
    assert told["account_id"] == given.account_id
    assert claimed == 0
    assert len(receiver.told) == 1


async def test_more_receivers_than_one_look_finds_are_all_told(given: Given, receiver: Receiver) -> None:
    for number in range(205):
        await given.webhook(f"{receiver.url}/{number}", "contact_created")
    await given.contact()

    await given.delivered()

    assert sorted(int(told.path.rpartition("/")[2]) for told in receiver.told) == list(range(205))


async def only_attempt(api: Api) -> Any:
    (delivery,) = (await api.get("/deliveries?event=message_created")).json["deliveries"]
    (attempt,) = (await api.get(f"/deliveries/{delivery['id']}")).json["attempts"]
    return attempt


async def test_of_a_flood_the_beginning_is_kept(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    receiver.will_answer(Say(body=b"x" * 5_000_000))
    await given.message(await given.conversation())

    await given.delivered()

    attempt = await only_attempt(api)
    assert (attempt["status"], attempt["body"]) == (200, "x" * 20_000)


async def test_an_answer_that_is_no_text_is_kept_in_base64(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    receiver.will_answer(Say(body=b"\xff\xfe\x00"))
    await given.message(await given.conversation())

    await given.delivered()

    attempt = await only_attempt(api)
    assert (attempt["body"], attempt["body_base64"]) == (None, "//4A")


async def test_an_answer_that_is_cut_within_a_letter_is_still_text(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    receiver.will_answer(Say(body=b"x" + "é".encode() * 15_000))
    await given.message(await given.conversation())

    await given.delivered()

    assert (await only_attempt(api))["body"] == "x" + "é" * 9_999


async def test_a_receiver_that_drips_has_its_time_and_no_more(api: Api, given: Given) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.2)

    async with listening(drip) as url:
        await given.webhook(url, "message_created", timeout_seconds=1)
        await given.message(await given.conversation())
        await given.delivered()

    assert (await only_attempt(api))["error"] == "No complete answer within 1 seconds"


@asynccontextmanager
async def listening(behave: Any) -> AsyncGenerator[str]:
    """A server that does not speak HTTP by itself."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await behave(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    server.close()
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_is_longer_than_a_mebibyte_is_not_sent_and_not_tried_again(
    api: Api, given: Given, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created")
    await given.message(await given.conversation(), "🎉" * 140_000)

    await given.delivered()

    (delivery,) = (await api.get("/deliveries")).json["deliveries"]
    assert (delivery["status"], delivery["next_try_at"]) == ("exhausted", None)
    assert delivery["last_error"] == "The body is longer than 1048576 bytes"
    assert receiver.told == []


async def test_a_secret_that_cannot_be_opened_is_a_failure_that_says_so(
    api: Api, given: Given, world: World, receiver: Receiver
) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    async with world.parts.database.transaction() as tx:
        await tx.execute("UPDATE webhooks SET secret = 'broken' WHERE account_id = $1", given.account_id)
    await given.message(await given.conversation())

    await given.delivered()

    async with world.parts.database.reading() as db:
        error = await db.fetch_value(
            "SELECT last_error FROM webhook_deliveries WHERE account_id = $1 AND target = $2",
            given.account_id,
            f"webhook:{webhook['id']}",
        )
    assert error == "The secret cannot be opened"
    assert receiver.told == []


@asynccontextmanager
async def strict_worker(world: World, resolve: Resolve) -> AsyncGenerator[DeliveryWorker]:
    """A worker of an installation that trusts no private host."""
    outside = Outside((), "CriaChat", resolve=resolve)
    yield DeliveryWorker(world.parts.database, outside, world.keyring, world.parts.settings)
    await outside.close()


async def test_no_private_address_is_reached_in_whatever_disguise(
    api: Api, given: Given, world: World, receiver: Receiver
) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    urls = {url.replace("{port}", port) for url in HOSTILE_ADDRESSES}
    replies = [await api.post("/webhooks", {"url": url, "subscriptions": ["contact_created"]}) for url in urls]
    saved = [reply for reply in replies if reply.status == 200]
    refused = [reply.json for reply in replies if reply.status != 200]

    await given.contact()
    await given.relayed()
    async with strict_worker(world, PRIVATE_NAMES) as worker:
        await worker.drain(given.account_id)

    found = (await api.get("/deliveries?per_page=100")).json["deliveries"]
    assert receiver.told == []
    assert len(saved) + len(refused) == len(urls) >= 60
    assert len(saved) == len(found) >= 50
    assert all(refusal == {"message": "Url is invalid", "attributes": ["url"]} for refusal in refused)
    for delivery in found:
        assert (delivery["status"], delivery["tries"], delivery["last_status"]) == ("pending", 1, None)
        assert "not on the public internet" in delivery["last_error"] or "not accepted" in delivery["last_error"]


async def test_a_name_that_turns_private_between_two_tries_gains_nothing(
    api: Api, given: Given, world: World, receiver: Receiver
) -> None:
    answers = [["93.184.216.34", "127.0.0.1"], ["127.0.0.1"]]

    async def rebind(_: str) -> list[str]:
        return answers.pop(0)

    await given.webhook(receiver.url.replace("127.0.0.1", "rebinding.example"), "contact_created")
    await given.contact()
    await given.relayed()
    async with strict_worker(world, rebind) as worker:
        await worker.drain(given.account_id)
        clock.travel(timedelta(seconds=11))
        await worker.drain(given.account_id)

    (delivery,) = (await api.get("/deliveries")).json["deliveries"]
    attempts = (await api.get(f"/deliveries/{delivery['id']}")).json["attempts"]
    assert [attempt["error"] for attempt in attempts] == ["rebinding.example is not on the public internet"] * 2
    assert (answers, receiver.told) == ([], [])


async def test_an_installation_says_which_private_hosts_it_trusts(world: World, receiver: Receiver) -> None:
    with open_folder() as folder:
        async with build_world(world.parts.database.url, folder, allowed_private_hosts=()) as strict:
            given = await Given.in_new_account(strict)
            await given.webhook(receiver.url, "contact_created")
            await given.contact()
            await given.delivered()
            refused = list(receiver.told)
            async with build_world(strict.parts.database.url, folder, allowed_private_hosts=("127.0.0.1",)) as trusting:
                clock.travel(timedelta(seconds=10))
                await trusting.parts.deliveries.drain(given.account_id)

    assert (refused, len(receiver.told)) == ([], 1)
