"""Examples for the API's description: what tests ask of the application, and what it answers.

Two recordings are the same to the letter. Identifiers and secrets are held still while a test runs, and what differs
all the same from run to run is written as it would be in a small installation at a certain moment.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote
from zlib import crc32

import httpx
import msgspec
from fitting import Fitting
from harness import BASE_URL, World, hearers
from msgspec import UNSET

from criachat.kit import clock, tokens
from criachat.kit.http.binding import Bound
from criachat.kit.http.examples import JSON, Example, Examples, name_of
from criachat.kit.http.tree import RouteTree

# Each table counts from a number of its own while examples are recorded: an id tells by itself whose id it is.
FIRST_ID, APART = 500_000_000, 1_000_000
SET_APART = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass,
    $1::bigint + $2::bigint * row_number() OVER (ORDER BY sequencename))
FROM pg_sequences WHERE schemaname = 'public'
"""
MOMENT = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
YEAR = timedelta(days=366)
VALUE = re.compile(r'":(?!null|\[\]|{}|"")')
ID = re.compile(r"(?<!\d)5\d{8}(?!\d)")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ISO_TIME = re.compile(r"20\d\d-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?(?![\w+-])")
UNIX_TIME = re.compile(r"(?<![\w.])(1\d{9})(\d{3}|\d{6})?(\.\d+)?(?![\w.])")
CURSOR = "AQAAAAEAAAAAAAAAAQAAAAAAAAABAAAAAGmlosg"
REPLACED = (
    (re.compile(re.escape(BASE_URL)), "https://chat.example.com"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "https://hooks.example.com"),
    # People of the tests have addresses of their own in each run.
    (re.compile(r"\b([a-z]+)(\.?\d+|\.[0-9a-z]{10})(?=@|%40)", re.IGNORECASE), r"\1"),
    (re.compile(r"\b(cria_[a-z]+_)[0-9A-Za-z]{38}"), r"\1…"),
    (re.compile(r"[\w-]{20,}(?=--[0-9a-f]{64})"), "AAAAAAAAAAEAAAAAAAAAAQAAAABppaB4"),
    (re.compile(r"(?<!\w)[0-9a-f]{64}(?!\w)"), 4 * "0a1b2c3d4e5f6789"),
    (re.compile(r'("(?:after|cursor|next_cursor)": )"[\w-]{32,}"'), rf'\1"{CURSOR}"'),
    # The second factor is never held still.
    (re.compile(r'("otp_code": )"\d{6}"'), r'\1"123456"'),
    (re.compile(r'"[0-9A-F]{8}"'), '"0A1B2C3D"'),
    (re.compile(r"\b[A-Z2-7]{32}\b"), 2 * "JBSWY3DPEHPK3PXP"),
    # How long something took, and what other people's servers say of themselves.
    (re.compile(r'("value": )\d+[.e][\d.e-]+|("\w+_ms": )[\d.]+'), r"\1\g<2>42"),
    (re.compile(r"\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT"), f"{MOMENT:%a, %d %b %Y %H:%M:%S} GMT"),
    (re.compile(r"Python/[\d.]+ aiohttp/[\d.]+"), "hooks"),
    (re.compile(r"(# HELP python_gc.*?}) .*?…"), r"\1 0.0…"),
    # Of two receivers told at once, either may come first.
    (re.compile(r'("target": )"\w+:1"'), r'\1"webhook:1"'),
)
LONGEST_TEXT = 300
LONGEST_EXAMPLE = 4_000


class Recorder:
    """Hears what is asked and answered, and keeps of each endpoint the exchange that shows most."""

    def __init__(self, bounds: Iterable[Bound]) -> None:
        self.examples: dict[str, Example] = {}
        self._doors: RouteTree[Bound] = RouteTree()
        told = [bound for bound in bounds if bound.endpoint.tag != "Reference"]
        for bound in told:
            self._doors.add(bound.endpoint.methods, bound.endpoint.path, bound)
        self._fitting = Fitting(told)

    async def hear(self, response: httpx.Response) -> None:
        """Keep this exchange if it is a better example than the one before; of two as good, the first stays."""
        found = self._doors.find(response.request.method, unquote(response.request.url.path))
        if found is None or response.status_code >= httpx.codes.BAD_REQUEST:
            return
        bound, path = found
        name = name_of(bound.endpoint)
        example = repeatable(await self._heard(name, path, response))
        is_better = name not in self.examples or _worth(example) > _worth(self.examples[name])
        if is_better and not self._fitting.misfits(name, example):
            self.examples[name] = example

    async def _heard(self, name: str, path: Mapping[str, str], response: httpx.Response) -> Example:
        request = response.request
        body, body_type = _content(request.headers, await _sent(request))
        answer, answer_type = _content(response.headers, await response.aread())
        typed = partial(self._fitting.typed, name)
        return Example(
            test=os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0],
            path={key: typed("path", key, value) for key, value in path.items()},
            query={key: typed("query", key, value) for key, value in _query(request).items()},
            body=UNSET if body == {} else body,
            body_type=body_type,
            status=response.status_code,
            answer=answer,
            answer_type=answer_type,
        )


