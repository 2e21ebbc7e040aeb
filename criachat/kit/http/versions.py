"""Versions of objects over HTTP: answers tell them as `ETag`, a change says with `If-Match` which one it means."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from criachat.kit.errors import PreconditionFailed

Body = TypeVar("Body")


class Versioned(msgspec.Struct, Generic[Body], frozen=True):
    """An answer about one object: the body as it is, and the object's version in the `ETag` header."""

    body: Body
    version: int


class Expected(msgspec.Struct, frozen=True):
    """The versions a change was meant for; None when any will do. Handlers ask for it by its type."""

    tags: frozenset[str] | None = None

    def check(self, version: int) -> None:
        """Refuse a change of a version that the caller did not mean."""
        if self.tags is not None and etag(version) not in self.tags:
            raise PreconditionFailed


def etag(version: int) -> str:
    """The version as the header has it."""
    return f'"{version}"'


def expected(if_match: str | None) -> Expected:
    """What an `If-Match` header says; absent, blank and `*` say nothing.

    A weak tag counts as its strong one: proxies that compress answers weaken tags, and ours name the object, not bytes.
    """
    tags = frozenset(tag.strip().removeprefix("W/") for tag in (if_match or "*").split(","))
    return Expected(None if tags & {"*", ""} else tags)
