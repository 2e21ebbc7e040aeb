"""Whether an example fits what the API's description says of its endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from jsonschema_rs import Draft202012Validator
from msgspec import UNSET

from criachat.kit.http.binding import Bound
from criachat.kit.http.examples import JSON, Example
from criachat.kit.http.openapi import document

# The schema that no value fits: of what the description does not name.
NOTHING = False


class Fitting:
    """The description of these endpoints, taken strictly: an object has no other keys than those it names."""

    def __init__(self, bounds: Iterable[Bound]) -> None:
        described = document(bounds, version="", examples={})
        self._paths = described["paths"]
        self._schemas = {name: _strict(schema) for name, schema in described["components"]["schemas"].items()}
        self._validators: dict[str, Draft202012Validator] = {}

    def misfits(self, name: str, example: Example) -> list[str]:
        """Everything about the example that its endpoint does not take, or does not answer."""
        operation = self._operation(name)
        body = operation.get("requestBody", {}).get("content", {}).get(example.body_type, {})
        answer = operation["responses"]["200"].get("content", {}).get(JSON, {}).get("schema", NOTHING)
        # A handler that chooses the kind of its answer is described as one that answers anything.
        chosen = answer if example.answer_type == JSON or answer == {} else NOTHING
        return [
            *chain.from_iterable(
                self._told(f"{where} {key}", _parameter(operation, where, key), value)
                for where, values in (("path", example.path), ("query", example.query))
                for key, value in values.items()
            ),
            *self._told("body", body.get("schema", NOTHING), example.body),
            *self._told("answer", chosen, example.answer),
        ]

    def typed(self, name: str, where: str, key: str, text: Any) -> Any:
        """What stands in a path or query, as a value of the kind that the endpoint takes there."""
        schema = _parameter(self._operation(name), where, key)
        return next((each for each in _readings(text) if not any(self._told(key, schema, each))), text)

    def _operation(self, name: str) -> Any:
        method, _, path = name.partition(" ")
        return self._paths[path][method.lower()]

    def _told(self, place: str, schema: Any, value: Any) -> Iterator[str]:
        if value is UNSET:
            return
        key = json.dumps(schema)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator({"components": {"schemas": self._schemas}, "allOf": [schema]})
        for error in self._validators[key].iter_errors(value):
            yield f"{'.'.join(map(str, (place, *error.instance_path)))}: {error.message[:300]}"


def _strict(schema: Any) -> Any:
    if "properties" not in schema:
        return schema
    # The tag that tells objects of several kinds apart stands beside their own fields.
    return {**schema, "properties": {"type": {}, **schema["properties"]}, "additionalProperties": False}


def _parameter(operation: Any, where: str, name: str) -> Any:
    named = (each["schema"] for each in operation.get("parameters", []) if (each["in"], each["name"]) == (where, name))
    return next(named, NOTHING)


def _readings(text: Any) -> Iterator[Any]:
    if isinstance(text, list):
        yield [next(_readings(each)) for each in text]
    elif text.isdecimal() or text in ("true", "false"):
        yield json.loads(text)
    yield text
