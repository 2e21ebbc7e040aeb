"""From a handler's signature to its arguments: read once at start-up, filled in for each request."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn, cast, get_type_hints

import msgspec
from msgspec import UNSET
from msgspec import inspect as shapes

from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import Invalid, NoSuchPage, NotFound, Refused, Unprocessable
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Endpoint
from criachat.kit.http.versions import Expected, expected

LARGEST_ID = 2**63 - 1
LONGEST_ID = len(str(LARGEST_ID))
# What handlers ask for by its type alone.
KINDS: dict[Any, str] = {Db: "db", Tx: "tx", Actor: "actor", Request: "request", Expected: "expected"}
_ABSENT = object()
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_TOO_LONG = re.compile(r"of length <= (\d+)")
_PATH = re.compile(r"`\$\.?([^`]*)`")
_MISSING = re.compile(r"missing required field `(\w+)`")


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint with its signature worked out."""

    endpoint: Endpoint
    writes: bool
    params_name: str | None
    params_type: type[Any] | None
    actor_name: str | None
    connection_names: tuple[str, ...]
    request_name: str | None
    expected_name: str | None
    path_integers: tuple[str, ...]
    path_texts: tuple[str, ...]
    told_ids: tuple[str, ...]
    file_names: frozenset[str]
    provided: Mapping[str, Any]
    prepared: Mapping[str, Any]
    answers_nothing: bool
    returns: Any


def bind(endpoint: Endpoint, provides: Mapping[type[Any], Any], prepares: Mapping[type[Any], Any]) -> Bound:
    """Work out what a handler asks for; raises at start-up when nobody can give it.

    `provides` has what is the same for all requests, `prepares` the functions that make something of each.
    """
    hints = get_type_hints(endpoint.handler, include_extras=True)
    returns = hints.pop("return", None)
    found: dict[str, list[str]] = {kind: [] for kind in (*KINDS.values(), "params", "int", "str")}
    provided: dict[str, Any] = {}
    prepared: dict[str, Any] = {}
    in_path: list[str] = re.findall(r"{(\w+)}", endpoint.path)
    for name in inspect.signature(endpoint.handler).parameters:
        hint = hints[name]
        if hint in provides:
            provided[name] = provides[hint]
        elif hint in prepares:
            prepared[name] = prepares[hint]
        else:
            found[_kind_of(name, hint, in_path, endpoint)].append(name)
    params_name = next(iter(found["params"]), None)
    return Bound(
        endpoint=endpoint,
        writes=bool(found["tx"]),
        params_name=params_name,
        params_type=hints[params_name] if params_name else None,
        actor_name=next(iter(found["actor"]), None),
        connection_names=(*found["db"], *found["tx"]),
        request_name=next(iter(found["request"]), None),
        expected_name=next(iter(found["expected"]), None),
        path_integers=tuple(found["int"]),
        path_texts=tuple(found["str"]),
        # Other parts of a path may be credentials: whoever reads the logs must not be let in by them.
        told_ids=tuple(name for name in in_path if name.endswith("_id")),
        file_names=endpoint.file_names,
        provided=provided,
        prepared=prepared,
        answers_nothing=returns is type(None),
        returns=returns,
    )


def _kind_of(name: str, hint: Any, in_path: Collection[str], endpoint: Endpoint) -> str:
    if hint in KINDS:
        return KINDS[hint]
    if name in in_path:
        return "int" if hint is int else "str"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return "params"
    raise TypeError(f"{endpoint.path}: nobody provides {name}: {hint}")


