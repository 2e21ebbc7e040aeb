"""Recording what happened, for the reports that are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from criachat.conversations.events import ConversationOpened, ConversationResolved
from criachat.inboxes import access as inboxes
from criachat.inboxes.models import Inbox
from criachat.kit.db import Tx
from criachat.messages.events import FirstReplyCreated
from criachat.reports import queries
from criachat.reports.measuring import (
    HANDED_TO_PEOPLE,
    Heard,
    Known,
    conversation_of,
    has_bot,
    measures_of,
    moment_of,
)
from criachat.reports.models import EventName, Mark, Measure

LOOKED_BACK_AT: tuple[EventName, ...] = (*HANDED_TO_PEOPLE, "conversation_bot_resolved", "conversation_resolved")


async def record(tx: Tx, account_id: int, events: Sequence[Heard]) -> None:
    """Write down what was measured at these events, in the order they happened; what is written already stays."""
    inbox_ids = {conversation_of(event).inbox.id for event in events}
    by_id = {inbox.id: inbox for inbox in await inboxes.list_inboxes_by_id(tx, account_id, [*inbox_ids])}
    marks = await _marks(tx, account_id, events)
    known = Known(inboxes=by_id, marks=marks, spoken_in=await _spoken_in(tx, account_id, events, by_id))
    measures: list[Measure] = []
    for event in events:
        measured = measures_of(event, known)
        measures += measured
        # Later events of the batch look back at these, too.
        marks += [Mark(each.conversation_id, each.name, each.event_end_time) for each in measured]
    await queries.insert_measures(tx, account_id, measures)


async def _marks(tx: Tx, account_id: int, events: Sequence[Heard]) -> list[Mark]:
    """What was recorded before, for those events that are measured from there."""
    asking = [event for event in events if isinstance(event, FirstReplyCreated | ConversationOpened)]
    if not asking:
        return []
    places = [conversation_of(event).conversation_id for event in asking]
    return await queries.list_marks(tx, account_id, places, [moment_of(event) for event in asking], LOOKED_BACK_AT)


async def _spoken_in(tx: Tx, account_id: int, events: Sequence[Heard], by_id: Mapping[int, Inbox]) -> frozenset[int]:
    """Where a bot may have been alone: the events before which it was not."""
    asking = [event for event in events if isinstance(event, ConversationResolved) and has_bot(event, by_id)]
    if not asking:
        return frozenset()
    places = [event.snapshot.conversation_id for event in asking]
    moments = [moment_of(event) for event in asking]
    return frozenset(await queries.list_spoken_in(tx, account_id, [event.id for event in asking], places, moments))
