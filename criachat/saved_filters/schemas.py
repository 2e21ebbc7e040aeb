"""Saved filters on the wire."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.kit.texts import Short
from criachat.kit.times import iso
from criachat.saved_filters.models import CustomFilter


class CustomFilterParams(msgspec.Struct, kw_only=True):
    """What a saved filter is; what is not sent stays as it is."""

    name: Short | UnsetType | None = UNSET
    filter_type: Annotated[
        Short | int | UnsetType | None, Meta(description="`conversation`, `contact` or `report`.")
    ] = UNSET
    query: Annotated[
        dict[str, Any] | UnsetType | None, Meta(description="Kept as it is sent: what the list is to be asked with.")
    ] = UNSET


class ListParams(msgspec.Struct, kw_only=True):
    """Which kind of saved filters to list."""

    filter_type: Annotated[
        str | int | None, Meta(description="`conversation`, which is also meant by nothing, `contact` or `report`.")
    ] = None


class CustomFilterOut(msgspec.Struct, frozen=True, kw_only=True):
    """One saved filter."""

    id: int
    name: str
    filter_type: str
    query: dict[str, Any]
    created_at: str
    updated_at: str


def custom_filter_out(custom_filter: CustomFilter) -> CustomFilterOut:
    """The saved filter as its owner sees it."""
    return CustomFilterOut(
        id=custom_filter.id,
        name=custom_filter.name,
        filter_type=custom_filter.filter_type,
        query=custom_filter.query,
        created_at=iso(custom_filter.created_at),
        updated_at=iso(custom_filter.updated_at),
    )
