"""How slices declare endpoints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from criachat.kit.actors import Callers

Handler = Callable[..., Awaitable[Any]]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One door: what opens it, who may come in, and the function behind it.

    `wrapper` is the key under which the parameters may (JSON) or must (forms) stand. With `plain_errors`, parameters
    that break a rule are answered as `{"error": …}` instead of `{"message": …, "attributes": […]}`. With
    `record_errors` those of another kind are answered so too, which elsewhere are not.
    `files` names the fields in which a multipart request may bring files; in any other field they are passed over.
    With `null_text`, the text `null` in a field at the top says nothing, as form clients mean it.
    With `is_hidden`, people who do not belong to the account are told that there is none, not that it is another's.
    `limit` names the rate limit of `kit.limits` that guards it beside the general one.
    `permission` lets in agents whose custom role has it, beside the administrators that `actors` names.
    `beside` names fields that stand beside the wrapper, and not below it. With `may_be_empty`, a request that says
    nothing below the wrapper is none to refuse.
    With `takes_content` the body is a file as it is, and has no parameters: the handler reads it from
    `Request.content` while it arrives, and says there how much it takes.
    """

    methods: tuple[str, ...]
    path: str
    handler: Handler
    actors: Callers
    tag: str
    scope: str | None = None
    wrapper: str | None = None
    wrapper_is_required: bool = False
    plain_errors: bool = False
    record_errors: bool = False
    files: tuple[str, ...] = ()
    null_text: bool = False
    is_hidden: bool = False
    limit: str | None = None
    permission: str | None = None
    beside: tuple[str, ...] = ()
    may_be_empty: bool = False
    is_idempotent: bool = True
    takes_content: bool = False

    @property
    def file_names(self) -> frozenset[str]:
        """What these fields are called in a form, where the parameters stand below the wrapper or alone."""
        return frozenset(self.files) | {f"{self.wrapper}[{name}]" for name in self.files if self.wrapper}


class KnownScopes(msgspec.Struct, frozen=True):
    """Every scope that an endpoint of this server asks for."""

    names: frozenset[str]


class Routes:
    """The endpoints of one surface of a slice, all below one path.

    `scope` is what an access token with scopes needs for reading (`<scope>:read`) and writing (`<scope>:write`).
    """

    def __init__(self, prefix: str, *, tag: str, scope: str | None = None) -> None:
        self.prefix = prefix
        self.tag = tag
        self.scope = scope
        self.endpoints: list[Endpoint] = []

    def get(self, path: str = "", *, actors: Callers, **options: Any) -> Callable[[Handler], Handler]:
        """Read something."""
        return self._add(("GET",), path, actors, options)

    def post(self, path: str = "", *, actors: Callers, **options: Any) -> Callable[[Handler], Handler]:
        """Create something, or have something done."""
        return self._add(("POST",), path, actors, options)

    def update(self, path: str = "", *, actors: Callers, **options: Any) -> Callable[[Handler], Handler]:
        """Change part of something; PATCH and PUT are the same here."""
        return self._add(("PATCH", "PUT"), path, actors, options)

    def patch(self, path: str = "", *, actors: Callers, **options: Any) -> Callable[[Handler], Handler]:
        """Set a list whole; answers PATCH only."""
        return self._add(("PATCH",), path, actors, options)

    def put(self, path: str = "", *, actors: Callers, **options: Any) -> Callable[[Handler], Handler]:
        """Put something in its place whole; answers PUT only."""
        return self._add(("PUT",), path, actors, options)

    def delete(self, path: str = "", *, actors: Callers, **options: Any) -> Callable[[Handler], Handler]:
        """Remove something."""
        return self._add(("DELETE",), path, actors, options)

    def _add(
        self, methods: tuple[str, ...], path: str, actors: Callers, options: dict[str, Any]
    ) -> Callable[[Handler], Handler]:
        kind = "read" if methods == ("GET",) else "write"
        scope = f"{self.scope}:{kind}" if self.scope else None

        def register(handler: Handler) -> Handler:
            endpoint = Endpoint(
                methods=methods,
                path=self.prefix + path,
                handler=handler,
                actors=actors,
                tag=self.tag,
                scope=options.pop("scope", scope),
                **options,
            )
            self.endpoints.append(endpoint)
            return handler

        return register
