"""How events reach listeners: a batch at once, and around a failure one by one."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from criachat.kit import failures
from criachat.kit.db import Tx
from criachat.kit.events import Event, Listener, Record, catalogue
from criachat.kit.failures import Kept

# As long as a listener that has written does not end, no reader of the log gets any further, on the whole server.
LISTENER_SECONDS: Final = 3.0


class Hearing(msgspec.Struct, frozen=True):
    """A listener, and from where in the log it is told."""

    name: str
    names: frozenset[str]
    answer: Listener
    start: tuple[int, int]

    def hears(self, record: Record) -> bool:
        """Whether this event is for it."""
        return record.name in self.names and (record.epoch, record.xid) >= self.start


async def tell_all(tx: Tx, hearings: list[Hearing], batch: list[Kept]) -> None:
    """The usual way: each listener gets all that it hears at once."""
    events: dict[int, Event] = {}
    for hearing in hearings:
        heard: list[Event] = []
        for kept in batch:
            if hearing.hears(kept.record):
                if kept.sequence not in events:
                    events[kept.sequence] = event_of(kept)
                heard.append(events[kept.sequence])
        if heard:
            await tell(tx, hearing, heard)


async def tell_each_alone(tx: Tx, hearings: list[Hearing], batch: list[Kept]) -> int:
    """The way around a failure: who cannot take an event has it set aside; how often that was."""
    set_aside = 0
    for kept in batch:
        for hearing in hearings:
            if not hearing.hears(kept.record):
                continue
            try:
                async with tx.savepoint():
                    await tell(tx, hearing, [event_of(kept)])
            except Exception as failure:
                if tx.connection.is_closed():
                    raise
                set_aside += 1
                await failures.keep_failure(tx, kept, hearing.name, failure)
    return set_aside


async def tell(tx: Tx, hearing: Hearing, events: list[Event]) -> None:
    """Hand this listener its events; one that hangs is cut off."""
    async with asyncio.timeout(LISTENER_SECONDS):
        await hearing.answer(tx, events)


def event_of(kept: Kept) -> Event:
    """The event, decoded and counted."""
    return catalogue.event_of(kept.record, sequence=kept.sequence)
