"""`criachat serve`, `criachat web` and `criachat worker`: from settings to something that runs."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from criachat.kit.db import Database
from criachat.kit.settings import Settings
from criachat.main import Parts, assembled, prepare_database
from criachat.serving.address import adopted, bound, listen, url_at, url_of
from criachat.serving.first_start import Welcome, open_first_account
from criachat.serving.foundation import Foundation, founded
from criachat.serving.process import run_everything, run_web, run_worker
from criachat.serving.supervisor import supervise

log = structlog.get_logger()

# Containers start in any order.
PATIENCE_SECONDS: Final = 30.0


async def serve(settings: Settings) -> None:
    """Everything: web, relay, deliveries, jobs, and the database if it is the embedded one."""
    with bound(settings) as listening:
        async with founded(settings, patience_seconds=PATIENCE_SECONDS) as foundation:
            await prepare_database(foundation.database_url, foundation.keyring)
            if settings.workers > 1:
                await _serve_with_several(settings, foundation, listening)
            else:
                await _serve_alone(settings, foundation, listening)


async def web(settings: Settings, *, listening_fd: int | None = None) -> None:
    """Answer requests; the work behind them is done by `criachat worker` on the same database."""
    with bound(settings) if listening_fd is None else adopted(listening_fd) as listening:
        async with _half(settings, url_of(listening, settings)) as parts:

            async def is_ready() -> None:
                log.info("ready", address=url_of(listening, settings))

            await run_web(parts, listening, is_ready)


async def worker(settings: Settings) -> None:
    """Walk the log, deliver webhooks and run jobs for the web processes on the same database."""
    async with _half(settings, url_at(settings.host, settings.port, settings)) as parts:
        log.info("ready")
        await run_worker(parts)


async def _serve_alone(settings: Settings, foundation: Foundation, listening: socket.socket) -> None:
    address = url_of(listening, settings)
    async with assembled(
        settings, database_url=foundation.database_url, keyring=foundation.keyring, base_url=address
    ) as parts:
        welcome = await open_first_account(parts.database, foundation.keyring)

        async def is_ready() -> None:
            _tell_ready(address, welcome)

        await run_everything(parts, listening, is_ready)


async def _serve_with_several(settings: Settings, foundation: Foundation, listening: socket.socket) -> None:
    address = url_of(listening, settings)
    database = Database(foundation.database_url, size=4)
    await database.open()
    try:
        welcome = await open_first_account(database, foundation.keyring)
    finally:
        await database.close()
    listen(listening)

    async def is_ready() -> None:
        _tell_ready(address, welcome)

    await supervise(settings, foundation, listening, address=address, is_ready=is_ready)


@asynccontextmanager
async def _half(settings: Settings, base_url: str) -> AsyncGenerator[Parts]:
    async with founded(settings, patience_seconds=PATIENCE_SECONDS) as foundation:
        await prepare_database(foundation.database_url, foundation.keyring)
        async with assembled(
            settings,
            database_url=foundation.database_url,
            keyring=foundation.keyring,
            base_url=base_url,
            shares_database=True,
        ) as parts:
            yield parts


def _tell_ready(address: str, welcome: Welcome | None) -> None:
    log.info("ready", address=address)
    if welcome is not None:
        sys.stdout.write(welcome.banner(address))
        sys.stdout.flush()
