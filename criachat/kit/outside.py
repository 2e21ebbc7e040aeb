"""The only way out by HTTP: everything has a deadline and a limit, and nothing private can be reached.

An address is checked where the connection is made: the host is resolved once, each address is looked at, and
the connection goes to those very addresses. A name that answers differently a moment later gains nothing.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Final, Literal

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from criachat.kit import clock
from criachat.kit.addresses import Address, Trusted, ends_in_number, read_address
from criachat.kit.errors import Invalid

Kind = Literal[
    "timeout", "refused_address", "connection", "tls", "too_large", "invalid_url", "invalid_header", "unresolved"
]
Resolve = Callable[[str], Awaitable[Sequence[str]]]

MAX_URL_CHARACTERS: Final = 8000
MAX_SENT_BYTES: Final = 1024 * 1024
KEPT_BYTES: Final = 20_000
MAX_KEPT_HEADERS: Final = 64
MAX_KEPT_HEADER_CHARACTERS: Final = 1000
READ_BYTES: Final = 16 * 1024

# Servers made with Node close an idle connection after five seconds. Whoever sends on a connection that is
# being closed does not learn whether the request was read, so ours are given up a little earlier.
KEEP_ALIVE_SECONDS: Final = 4
# A receiver that never reads must not keep our unsent bytes, long after we gave up on it.
UNACKNOWLEDGED_MILLISECONDS: Final = 30_000

RESOLVED_SECONDS: Final = 10
MAX_RESOLVED_HOSTS: Final = 1000
RESOLVING_THREADS: Final = 16

HOST_NAME: Final = re.compile(r"(?=.{1,253}\.?\Z)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
BRACKETED: Final = re.compile(r"[0-9a-f:.]*:[0-9a-f:.]*")
IN_BRACKETS: Final = re.compile(r"[a-z]+://[^/?#]*\[", re.IGNORECASE)
NEVER_IN_A_URL: Final = re.compile(r"[\x00-\x20\x7f\\]")
HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
NEVER_IN_A_HEADER: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
# They frame the request or name its receiver: both are ours to say.
OUR_HEADERS: Final = frozenset(
    ("host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect")
)


class InvalidUrl(Invalid):
    """Url is invalid"""

    attributes = ("url",)


class OutsideFailed(Exception):
    """The other side could not be asked, or gave no answer that we could take."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(kind, text)
        self.kind: Kind = kind
        self.text = text


