"""Notes on the wire."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from criachat.contacts.models import Note
from criachat.kit.texts import Long
from criachat.kit.times import unix
from criachat.users.models import Colleague
from criachat.users.schemas import AgentOut, agent_out
from criachat.users.shown import Shown


class NoteParams(msgspec.Struct, kw_only=True):
    """What to write down."""

    content: Long | None = None


class NoteOut(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody of the team wrote down; who has left is not named."""

    id: int
    content: str
    account_id: int
    contact_id: int
    user: AgentOut | UnsetType = UNSET
    created_at: int
    updated_at: int


def note_out(note: Note, authors: Sequence[Colleague], shown: Shown) -> NoteOut:
    """The note, with its author among these people."""
    author = next((each for each in authors if each.id == note.user_id), None)
    return NoteOut(
        id=note.id,
        content=note.content,
        account_id=note.account_id,
        contact_id=note.contact_id,
        user=UNSET if author is None else agent_out(author, shown),
        created_at=unix(note.created_at),
        updated_at=unix(note.updated_at),
    )
