"""The API described by its own code: OpenAPI 3.1 of all endpoints."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any, Union, get_args, get_origin

import msgspec

from criachat.kit.actors import AGENT, PERSON, Callers
from criachat.kit.http.answers import Answer, Stream
from criachat.kit.http.binding import Bound
from criachat.kit.http.examples import Examples, illustrate, name_of
from criachat.kit.http.schema import FILE, Schema, Schemas
from criachat.kit.http.versions import Versioned

TOKEN = "api_access_token"  # noqa: S105 - the name of a header
# What somebody who signed in sends instead: all three.
SESSION = ("access-token", "client", "uid")
NO_TOKEN = Callers.ANYONE | Callers.CONTACT
REFUSALS = {
    "401": "No credentials, a bad token, or not allowed to do this",
    "404": "Not found, or not the caller's",
    "412": "Changed since the version that `If-Match` names",
    "422": "A parameter is missing or breaks a rule",
    "429": "Too many requests; see `Retry-After`",
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The `ETag` of the version the change is meant for; another one is left as it is.",
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Makes it safe to send this again: it is done once, and answered the same for 72 hours.",
}
FILES: Schema = {"anyOf": [FILE, {"type": "array", "items": FILE}]}
WRITES = ("POST", "PATCH", "PUT", "DELETE")


class Described(msgspec.Struct, frozen=True):
    """What the operations are described with: the schemas of parameters and of answers, under names of their own."""

    params: Schemas
    answers: Schemas


def document(bounds: Iterable[Bound], *, version: str, examples: Examples) -> dict[str, Any]:
    """The OpenAPI document of these endpoints, with the examples there are of them."""
    bounds = list(bounds)
    components: dict[str, Schema] = {}
    described = Described(
        Schemas(of_answers=False, components=components), Schemas(of_answers=True, components=components)
    )
    paths: dict[str, dict[str, Any]] = {}
    for bound in bounds:
        example = examples.get(name_of(bound.endpoint))
        for method in bound.endpoint.methods:
            operation = _operation(bound, method, described)
            if example is not None:
                illustrate(operation, example)
            paths.setdefault(bound.endpoint.path, {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CriaChat",
            "version": version,
            "description": "The system of record for conversations between a business and its customers.",
        },
        "tags": [{"name": tag} for tag in sorted({bound.endpoint.tag for bound in bounds})],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": components,
            "securitySchemes": {name: {"type": "apiKey", "in": "header", "name": name} for name in (TOKEN, *SESSION)},
        },
    }


def _operation(bound: Bound, method: str, described: Described) -> dict[str, Any]:
    endpoint = bound.endpoint
    summary, _, description = (inspect.getdoc(endpoint.handler) or "").partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": _operation_id(bound, method),
        "summary": summary,
        "description": description,
        "tags": [endpoint.tag],
        "parameters": [
            *_path_parameters(bound),
            *_query_parameters(bound, method, described.params),
            *([IF_MATCH] if bound.expected_name else []),
            *([IDEMPOTENCY_KEY] if bound.writes and endpoint.is_idempotent else []),
        ],
        "responses": {"200": _response(bound, described.answers), **_refusals(bound)},
    }
    if not endpoint.actors & NO_TOKEN:
        of_people = endpoint.actors & (AGENT | PERSON)
        operation["security"] = [{TOKEN: []}, *([{name: [] for name in SESSION}] if of_people else [])]
        operation["x-callers"] = sorted(caller.name or "" for caller in Callers if caller in endpoint.actors)
    if endpoint.scope:
        operation["x-scope"] = endpoint.scope
    if endpoint.takes_content:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": dict(FILE)}}}
    if method in WRITES and bound.params_type is not None:
        operation["requestBody"] = _body(bound, bound.params_type, described.params)
    return {key: value for key, value in operation.items() if value not in ("", [])}


def _operation_id(bound: Bound, method: str) -> str:
    module = bound.endpoint.handler.__module__.split(".")[1]
    suffix = "_put" if method == "PUT" and len(bound.endpoint.methods) > 1 else ""
    return f"{module}_{bound.endpoint.handler.__name__}{suffix}"


def _path_parameters(bound: Bound) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", bound.endpoint.path)
    texts = [name for name in names if name in bound.path_texts or not name.endswith("_id")]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"} if name in texts else {"type": "integer", "minimum": 1},
        }
        for name in names
    ]


def _query_parameters(bound: Bound, method: str, params: Schemas) -> list[dict[str, Any]]:
    if method in WRITES or bound.params_type is None:
        return []
    required = params.required(bound.params_type)
    return [
        {
            "name": f"{name}[]" if schema.get("type") == "array" else name,
            "in": "query",
            "required": name in required,
            **({"description": schema.pop("description")} if "description" in schema else {}),
            "schema": schema,
        }
        for name, schema in params.fields(bound.params_type).items()
    ]


def _body(bound: Bound, kind: type[msgspec.Struct], params: Schemas) -> dict[str, Any]:
    wrapper, files = bound.endpoint.wrapper, bound.endpoint.files
    flat = params.of(kind)
    content: dict[str, Any] = {"application/json": {"schema": flat}}
    if wrapper is not None:
        is_either = not bound.endpoint.wrapper_is_required
        content["application/json"]["schema"] = (
            {"anyOf": [_in(wrapper, flat), flat]} if is_either else _in(wrapper, flat)
        )
    if files:
        form: Schema = {"type": "object", "properties": {**params.fields(kind), **dict.fromkeys(files, FILES)}}
        content["multipart/form-data"] = {"schema": form if wrapper is None else _in(wrapper, form)}
    return {"content": content}


def _in(wrapper: str, schema: Schema) -> Schema:
    return {"type": "object", "properties": {wrapper: schema}, "required": [wrapper]}


def _response(bound: Bound, answers: Schemas) -> dict[str, Any]:
    if bound.answers_nothing:
        return {"description": "Done; the body is empty"}
    return {"description": "Done", "content": {"application/json": {"schema": _answer(bound.returns, answers)}}}


def _answer(hint: Any, answers: Schemas) -> Schema:
    """What is answered; nothing is said of an answer whose kind the handler chooses, nor of streams."""
    arguments = get_args(hint)
    if get_origin(hint) is Versioned:
        return answers.of(arguments[0])
    if Stream in arguments:
        return _answer(Union[tuple(kind for kind in arguments if kind is not Stream)], answers)  # noqa: UP007 - of a list
    return {} if {Answer, Stream} & {hint, *arguments} else answers.of(hint)


def _refusals(bound: Bound) -> dict[str, Any]:
    hidden = {"401"} if Callers.ANYONE in bound.endpoint.actors else set[str]()
    if not bound.expected_name:
        hidden.add("412")
    return {status: {"description": text} for status, text in REFUSALS.items() if status not in hidden}
