"""LD-6: what an open socket weighs, what a frame costs, and how soon it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from bench.echo import echo
from bench.listener import listeners
from bench.load import open_loop
from bench.marks import Marked
from bench.measuring.measurement import Measurement
from bench.results import Figure, Result, Spread, spread_of
from bench.running import Bench, Ground
from bench.site import connection_to, marked_messages

WORK = "Sockets on `/cable`: memory of each, CPU time of a frame sent to many, and the way from commit to socket"
MESSAGES_PER_SECOND = 100
# The team that watches all of it: each message goes to every one of them, and to the contact it is for.
TEAM_SOCKETS = 20
# How fast, and to how many, when it is the frames that are measured.
FAN_OUT_MESSAGES_PER_SECOND = 20
FAN_OUT_SOCKETS = 200
ECHO_SOCKETS = 200
KILOBYTE = 1024
FIND_TEAM = "SELECT id, pubsub_token FROM users WHERE id = ANY($1) ORDER BY id"
SETTLE_SECONDS = 3.0

_encode = msgspec.json.Encoder().encode


async def measure_sockets(bench: Bench) -> Result:
    """LD-6."""
    kilobytes, spread = await _many(bench)
    frame_microseconds, frame_bytes = await _fan_out(bench)
    bare_kilobytes, bare_microseconds = await _bare(bench, frame_bytes)
    return Result(
        id="LD-6",
        work=WORK,
        figures=[
            Figure(name=f"Memory of each of {bench.pace.sockets:,} sockets", value=kilobytes, unit="kB", at_most=30),
            Figure(name="CPU time of a frame fanned out", value=frame_microseconds, unit="µs", at_most=40),
            Figure(
                name=f"p50 from request to socket at {MESSAGES_PER_SECOND}/s", value=spread.p50, unit="ms", at_most=15
            ),
            Figure(
                name=f"p99 from request to socket at {MESSAGES_PER_SECOND}/s", value=spread.p99, unit="ms", at_most=100
            ),
            Figure(name="Frames that did not come", value=spread.missing, at_most=0),
            Figure(name="Yardstick: memory of each socket of a bare echo server", value=bare_kilobytes, unit="kB"),
            Figure(name="Yardstick: CPU time of a frame echoed, of the same size", value=bare_microseconds, unit="µs"),
            Figure(name="Size of a frame", value=frame_bytes / KILOBYTE, unit="kB"),
        ],
        spreads=[spread],
        data_set=f"{bench.pace.sockets:,} sockets",
    )


async def _many(bench: Bench) -> tuple[float, Spread]:
    """Kilobytes of each socket, and how soon messages came to them."""
    ground = await bench.restarted()
    server, site = ground.server, ground.site
    team = await team_greetings(ground, TEAM_SOCKETS)
    contacts = [session for session in site.data.sessions if session.is_open][: bench.pace.sockets - len(team)]
    async with listeners(server.address, "/cable") as clients:
        # What the first socket brings along (the follower, its caches) is not a matter of how many there are.
        await clients.open([*team, contact_greeting(contacts[0].pubsub_token)])
        await asyncio.sleep(SETTLE_SECONDS)
        before, opened = server.resident_bytes(), len(team) + 1
        bench.progress.step(f"opening {bench.pace.sockets:,} sockets")
        count = await clients.open([contact_greeting(session.pubsub_token) for session in contacts[1:]])
        await asyncio.sleep(SETTLE_SECONDS)
        kilobytes = (server.resident_bytes() - before) / (count - opened) / KILOBYTE
        bench.progress.step(f"{MESSAGES_PER_SECOND} messages a second to {count:,} sockets")
        await clients.take()
        requests = Marked(marked_messages(site, contacts), first=1)
        outcome = await open_loop(server.address, requests, rate=MESSAGES_PER_SECOND, seconds=bench.pace.open_seconds)
        await clients.quiet()
        _, _, arrivals = await clients.take()
        lost = await clients.close()
    waits = [1000 * (at - requests.sent_at[mark]) for mark, at in arrivals]
    expected = outcome.answered * (len(team) + 1)
    missing = max(0, expected - len(waits)) + lost + outcome.errors
    return kilobytes, spread_of("from request to socket", waits, missing=missing)


async def _fan_out(bench: Bench) -> tuple[float, float]:
    """Microseconds of CPU for each frame, and its size in bytes: the same load with and without those who watch."""
    ground = await bench.restarted()
    server, site = ground.server, ground.site
    contacts = [session for session in site.data.sessions if session.is_open]
    requests = Marked(marked_messages(site, contacts), first=1)
    rate, seconds = FAN_OUT_MESSAGES_PER_SECOND, bench.pace.open_seconds
    spent: list[float] = []
    frames = size = 0
    async with listeners(server.address, "/cable") as clients:
        for greetings in (await team_greetings(ground, 1), await team_greetings(ground, FAN_OUT_SOCKETS)):
            count = await clients.open(greetings)
            bench.progress.step(f"{rate} messages a second to {count:,} sockets")
            await open_loop(server.address, requests, rate=rate, seconds=bench.pace.warm_up_seconds)
            await clients.quiet()
            await clients.take()
            before = server.cpu_seconds()
            await open_loop(server.address, requests, rate=rate, seconds=seconds)
            await clients.quiet()
            spent.append(server.cpu_seconds().since(before).application)
            frames, size, _ = await clients.take()
            await clients.close()
    extra = frames * (1 - 1 / FAN_OUT_SOCKETS)
    return 1e6 * (spent[1] - spent[0]) / extra, size / frames


async def _bare(bench: Bench, frame_bytes: float) -> tuple[float, float]:
    """The same two figures of the yardstick."""
    async with echo() as server, listeners(server.address, "/") as clients:
        await clients.open([b""])
        before = await server.resident_bytes()
        bench.progress.step(f"yardstick: {bench.pace.sockets:,} sockets of a bare echo server")
        count = await clients.open([b""] * (bench.pace.sockets - 1))
        await asyncio.sleep(SETTLE_SECONDS)
        kilobytes = (await server.resident_bytes() - before) / (count - 1) / KILOBYTE
        await clients.close(keep=ECHO_SOCKETS)
        payload, times = b"x" * round(frame_bytes), max(5, round(bench.pace.open_seconds * 10))
        spent = await server.cpu_seconds()
        await clients.send(payload, times)
        spent = await server.cpu_seconds() - spent
        return kilobytes, 1e6 * spent / (times * ECHO_SOCKETS)


async def team_greetings(ground: Ground, how_many: int) -> list[bytes]:
    """What members of the team say to have the frames of their account; they have several sockets each if need be."""
    async with connection_to(ground.server) as connection:
        team = await connection.fetch(FIND_TEAM, ground.site.data.agent_ids)
    return [
        _greeting(pubsub_token=token, account_id=ground.site.account_id, user_id=user_id)
        for user_id, token in (team[number % len(team)] for number in range(how_many))
    ]


def contact_greeting(pubsub_token: str) -> bytes:
    """What a contact's app says to have the frames of its contact."""
    return _greeting(pubsub_token=pubsub_token)


def _greeting(**identifier: object) -> bytes:
    text = _encode({"channel": "RoomChannel", **identifier}).decode()
    return _encode({"command": "subscribe", "identifier": text})


MEASUREMENTS: Sequence[Measurement] = (Measurement("LD-6", WORK, measure_sockets),)
