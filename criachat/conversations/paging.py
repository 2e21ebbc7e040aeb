"""Which part of a list a caller wants: a page by its number, as the family has it, or what follows a cursor.

Between two pages by number conversations move, and one that moves up is read twice or not at all. A cursor names a
place in the order, so that whoever follows cursors to the end has met everything that did not move meanwhile.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Protocol, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.conversations.errors import CursorInvalid
from criachat.conversations.models import Conversation, Part
from criachat.kit.http.binding import sent
from criachat.kit.paging import page_of

PAGE: Final = 25
LONGEST_PAGE: Final = 100
LONGEST_CURSOR: Final = 300
EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)

Id: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Time: TypeAlias = Annotated[datetime, Meta(tz=True)]
ByTime: TypeAlias = tuple[Time, Id]
ByPriority: TypeAlias = tuple[Annotated[int, Meta(ge=-4, le=3)], Time, Id]
ByWaiting: TypeAlias = tuple[Time, Time, Id]
ByPatience: TypeAlias = tuple[timedelta, Time, Id]


class AsksForPage(Protocol):
    """Parameters that say which part of a list is wanted."""

    @property
    def page(self) -> Any: ...
    @property
    def per_page(self) -> Any: ...
    @property
    def cursor(self) -> Any: ...


class Place(msgspec.Struct, frozen=True):
    """Where a conversation stands in an order, as its values there."""

    values: Callable[[Conversation], tuple[Any, ...]]
    kind: Any


PLACES: Final[Mapping[str, Place]] = {
    "last_activity_at_asc": Place(lambda each: (each.last_activity_at, each.id), ByTime),
    "last_activity_at_desc": Place(lambda each: (each.last_activity_at, each.id), ByTime),
    "created_at_asc": Place(lambda each: (each.created_at, each.id), ByTime),
    "created_at_desc": Place(lambda each: (each.created_at, each.id), ByTime),
    "priority_asc": Place(
        lambda each: (-(4 if each.priority is None else each.priority), each.last_activity_at, each.id), ByPriority
    ),
    "priority_desc": Place(
        lambda each: (-1 if each.priority is None else each.priority, each.last_activity_at, each.id), ByPriority
    ),
    "waiting_since_asc": Place(lambda each: (each.waiting_since or LATEST, each.created_at, each.id), ByWaiting),
    "waiting_since_desc": Place(
        lambda each: (LATEST - (each.waiting_since or EARLIEST), each.created_at, each.id), ByPatience
    ),
}


def part_of(params: AsksForPage, sort: str) -> Part:
    """The part that was asked for, of a list in this order."""
    limit = _size(params.per_page)
    if sent(params.cursor) and params.cursor not in (None, ""):
        return Part(sort=sort, limit=limit, behind=_read(params.cursor, sort))
    return Part(sort=sort, limit=limit, offset=(page_of(params.page) - 1) * limit)


def next_cursor(params: AsksForPage, found: Sequence[Conversation], part: Part) -> str | UnsetType | None:
    """Where the list goes on, null at its end; nothing for callers who only know pages by number."""
    if not sent(params.cursor) and not sent(params.per_page):
        return UNSET
    if len(found) < part.limit:
        return None
    values = PLACES[part.sort].values(found[-1])
    return base64.urlsafe_b64encode(msgspec.json.encode([part.sort, values])).rstrip(b"=").decode()


def _size(per_page: Any) -> int:
    """How long a page is to be; junk, nothing and zero say nothing."""
    text = str(per_page).strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return min(number or PAGE, LONGEST_PAGE)


def _read(cursor: Any, sort: str) -> tuple[Any, ...]:
    if not isinstance(cursor, str) or len(cursor) > LONGEST_CURSOR or not cursor.isascii():
        raise CursorInvalid
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        named, values = msgspec.json.decode(text, type=tuple[str, msgspec.Raw])
        if named != sort:
            raise CursorInvalid
        return msgspec.json.decode(values, type=PLACES[sort].kind)
    except (binascii.Error, msgspec.DecodeError) as failure:
        raise CursorInvalid from failure
