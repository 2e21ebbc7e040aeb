"""What is logged, in what form, and what never is."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
import structlog

from criachat.kit import tokens
from criachat.kit.logs import configure_logs
from criachat.kit.settings import SettingInvalid


class Logged:
    """What came out."""

    def __init__(self) -> None:
        self.stream = io.BytesIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue().decode()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def logged() -> Iterator[Logged]:
    root = logging.getLogger()
    before = structlog.get_config(), root.handlers[:], root.level
    logged = Logged()
    configure_logs("info", stream=logged.stream)
    yield logged
    structlog.configure(**before[0])
    root.handlers[:], root.level = before[1], before[2]


def test_an_event_is_one_line_of_json(logged: Logged) -> None:
    structlog.get_logger().info("webhook_failed", webhook_id=17, status=503)

    (line,) = logged.lines
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "webhook_failed", "level": "info", "webhook_id": 17, "status": 503}


def test_what_is_below_the_level_is_not_said(logged: Logged) -> None:
    structlog.get_logger().debug("request", path="/api")

    assert logged.text == ""


def test_secrets_are_left_out_by_name_at_any_depth(logged: Logged) -> None:
    structlog.get_logger().info(
        "request", password="Segredo-1", headers={"Authorization": "Bearer abc", "accept": "*/*", "more": {"secret": 1}}
    )

    assert logged.lines[0]["headers"] == {"accept": "*/*", "more": {}}
    assert "password" not in logged.lines[0]
    assert "Segredo-1" not in logged.text


def test_an_access_token_is_blotted_out_wherever_it_stands(logged: Logged) -> None:
    token = tokens.make_access_token(tokens.PERSON)
    try:
        raise ValueError(f"{token} is not welcome")
    except ValueError:
        structlog.get_logger().exception("request_failed", url=f"/api?api_access_token={token}")

    assert token not in logged.text
    assert logged.lines[0]["url"] == "/api?api_access_token=cria_…"


def test_a_failure_is_told_with_its_cause_and_without_the_row_it_quotes(logged: Logged) -> None:
    taken = asyncpg.UniqueViolationError("duplicate key value\nDETAIL: Key (email)=(rosa@example.net) already exists.")
    try:
        try:
            raise taken
        except asyncpg.UniqueViolationError as failure:
            raise LookupError("no luck") from failure
    except LookupError:
        structlog.get_logger().exception("request_failed")

    told = logged.lines[0]["exception"]
    assert "UniqueViolationError: duplicate key value" in told
    assert told.index("and then:") < told.index("LookupError: no luck")
    assert "test_logs.py" in told
    assert "rosa@example.net" not in logged.text


def test_what_libraries_say_comes_out_the_same_way(logged: Logged) -> None:
    logging.getLogger("asyncio").warning("slow callback of %s seconds", 3)
    logging.getLogger("uvicorn.error").info("Started server process")

    assert [line["text"] for line in logged.lines] == ["slow callback of 3 seconds"]
    assert logged.lines[0]["library"] == "asyncio"


def test_an_unknown_level_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingInvalid, match=r"CRIACHAT_LOG_LEVEL .* debug, info, warning, error"):
        configure_logs("loud")
