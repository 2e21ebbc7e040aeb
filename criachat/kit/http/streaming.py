"""Sending an answer piece by piece, for as long as somebody takes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from criachat.kit.http.request import Request, Send


async def send_chunks(request: Request, send: Send, chunks: AsyncIterator[bytes]) -> None:
    """Send what comes, until it ends or the client hangs up: what is still to come is not asked for then."""
    sending = asyncio.ensure_future(_send_each(send, chunks))
    leaving = asyncio.ensure_future(request.left())
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        leaving.cancel()
        failure, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
    if isinstance(failure, Exception):
        raise failure


async def _send_each(send: Send, chunks: AsyncIterator[bytes]) -> None:
    try:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
