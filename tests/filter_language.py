"""What the filter languages mean, evaluated plainly on what the API shows: what lists find is held against this."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

Shown = Mapping[str, Any]
Holds = Callable[[Shown], bool]

# As long as what is kept beside those who have it; others are longer and different only behind that.
LONG = ("carta " * 40)[:200]
TEXTS = (
    "Gold",
    "gold",
    "GOLDEN",
    "old",
    "",
    "100%",
    "1_0",
    "São Paulo",
    "SÃO PAULO",
    "\\",
    LONG,
    f"{LONG}a",
    f"{LONG}b",
)
NUMBERS = ("12", "12.0", " 12 ", "-3", "3", "1e5", "007")
DAYS = ("2026-01-31", "2026-01-31T10:00:00Z", "2026-02-01", "2025-12-31", "2026-99-99", "soon")
STORED = (*TEXTS, *NUMBERS, *DAYS, 12, 12.5, -3, True, False, "TRUE", None, [1], {"a": 1})
NUMERIC = re.compile(r" *-?[0-9]{1,40}([.][0-9]{1,40})? *")
DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TYPES = {"plan": "text", "place": "list", "seats": "number", "share": "percent", "since": "date", "vip": "checkbox"}
KINDS = {"text": "text", "list": "text", "number": "number", "percent": "number", "date": "date", "checkbox": "boolean"}
TEXT_OPERATORS = ("equal_to", "not_equal_to", "contains", "does_not_contain", "is_present", "is_not_present")
ORDER_OPERATORS = ("equal_to", "not_equal_to", "is_greater_than", "is_less_than", "is_present", "is_not_present")
OPERATORS = {
    "text": TEXT_OPERATORS,
    "number": ORDER_OPERATORS,
    "date": ORDER_OPERATORS,
    "boolean": ("equal_to", "not_equal_to", "is_present", "is_not_present"),
}
ASKED = {
    "text": [text for text in TEXTS if text.strip()] + ["ol", "0", "carta", "nowhere"],
    "number": ["12", "-3", "3", "12.5", "99", "007"],
    "date": ["2026-01-31", "2026-02-01", "2025-12-31"],
    "boolean": ["true", "false"],
}


def condition(key: str, operator: str, values: Sequence[Any]) -> dict[str, Any]:
    return {"attribute_key": key, "filter_operator": operator, "values": [*values], "query_operator": None}


def joined(chance: random.Random, parts: Sequence[tuple[dict[str, Any], Holds]]) -> tuple[list[dict[str, Any]], Holds]:
    """The conditions joined by AND or OR, whatever comes, and what they mean together: AND before OR."""
    payload: list[dict[str, Any]] = []
    alternatives: list[list[Holds]] = [[]]
    for place, (one, holds) in enumerate(parts):
        joint = chance.choice(("and", "or")) if place < len(parts) - 1 else None
        payload.append({**one, "query_operator": joint})
        alternatives[-1].append(holds)
        if joint == "or":
            alternatives.append([])
    return payload, lambda shown: any(all(holds(shown) for holds in each) for each in alternatives)


def attributes(chance: random.Random, keys: Sequence[str]) -> dict[str, Any]:
    """Something under some of these keys, whether it is of their kind or not."""
    return {key: chance.choice(STORED) for key in keys if chance.random() < 0.5}


def every_custom(chance: random.Random, *, only_first: bool) -> list[tuple[dict[str, Any], Holds]]:
    """A condition for each custom attribute and operator."""
    pairs = [(key, operator) for key, type_ in TYPES.items() for operator in OPERATORS[KINDS[type_]]]
    return [custom(chance, key, operator, only_first=only_first) for key, operator in pairs]


def custom(chance: random.Random, key: str, operator: str, *, only_first: bool) -> tuple[dict[str, Any], Holds]:
    """A condition on a custom attribute; equality may hear the first value alone."""
    kind = KINDS[TYPES[key]]
    values = chance.sample(ASKED[kind], k=chance.randint(1, 2))
    heard = values[:1] if only_first and operator.endswith("equal_to") else values
    return condition(key, operator, values), lambda shown: _holds(
        kind, operator, as_text(shown["custom_attributes"].get(key)), heard
    )


def text(operator: str, found: str | None, values: Sequence[str], *, is_exact: bool = False) -> bool:
    """A condition on a text of ours: what is not there is neither equal nor unequal to anything."""
    if found is None:
        return False
    if operator.endswith("equal_to"):
        known = found if is_exact else found.lower()
        return (known in [value if is_exact else value.lower() for value in values]) == (operator == "equal_to")
    return any(value.strip().lower() in found.lower() for value in values) == (operator == "contains")


def labels(operator: str, found: Sequence[str], values: Sequence[str]) -> bool:
    if operator.endswith("present"):
        return bool(found) == (operator == "is_present")
    return bool({*found} & {*values}) == (operator == "equal_to")


def day(operator: str, seconds: float | None, value: str) -> bool:
    """A condition on a moment: its day in Greenwich."""
    if seconds is None:
        return False
    then, asked = datetime.fromtimestamp(seconds, UTC).date(), date.fromisoformat(value)
    return then > asked if operator == "is_greater_than" else then < asked


def as_text(value: Any) -> str | None:
    """What PostgreSQL makes of a value when it is asked for its text."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _holds(kind: str, operator: str, found: str | None, values: Sequence[str]) -> bool:
    if operator.endswith("present"):
        return bool(found) == (operator == "is_present")
    if operator in ("contains", "does_not_contain"):
        return text(operator, found, values)
    known, asked = _as(kind, found), [_as(kind, value) for value in values]
    if operator.endswith("equal_to"):
        return (known is not None and known in asked) == (operator == "equal_to")
    if known is None:
        return False
    return known > asked[0] if operator == "is_greater_than" else known < asked[0]


def _as(kind: str, found: str | None) -> Any:
    """What is stored, as its definition says; None when it is of another kind."""
    if found is None:
        return None
    if kind == "number":
        return Decimal(found.strip()) if NUMERIC.fullmatch(found) else None
    if kind == "date":
        return found[:10] if DATED.match(found) else None
    return found.lower()
