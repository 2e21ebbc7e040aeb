"""Where the conversations that a filter asks for can be found, when not all of an account are to be looked at.

A clue says in which ids those are for whom a condition holds, or for whom it does not. There may be others among them:
the conversation itself is compared afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, LiteralString, cast

import msgspec

from criachat.conversations.models import ColumnComparison, Comparison, Condition
from criachat.conversations.queries.conditions import ADDITIONAL, condition_sql, is_summed
from criachat.custom_attributes.lines import Lines, equal, like_none, like_one, lines_of, unequal
from criachat.kit.places import bound

Ids = Callable[[list[object]], LiteralString]
"""A statement of ids; what it binds joins the values."""

OPPOSITES: Final[Mapping[Comparison, Comparison]] = {
    "is_none": "is_one",
    "is_like_none": "is_like_one",
    "has_none": "has_one",
    "has_nothing": "has_any",
}
# Of columns that are never null: what is none of them is not one of them.
TOLD_OF_ALL: Final = ("display_id", "labels")
# What an index of conversations themselves finds.
INDEXED: Final = frozenset(("display_id", "labels", "priority", "created_at", "last_activity_at"))
# Of fewer digits there are too many numbers that contain them.
FEWEST_DIGITS: Final = 3

LINES_HEAD: LiteralString = "SELECT conversation_id FROM conversation_attributes WHERE account_id = $1 AND attribute = "
# The ids are gathered first: then PostgreSQL reads the rows by their key, in order and each page once, however few or
# many it thought there are.
AMONG: tuple[LiteralString, LiteralString] = ("  AND conversations.id = ANY (ARRAY(", "))\n")
OWN_HEAD: LiteralString = "SELECT conversations.id FROM conversations WHERE conversations.account_id = $1 AND "
# All numbers, up to the last that was given, that have these digits somewhere: some before them, and some behind.
NUMBERS: tuple[LiteralString, LiteralString] = (
    """SELECT id FROM conversations WHERE account_id = $1 AND display_id = ANY (ARRAY(
    SELECT (head * 10::numeric ^ (length(digits) + behind) + digits::numeric * 10::numeric ^ behind + tail)::bigint
    FROM (SELECT max(display_id) AS last FROM conversations WHERE account_id = $1) AS given
    CROSS JOIN unnest(""",
    """::text[]) AS digits
    CROSS JOIN generate_series(0, length(given.last::text) - length(digits)) AS behind
    CROSS JOIN generate_series(0, (given.last / 10::numeric ^ (length(digits) + behind))::bigint) AS head
    CROSS JOIN generate_series(0, (10::numeric ^ behind)::bigint - 1) AS tail
))""",
)


class Clue(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of all for whom a condition holds; of all for whom it does not, when `is_opposite`.

    `is_own` when PostgreSQL finds them by an index of conversations without being told so.
    """

    ids: Ids
    rank: int
    is_opposite: bool = False
    is_own: bool = False


def ids_of(alternatives: Sequence[Sequence[Condition]], *, is_all: bool = True) -> Ids | None:
    """Among which ids all are for whom one of the alternatives holds; None when there is no such clue.

    There is none either when that is all that is asked for and PostgreSQL finds it without being told where.
    """
    is_alone = is_all and len(alternatives) == 1
    found = [_ids_of_all(conditions, is_alone=is_alone) for conditions in alternatives]
    known = [ids for ids in found if ids is not None]
    return _joined(known, " UNION ALL ") if len(known) == len(found) else None


def among(ids: Ids, values: list[object]) -> LiteralString:
    """That a conversation is among these."""
    return AMONG[0] + ids(values) + AMONG[1]


def opposites_of(conditions: Sequence[Condition]) -> Ids | None:
    """Among which ids all are for whom one of these does not hold; None when one of them has no such clue."""
    clues = [clue_of(condition) for condition in conditions]
    found = [clue.ids for clue in clues if clue is not None and clue.is_opposite]
    return _joined(found, " UNION ALL ") if found and len(found) == len(clues) else None


