"""The HTTP application: finds the endpoint, resolves the caller, binds, runs, commits, answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, Protocol, cast

import msgspec
import structlog

from criachat.kit import tokens
from criachat.kit.actors import Actor, Callers
from criachat.kit.db import CROWDED_OUT, TRY_AGAIN, Database, Db, Tx
from criachat.kit.errors import Crowded, NoSuchPage, Refused, ScopeMissing
from criachat.kit.http.answers import FAILED, Answer, Headers, Stream, encoded, refused
from criachat.kit.http.binding import Bound, arguments, bind
from criachat.kit.http.request import Receive, Request, Scope, Send
from criachat.kit.http.routes import Endpoint
from criachat.kit.http.streaming import send_chunks
from criachat.kit.http.tree import RouteTree
from criachat.kit.idempotency import Idempotency

log = structlog.get_logger()

ATTEMPTS = 3
FOR_THE_CALLER_ALONE = (b"cache-control", b"max-age=0, private, must-revalidate")
STRANGER = Actor(type="system")


class Resolver(Protocol):
    """Finds out who is asking, or refuses."""

    def __call__(self, request: Request, endpoint: Endpoint, path: Mapping[str, str], /) -> Awaitable[Actor]: ...


class Guard(Protocol):
    """Counts a request against its limits; raises `TooMany`, or returns headers that tell what is left."""

    def __call__(self, request: Request, endpoint: Endpoint, actor: Actor, /) -> tuple[tuple[str, str], ...]: ...


class Count(Protocol):
    """Takes note of an answer: its method, route and status, and how long it took."""

    def __call__(self, method: str, route: str, status: int, seconds: float, /) -> None: ...


class Prepare(Protocol):
    """Makes something of a request that takes long, before a connection to the database is borrowed."""

    def __call__(self, actor: Actor, params: Any, /) -> Awaitable[object]: ...


class Application(msgspec.Struct, kw_only=True):
    """What the HTTP application is built of; `main.py` fills it in."""

    database: Database
    endpoints: Iterable[Endpoint]
    resolvers: Mapping[Callers, Resolver]
    provides: Mapping[type[Any], Any]
    prepares: Mapping[type[Any], Prepare] = {}
    idempotency: Idempotency
    guard: Guard
    count: Count
    maximum_request_bytes: int
    allowed_origins: frozenset[str] = frozenset()


class HttpApp:
    """One process's HTTP surface, as an ASGI application."""

    def __init__(self, application: Application) -> None:
        self._of = application
        self._tree: RouteTree[tuple[Bound, Resolver | None]] = RouteTree()
        self.bounds = [bind(endpoint, application.provides, application.prepares) for endpoint in application.endpoints]
        for bound in self.bounds:
            endpoint = bound.endpoint
            self._tree.add(endpoint.methods, endpoint.path, (bound, self._resolver_for(endpoint)))
        # Asked once: to prepare a line of the log that nobody writes costs more than to count the request.
        self._tells_of_reads: bool = log.is_enabled_for(logging.DEBUG)

    def _resolver_for(self, endpoint: Endpoint) -> Resolver | None:
        if Callers.ANYONE in endpoint.actors:
            return None
        for callers, resolver in self._of.resolvers.items():
            if callers & endpoint.actors:
                return resolver
        raise TypeError(f"{endpoint.path}: nobody resolves {endpoint.actors}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = time.perf_counter()
        request = Request(scope, receive)
        fields: dict[str, Any] = {}
        try:
            answer = await self._answer(request, fields)
        except Refused as refusal:
            # Its sentence may repeat what was sent, which no log is to keep.
            fields["refusal"] = type(refusal).__name__
            answer = refused(refusal)
        except CROWDED_OUT as failure:
            log.warning("request_crowded_out", failure=type(failure).__name__, path=fields.get("route", ""))
            answer = refused(Crowded())
        except Exception:
            log.exception("request_failed", method=request.method, path=fields.get("route", ""))
            answer = FAILED
        finally:
            request.close()
        told = request.told if answer.status < 400 else ()
        try:
            await _send(request, send, answer, self._headers(request, fields) + told)
        finally:
            self._tell(request, answer, fields, time.perf_counter() - began)

    async def _answer(self, request: Request, fields: dict[str, Any]) -> Answer | Stream:
        if request.method == "OPTIONS":
            return self._preflight(request)
        found = self._tree.find("GET" if request.method == "HEAD" else request.method, request.path)
        if found is None or "\x00" in request.path:
            raise NoSuchPage
        (bound, resolve), path = found
        fields["route"] = bound.endpoint.path
        for name in bound.told_ids:
            if path[name].isdigit():
                fields[name] = path[name]
        actor = await self._admitted(request, bound.endpoint, resolve, path, fields)
        bag = await self._parameters(request, bound)
        values = arguments(bound, path, bag, request=request, actor=actor)
        for name, prepare in bound.prepared.items():
            values[name] = await prepare(actor, values.get(bound.params_name or ""))
        key = request.headers.get("idempotency-key") if request.is_write else None
        if key is not None and bound.writes and bound.endpoint.is_idempotent:
            slot = await self._of.idempotency.slot(key, actor=actor, request=request, bag=bag)
            return await self._of.idempotency.answer(slot, lambda tx: self._run(bound, values, tx, fields))
        return await self._attempt(bound, values, fields)

    async def _parameters(self, request: Request, bound: Bound) -> dict[str, Any]:
        if bound.endpoint.takes_content:
            return {}
        limit = self._of.maximum_request_bytes
        return await request.parameters(maximum_request_bytes=limit, files=bound.file_names)

    async def _admitted(
        self,
        request: Request,
        endpoint: Endpoint,
        resolve: Resolver | None,
        path: Mapping[str, str],
        fields: dict[str, Any],
    ) -> Actor:
        """The caller, counted and let in; or a refusal."""
        if resolve is not None:
            request.asked = resolve, endpoint, path
        try:
            actor = STRANGER if resolve is None else await resolve(request, endpoint, path)
        except Refused:
            # Counted by their address, or tokens could be guessed at leisure.
            fields["headers"] = self._of.guard(request, endpoint, STRANGER)
            raise
        fields["actor"] = f"{actor.type}:{actor.id}" if actor.id else actor.type
        fields["headers"] = self._of.guard(request, endpoint, actor)
        if not actor.covers(endpoint.scope):
            raise ScopeMissing(endpoint.scope)
        return actor

    async def _attempt(self, bound: Bound, values: dict[str, Any], fields: dict[str, Any]) -> Answer | Stream:
        """Run it; a transaction that lost a race changed nothing and is tried again."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if bound.writes:
                    async with self._of.database.transaction() as tx:
                        return await self._run(bound, values, tx, fields)
                if bound.connection_names:
                    async with self._of.database.reading() as db:
                        return await self._run(bound, values, db, fields)
                return await self._run(bound, values, None, fields)
            except TRY_AGAIN:
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def _run(
        self, bound: Bound, values: dict[str, Any], db: Db | None, fields: dict[str, Any]
    ) -> Answer | Stream:
        for name in bound.connection_names:
            values[name] = db
        result = await bound.endpoint.handler(**values)
        if isinstance(db, Tx):
            fields.update(db.told)
        if isinstance(result, Stream):
            return result
        return encoded(result, answers_nothing=bound.answers_nothing)

    def _preflight(self, request: Request) -> Answer:
        if not self._origin_headers(request):
            raise NoSuchPage
        return Answer(
            status=204,
            headers=(
                ("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
                ("Access-Control-Allow-Headers", request.headers.get("access-control-request-headers", "*")),
                ("Access-Control-Max-Age", "7200"),
            ),
        )

    def _origin_headers(self, request: Request) -> Headers:
        origin = request.headers.get("origin")
        if origin is None:
            return ()
        if request.path.startswith("/public/api/"):
            return (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "*"))
        if origin in self._of.allowed_origins:
            return (
                ("Access-Control-Allow-Origin", origin),
                ("Access-Control-Expose-Headers", "access-token, client, uid, expiry, etag"),
                ("Vary", "Origin"),
            )
        return ()

    def _headers(self, request: Request, fields: dict[str, Any]) -> Headers:
        request_id = request.headers.get("x-request-id", "")
        if not (request_id.isascii() and request_id.isprintable() and 0 < len(request_id) <= 128):
            request_id = tokens.request_id()
        fields["request_id"] = request_id
        return ("X-Request-Id", request_id), *fields.pop("headers", ()), *self._origin_headers(request)

    def _tell(self, request: Request, answer: Answer | Stream, fields: dict[str, Any], seconds: float) -> None:
        self._of.count(request.method, fields.get("route", ""), answer.status, seconds)
        is_bad = answer.status >= 500
        if not (is_bad or request.is_write or self._tells_of_reads):
            return
        level = log.warning if is_bad else log.info if request.is_write else log.debug
        level("request", method=request.method, status=answer.status, ms=round(seconds * 1000, 2), **fields)


async def _send(request: Request, send: Send, answer: Answer | Stream, headers: Headers) -> None:
    raw = [(b"content-type", answer.content_type.encode())]
    raw += [(name.lower().encode(), value.encode("latin-1")) for name, value in (*answer.headers, *headers)]
    body = b""
    if isinstance(answer, Answer):
        body = cast(bytes, answer.body)
        raw.append((b"content-length", b"%d" % len(body)))
        # Caches between us and a client know nothing of the headers that say who is asking.
        if b"cache-control" not in dict(raw):
            raw.append(FOR_THE_CALLER_ALONE)
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if isinstance(answer, Stream) and request.method != "HEAD":
        await send_chunks(request, send, answer.chunks)
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})
