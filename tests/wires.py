"""An application behind a real socket, for what only shows there: streams, websockets, clients that hang up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any

import uvicorn


class _Uvicorn(uvicorn.Server):
    """The server without its signal handlers, which are the test run's."""

    def capture_signals(self) -> AbstractContextManager[None]:
        return nullcontext()


@asynccontextmanager
async def served(app: Any, *, port: int = 0) -> AsyncGenerator[str]:
    """Have it answer on this port, or a free one, of this machine, until the block ends; its address."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        config = uvicorn.Config(
            app,
            interface="asgi3",
            lifespan="off",
            log_level="warning",
            ws="websockets-sansio",
            ws_max_size=1024 * 1024,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=5,
        )
        server = _Uvicorn(config)
        serving = asyncio.create_task(server.serve([listening]))
        host, port = listening.getsockname()
        try:
            yield f"{host}:{port}"
        finally:
            server.should_exit = True
            await serving