def clue_of(condition: Condition) -> Clue | None:
    """Where to look for those for whom a condition holds, or does not."""
    wanted = condition.compared
    if not isinstance(wanted, ColumnComparison):
        return _of_lines(lines_of(wanted))
    if wanted.key == "campaign_id":
        return _of_lines(_campaign_lines(wanted))
    if wanted.key in ADDITIONAL:
        return _of_lines(_additional_lines(wanted))
    opposite = OPPOSITES.get(wanted.comparison) if wanted.key in TOLD_OF_ALL else None
    if opposite is not None:
        clue = clue_of(Condition(compared=msgspec.structs.replace(wanted, comparison=opposite)))
        return None if clue is None else msgspec.structs.replace(clue, is_opposite=True)
    if wanted.comparison == "is_like_one":
        return _of_digits(cast(list[str], wanted.value))
    if wanted.key in INDEXED:
        return Clue(ids=lambda values: OWN_HEAD + "(" + condition_sql(condition, values) + ")", rank=4, is_own=True)
    return None


def _ids_of_all(conditions: Sequence[Condition], *, is_alone: bool) -> Ids | None:
    """Among which ids all are for whom these hold together: by what is said best of them."""
    clues = [clue for condition in conditions if (clue := clue_of(condition)) is not None and not clue.is_opposite]
    if not clues:
        return _read(conditions) if all(map(is_summed, conditions)) and not is_alone else None
    rank = min(clue.rank for clue in clues)
    best = [clue for clue in clues if clue.rank == rank]
    if best[0].is_own:
        return None if is_alone else _read(conditions)
    return _joined([clue.ids for clue in best], " INTERSECT ")


def _read(conditions: Sequence[Condition]) -> Ids:
    def ids(values: list[object]) -> LiteralString:
        return OWN_HEAD + " AND ".join(["(" + condition_sql(condition, values) + ")" for condition in conditions])

    return ids


def _joined(parts: Sequence[Ids], joint: LiteralString) -> Ids | None:
    if not parts:
        return None
    return lambda values: joint.join(["(" + ids(values) + ")" for ids in parts])


def _of_lines(lines: Lines | None) -> Clue | None:
    if lines is None:
        return None

    def ids(values: list[object]) -> LiteralString:
        return LINES_HEAD + bound(values, lines.attribute) + "::text AND " + lines.condition(values)

    return Clue(ids=ids, rank=lines.rank, is_opposite=lines.is_opposite)


def _of_digits(patterns: Sequence[str]) -> Clue | None:
    """The numbers are made that have the digits in them; what is no digit is in no number."""
    digits = [text for pattern in patterns if (text := pattern[1:-1]).isascii() and text.isdigit()]
    if any(len(text) < FEWEST_DIGITS for text in digits):
        return None
    return Clue(ids=lambda values: NUMBERS[0] + bound(values, digits) + NUMBERS[1], rank=0)


def _campaign_lines(wanted: ColumnComparison) -> Lines:
    if wanted.comparison in ("is_set", "is_not_set"):
        is_opposite = wanted.comparison == "is_not_set"
        return Lines(attribute="campaign", condition=lambda _: "true", rank=3, is_opposite=is_opposite)
    numbers = [str(number) for number in cast(list[int], wanted.value)]
    return equal("campaign", numbers) if wanted.comparison == "is_one" else unequal("campaign", numbers)


def _additional_lines(wanted: ColumnComparison) -> Lines:
    """These lines are written as the values are: they are compared by every letter, or by none."""
    attribute, texts = "additional." + wanted.key, cast(list[str], wanted.value)
    match wanted.comparison:
        case "is_one":
            return equal(attribute, texts)
        case "is_none":
            return unequal(attribute, texts)
        case "is_like_one":
            return like_one(attribute, texts, like="ILIKE")
        case _:
            return like_none(attribute, texts, unlike="NOT ILIKE")
