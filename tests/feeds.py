"""Reading the feed in tests."""

from __future__ import annotations

from typing import Any

from harness import Api, Given, Reply


async def present(given: Given) -> str:
    """The cursor of the present."""
    reply = await given.api.get("/events", params={"after": "now"})
    assert reply.status == 200, reply.body
    return reply.json["meta"]["cursor"]


async def read_all(api: Api, after: str | None = None, **params: Any) -> list[Any]:
    """Everything the caller is told from there to the end, page by page."""
    events: list[Any] = []
    while True:
        reply = await api.get("/events", params={"after": after, **params} if after else params)
        assert reply.status == 200, reply.body
        events += reply.json["payload"]
        after = reply.json["meta"]["cursor"]
        if not reply.json["meta"]["has_more"]:
            return events


def names(reply: Reply) -> list[str]:
    """The names of the events of a page."""
    assert reply.status == 200, reply.body
    return [event["event"] for event in reply.json["payload"]]
