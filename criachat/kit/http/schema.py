"""JSON Schema of what handlers return.

msgspec describes only what it could also decode, and a sender that is a person, a bot or a contact is told apart by
nothing it could go by. So structs, and what holds them, are walked here; everything else is left to msgspec.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UnsetType

REF = "#/components/schemas/{name}"


class Schemas:
    """The schemas of structs met so far, by name."""

    def __init__(self) -> None:
        self.components: dict[str, Any] = {}
        self._names: dict[type[Any], str] = {}

    def of(self, hint: Any) -> dict[str, Any]:
        """The schema of a type; the structs in it are named, and found among the components."""
        origin, arguments = get_origin(hint), get_args(hint)
        if origin in (Union, UnionType):
            return self._any_of([kind for kind in arguments if kind is not UnsetType])
        if origin in (list, tuple, Sequence):
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            return {"$ref": REF.format(name=self._struct(hint))}
        return {} if hint is Any or hint is object else msgspec.json.schema(hint)

    def _any_of(self, kinds: list[Any]) -> dict[str, Any]:
        schemas = [self.of(kind) for kind in kinds]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}

    def _struct(self, kind: type[msgspec.Struct]) -> str:
        name = self._names.get(kind)
        if name is None:
            name = kind.__name__
            if name in self.components:
                name = f"{kind.__module__.split('.')[1].title().replace('_', '')}{name}"
            self._names[kind] = name
            self.components[name] = {}
            self.components[name] = self._described(kind)
        return name

    def _described(self, kind: type[msgspec.Struct]) -> dict[str, Any]:
        hints = get_type_hints(kind, include_extras=True)
        fields = msgspec.structs.fields(kind)
        return {
            "type": "object",
            "description": (kind.__doc__ or "").strip(),
            "properties": {field.encode_name: self.of(hints[field.name]) for field in fields},
            "required": [field.encode_name for field in fields if not _may_be_missing(hints[field.name])],
        }


def _may_be_missing(hint: Any) -> bool:
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return UnsetType in get_args(plain)
