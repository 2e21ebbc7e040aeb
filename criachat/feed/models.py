"""Places in the log, and what is read there."""

from __future__ import annotations

import msgspec

from criachat.kit.events import Cursor


class Place(msgspec.Struct, frozen=True):
    """Where a cursor points to: the place before which all is settled, and whether the cursor's event is there."""

    epoch: int
    xid: int
    is_there: bool


class Item(msgspec.Struct, frozen=True, gc=False):
    """One event, rendered once for all who read it: its body is JSON.

    Of an event of a conversation also who had it: roles may show it by that. None stands for nobody.
    """

    cursor: Cursor
    name: str
    inbox_id: int | None
    conversation_id: int | None
    assignee_ids: frozenset[int | None]
    body: bytes


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What was found for a reader, and where they stand after it. There `is_more` when more can be read at once."""

    items: list[Item]
    cursor: Cursor
    is_more: bool = False
