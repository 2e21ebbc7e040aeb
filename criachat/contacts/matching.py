"""Who is meant by the rows of a file, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from criachat.contacts.errors import DetailsInvalid
from criachat.contacts.models import Contact, Details
from criachat.contacts.rules import changed_details, details_of
from criachat.contacts.schemas import ContactParams
from criachat.contacts.spreadsheets import unescaped
from criachat.contacts.transfers import Reject

KNOWN: Final = ("identifier", "email", "phone_number", "name")
# In the order in which they say who is meant.
UNIQUE: Final = ("identifier", "email", "phone_number")
ALSO_ADDITIONAL: Final = ("company", "city")
LONGEST_CELL: Final = 255


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a file: its cells as they were, and what they say of a contact, or why they say nothing."""

    number: int
    cells: list[str]
    params: ContactParams
    details: Details
    error: str | None = None


class Person(msgspec.Struct, kw_only=True):
    """Somebody the file speaks of, in one row or in several: as they were, if they were, and as they are to be."""

    before: Contact | None
    details: Details

    @property
    def is_changed(self) -> bool:
        return self.before is not None and self.details != details_of(self.before)


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody some rows speak of, and the rows that could not be taken in."""

    people: list[Person]
    rejects: list[Reject]


def column_of(title: str) -> str:
    """What stands below this title: one of ours, however it is written, or a custom attribute by this very name."""
    name = unescaped(title.strip())
    ours = name.lower().replace(" ", "_").replace("-", "_")
    return ours if ours in KNOWN else name


def read_row(number: int, cells: list[str], columns: Sequence[str]) -> Row:
    """What a row says of a contact; blank cells say nothing."""
    values = {name: unescaped(cell.strip()) for name, cell in zip(columns, cells, strict=False) if name}
    said = {name: value for name, value in values.items() if value}
    params = _params(said)
    error = None
    if any(cell.strip() for cell in cells[len(columns) :]):
        error = "There are more cells than columns"
    elif too_long := [name for name in KNOWN if len(said.get(name, "")) > LONGEST_CELL]:
        error = f"{too_long[0].replace('_', ' ').capitalize()} is too long (maximum is {LONGEST_CELL} characters)"
    try:
        details = changed_details(Details(), params)
    except DetailsInvalid as refusal:
        details, error = Details(), error or refusal.text
    return Row(number=number, cells=cells, params=params, details=details, error=error)


def match(rows: Sequence[Row], contacts: Sequence[Contact]) -> Matched:
    """Everybody the rows speak of; later rows are added to what earlier ones said.

    `contacts` has everyone who holds an identifier, e-mail or phone number of theirs. What somebody held before this
    file stays taken for the rest of the rows: it is free once these are written.
    """
    people: list[Person] = []
    rejects: list[Reject] = []
    holders: dict[tuple[str, str], Person] = {}
    for contact in contacts:
        person = Person(before=contact, details=details_of(contact))
        people.append(person)
        _hold(holders, person)
    for row in rows:
        error = row.error or _take(row, people, holders)
        if error is not None:
            rejects.append(Reject(row_number=row.number, cells=row.cells, error=error))
    return Matched(people=people, rejects=rejects)


def _take(row: Row, people: list[Person], holders: dict[tuple[str, str], Person]) -> str | None:
    """Add what a row says to whom it speaks of; the reason when that cannot be."""
    keys = [(field, _key(field, value)) for field in UNIQUE if (value := getattr(row.details, field)) is not None]
    person = next((holders[key] for key in keys if key in holders), None)
    if person is None:
        person = Person(before=None, details=row.details)
        people.append(person)
        _hold(holders, person)
        return None
    taken = [field for field, value in keys if holders.get((field, value), person) is not person]
    if taken:
        return ", ".join(f"{field.replace('_', ' ').capitalize()} has already been taken" for field in taken)
    try:
        person.details = changed_details(person.details, row.params)
    except DetailsInvalid as refusal:
        return refusal.text
    _hold(holders, person)
    return None


def _hold(holders: dict[tuple[str, str], Person], person: Person) -> None:
    for field in UNIQUE:
        value = getattr(person.details, field)
        if value is not None:
            holders[field, _key(field, value)] = person


def _key(field: str, value: str) -> str:
    return value.lower() if field == "email" else value


def _params(said: Mapping[str, str]) -> ContactParams:
    known: dict[str, Any] = {name: said[name] for name in KNOWN if name in said}
    if "phone_number" in known:
        known["phone_number"] = "+" + known["phone_number"].removeprefix("+")
    if custom := {name: value for name, value in said.items() if name not in KNOWN}:
        known["custom_attributes"] = custom
    if additional := {name: said[name] for name in ALSO_ADDITIONAL if name in said}:
        known["additional_attributes"] = additional
    return ContactParams(**known)
