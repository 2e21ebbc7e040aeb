"""`criachat serve`, `criachat web` and `criachat worker`: from settings to something that runs."""

from __future__ import annotations

import asyncio
import importlib
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import structlog

from criachat.kit.settings import Settings
from criachat.serving.address import bound, url_of
from criachat.serving.foundation import Foundation, founded

if TYPE_CHECKING:
    from criachat.main import Parts

log = structlog.get_logger()

PATIENCE_SECONDS: Final = 30.0


async def serve(settings: Settings) -> None:
    """Everything in this process: web, relay, deliveries, jobs, and the database if it is the embedded one."""
    from criachat.serving.first_start import open_first_account  # noqa: PLC0415 - see _loaded
    from criachat.serving.process import run_everything  # noqa: PLC0415

    with bound(settings) as listening:
        async with _assembled(settings, listening, shares_database=False) as (foundation, parts):
            welcome = await open_first_account(parts.database, foundation.keyring)
            address = url_of(listening, settings)

            async def is_ready() -> None:
                log.info("ready", address=address)
                if welcome is not None:
                    sys.stdout.write(welcome.banner(address))
                    sys.stdout.flush()

            await run_everything(parts, listening, is_ready)