def arguments(
    bound: Bound, path: Mapping[str, str], bag: dict[str, Any], *, request: Request, actor: Actor
) -> dict[str, Any]:
    """What the handler is called with, but for its connection."""
    values = _path_values(bound, path)
    if bound.params_type is not None and bound.params_name is not None:
        inner = _unwrapped(bag, bound.endpoint, bound.params_type, is_form=request.is_form)
        if bound.endpoint.null_text:
            inner = {name: None if value == "null" else value for name, value in inner.items()}
        values[bound.params_name] = convert(
            inner,
            bound.params_type,
            plain_errors=bound.endpoint.plain_errors,
            record_errors=bound.endpoint.record_errors,
        )
    if bound.actor_name is not None:
        values[bound.actor_name] = actor
    if bound.expected_name is not None:
        values[bound.expected_name] = expected(request.headers.get("if-match"))
    if bound.request_name is not None:
        values[bound.request_name] = request
    values.update(bound.provided)
    return values


def _path_values(bound: Bound, path: Mapping[str, str]) -> dict[str, Any]:
    """The path's parameters as the handler wants them; what cannot be an id is not found."""
    values: dict[str, Any] = {name: path[name] for name in bound.path_texts}
    for name in bound.path_integers:
        number = id_of(path[name])
        if number is None:
            raise NoSuchPage if bound.endpoint.path.startswith(("/public/", "/platform/")) else NotFound
        values[name] = number
    return values


def id_of(text: str) -> int | None:
    """The id that this text is; None when it cannot be one."""
    if len(text) > LONGEST_ID or not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None


def whole_number(value: object) -> int | None:
    """What was sent as a number or as its digits; None for what is neither, is below 0, or is no id by its size."""
    is_one = isinstance(value, int | str) and not isinstance(value, bool)
    return id_of(str(value).strip()) if is_one else None


def convert(bag: Mapping[str, Any], kind: type[Any], *, plain_errors: bool, record_errors: bool = False) -> Any:
    """The bag as the endpoint's struct: numbers sent as text, blanks and unknown keys taken kindly."""
    try:
        return msgspec.convert(_normaliser(kind)(bag) if bag else bag, kind, strict=False)
    except msgspec.ValidationError as failure:
        _refuse(str(failure), plain_errors=plain_errors, record_errors=record_errors)


def _unwrapped(bag: dict[str, Any], endpoint: Endpoint, kind: type[Any], *, is_form: bool) -> dict[str, Any]:
    """The parameters below the endpoint's wrapper: `{"label": {…}}`, or flat in JSON. Where both are, the flat ones
    say nothing."""
    key = endpoint.wrapper
    if key is None:
        return bag
    inner = bag.get(key)
    if isinstance(inner, dict) and inner:
        return {name: bag[name] for name in endpoint.beside if name in bag} | cast(dict[str, Any], inner)
    is_flat = not (is_form or endpoint.wrapper_is_required) and not bag.keys().isdisjoint(kind.__struct_fields__)
    if not is_flat and endpoint.may_be_empty:
        return {}
    if not is_flat:
        raise Unprocessable(f"param is missing or the value is empty: {key}")
    return bag


def _refuse(text: str, *, plain_errors: bool, record_errors: bool) -> NoReturn:
    missing = _MISSING.search(text)
    if missing:
        raise Unprocessable(f"param is missing or the value is empty: {missing[1]}")
    place = _PATH.search(text)
    path = place[1] if place else ""
    field = re.split(r"[.\[]", path)[0] or "base"
    too_long = _TOO_LONG.search(text)
    if too_long:
        raise refusal(field, f"is too long (maximum is {too_long[1]} characters)", plain_errors=plain_errors)
    if record_errors:
        raise refusal(field, f"is invalid: {text.split(' - at ')[0]}")
    raise Unprocessable(f"{path or 'The request'} is invalid: {text.split(' - at ')[0]}")


def refusal(field: str, text: str, *, plain_errors: bool = False) -> Refused:
    """`Field text` as a record's refusal: `{"message": "Name can't be blank", "attributes": ["name"]}`."""
    sentence = f"{field.replace('_', ' ').capitalize()} {text}"
    return Unprocessable(sentence) if plain_errors else Invalid(sentence, attributes=[field])


_normalisers: dict[type[Any], Callable[[Mapping[str, Any]], dict[str, Any]]] = {}


