"""Measure what docs/performance.md promises, each promise beside its yardstick in the same run.

A server is started as an operator would start `criachat serve`, with an embedded PostgreSQL of its own, in a folder
that is removed afterwards. It is filled with an account of 250,000 conversations, and then asked for what the promises
are about. What was found is printed, kept in bench/results, and written into docs/performance.md.

Nothing else should run on the machine meanwhile: what disturbs both sides of a ratio disturbs latencies all the more.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvloop

from bench import report, results
from bench.measuring import MEASUREMENTS
from bench.measuring.measurement import Measurement
from bench.pgbench import YardstickFailed
from bench.progress import Progress
from bench.results import NothingCame, Result
from bench.running import FULL, QUICK, Bench
from bench.server import ServerFailed
from criachat.kit.logs import configure_logs

FAILURES = (ServerFailed, YardstickFailed, NothingCame, RuntimeError, TimeoutError, OSError)
ALL_KEPT, MISSED, NOT_MEASURED = range(3)


def main() -> int:
    """Zero when every promise is kept, 1 when one is missed, 2 when one could not be measured."""
    parser = _parser()
    chosen = parser.parse_args()
    known = [each.id for each in MEASUREMENTS]
    unknown = [each for each in chosen.ids if each not in known]
    if unknown:
        parser.error(f"no such measurement: {', '.join(unknown)} (there are {', '.join(known)})")
    if chosen.docs:
        report.write(results.kept())
        return ALL_KEPT
    _allow_many_sockets()
    configure_logs("warning")
    measurements = [each for each in MEASUREMENTS if not chosen.ids or each.id in chosen.ids]
    return uvloop.run(_run(measurements, is_quick=chosen.quick, data=chosen.data))


def _parser() -> argparse.ArgumentParser:
    listing = "\n".join(f"  {each.id:<6} {each.work}" for each in MEASUREMENTS)
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=f"measurements:\n{listing}\n\n{main.__doc__}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these; all of them without it")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a short run on a small account, to see whether everything works; nothing of it is kept",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="keep the account in this folder, or use the one an earlier run left",
    )
    parser.add_argument("--docs", action="store_true", help="measure nothing, write the page from what is kept")
    return parser


async def _run(measurements: Sequence[Measurement], *, is_quick: bool, data: Path | None) -> int:
    progress = Progress()
    found: list[Result] = []
    with _folder(data) as folder:
        bench = Bench(folder, QUICK if is_quick else FULL, progress)
        try:
            for number, measurement in enumerate(measurements, 1):
                progress.say(f"[{number}/{len(measurements)}] {measurement.id}: {measurement.work}")
                result = await _measured(bench, measurement)
                if result is not None:
                    found.append(result)
                    if not is_quick:
                        results.save(result)
        finally:
            await bench.stop()
    print(report.summary(found))
    if not is_quick:
        report.write(results.kept())
        progress.say(f"written: {report.PAGE}")
    if len(found) < len(measurements):
        return NOT_MEASURED
    return ALL_KEPT if all(result.is_met for result in found) else MISSED


async def _measured(bench: Bench, measurement: Measurement) -> Result | None:
    """What was found, told line by line; None when it could not be measured, and then the server starts anew."""
    try:
        result = await measurement.measure(bench)
    except FAILURES as failure:
        bench.progress.say(f"        not measured: {failure}")
        await bench.stop()
        return None
    for figure in result.figures:
        promise = f"  ({report.bounds(figure)}: {report.verdict(figure)})" if figure.is_met is not None else ""
        bench.progress.say(f"        {figure.name}: {report.value(figure)}{promise}")
    return msgspec.structs.replace(result, settings=bench.settings)


@contextmanager
def _folder(chosen: Path | None) -> Generator[Path]:
    """Where everything is made: the chosen folder, or one that goes again."""
    folder = chosen or Path(tempfile.mkdtemp(prefix="criachat-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    # Started by root, PostgreSQL runs as somebody else, who has to get through.
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if chosen is None:
            shutil.rmtree(folder)


def _allow_many_sockets() -> None:
    """As many open files as we may have, for us and for the server we start."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main())
