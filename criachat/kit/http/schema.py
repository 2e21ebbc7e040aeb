"""JSON Schema of what comes in and goes out.

msgspec describes only what it could also decode, and a sender that is a person, a bot or a contact is told apart by
nothing it could go by. So structs, and what holds them, are walked here; everything else is left to msgspec.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, UnsetType

from criachat.kit.http.uploads import Upload

Schema = dict[str, Any]

REF = "#/components/schemas/{name}"
FILE: Schema = {"type": "string", "format": "binary"}


class OneOf(msgspec.Struct, frozen=True):
    """Stands in the annotation of a plain object: it has the fields of the struct that `tag` names.

    For objects that are converted later, when it is known which of them is meant.
    """

    tag: str
    kinds: tuple[tuple[str, type[msgspec.Struct]], ...]


class Schemas:
    """The schemas of structs met so far, by name.

    In an answer every field stands that can; of parameters those without a default must be sent.
    """

    def __init__(self, *, of_answers: bool, components: dict[str, Schema] | None = None) -> None:
        self.components: dict[str, Schema] = {} if components is None else components
        self._of_answers = of_answers
        self._names: dict[type[Any], str] = {}

    def of(self, hint: Any) -> Schema:
        """The schema of a type; the structs in it are named, and found among the components."""
        origin, arguments = get_origin(hint), get_args(hint)
        if origin in (Union, UnionType):
            return self._any_of(_told_apart(arguments))
        if origin is Annotated and isinstance(arguments[-1], OneOf):
            return self._one_of(arguments[-1])
        if origin is Annotated and (text := _description(arguments[-1])):
            return {**self.of(_without_last(arguments)), "description": text}
        if origin is Annotated and get_origin(arguments[0]) in (list, tuple, Sequence):
            return {**self.of(arguments[0]), **_bounds(arguments[1:])}
        if origin in (list, tuple, Sequence):
            return {"type": "array", "items": self.of(arguments[0])}
        if origin in (dict, Mapping):
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            return {"$ref": REF.format(name=self._struct(hint))}
        return {} if hint is Any or hint is object else msgspec.json.schema(hint, schema_hook=_unknown)

    def fields(self, kind: type[msgspec.Struct]) -> dict[str, Schema]:
        """The fields of a struct by their names on the wire."""
        hints = get_type_hints(kind, include_extras=True)
        properties: dict[str, Schema] = {}
        for field in msgspec.structs.fields(kind):
            schema = self.of(hints[field.name])
            if not self._of_answers and isinstance(field.default, str | int):
                schema["default"] = field.default
            properties[field.encode_name] = schema
        return properties

    def required(self, kind: type[msgspec.Struct]) -> list[str]:
        """The names of the fields that are there in any case."""
        hints = get_type_hints(kind, include_extras=True)
        return [
            field.encode_name
            for field in msgspec.structs.fields(kind)
            if (not _may_be_missing(field, hints[field.name]) if self._of_answers else field.required)
        ]

    def _any_of(self, kinds: list[Any]) -> Schema:
        schemas = [self.of(kind) for kind in kinds]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}

    def _one_of(self, choice: OneOf) -> Schema:
        return {
            "anyOf": [
                {"allOf": [{"properties": {choice.tag: {"const": name}}}, self.of(kind)]} for name, kind in choice.kinds
            ]
        }

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

    def _described(self, kind: type[msgspec.Struct]) -> Schema:
        properties, required = self.fields(kind), self.required(kind)
        config = kind.__struct_config__
        if config.tag_field is not None:
            properties = {config.tag_field: {"const": config.tag}, **properties}
            required = [config.tag_field, *required]
        schema: Schema = {"type": "object", "description": inspect.getdoc(kind) or "", "properties": properties}
        return {**schema, "required": required} if required else schema


def _told_apart(kinds: Sequence[Any]) -> list[Any]:
    """What a reader can tell apart; an object may go out as the JSON that is kept of it."""
    is_object = any(get_origin(kind) is dict or msgspec.inspect.is_struct_type(kind) for kind in kinds)
    left_out = (UnsetType, msgspec.Raw) if is_object else (UnsetType,)
    return [kind for kind in kinds if kind not in left_out]


def _may_be_missing(field: msgspec.structs.FieldInfo, hint: Any) -> bool:
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return field.default is UNSET or UnsetType in get_args(plain)


def _description(annotation: Any) -> str | None:
    return annotation.description if isinstance(annotation, msgspec.Meta) else None


def _without_last(arguments: tuple[Any, ...]) -> Any:
    """What was annotated, with the annotations before the last."""
    kind, *annotations, _ = arguments
    return Annotated[kind, *annotations] if annotations else kind


def _bounds(annotations: Sequence[Any]) -> Schema:
    """How many items there may be."""
    bounds: Schema = {}
    for each in annotations:
        if isinstance(each, msgspec.Meta) and each.max_length is not None:
            bounds["maxItems"] = each.max_length
        if isinstance(each, msgspec.Meta) and each.min_length is not None:
            bounds["minItems"] = each.min_length
    return bounds


def _unknown(kind: type[Any]) -> Schema:
    return dict(FILE) if kind is Upload else {}
