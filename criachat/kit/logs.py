"""Logs: JSON lines on standard error, one event each; on a terminal, lines for people.

What is secret is not written, whoever says it: values under names that carry secrets are left out, and whatever has the
shape of an access token is blotted out. What libraries say through `logging` comes out the same way.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, BinaryIO, Final, TypeAlias, cast

import msgspec
import structlog

from criachat.kit.settings import SettingInvalid

Fields: TypeAlias = MutableMapping[str, Any]
Processor: TypeAlias = Callable[[Any, str, Fields], Any]

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
# fmt: off
SECRETS: Final = frozenset((
    "access-token", "access_token", "api_access_token", "authorization", "cookie", "hmac_token", "identifier_hash",
    "otp_code", "password", "password_confirmation", "pubsub_token", "secret", "secret_key", "signature", "token",
    "website_token",
))
# fmt: on
TOKEN: Final = re.compile(r"cria_[a-z]{2,8}_[0-9A-Za-z]{8,}")
BLOT: Final = "cria_…"
LONGEST_MESSAGE: Final = 500
MOST_FRAMES: Final = 20
# They tell of every connection and start, which we tell of ourselves where it matters.
QUIET: Final = ("uvicorn.error", "asyncio", "aiohttp.access", "websockets", "pgqueuer")

_encode = msgspec.json.Encoder(enc_hook=str).encode


def configure_logs(level: str = "info", *, stream: BinaryIO | None = None) -> None:
    """Decide, once for this process, what is logged and how; before this, structlog's own defaults hold."""
    if level not in LEVELS:
        raise SettingInvalid(f"CRIACHAT_LOG_LEVEL is not usable: it is {level!r}, and one of {', '.join(LEVELS)}")
    is_pretty = stream is None and sys.stderr.isatty()
    steps: list[Processor] = [structlog.processors.add_log_level, _drop_secrets, _tell_failure]
    if is_pretty:
        steps += [structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False), _blot_texts]
        steps += [structlog.dev.ConsoleRenderer(pad_event_to=28, exception_formatter=structlog.dev.plain_traceback)]
    else:
        steps += [structlog.processors.TimeStamper(fmt="iso", utc=True), _as_line]
    structlog.configure(
        processors=steps,
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr)
        if is_pretty
        else structlog.BytesLoggerFactory(stream or sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Forwarding()], level=max(LEVELS[level], logging.INFO), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _drop_secrets(_logger: object, _method: str, fields: Fields) -> Fields:
    for name in SECRETS.intersection(fields):
        del fields[name]
    for name, value in fields.items():
        if isinstance(value, dict):
            fields[name] = _without_secrets(cast(dict[Any, Any], value))
    return fields


def _without_secrets(fields: dict[Any, Any]) -> dict[str, Any]:
    return {
        str(name): _without_secrets(cast(dict[Any, Any], value)) if isinstance(value, dict) else value
        for name, value in fields.items()
        if str(name).lower() not in SECRETS
    }


def _tell_failure(_logger: object, _method: str, fields: Fields) -> Fields:
    failure = fields.pop("exc_info", None)
    if failure is True:
        failure = sys.exc_info()[1]
    elif isinstance(failure, tuple):
        failure = cast(tuple[Any, ...], failure)[1]
    if isinstance(failure, BaseException):
        fields["exception"] = describe(failure)
    return fields


def describe(failure: BaseException) -> str:
    """The failure, what caused it and where, without the values that were at hand.

    Of a message only the first line: what PostgreSQL adds in the others quotes the row.
    """
    return "\n".join(_lines(failure, set()))


def _lines(failure: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(failure))
    earlier = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)
    if earlier is not None and id(earlier) not in seen:
        yield from _lines(earlier, seen)
        yield "and then:"
    for frame in traceback.extract_tb(failure.__traceback__)[-MOST_FRAMES:]:
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}"
    message = str(failure).strip().split("\n", 1)[0][:LONGEST_MESSAGE]
    yield f"{type(failure).__module__}.{type(failure).__qualname__}: {message}".removeprefix("builtins.")
    if isinstance(failure, BaseExceptionGroup):
        for number, inner in enumerate(cast(BaseExceptionGroup[BaseException], failure).exceptions, 1):
            yield f"{number}. of them:"
            yield from _lines(inner, seen)


def _as_line(_logger: object, _method: str, fields: Fields) -> bytes:
    line = _encode({"event": fields.pop("event", ""), **fields})
    return TOKEN.sub(BLOT, line.decode()).encode() if b"cria_" in line else line


def _blot_texts(_logger: object, _method: str, fields: Fields) -> Fields:
    for name, value in fields.items():
        if isinstance(value, str):
            fields[name] = TOKEN.sub(BLOT, value)
    return fields


class _Forwarding(logging.Handler):
    """Takes what libraries say through `logging` where our own events go."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        text = record.getMessage()[:LONGEST_MESSAGE]
        log.log(record.levelno, "library_said", library=record.name, text=text, exc_info=record.exc_info)
