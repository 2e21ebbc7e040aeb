"""Files of comma separated values, read piece by piece however long they are, and written so that no program that opens
them takes a cell for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from typing import Final, NamedTuple

LONGEST_RECORD_BYTES: Final = 1024 * 1024
MOST_COLUMNS: Final = 500
BYTE_ORDER_MARK: Final = "\ufeff"
OTHER_ENCODINGS: Final = (b"\xff\xfe", b"\xfe\xff")
# What spreadsheets of countries with decimal commas separate cells with, and what they paste.
DELIMITERS: Final = (",", ";", "\t")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# Phone numbers and numbers begin like formulas, and are none.
HARMLESS: Final = re.compile(r"[+-]?[0-9][0-9.,]*")
ESCAPE: Final = "'"


class Malformed(Exception):
    """A file that cannot be read as rows of cells; the text says where and why."""


class Record(NamedTuple):
    """One row, and where the next begins, in bytes from the start of what was read."""

    cells: list[str]
    ends_at: int


async def read_records(chunks: AsyncIterator[bytes], *, delimiter: str) -> AsyncGenerator[Record, None]:
    """The rows of a file in UTF-8, its blank ones with no cells; what is not UTF-8 is dropped.

    A quote opens or closes a cell, so a line is the last of its row when there is an even number of them up to its end.
    """
    row, ends_at, size, lines, is_open = 1, 0, 0, list[bytes](), False
    async for line in _lines(chunks):
        lines.append(line)
        size += len(line)
        is_open ^= line.count(b'"') % 2 == 1
        if size > LONGEST_RECORD_BYTES:
            raise Malformed(f"Row {row} is too long, or a quote in it is not closed")
        if is_open:
            continue
        ends_at += size
        yield Record(_cells(b"".join(lines), row, delimiter), ends_at)
        row, size, lines = row + 1, 0, []
    if lines:
        raise Malformed(f"A quote that is opened in row {row} is not closed")


def delimiter_of(head: bytes) -> str:
    """What separates the cells of a file that begins like this: in its first line, what is found most often."""
    line = head.partition(b"\n")[0].decode("utf-8", "ignore")
    return max(DELIMITERS, key=line.count)


def refuse_other_encodings(head: bytes) -> None:
    """Raise when a file that begins like this is not text in UTF-8, nor in what could be mistaken for it."""
    if head.startswith(OTHER_ENCODINGS) or b"\x00" in head:
        raise Malformed("The file is not text in UTF-8")


def written(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as they stand in a file."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def unescaped(cell: str) -> str:
    """A cell as it was before `written` kept it from being a formula."""
    return cell[1:] if cell.startswith(ESCAPE) and cell[1:].startswith(FORMULA) else cell


def _harmless(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return ESCAPE + text if text.startswith(FORMULA) and not HARMLESS.fullmatch(text) else text


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines with their ends."""
    left = b""
    async for chunk in chunks:
        left += chunk
        *lines, left = left.split(b"\n")
        if len(left) > LONGEST_RECORD_BYTES:
            raise Malformed("A line of the file is too long")
        for line in lines:
            yield line + b"\n"
    if left:
        yield left


def _cells(record: bytes, row: int, delimiter: str) -> list[str]:
    text = record.decode("utf-8", "ignore").replace("\x00", "").removeprefix(BYTE_ORDER_MARK)
    try:
        rows = list(csv.reader([text], strict=True, delimiter=delimiter))
    except csv.Error as failure:
        raise Malformed(f"Row {row} cannot be read: {failure}") from failure
    cells = rows[0] if rows else []
    if len(cells) > MOST_COLUMNS:
        raise Malformed(f"Row {row} has more than {MOST_COLUMNS} cells")
    return cells if any(cell.strip() for cell in cells) else []
