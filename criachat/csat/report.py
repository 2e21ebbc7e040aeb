"""All answers of a period as a table for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from io import StringIO

from criachat.csat import queries
from criachat.csat.models import Filters, ReportLine
from criachat.kit.db import Database
from criachat.kit.times import iso

BATCH = 1000
HEAD = (
    "Agent name",
    "Rating",
    "Feedback comments",
    "Contact name",
    "Contact email address",
    "Contact phone number",
    "Link to the conversation",
    "Recorded date",
)
# A spreadsheet takes a cell that begins like this for a formula, and may do what it says.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def report(
    database: Database, account_id: int, filters: Filters, *, since: datetime, until: datetime, base_url: str
) -> AsyncGenerator[bytes]:
    """The table piece by piece; a connection is borrowed for each piece only."""
    yield _lines([HEAD])
    last = (since, 0)
    while True:
        async with database.reading() as db:
            found = await queries.list_report_lines(db, account_id, filters, after=last, limit=BATCH)
        if not found:
            break
        yield _lines(_cells(line, account_id, base_url) for line in found)
        last = (found[-1].created_at, found[-1].id)
    yield _lines([(f"Reporting period {since:%Y-%m-%d} to {until:%Y-%m-%d}",)])


def _cells(line: ReportLine, account_id: int, base_url: str) -> tuple[str, ...]:
    agent = f"{line.agent_name} ({line.agent_email})" if line.agent_name else ""
    said = (line.feedback_message, line.contact_name, line.contact_email)
    link = f"{base_url}/app/accounts/{account_id}/conversations/{line.display_id}"
    phone_number = line.contact_phone_number or ""
    texts = (_harmless(text or "") for text in said)
    return _harmless(agent), str(line.rating), *texts, phone_number, link, iso(line.created_at)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    table = StringIO()
    csv.writer(table).writerows(rows)
    return table.getvalue().encode()
