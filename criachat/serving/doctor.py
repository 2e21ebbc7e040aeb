"""`criachat doctor`: what is wrong with this installation, and what to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from criachat.kit import clock, postgres
from criachat.kit.db import Connection, Database
from criachat.kit.files import Files, new_key
from criachat.kit.installation import AnotherKey, check_key
from criachat.kit.migrate import pending
from criachat.kit.postgres import ServerDidNotStart
from criachat.kit.reach import DatabaseUnusable, place_of
from criachat.kit.relay.lag import LATE_SECONDS, lag
from criachat.kit.settings import Settings
from criachat.kit.status import count_jobs
from criachat.serving import queries
from criachat.serving.foundation import CannotStart, Foundation, founded

SKEW_SECONDS: Final = 5
OLD_TRANSACTION_SECONDS: Final = 60


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at, how it is, and what to do when it is not well."""

    name: str
    is_good: bool
    text: str

    def line(self) -> str:
        """As it is shown."""
        return f"{'ok ' if self.is_good else 'BAD'}  {self.name:<12} {self.text}"


def good(name: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(name=name, is_good=True, text=text)


def bad(name: str, text: str) -> Finding:
    """Something to do; the text says what."""
    return Finding(name=name, is_good=False, text=text)


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything, in an order in which the first bad finding explains those after it."""
    findings = [_check_settings(settings)]
    try:
        async with founded(settings) as foundation:
            findings += await _look_inside(settings, foundation)
    except (CannotStart, DatabaseUnusable, ServerDidNotStart) as failure:
        findings.append(bad("database", str(failure)))
    findings.append(await _check_files(settings))
    return findings


def _check_settings(settings: Settings) -> Finding:
    if settings.database_url is None:
        return good("settings", f"embedded PostgreSQL in {settings.data_directory()}")
    return good("settings", f"PostgreSQL at {place_of(settings.database_url)}")


async def _look_inside(settings: Settings, foundation: Foundation) -> list[Finding]:
    database = Database(foundation.database_url, size=4)
    connection = await database.connect()
    try:
        version = connection.get_server_version()
        where = "runs" if settings.database_url or postgres.is_running(settings.data_directory()) else "starts"
        findings = [good("database", f"PostgreSQL {version.major}.{version.minor} {where}")]
        missing = await pending(connection)
        if missing:
            names = ", ".join(migration.name for migration in missing)
            return [*findings, bad("migrations", f"{names} not applied yet. `criachat migrate` or a start does that.")]
        findings.append(good("migrations", "all applied"))
        checks: tuple[Callable[[Connection, Foundation], Awaitable[Finding]], ...] = (
            _check_key,
            _check_clock,
            _check_neighbours,
        )
        findings += [await check(connection, foundation) for check in checks]
    finally:
        await connection.close()
    await database.open()
    try:
        findings += [await _check_relay(database), await _check_jobs(database)]
    finally:
        await database.close()
    return findings


async def _check_key(connection: Connection, foundation: Foundation) -> Finding:
    try:
        await check_key(connection, foundation.keyring)
    except AnotherKey as failure:
        return bad("key", str(failure))
    return good("key", foundation.keyring.fingerprint()[:8])


async def _check_clock(connection: Connection, _: Foundation) -> Finding:
    there = await queries.find_time(connection)
    apart = abs((clock.now() - there).total_seconds())
    if apart > SKEW_SECONDS:
        return bad("clock", f"{apart:.0f} s apart from the database's. Let both machines keep time by NTP.")
    return good("clock", f"{apart * 1000:.0f} ms apart from the database's")


async def _check_neighbours(connection: Connection, _: Foundation) -> Finding:
    age = await queries.find_oldest_writer_seconds(connection)
    if age > OLD_TRANSACTION_SECONDS:
        return bad(
            "neighbours",
            f"a transaction on this PostgreSQL server is open for {age:.0f} s and holds all events back. Find it with "
            "SELECT pid, datname, application_name, query FROM pg_stat_activity WHERE backend_xid IS NOT NULL, "
            "and end it with pg_terminate_backend(pid).",
        )
    return good("neighbours", "no transaction holds events back")


async def _check_relay(database: Database) -> Finding:
    async with database.reading() as db:
        behind = await lag(db)
    if behind.failures:
        return bad(
            "relay",
            f"{behind.failures} events were set aside because a listener failed; they are tried again by themselves. "
            "`criachat failures list` says which and why; `criachat failures replay` does not wait.",
        )
    if behind.seconds > LATE_SECONDS:
        return bad(
            "relay",
            f"the oldest event waits for {behind.seconds:.0f} s. Is `criachat serve` or `criachat worker` running?",
        )
    return good("relay", f"{behind.seconds:.1f} s behind")


async def _check_jobs(database: Database) -> Finding:
    async with database.reading() as db:
        jobs = await count_jobs(db)
    if jobs.failed:
        return bad(
            "jobs",
            f"{jobs.failed} failed for good. `criachat jobs list` says why; `criachat jobs requeue` runs them again.",
        )
    return good("jobs", f"{jobs.due} due")


async def _check_files(settings: Settings) -> Finding:
    place = settings.file_store_url or Path(settings.data_directory()) / "files"
    try:
        # Nothing is signed here, so any key will do.
        files = Files(place, bytes(32), "")
        key = new_key(0, "probe.txt")
        await files.put(key, b"probe")
        await files.delete(key)
    except Exception as failure:  # noqa: BLE001 - whatever a file store raises is the finding
        return bad("files", f"{place} cannot be written: {failure}. Give it room, or set CRIACHAT_FILE_STORE_URL.")
    return good("files", f"{place} takes files")
