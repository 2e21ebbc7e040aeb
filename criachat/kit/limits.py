"""How often callers may ask: one table that drives enforcement, headers and documentation."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal

import msgspec

from criachat.kit import clock
from criachat.kit.addresses import Network

Subject = Literal["token", "contact", "inbox", "address", "account", "user", "email"]


class Limit(msgspec.Struct, frozen=True):
    """So many requests in any window of so many seconds, counted for each subject on its own."""

    name: str
    requests: int
    window_seconds: int
    keyed_by: Subject
    text: str
    exempts_loopback: bool = True

    @property
    def policy(self) -> str:
        """The limit as an item of the `RateLimit-Policy` header."""
        return f'"{self.name}";q={self.requests};w={self.window_seconds}'


MINUTE: Final = 60
HOUR: Final = 60 * MINUTE

LIMITS: Final[tuple[Limit, ...]] = (
    Limit("token", 3000, MINUTE, "token", "All requests with one access token or session"),
    Limit("contact", 600, MINUTE, "contact", "All requests of one contact of the client API or the widget"),
    Limit("inbox", 3000, MINUTE, "inbox", "All requests to one inbox from one address that name no contact"),
    Limit("address", 3000, MINUTE, "address", "All requests from one address that carry none of these"),
    Limit("sign-in", 5, 5 * MINUTE, "address", "Signing in with a password", exempts_loopback=False),
    Limit("sign-in-email", 10, 15 * MINUTE, "email", "Signing in to one account", exempts_loopback=False),
    Limit("second-factor", 10, MINUTE, "address", "Signing in: the second factor", exempts_loopback=False),
    Limit("second-factor-token", 10, MINUTE, "token", "Second factors for one sign-in", exempts_loopback=False),
    Limit("second-factor-user", 20, HOUR, "user", "Second factors of one person", exempts_loopback=False),
    Limit("second-factor-setup", 5, MINUTE, "address", "Setting up, renewing or removing a second factor"),
    Limit("present-password", 10, 15 * MINUTE, "user", "Showing one's present password", exempts_loopback=False),
    Limit("password-reset", 5, 30 * MINUTE, "address", "Asking for a new password", exempts_loopback=False),
    Limit("password-reset-email", 5, HOUR, "email", "Asking for a new password of one account", exempts_loopback=False),
    Limit("password-change", 10, 30 * MINUTE, "address", "Setting a new password by mail", exempts_loopback=False),
    Limit("confirmation", 5, 30 * MINUTE, "address", "Asking for the confirmation e-mail again"),
    Limit("confirmation-user", 10, HOUR, "user", "Having a person's address confirmed by mail", exempts_loopback=False),
    Limit("sign-up", 5, 30 * MINUTE, "address", "Opening an account", exempts_loopback=False),
    Limit("invitation", 200, HOUR, "account", "Inviting people to an account, each address for itself"),
    Limit("contact-search", 100, MINUTE, "account", "Searching contacts"),
    Limit("upload", 60, HOUR, "account", "Uploading files ahead of a message"),
    Limit("transcript", 30, HOUR, "account", "Sending transcripts of conversations by e-mail"),
    Limit("macro-address", 1000, HOUR, "account", "Telling addresses that macros name"),
    Limit("macro-transcript", 300, HOUR, "account", "Sending transcripts of conversations by macros"),
    Limit("instructions", 30, HOUR, "account", "Mailing somebody how the domain of a help centre is set up"),
    Limit("reports", 1000, MINUTE, "account", "Reading reports"),
)


def adjusted(limits: Sequence[Limit], requests: Mapping[str, int]) -> tuple[Limit, ...]:
    """The same limits with other numbers of requests, by name; zero takes a limit away."""
    unknown = requests.keys() - {limit.name for limit in limits}
    if unknown:
        raise ValueError(f"no such limit: {', '.join(sorted(unknown))}")
    changed = (msgspec.structs.replace(limit, requests=requests.get(limit.name, limit.requests)) for limit in limits)
    return tuple(limit for limit in changed if limit.requests > 0)


def read_changes(entries: Sequence[str]) -> dict[str, int]:
    """Numbers of requests by the name of their limit, from entries like `token=600`."""
    changes: dict[str, int] = {}
    for entry in entries:
        name, _, number = entry.partition("=")
        if not (number.strip().isascii() and number.strip().isdigit()):
            raise ValueError(f"{entry!r} is not a name, an equals sign and a number")
        changes[name.strip()] = int(number)
    return changes


def markdown(limits: Sequence[Limit] = LIMITS) -> str:
    """The table of limits as it stands in the documentation."""
    rows = [
        f"| `{limit.name}` | {limit.requests} in {_duration(limit.window_seconds)} | {limit.keyed_by} | {limit.text} |"
        for limit in limits
    ]
    return "\n".join(["| Name | Requests | For each | Of what |", "|---|---|---|---|", *rows, ""])


def _duration(seconds: int) -> str:
    if seconds % HOUR == 0:
        return f"{seconds // HOUR} h"
    return f"{seconds // MINUTE} min" if seconds % MINUTE == 0 else f"{seconds} s"


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """Whether a request may go on, and what its caller is told about the next ones."""

    limit: Limit
    allowed: bool
    remaining: int
    reset_seconds: int
    """When the oldest request counted is forgotten: until then the caller has `remaining` and no more."""
    retry_after_seconds: int
    """Zero when allowed; otherwise a request sent after this wait is allowed, if none was in between."""


def headers(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """The response headers that tell of these limits, with `Retry-After` when one of them refused."""
    told = {
        "RateLimit-Policy": ", ".join([verdict.limit.policy for verdict in verdicts]),
        "RateLimit": ", ".join(
            [f'"{verdict.limit.name}";r={verdict.remaining};t={verdict.reset_seconds}' for verdict in verdicts]
        ),
    }
    wait = max((verdict.retry_after_seconds for verdict in verdicts if not verdict.allowed), default=None)
    return told if wait is None else told | {"Retry-After": str(wait)}


class _Burst:
    """Requests close together, counted as one entry that ages with its last request."""

    __slots__ = ("first", "last", "requests")

    def __init__(self, now: float) -> None:
        self.first = now
        self.last = now
        self.requests = 1


class _Recent:
    """The requests of one subject that still count."""

    __slots__ = ("bursts", "total")

    def __init__(self) -> None:
        self.bursts: deque[_Burst] = deque()
        self.total = 0


BURSTS_PER_WINDOW: Final = 60
MOST_SUBJECTS: Final = 100_000


class _Counter:
    """Counts one limit.

    Subjects live in two generations. Whoever asks moves to the young one; a window later the young become the old, and
    the old are dropped whole, with everybody who was silent since: nothing has to be swept.
    """

    def __init__(self, limit: Limit, *, most_subjects: int) -> None:
        self.limit = limit
        self._grain = limit.window_seconds / BURSTS_PER_WINDOW
        self._most_subjects = most_subjects // 2
        self._young: dict[str, _Recent] = {}
        self._old: dict[str, _Recent] = {}
        self._turned_at = -math.inf

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def check(self, key: str, now: float) -> Verdict:
        limit = self.limit
        window = limit.window_seconds
        recent = self._young.get(key) or self._find(key, now)
        bursts = recent.bursts
        while bursts and bursts[0].last + window <= now:
            recent.total -= bursts.popleft().requests

        allowed = recent.total < limit.requests
        if allowed:
            recent.total += 1
            if bursts and now < bursts[-1].first + self._grain:
                bursts[-1].last = now
                bursts[-1].requests += 1
            else:
                bursts.append(_Burst(now))
        wait = math.ceil(bursts[0].last + window - now)
        return Verdict(limit, allowed, limit.requests - recent.total, wait, 0 if allowed else wait)

    def _find(self, key: str, now: float) -> _Recent:
        if now >= self._turned_at + self.limit.window_seconds or len(self._young) >= self._most_subjects:
            self._old, self._young, self._turned_at = self._young, {}, now
        recent = self._young[key] = self._old.pop(key, None) or _Recent()
        return recent


class Limiter:
    """Counts requests in this process.

    In any window of a limit's length no subject is allowed more than the limit's requests. The price is a grain of one
    sixtieth of the window: requests closer together than that are forgotten together, with the last of them. The one
    exception: when more than `most_subjects` ask within a window, those silent longest are forgotten early.
    """

    def __init__(self, limits: Sequence[Limit] = LIMITS, *, most_subjects: int = MOST_SUBJECTS) -> None:
        self._counters = {limit.name: _Counter(limit, most_subjects=most_subjects) for limit in limits}

    def __len__(self) -> int:
        return sum(len(counter) for counter in self._counters.values())

    def check(self, name: str, key: str, now: float | None = None) -> Verdict | None:
        """Count a request of this subject if its limit allows it; None when the limit is switched off."""
        counter = self._counters.get(name)
        return None if counter is None else counter.check(key, clock.monotonic() if now is None else now)


def client_address(peer: str, forwarded_for: str | None, trusted_proxies: Sequence[Network] = ()) -> tuple[str, bool]:
    """The address of whoever sent the request, and whether they are on this machine with nothing in between.

    `forwarded_for` is believed from right to left, for as long as the hop that wrote each entry is a trusted proxy.
    `peer` is empty on a Unix socket, which only this machine can reach.
    """
    if forwarded_for is None:
        return _direct(peer)
    hop = _parse(peer) or ip_address("127.0.0.1")
    for entry in reversed(forwarded_for.split(",")):
        if not any(hop in network for network in trusted_proxies):
            break
        earlier = _parse(entry.strip())
        if earlier is None:
            break
        hop = earlier
    return str(hop), False


def address_key(address: str) -> str:
    """The subject an address is counted as: with IPv6 its /64, since one caller commands all of it."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return address if parsed is None else str(parsed)


@lru_cache(maxsize=4096)
def _direct(peer: str) -> tuple[str, bool]:
    hop = _parse(peer)
    return (peer, not peer) if hop is None else (str(hop), hop.is_loopback)


@lru_cache(maxsize=4096)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address with or without port, brackets, or zone; IPv4 in the clothes of IPv6 is IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