def _normaliser(kind: type[Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """The function that prepares a bag for this struct; made once."""
    normaliser = _normalisers.get(kind)
    if normaliser is None:
        info = shapes.type_info(kind)
        normaliser = _struct_normaliser(cast(shapes.StructType, info))
        _normalisers[kind] = normaliser
    return normaliser


def _struct_normaliser(info: shapes.StructType) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    fields = [(field.encode_name, _Field(field.type, is_optional=not field.required)) for field in info.fields]

    def normalise(bag: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, field in fields:
            value = bag.get(name, _ABSENT)
            if value is not _ABSENT:
                value = field.normalise(value)
            if value is not _ABSENT:
                values[name] = value
        return values

    return normalise


class _Field:
    """What one field takes."""

    __slots__ = (
        "item",
        "struct",
        "takes_anything",
        "takes_bool",
        "takes_int",
        "takes_none",
        "takes_number",
        "takes_text",
        "takes_words",
    )

    def __init__(self, info: shapes.Type, *, is_optional: bool) -> None:
        plain = info.type if isinstance(info, shapes.Metadata) else info
        members = plain.types if isinstance(plain, shapes.UnionType) else (plain,)
        kinds = tuple(type(member) for member in members)
        self.takes_anything = shapes.AnyType in kinds
        self.takes_none = shapes.NoneType in kinds or not is_optional
        self.takes_text = bool({shapes.StrType, shapes.LiteralType, shapes.RawType} & set(kinds))
        self.takes_words = shapes.LiteralType in kinds
        self.takes_int = shapes.IntType in kinds
        self.takes_number = self.takes_int or shapes.FloatType in kinds
        self.takes_bool = shapes.BoolType in kinds
        lists = [member for member in members if isinstance(member, shapes.ListType)]
        structs = [member for member in members if isinstance(member, shapes.StructType)]
        self.item = _Field(lists[0].item_type, is_optional=False) if lists else None
        self.struct = _struct_normaliser(structs[0]) if structs else None

    def normalise(self, value: Any) -> Any:
        """The value as msgspec can take it, or `_ABSENT` when it says nothing."""
        if self.takes_anything:
            return value
        if isinstance(value, str):
            return self._text(value)
        if value is None:
            return None if self.takes_none else _ABSENT
        if isinstance(value, int | float):
            return self._number(value)
        if isinstance(value, list) and self.item is not None:
            items = [self.item.normalise_item(inner) for inner in cast(list[Any], value)]
            return [inner for inner in items if inner is not _ABSENT]
        if isinstance(value, dict) and self.struct is not None:
            return self.struct(cast(dict[str, Any], value))
        return cast(Any, value)

    def normalise_item(self, value: Any) -> Any:
        """The same for one of a list. Programs that build bodies from fields nobody filled in send null for a text, and
        a form that sends an empty list of known words sends one blank."""
        says_nothing = (value is None and self.takes_text) or (value == "" and self.takes_words)
        return _ABSENT if says_nothing else self.normalise(value)

    def _text(self, value: str) -> Any:
        if self.takes_text:
            return value
        stripped = value.strip()
        if not stripped:
            return _ABSENT
        if self.takes_number or self.takes_bool:
            if self.takes_int and len(stripped) > 20:
                raise msgspec.ValidationError(f"`{stripped[:20]}…` is out of range")
            return self._integer(stripped)
        return value

    def _integer(self, text: str) -> object:
        if self.takes_int and _INTEGER.fullmatch(text):
            return self._number(int(text))
        return text

    def _number(self, value: float) -> object:
        if isinstance(value, bool):
            return value if self.takes_bool or not self.takes_text else str(value).lower()
        if self.takes_text and not self.takes_number:
            return str(value)
        if self.takes_int and isinstance(value, int) and not -LARGEST_ID <= value <= LARGEST_ID:
            raise msgspec.ValidationError("number is out of range")
        return value


def sent(value: object) -> bool:
    """Whether the caller sent this field at all."""
    return value is not UNSET