class Answer(msgspec.Struct, frozen=True):
    """What the other side said, whatever its status; a redirect is an answer too."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    truncated: bool
    first_byte_seconds: float
    duration_seconds: float


def check_url(url: str) -> None:
    """Refuse a URL that could never be asked, whatever its host resolves to."""
    _read_url(url)


@lru_cache(maxsize=1024)
def _read_url(url: str) -> URL:
    if len(url) > MAX_URL_CHARACTERS or NEVER_IN_A_URL.search(url):
        raise InvalidUrl
    try:
        parsed = URL(url)
    except ValueError as error:
        raise InvalidUrl from error
    if parsed.scheme not in ("http", "https") or not parsed.raw_host or not parsed.port:
        raise InvalidUrl
    is_host = BRACKETED if IN_BRACKETS.match(url) else HOST_NAME
    if not is_host.fullmatch(parsed.raw_host):
        raise InvalidUrl
    return parsed


class Outside:
    """The client of the outside world. Built once; connections are kept and shared."""

    def __init__(
        self,
        allowed_private_hosts: Collection[str],
        user_agent: str,
        max_connections: int = 200,
        resolve: Resolve | None = None,
    ) -> None:
        self._trusted = Trusted(allowed_private_hosts)
        self._user_agent = user_agent
        self._max_connections = max_connections
        self._resolver = CheckedResolver(self._trusted, resolve)
        self._tls = ssl.create_default_context()
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], timeout_seconds: float, keep_bytes: int = KEPT_BYTES
    ) -> Answer:
        """Send exactly these bytes; only the first 20 kB of the answer are read, unless more are wanted."""
        if len(body) > MAX_SENT_BYTES:
            raise OutsideFailed("too_large", f"The body is longer than {MAX_SENT_BYTES} bytes")
        return await self._ask("POST", url, body, headers=headers, timeout_seconds=timeout_seconds, keep=keep_bytes)

    async def get(self, url: str, *, headers: Mapping[str, str], timeout_seconds: float, max_bytes: int) -> Answer:
        """Fetch the whole answer, or fail when it is longer than `max_bytes`."""
        answer = await self._ask("GET", url, None, headers=headers, timeout_seconds=timeout_seconds, keep=max_bytes)
        if answer.truncated:
            raise OutsideFailed("too_large", f"The answer is longer than {max_bytes} bytes")
        return answer

    async def close(self) -> None:
        """Close all connections; requests that are under way fail."""
        await self._resolver.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(
        self,
        method: Literal["GET", "POST"],
        url: str,
        body: bytes | None,
        *,
        headers: Mapping[str, str],
        timeout_seconds: float,
        keep: int = KEPT_BYTES,
    ) -> Answer:
        target = self._check_target(url)
        _check_headers(headers, target)
        started = clock.monotonic()
        try:
            async with asyncio.timeout(timeout_seconds):
                response = await self._connections().request(
                    method, target, data=body, headers=headers, allow_redirects=False
                )
                first_byte_seconds = clock.monotonic() - started
                try:
                    kept, truncated = await _read(response, keep)
                finally:
                    # Does nothing to an answer that was read to its end: its connection is free already.
                    response.close()
        except TimeoutError as error:
            raise OutsideFailed("timeout", f"No complete answer within {timeout_seconds:g} seconds") from error
        except aiohttp.ClientError as error:
            raise _failure(error) from error
        return Answer(
            status=response.status,
            headers=_kept_headers(response.raw_headers),
            body=kept,
            truncated=truncated,
            first_byte_seconds=first_byte_seconds,
            duration_seconds=clock.monotonic() - started,
        )

    def _check_target(self, url: str) -> URL:
        try:
            target = _read_url(url)
        except InvalidUrl as error:
            raise OutsideFailed("invalid_url", "The URL is not a valid http or https URL") from error
        host = (target.raw_host or "").rstrip(".")
        port = target.port or 0
        # The connector asks no resolver about addresses, so they are judged here.
        address = read_address(host)
        if address is not None:
            _check_reachable(self._trusted, host, port, [address])
        elif ends_in_number(host):
            raise OutsideFailed("refused_address", f"{host} is an address in a notation that is not accepted")
        return target

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=self._resolver,
                use_dns_cache=False,
                limit=self._max_connections,
                # One host that hangs cannot take all connections, however many requests it is sent.
                limit_per_host=max(1, self._max_connections // 4),
                keepalive_timeout=KEEP_ALIVE_SECONDS,
                socket_factory=_make_socket,
                ssl=self._tls,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
                skip_auto_headers=("Content-Type",),
                auto_decompress=False,
                trust_env=False,
                read_bufsize=READ_BYTES,
            )
        return self._session


class CheckedResolver(AbstractResolver):
    """Finds the addresses of a host, and hands out none when one of them may not be connected to.

    Answers are remembered for ten seconds and judged anew each time, since what is trusted depends on the port.
    """

    def __init__(self, trusted: Trusted, resolve: Resolve | None) -> None:
        self._trusted = trusted
        # Threads of our own: name servers that hang keep a thread for long, and others need theirs.
        self._threads = ThreadPoolExecutor(RESOLVING_THREADS, thread_name_prefix="resolve")
        self._resolve = resolve or self._ask_the_system
        self._known: dict[str, tuple[float, Sequence[Address]]] = {}
        self._running: dict[str, asyncio.Task[Sequence[Address]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of the host, each of them checked."""
        name = host.rstrip(".").lower()
        addresses = await self._addresses(name)
        _check_reachable(self._trusted, name, port, addresses)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        for task in self._running.values():
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _addresses(self, host: str) -> Sequence[Address]:
        known = self._known.get(host)
        if known is not None and clock.monotonic() - known[0] < RESOLVED_SECONDS:
            return known[1]
        running = self._running.get(host)
        if running is None:
            if len(self._running) >= MAX_RESOLVED_HOSTS:
                raise OutsideFailed("unresolved", "Too many hosts are being resolved")
            running = asyncio.get_running_loop().create_task(self._look_up(host))
            self._running[host] = running
            running.add_done_callback(lambda task: self._finished(host, task))
        # One caller who gives up must not take the answer from the others.
        return await asyncio.shield(running)

    async def _look_up(self, host: str) -> Sequence[Address]:
        try:
            texts = await self._resolve(host)
        except (OSError, UnicodeError) as error:
            raise OutsideFailed("unresolved", f"{host} could not be resolved") from error
        addresses = [address for text in dict.fromkeys(texts) if (address := read_address(text)) is not None]
        if not addresses or len(addresses) < len(set(texts)):
            raise OutsideFailed("unresolved", f"{host} has no usable address")
        return addresses

    def _finished(self, host: str, task: asyncio.Task[Sequence[Address]]) -> None:
        del self._running[host]
        if task.cancelled() or task.exception() is not None:
            return
        if len(self._known) >= MAX_RESOLVED_HOSTS:
            self._known.clear()
        self._known[host] = clock.monotonic(), task.result()

    async def _ask_the_system(self, host: str) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _get_addresses, host)