def _query(request: httpx.Request) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.url.query.decode(), keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return {name: values if name.endswith("[]") else values[-1] for name, values in found.items()}


async def _sent(request: httpx.Request) -> bytes:
    """The body, unless it was sent piece by piece and is gone."""
    is_read = request.headers.get("content-type", "").startswith((JSON, "multipart/"))
    return await request.aread() if is_read else b""


def _content(headers: Mapping[str, str], content: bytes) -> tuple[Any, str]:
    """What was sent, and of which kind it is."""
    kind = headers.get("content-type", "").partition(";")[0]
    if not content:
        return UNSET, JSON
    if kind == JSON:
        return json.loads(content), JSON
    if kind == "multipart/form-data":
        return _form(headers, content), kind
    is_text = kind.startswith("text/") or kind.endswith("json")
    return content.decode() if is_text else f"{len(content)} bytes", kind


def _form(headers: Mapping[str, str], content: bytes) -> Any:
    """The fields of a form; a file is shown by its name."""
    message = message_from_bytes(f"Content-Type: {headers['content-type']}\r\n\r\n".encode() + content)
    return {
        part.get_param("name", header="content-disposition"): part.get_filename()
        or part.get_payload(decode=True).decode()
        for part in message.get_payload()
    }


def _worth(example: Example) -> tuple[bool, bool, bool, int]:
    """How good an example it is: short enough to read, as clients of the family know it, as much in it as possible."""
    asked, answered = (_text(each) for each in ((example.query, example.body), example.answer))
    is_short = len(asked) + len(answered) <= LONGEST_EXAMPLE
    # What may be sent is seen nowhere else; what is answered stands in the schema as well.
    shown = 3 * len(VALUE.findall(asked)) + len(VALUE.findall(answered))
    return is_short, "/contract/" in example.test, example.body_type == JSON, shown


def _text(value: Any) -> str:
    return msgspec.json.encode(value, enc_hook=lambda _: None).decode()


def repeatable(example: Example) -> Example:
    """The same exchange as any other run would show it, and short."""
    text = json.dumps(_shortened(msgspec.to_builtins(example)), ensure_ascii=False)
    for pattern, change in ((ID, _numbered(text)), (UUID, _named()), (ISO_TIME, _iso), (UNIX_TIME, _unix), *REPLACED):
        text = pattern.sub(change, text)
    return msgspec.json.decode(text, type=Example)


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shortened(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shortened(each) for each in value[: 1 if value and isinstance(value[0], dict) else 3]]
    is_long = isinstance(value, str) and len(value) > LONGEST_TEXT
    return f"{value[:LONGEST_TEXT]}…" if is_long else value


def _numbered(text: str) -> Any:
    """Each table's ids from 1, in their order."""
    counts: defaultdict[int, count[int]] = defaultdict(partial(count, 1))
    numbers = {each: str(next(counts[int(each) // APART])) for each in sorted(set(ID.findall(text)))}
    return lambda found: numbers[found[0]]


def _named() -> Any:
    """Each id of 32 digits by the place where it comes first."""
    names: defaultdict[str, str] = defaultdict(lambda: f"3f0c5a9e-7b21-4d6f-9a38-{len(names) + 1:012}")
    return lambda found: names[found[0]]


def _iso(found: re.Match[str]) -> str:
    moment = _moved(datetime.fromisoformat(found[0]).replace(tzinfo=UTC))
    fraction = "." + "0" * (len(found[2]) - 1) if found[2] else ""
    return f"{moment:%Y-%m-%d}{found[1]}{moment:%H:%M:%S}{fraction}{found[3] or ''}" if moment else found[0]


def _unix(found: re.Match[str]) -> str:
    moment = _moved(datetime.fromtimestamp(int(found[1]), UTC))
    fraction = "0" * len(found[2] or "") + (".0" if found[3] else "")
    return f"{moment.timestamp():.0f}{fraction}" if moment else found[0]


def _moved(moment: datetime) -> datetime | None:
    """As far from that certain moment as it is from now, to the minute; what is years away was chosen by the test."""
    away = moment - clock.now()
    return MOMENT + timedelta(minutes=round(away / timedelta(minutes=1))) if abs(away) < YEAR else None


@asynccontextmanager
async def recorded(world: World, into: Path | None) -> AsyncGenerator[None]:
    """What is asked of this application meanwhile becomes the examples in this file, if there is to be one."""
    if into is None:
        yield
        return
    async with world.parts.database.transaction() as tx:
        await tx.fetch_values(SET_APART, FIRST_ID, APART)
    recorder = Recorder(world.parts.http.bounds)
    hearers.append(recorder.hear)
    world.client.event_hooks = {"response": hearers}
    yield
    _write(recorder.examples, into)


def _write(examples: Examples, into: Path) -> None:
    text = msgspec.json.encode(dict(sorted(examples.items())))
    into.write_bytes(msgspec.json.format(text, indent=1) + b"\n")


@contextmanager
def held_still(test: str) -> Generator[None]:
    """While this test runs, identifiers and secrets are the same as in any other run."""
    with tokens.held_still(crc32(test.encode())):
        yield
