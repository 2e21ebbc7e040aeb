"""LD-12: what a token check, the rate limiter and an idempotency key cost, as shares of writing a message."""

from __future__ import annotations

from collections.abc import Sequence

from bench.inside import limiter_microseconds, statements_of, token_check_microseconds
from bench.load import Outcome, closed_loop, together
from bench.measuring.measurement import Measurement
from bench.results import Figure, Load, Result, load_of
from bench.running import Bench, Ground
from bench.server import Cpu
from bench.site import messages

WORK = "What a token check, the rate limiter and an `Idempotency-Key` add to writing a message (LD-1)"


async def measure_parts(bench: Bench) -> Result:
    """LD-12."""
    ground = await bench.ground()
    site = ground.site
    plain, keyed = await _with_and_without_key(bench, ground)
    bench.progress.step("token check and limiter, step by step")
    check = await token_check_microseconds(ground.server, account_id=site.account_id, token=site.token)
    limit = await limiter_microseconds(ground.server, account_id=site.account_id, token=site.token)
    return Result(
        id="LD-12",
        work=WORK,
        figures=[
            Figure(
                name="Token check, share of the application's CPU time",
                value=100 * check / _application(plain),
                unit="%",
                at_most=5,
            ),
            Figure(
                name="Rate limiter, share of the application's CPU time",
                value=100 * limit / _application(plain),
                unit="%",
                at_most=3,
            ),
            Figure(
                name="Idempotency-Key, CPU time of application and PostgreSQL it adds",
                value=100 * (_all(keyed) / _all(plain) - 1),
                unit="%",
                at_most=25,
            ),
            Figure(name="Token check", value=check, unit="µs"),
            Figure(name="Rate limiter", value=limit, unit="µs"),
        ],
        loads=[plain, keyed],
        data_set=str(site.data),
    )


async def _with_and_without_key(bench: Bench, ground: Ground) -> tuple[Load, Load]:
    """The same load without and with a key of its own for each request, in turns."""
    server, site = ground.server, ground.site
    path = f"{site.path}/conversations/{site.data.first_display_id}/messages"
    loads = {False: messages(site), True: messages(site, has_keys=True)}
    outcomes: dict[bool, list[Outcome]] = {False: [], True: []}
    spent = {False: Cpu(0, 0), True: Cpu(0, 0)}
    for number in range(1, bench.pace.rounds + 1):
        for has_key, requests in loads.items():
            bench.progress.step(f"{'with' if has_key else 'without'} a key, round {number} of {bench.pace.rounds}")
            before = server.cpu_seconds()
            outcome = await closed_loop(
                server.address, requests, seconds=bench.pace.round_seconds, warm_up=bench.pace.warm_up_seconds
            )
            outcomes[has_key].append(outcome)
            spent[has_key] = spent[has_key].plus(server.cpu_seconds().since(before))
    made: list[Load] = []
    for has_key, name in ((False, "without a key"), (True, "with a key each")):
        headers = {"Idempotency-Key": "{number}"} if has_key else {}
        statements = await statements_of(
            server, "POST", path, token=site.token, json={"content": "Olá!"}, headers=headers
        )
        load = load_of(name, together(outcomes[has_key]), spent=spent[has_key])
        made.append(load.with_cost(statements=statements))
    return made[0], made[1]


def _application(load: Load) -> float:
    return load.application_microseconds or 0


def _all(load: Load) -> float:
    return (load.application_microseconds or 0) + (load.database_microseconds or 0)


MEASUREMENTS: Sequence[Measurement] = (Measurement("LD-12", WORK, measure_parts),)
