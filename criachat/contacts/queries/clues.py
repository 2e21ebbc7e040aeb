"""Where the contacts that a filter asks for can be found, when not all of an account are to be looked at.

A clue says in which ids those are for whom a condition holds, or for whom it does not. There may be others among them:
the contact is compared afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, LiteralString, cast

import msgspec

from criachat.contacts.models import Condition
from criachat.contacts.queries.conditions import ADDITIONAL, FILTERED, condition_sql
from criachat.custom_attributes.comparing import AttributeComparison
from criachat.custom_attributes.lines import Lines, equal, like_none, like_one, lines_of, unequal
from criachat.kit.places import bound

Ids = Callable[[list[object]], LiteralString]
"""A statement of ids; what it binds joins the values."""

TEXTS: Final = ("name", "email", "phone_number", "identifier")
# The index of words knows three letters in a row; of fewer it knows nothing.
TRIGRAM: Final = re.compile(r"\w{3}")

LINES_HEAD: LiteralString = "SELECT contact_id FROM contact_attributes WHERE account_id = $1 AND attribute = "
OWN_HEAD: LiteralString = "SELECT contacts.id FROM contacts WHERE contacts.account_id = $1 AND "
WORDS: tuple[LiteralString, LiteralString] = (
    "SELECT found.contact_id FROM unnest(",
    """::text[]) AS pattern
CROSS JOIN LATERAL (
    SELECT contact_words.contact_id FROM contact_words
    WHERE contact_words.account_id = $1 AND contact_words.words ILIKE pattern
    OFFSET 0
) AS found""",
)
# The ids are gathered first: then PostgreSQL reads the rows by their key, however few or many it thought there are.
AMONG: tuple[LiteralString, LiteralString] = ("  AND contacts.id = ANY (ARRAY(", "))\n")


class Clue(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of all for whom a condition holds; of all for whom it does not, when `is_opposite`."""

    ids: Ids
    rank: int
    is_opposite: bool = False


def among(ids: Ids, values: list[object]) -> LiteralString:
    """That a contact is among these."""
    return AMONG[0] + ids(values) + AMONG[1]


def ids_of(alternatives: Sequence[Sequence[Condition]]) -> Ids | None:
    """Among which ids all are for whom one of the alternatives holds; None when one of them has no clue."""
    found = [_ids_of_all(conditions) for conditions in alternatives]
    known = [ids for ids in found if ids is not None]
    return _joined(known, " UNION ALL ") if len(known) == len(found) else None


def opposites_of(conditions: Sequence[Condition]) -> Ids | None:
    """Among which ids all are for whom one of these does not hold; None when one of them has no such clue."""
    clues = [clue_of(condition) for condition in conditions]
    found = [clue.ids for clue in clues if clue is not None and clue.is_opposite]
    return _joined(found, " UNION ALL ") if found and len(found) == len(clues) else None


def clue_of(condition: Condition) -> Clue | None:
    """Where to look for those for whom a condition holds, or does not."""
    if isinstance(condition.value, AttributeComparison):
        return _of_lines(lines_of(condition.value))
    if condition.attribute in ADDITIONAL:
        return _of_lines(_additional_lines(condition))
    if condition.attribute == "labels":
        return _of_labels(condition)
    if condition.attribute == "blocked":
        is_opposite = condition.value == (condition.comparison == "is_not")
        return Clue(ids=lambda _: OWN_HEAD + "contacts.blocked", rank=1, is_opposite=is_opposite)
    return _of_text(condition) if condition.attribute in TEXTS else _own(condition, rank=4)


def _ids_of_all(conditions: Sequence[Condition]) -> Ids | None:
    """Among which ids all are for whom these hold together: by what is said best of them."""
    clues = [clue for condition in conditions if (clue := clue_of(condition)) is not None and not clue.is_opposite]
    rank = min((clue.rank for clue in clues), default=0)
    return _joined([clue.ids for clue in clues if clue.rank == rank], " INTERSECT ")


def _joined(parts: Sequence[Ids], joint: LiteralString) -> Ids | None:
    if not parts:
        return None
    return lambda values: joint.join(["(" + ids(values) + ")" for ids in parts])


def _own(condition: Condition, *, rank: int) -> Clue:
    """What an index of contacts themselves finds."""
    return Clue(ids=lambda values: OWN_HEAD + condition_sql(condition, values), rank=rank)


def _of_lines(lines: Lines | None) -> Clue | None:
    if lines is None:
        return None

    def ids(values: list[object]) -> LiteralString:
        return LINES_HEAD + bound(values, lines.attribute) + "::text AND " + lines.condition(values)

    return Clue(ids=ids, rank=lines.rank, is_opposite=lines.is_opposite)


def _of_labels(condition: Condition) -> Clue:
    """An index knows who has a label, and a line who has any: these are compared with having none."""
    if condition.comparison in ("has", "has_not"):
        wanted = msgspec.structs.replace(condition, comparison="has")
        return msgspec.structs.replace(_own(wanted, rank=1), is_opposite=condition.comparison == "has_not")
    return Clue(ids=lambda _: LINES_HEAD + "'labelled'", rank=3, is_opposite=condition.comparison == "is")


def _of_text(condition: Condition) -> Clue | None:
    """Nobody without the text is meant, whichever way it is compared."""
    nothing = OWN_HEAD + FILTERED[condition.attribute] + " IS NULL"
    match condition.comparison:
        case "is":
            return _own(condition, rank=0)
        case "is_not":
            same = _own(msgspec.structs.replace(condition, comparison="is"), rank=0).ids
            return Clue(ids=lambda values: same(values) + " UNION ALL " + nothing, rank=0, is_opposite=True)
        case _:
            words = _of_words(cast(list[str], condition.value))
    if words is None or condition.comparison == "is_like_one":
        return words
    return Clue(ids=lambda values: words.ids(values) + " UNION ALL " + nothing, rank=2, is_opposite=True)


def _of_words(patterns: Sequence[str]) -> Clue | None:
    """What is in a name, an e-mail or a phone number is in the words of the contact."""
    if not all(TRIGRAM.search(pattern) for pattern in patterns):
        return None
    return Clue(ids=lambda values: WORDS[0] + bound(values, patterns) + WORDS[1], rank=2)


def _additional_lines(condition: Condition) -> Lines:
    attribute = "additional." + condition.attribute
    match condition.comparison:
        case "is":
            return equal(attribute, [cast(str, condition.value)])
        case "is_not":
            return unequal(attribute, [cast(str, condition.value)])
        case "is_like_one":
            return like_one(attribute, cast(list[str], condition.value))
        case _:
            return like_none(attribute, cast(list[str], condition.value))
