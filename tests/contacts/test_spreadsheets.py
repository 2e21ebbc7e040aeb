"""Files of comma separated values, read piece by piece."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from criachat.contacts.spreadsheets import Malformed, read_records, unescaped, written

MEBIBYTE = 1024 * 1024


async def pieces(text: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


async def cells_of(text: bytes, *, size: int = 1000) -> list[list[str]]:
    return [record.cells async for record in read_records(pieces(text, size), delimiter=",")]


CELLS = st.text(alphabet=st.sampled_from('ab",;\n\r=+é '), max_size=6)


@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=3), max_size=5), size=st.integers(1, 20))
async def test_what_was_written_is_read_again_however_it_arrives(rows: list[list[str]], size: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)

    read = await cells_of(text.getvalue().encode(), size=size)

    assert read == [row if any(cell.strip() for cell in row) else [] for row in rows]


@given(st.binary(max_size=60), st.integers(1, 20))
async def test_no_bytes_do_more_than_be_malformed(text: bytes, size: int) -> None:
    try:
        read = await cells_of(text, size=size)
    except Malformed:
        return

    assert all("\x00" not in cell for cells in read for cell in cells)


@given(st.lists(CELLS, min_size=1, max_size=4))
def test_what_is_kept_from_being_a_formula_is_found_again(cells: list[str]) -> None:
    (row,) = list(csv.reader(io.StringIO(written([cells]).decode(), newline="")))

    assert not any(cell.startswith(("=", "@", "\t", "\r")) for cell in row)
    assert [unescaped(cell) for cell in row] == cells


async def test_each_row_tells_where_the_next_begins() -> None:
    text = 'a,b\r\n"x\ny",é\n\nlast,one'.encode()

    ends = [record.ends_at async for record in read_records(pieces(text, 3), delimiter=",")]

    assert [text[:end] for end in ends] == [b"a,b\r\n", 'a,b\r\n"x\ny",é\n'.encode(), text[:-8], text]


async def test_a_file_takes_no_more_room_the_longer_it_is() -> None:
    async def endless() -> AsyncIterator[bytes]:
        piece = b"crm-1,rosa@example.net,+351912000111,Rosa Lind\n" * 5000
        for _ in range(40):
            yield piece

    tracemalloc.start()
    count = 0
    async for record in read_records(endless(), delimiter=","):
        count += len(record.cells) == 4
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 200_000
    assert peak < 4 * MEBIBYTE


@pytest.mark.parametrize("piece", [b"x" * 65536, b"\n" * 65536, b'"x\n' * 2 + b'"' * 65529])
async def test_what_never_ends_is_given_up_soon(piece: bytes) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        yield b'"'
        while True:
            read += len(piece)
            yield piece

    with pytest.raises(Malformed):
        async for _ in read_records(endless(), delimiter=","):
            pass
    assert read < 4 * MEBIBYTE
