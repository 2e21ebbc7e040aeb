"""The route tree: a path and a method to an endpoint, in one walk over the path's segments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Node(Generic[T]):
    """One segment: its literal children, at most one `{parameter}` child, and what stands here by method."""

    __slots__ = ("by_method", "literal", "names", "parameter")

    def __init__(self) -> None:
        self.literal: dict[str, Node[T]] = {}
        self.parameter: Node[T] | None = None
        self.by_method: dict[str, T] = {}
        self.names: dict[str, tuple[str, ...]] = {}


class RouteTree(Generic[T]):
    """Literal segments win over parameters; a `.json` suffix and a trailing slash are ignored."""

    def __init__(self) -> None:
        self._root: Node[T] = Node()

    def add(self, methods: Iterable[str], path: str, value: T) -> None:
        """Put a value behind a path such as `/accounts/{account_id}/labels`."""
        node = self._root
        names: list[str] = []
        for segment in path.strip("/").removesuffix(".json").split("/"):
            if segment.startswith("{"):
                names.append(segment.strip("{}"))
                node.parameter = node.parameter or Node()
                node = node.parameter
            else:
                node = node.literal.setdefault(segment, Node())
        for method in methods:
            if method in node.by_method:
                raise RuntimeError(f"{method} {path} is declared twice")
            node.by_method[method] = value
            node.names[method] = tuple(names)

    def find(self, method: str, path: str) -> tuple[T, dict[str, str]] | None:
        """What stands there, with the path's parameters; None when there is no such door."""
        path = path.strip("/")
        if path.endswith(".json"):
            path = path[:-5].rstrip("/")
        return self._find(method, self._root, path.split("/"), 0, [])

    def _find(
        self, method: str, node: Node[T], segments: list[str], at: int, values: list[str]
    ) -> tuple[T, dict[str, str]] | None:
        if at == len(segments):
            value = node.by_method.get(method)
            return None if value is None else (value, dict(zip(node.names[method], values, strict=True)))
        child = node.literal.get(segments[at])
        if child is not None:
            found = self._find(method, child, segments, at + 1, values)
            if found is not None:
                return found
        if node.parameter is None or not segments[at]:
            return None
        return self._find(method, node.parameter, segments, at + 1, [*values, segments[at]])
