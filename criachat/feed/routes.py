"""The feed, over HTTP."""

from __future__ import annotations

from typing import cast

import msgspec

from criachat.feed import access
from criachat.feed.access import Sight
from criachat.feed.errors import UnknownEvent
from criachat.feed.reading import Feed, Reader
from criachat.feed.schemas import EventOut, FeedMetaOut, FeedOut, FeedParams
from criachat.feed.streaming import EVENT_STREAM, HEADERS, frames
from criachat.kit.actors import AGENT, BOT, Actor
from criachat.kit.cursors import cursor_text
from criachat.kit.events import catalogue
from criachat.kit.http.answers import Stream
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Routes

routes = Routes("/api/v1/accounts/{account_id}/events", tag="Events", scope="events")


@routes.get(actors=AGENT | BOT)
async def list_events(feed: Feed, actor: Actor, request: Request, params: FeedParams) -> FeedOut | Stream:
    """What happened in the account, in the order of its commits and without gaps.

    Give the `cursor` of an answer as the next `after`, and nothing is missed. With `wait`, an answer comes as soon as
    something happens, or empty after so many seconds. With `Accept: text/event-stream` events are sent as they happen,
    each under its cursor; a client that comes back names the last one in `Last-Event-ID`. `event` takes names as a list
    or separated by commas. A cursor whose events are not kept any more is answered with 410.
    """
    is_stream = EVENT_STREAM in request.headers.get("accept", "")
    after = (is_stream and request.headers.get("last-event-id")) or params.after
    names = _names(params.event)
    if is_stream or params.wait:
        feed.check_room(actor.account_id)

    async def look() -> Sight:
        caller = await request.caller_now()
        known = access.sight_at_once(caller)
        if known is not None:
            return known
        async with feed.database.reading() as db:
            return await access.load_sight(db, caller)

    cursor = await feed.place_of(actor.account_id, after)
    reader = Reader(feed, actor.account_id, cursor, names=names, limit=params.limit, look=look)
    if is_stream:
        return Stream(frames(reader), content_type=EVENT_STREAM, headers=HEADERS)
    try:
        page = await reader.next_page(wait_seconds=params.wait)
    finally:
        reader.close()
    # Each was rendered to JSON once, for everybody who reads it.
    rendered = cast(list[EventOut], [msgspec.Raw(item.body) for item in page.items])
    return FeedOut(payload=rendered, meta=FeedMetaOut(cursor=cursor_text(page.cursor), has_more=page.is_more))


def _names(chosen: str | list[str] | None) -> frozenset[str] | None:
    """The kinds of event that are wanted; None for all."""
    texts = [chosen] if isinstance(chosen, str) else chosen or []
    names = frozenset(name.strip() for text in texts for name in text.split(",") if name.strip())
    unknown = names - catalogue.kinds.keys()
    if unknown:
        raise UnknownEvent(f"Event {min(unknown)[:80]} does not exist")
    return names or None
