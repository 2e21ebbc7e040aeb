"""Labels on the wire."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from criachat.kit.texts import Long, Short
from criachat.labels.models import Label


class LabelParams(msgspec.Struct, kw_only=True):
    """What a label is; what is not sent stays as it is."""

    title: Short | UnsetType | None = UNSET
    description: Long | UnsetType | None = UNSET
    color: Short | UnsetType | None = UNSET
    show_on_sidebar: bool | UnsetType | None = UNSET


class LabelOut(msgspec.Struct, frozen=True, kw_only=True):
    """One label."""

    id: int
    title: str
    description: str | None
    color: str
    show_on_sidebar: bool | None


class LabelsOut(msgspec.Struct, frozen=True, kw_only=True):
    """All labels of the account by title."""

    payload: list[LabelOut]


def label_out(label: Label) -> LabelOut:
    """The label as everybody sees it."""
    return LabelOut(
        id=label.id,
        title=label.title,
        description=label.description,
        color=label.color,
        show_on_sidebar=label.show_on_sidebar,
    )
