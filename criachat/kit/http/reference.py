"""The API's description, served by the server it describes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from criachat import VERSION
from criachat.kit.actors import ANYONE
from criachat.kit.http.answers import Answer, encode
from criachat.kit.http.binding import Bound
from criachat.kit.http.examples import Examples, read_examples
from criachat.kit.http.openapi import document
from criachat.kit.http.pages import page
from criachat.kit.http.routes import Routes

routes = Routes("", tag="Reference")


class Reference:
    """Every endpoint of this server, described on first asking, with the examples in this file."""

    def __init__(self, examples: Path) -> None:
        self.bounds: Sequence[Bound] = ()
        self._examples = examples
        self._described: bytes | None = None
        self._page: bytes | None = None

    @property
    def described(self) -> bytes:
        """The OpenAPI document, as JSON."""
        if self._described is None:
            self._described = encode(self._document(read_examples(self._examples)))
        return self._described

    @property
    def page(self) -> bytes:
        """The same, as a page to read."""
        if self._page is None:
            examples = read_examples(self._examples)
            self._page = page(self._document(examples), examples).encode()
        return self._page

    def _document(self, examples: Examples) -> dict[str, Any]:
        return document(self.bounds, version=VERSION, examples=examples)


@routes.get("/openapi.json", actors=ANYONE)
async def show_openapi(reference: Reference) -> Answer:
    """Every endpoint in OpenAPI 3.1, for programs."""
    return Answer(body=reference.described, headers=(("Access-Control-Allow-Origin", "*"),))


@routes.get("/docs", actors=ANYONE)
async def show_docs(reference: Reference) -> Answer:
    """Every endpoint, for people."""
    return Answer(
        body=reference.page,
        content_type="text/html; charset=utf-8",
        headers=(("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),),
    )
