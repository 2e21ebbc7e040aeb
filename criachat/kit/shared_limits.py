"""Limits that all processes count together: for what is seldom done, and must not be tried often."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from criachat.kit import clock
from criachat.kit.addresses import Network
from criachat.kit.db import Database, Tx
from criachat.kit.errors import TooMany
from criachat.kit.http.request import Request
from criachat.kit.limits import Limit, Verdict, address_key, client_address, headers
from criachat.kit.tokens import Keyring

# The longest of their windows is an hour.
KEPT_FOR: Final = timedelta(hours=2)

# What is refused does not count: whoever waits long enough is let in, however often they tried. What is done several
# times in one request ($6) counts all of it or nothing.
COUNT_REQUEST: Final = """
INSERT INTO limited_requests AS kept (name, subject, at, last_at)
VALUES ($1, $2, array_fill($3::timestamptz, ARRAY[CASE WHEN $6::integer <= $4 THEN $6 ELSE 0 END]), $3)
ON CONFLICT (name, subject) DO UPDATE
SET last_at = $3,
    at = (SELECT array_agg(moment ORDER BY moment) FROM unnest(kept.at) AS moment WHERE moment > $3 - $5::interval)
        || CASE
            WHEN (SELECT count(*) FROM unnest(kept.at) AS moment WHERE moment > $3 - $5::interval) + $6 <= $4
            THEN array_fill($3::timestamptz, ARRAY[$6])
            ELSE '{}'
        END
RETURNING at
"""
PRUNE_LIMITED_REQUESTS: Final = "DELETE FROM limited_requests WHERE last_at < $1"


class SharedLimiter:
    """Counts in the database. Subjects are kept as digests, so that no list of addresses comes of it."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        limits: Sequence[Limit],
        *,
        trusted_proxies: Sequence[Network] = (),
        is_on: bool = True,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._limits = {limit.name: limit for limit in limits}
        self._trusted_proxies = trusted_proxies
        self._is_on = is_on

    async def count(self, request: Request, subjects: Mapping[str, str | None]) -> None:
        """Count a request against these limits, by name; a subject of None is the address it came from.

        Raises `TooMany`. What is left is told in headers of a good answer.
        """
        forwarded_for = request.headers.get("x-forwarded-for")
        address, is_loopback = client_address(request.peer, forwarded_for, self._trusted_proxies)
        limits = [self._limits[name] for name in sorted(subjects) if name in self._limits]
        if is_loopback:
            limits = [limit for limit in limits if not limit.exempts_loopback]
        if not self._is_on or not limits:
            return
        async with self._database.transaction() as tx:
            key = address_key(address)
            verdicts = [await self._verdict(tx, limit, subjects[limit.name] or key) for limit in limits]
        told = headers(verdicts)
        if not all(verdict.allowed for verdict in verdicts):
            raise TooMany(told)
        request.told += tuple(told.items())

    async def count_one(self, name: str, subject: str, *, times: int = 1) -> None:
        """Count what somebody does, so many times, against one limit, wherever they are; raises `TooMany`."""
        async with self._database.transaction() as tx:
            await self.count_within(tx, name, subject, times=times)

    async def count_within(self, tx: Tx, name: str, subject: str, *, times: int) -> None:
        """The same for what is done in this transaction and nowhere else: it counts if that is done."""
        limit = self._limits.get(name)
        if not self._is_on or limit is None or not times:
            return
        verdict = await self._verdict(tx, limit, subject, times=times)
        if not verdict.allowed:
            raise TooMany(headers([verdict]))

    async def _verdict(self, tx: Tx, limit: Limit, subject: str, *, times: int = 1) -> Verdict:
        now, window = clock.now(), timedelta(seconds=limit.window_seconds)
        key = limit.name, self._keyring.digest(f"{limit.name} {subject}")
        counted: list[datetime] = await tx.fetch_value(COUNT_REQUEST, *key, now, limit.requests, window, times)
        is_allowed = counted[-times:] == [now] * times
        # Who was refused is let in once so many of those before are forgotten; who wants more than there can be, never.
        in_the_way = 1 if is_allowed else len(counted) + times - limit.requests
        last = counted[in_the_way - 1] if in_the_way <= len(counted) else now
        wait = math.ceil((last + window - now).total_seconds())
        return Verdict(
            limit=limit,
            allowed=is_allowed,
            remaining=limit.requests - len(counted),
            reset_seconds=wait,
            retry_after_seconds=0 if is_allowed else max(wait, 1),
        )


async def prune(database: Database) -> None:
    """Forget requests that count no more."""
    async with database.transaction() as tx:
        await tx.execute(PRUNE_LIMITED_REQUESTS, clock.now() - KEPT_FOR)
