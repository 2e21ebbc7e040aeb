"""From what a handler returns to what goes over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import cast

import msgspec

from criachat.kit.errors import Refused, TooMany
from criachat.kit.http.versions import Versioned, etag

Headers = tuple[tuple[str, str], ...]
encode = msgspec.json.Encoder(decimal_format="number").encode

JSON = "application/json; charset=utf-8"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer whose status, headers or kind of content the handler chooses. A `body` of bytes goes out as it is."""

    body: object = b""
    status: int = 200
    headers: Headers = ()
    content_type: str = JSON


class Stream:
    """An answer sent piece by piece: files, server-sent events. No connection to the database is held meanwhile."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        *,
        content_type: str,
        status: int = 200,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.chunks = chunks
        self.content_type = content_type
        self.status = status
        self.headers: Headers = tuple(headers)


def encoded(result: object, *, answers_nothing: bool) -> Answer:
    """What a handler returned, its body in bytes."""
    if isinstance(result, Versioned):
        versioned = cast(Versioned[object], result)
        return Answer(body=encode(versioned.body), headers=(("ETag", etag(versioned.version)),))
    if isinstance(result, Answer):
        body = result.body
        return result if isinstance(body, bytes) else msgspec.structs.replace(result, body=encode(body))
    if answers_nothing:
        return Answer()
    return Answer(body=encode(result))


def refused(refusal: Refused) -> Answer:
    """The contract's body for a refusal."""
    if isinstance(refusal, TooMany):
        body = f"{refusal.text}\n".encode()
        return Answer(status=refusal.status, body=body, content_type="text/plain", headers=tuple(refusal.told.items()))
    return Answer(status=refusal.status, body=encode(refusal.body()), headers=tuple(refusal.headers.items()))


FAILED = Answer(status=500, body=encode({"status": 500, "error": "Internal Server Error"}))
