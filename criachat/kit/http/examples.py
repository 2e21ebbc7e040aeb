"""What endpoints were asked and what they answered when tests called them: the examples of the API's description.

They stand in a file that `make examples` records, and are read when somebody asks for the description.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET

from criachat.kit.http.routes import Endpoint

JSON = "application/json"


class Example(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request of a test, and the answer to it; what was not sent, or not answered, is unset."""

    test: str
    path: Mapping[str, Any] = {}
    query: Mapping[str, Any] = {}
    body: Any = UNSET
    body_type: str = JSON
    status: int
    answer: Any = UNSET
    answer_type: str = JSON

    def address(self, path: str) -> str:
        """Where the request went: the endpoint's path with everything filled in."""
        for name, value in self.path.items():
            path = path.replace(f"{{{name}}}", str(value))
        return f"{path}?{urlencode(self.query, doseq=True, safe='[]')}" if self.query else path


Examples = Mapping[str, Example]


def name_of(endpoint: Endpoint) -> str:
    """What the example of this endpoint is called."""
    return f"{endpoint.methods[0]} {endpoint.path}"


def read_examples(path: Path) -> Examples:
    """The examples in this file, by their names."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Example])


def illustrate(operation: dict[str, Any], example: Example) -> None:
    """Put the example where OpenAPI has a place for it: beside the schema of each thing it shows."""
    values = {"path": example.path, "query": example.query}
    for parameter in operation.get("parameters", []):
        shown = values.get(parameter["in"], {})
        if parameter["name"] in shown:
            parameter["example"] = shown[parameter["name"]]
    taken = operation.get("requestBody", {}).get("content", {})
    if example.body is not UNSET and example.body_type in taken:
        taken[example.body_type]["example"] = example.body
    response = operation["responses"].setdefault(str(example.status), {"description": "Done"})
    if example.answer is not UNSET:
        response["content"] = {example.answer_type: {**_described(response, example), "example": example.answer}}


def _described(response: dict[str, Any], example: Example) -> dict[str, Any]:
    """What the code says of the answer; where the handler chooses its kind, the example alone knows it."""
    unknown: dict[str, Any] = {} if example.answer_type == JSON else {"type": "string"}
    return response.get("content", {}).get(example.answer_type, {"schema": unknown})
