"""What was said elsewhere before, line by line: one message as JSON on each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from criachat.kit import clock
from criachat.kit.errors import Malformed, Refused
from criachat.kit.http.request import parse_json
from criachat.kit.times import utc
from criachat.messages.content import LONGEST_CONTENT, check_size
from criachat.messages.errors import HistoryLineInvalid

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A message as a line tells of it. `created_at` is unix seconds, or ISO 8601."""

    source_id: Annotated[str, Meta(min_length=1, max_length=1000)]
    content: Annotated[str, Meta(min_length=1, max_length=LONGEST_CONTENT)]
    message_type: Literal["incoming", "outgoing"]
    created_at: datetime | float
    private: bool = False
    sender_id: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None
    content_attributes: dict[str, Any] = {}

    @property
    def moment(self) -> datetime:
        """When it was said."""
        return (
            self.created_at if isinstance(self.created_at, datetime) else datetime.fromtimestamp(self.created_at, UTC)
        )


def read_line(line: bytes) -> Entry:
    """The message on a line, or a refusal that says what is wrong with it."""
    try:
        entry = msgspec.convert(parse_json(line), Entry)
        check_size(entry.content_attributes)
        moment = utc(entry.moment)
    except Malformed as refusal:
        raise HistoryLineInvalid(refusal.text) from refusal
    except msgspec.ValidationError as failure:
        raise HistoryLineInvalid(str(failure)[:200]) from failure
    except (OverflowError, OSError, ValueError) as failure:
        raise HistoryLineInvalid("created_at is out of range") from failure
    if not EARLIEST <= moment <= clock.now():
        raise HistoryLineInvalid("created_at must lie in the past")
    return msgspec.structs.replace(entry, created_at=moment)


def reason_of(refusal: Refused) -> str:
    """Why a line was refused, without what stands before every such sentence."""
    return refusal.text.removeprefix("Validation failed: ")
