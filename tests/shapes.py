"""Bodies compared key by key with what the contract says of them: the names there are, and the kinds of values.

A shape is a type, `Or` of several, a list with the shape of its items, a function that says whether a value fits, or an
object with the shape of each key; a key that ends in `?` may be absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import msgspec

ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Or(msgspec.Struct, frozen=True):
    """One of several shapes; None stands for null."""

    shapes: tuple[Any, ...]


def one_of(*shapes: Any) -> Or:
    """Any of these shapes."""
    return Or(shapes)


def iso(value: object) -> bool:
    """Whether it is a time in UTC with milliseconds."""
    return isinstance(value, str) and ISO_TIME.fullmatch(value) is not None


def unix(value: object) -> bool:
    """Whether it is a time of these years in whole seconds."""
    return type(value) is int and 1_577_836_800 < value < 4_102_444_800


def uuid(value: object) -> bool:
    """Whether it is an id of 32 hexadecimal digits."""
    return isinstance(value, str) and UUID.fullmatch(value) is not None


def misfits(value: Any, shape: Any, place: str = "body") -> list[str]:
    """Everything about the value that is not as the shape says."""
    match shape:
        case Or(shapes):
            found = [misfits(value, each, place) for each in shapes]
            return [] if any(not each for each in found) else min(found, key=len)
        case dict():
            return _misfits_of_object(value, cast(dict[str, Any], shape), place)
        case [inner]:
            if not isinstance(value, list):
                return [f"{place} is {value!r}, no list"]
            items = cast(list[Any], value)
            return [each for at, item in enumerate(items) for each in misfits(item, inner, f"{place}[{at}]")]
        case type():
            return [] if type(value) is shape else [f"{place} is {value!r}, no {shape.__name__}"]
        case Callable():
            return [] if shape(value) else [f"{place} is {value!r}, no {shape.__name__}"]
        case _:
            return [] if value == shape and type(value) is type(shape) else [f"{place} is {value!r}, not {shape!r}"]


def _misfits_of_object(value: Any, shape: dict[str, Any], place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place} is {value!r}, no object"]
    body = cast(dict[str, Any], value)
    keys = {key.removesuffix("?"): key for key in shape}
    found = [f"{place} lacks {key}" for key, full in keys.items() if key not in body and not full.endswith("?")]
    found += [f"{place} has {key}, of which the contract knows nothing" for key in body if key not in keys]
    for key, full in keys.items():
        if key in body:
            found += misfits(body[key], shape[full], f"{place}.{key}")
    return found
