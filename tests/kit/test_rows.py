"""Rows become structs by the names of their columns, in whatever order and with whatever left out."""

from __future__ import annotations

from typing import LiteralString

import msgspec
import pytest
from harness import World


class Parcel(msgspec.Struct, frozen=True):
    id: int
    name: str
    weight: int = 7
    place: str | None = None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    weight: int = 7


class Heavy(Parcel, frozen=True):
    is_heavy: bool = False


IN_ORDER: LiteralString = "SELECT 1::bigint AS id, 'Chá' AS name, 3::bigint AS weight, 'Recife' AS place"


@pytest.mark.parametrize(
    ("kind", "sql", "expected"),
    [
        (Parcel, IN_ORDER, Parcel(1, "Chá", 3, "Recife")),
        (Parcel, "SELECT 'Chá' AS name, 1::bigint AS id", Parcel(1, "Chá")),
        (Parcel, "SELECT 'Recife' AS place, 'Chá' AS name, 1::bigint AS id", Parcel(1, "Chá", 7, "Recife")),
        (Named, "SELECT 'Chá' AS name, 1::bigint AS id", Named(id=1, name="Chá")),
        (Heavy, "SELECT true AS is_heavy, 2::bigint AS id, 'Chá' AS name", Heavy(2, "Chá", is_heavy=True)),
    ],
)
async def test_a_row_becomes_the_struct_that_its_columns_name(
    world: World, kind: type[object], sql: LiteralString, expected: object
) -> None:
    async with world.parts.database.reading() as db:
        first = await db.fetch_one(kind, sql)
        again = await db.fetch_all(kind, sql)

    assert first == expected
    assert again == [expected]


@pytest.mark.parametrize("sql", ["SELECT 1::bigint AS id", "SELECT 1 AS id, 'Chá' AS name, 2 AS colour"])
@pytest.mark.parametrize("kind", [Parcel, Named])
async def test_a_column_too_few_or_too_many_is_a_mistake_of_ours(
    world: World, kind: type[object], sql: LiteralString
) -> None:
    async with world.parts.database.reading() as db:
        with pytest.raises(TypeError):
            await db.fetch_one(kind, sql)
        with pytest.raises(TypeError):
            await db.fetch_one(kind, sql)


async def test_one_statement_can_become_several_kinds(world: World) -> None:
    sql = "SELECT 'Chá' AS name, 1::bigint AS id"

    async with world.parts.database.reading() as db:
        parcel, named = await db.fetch_one(Parcel, sql), await db.fetch_one(Named, sql)

    assert (parcel, named) == (Parcel(1, "Chá"), Named(id=1, name="Chá"))