def _get_addresses(host: str) -> Sequence[str]:
    return [str(address[0]) for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def _check_reachable(trusted: Trusted, host: str, port: int, addresses: Sequence[Address]) -> None:
    # The addresses themselves are not told: whoever names a host need not know what our name servers answer.
    if not trusted.may_reach(host, port, addresses):
        raise OutsideFailed("refused_address", f"{host} is not on the public internet")


def _check_headers(headers: Mapping[str, str], target: URL) -> None:
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name) or NEVER_IN_A_HEADER.search(value):
            raise OutsideFailed("invalid_header", "A header has characters that are not allowed in headers")
        lower = name.lower()
        if lower in OUR_HEADERS or (lower == "authorization" and target.raw_user is not None):
            raise OutsideFailed("invalid_header", f"The header {name} cannot be set")


def _make_socket(address: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
    made = socket.socket(*address[:3])
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLISECONDS)
    return made


async def _read(response: aiohttp.ClientResponse, keep: int) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    length = 0
    try:
        while length <= keep and (part := await response.content.readany()):
            parts.append(part)
            length += len(part)
    except RuntimeError as error:
        # What the reader says when the connection broke a moment ago and nobody has told it yet.
        raise OutsideFailed("connection", "The connection was closed before the answer ended") from error
    return b"".join(parts)[:keep], length > keep


def _kept_headers(raw_headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1")[:MAX_KEPT_HEADER_CHARACTERS], value.decode("latin-1")[:MAX_KEPT_HEADER_CHARACTERS])
        for name, value in raw_headers[:MAX_KEPT_HEADERS]
    ]


def _failure(error: aiohttp.ClientError) -> OutsideFailed:
    match error:
        case aiohttp.ClientSSLError() | aiohttp.ServerFingerprintMismatch():
            return OutsideFailed("tls", _told(error.__cause__ or error))
        case aiohttp.ClientResponseError():
            return OutsideFailed("connection", "The answer is not valid HTTP, or its headers are too long")
        case aiohttp.ClientPayloadError():
            return OutsideFailed("connection", "The answer ended too early")
        case aiohttp.ServerDisconnectedError():
            return OutsideFailed("connection", "The connection was closed without an answer")
        case _:
            return OutsideFailed("connection", _told(error.__cause__ or error))


def _told(error: BaseException) -> str:
    reason = error.strerror if isinstance(error, OSError) else None
    return (reason or str(error) or type(error).__name__)[:300]
