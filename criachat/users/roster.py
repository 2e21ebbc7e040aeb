"""Who speaks for a team: its people and its bots by id, for whoever reads threads.

Whoever reads a thread needs the names of those who wrote in it, the same few again and again. They are remembered for
three seconds, as callers are by their tokens, and forgotten as soon as the signal comes that they changed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from criachat.kit import clock
from criachat.kit.db import Db
from criachat.kit.signals import Signals
from criachat.users.models import Speaker
from criachat.users.operations import CHANGED_TOPIC
from criachat.users.queries import speakers

REMEMBERED_SECONDS: Final = 3.0
MOST_REMEMBERED: Final = 50_000


class Speakers(msgspec.Struct):
    """Those of one account who are known, by id; None for an id that nobody has."""

    until: float
    people: dict[int, Speaker | None] = {}
    bots: dict[int, Speaker | None] = {}


class Roster:
    """What is known of everybody's speakers in this process."""

    def __init__(self, signals: Signals) -> None:
        self._by_account: dict[int, Speakers] = {}
        self._count = 0
        # Whatever is read while somebody changes is used once, and not remembered.
        self._turn = 0
        signals.subscribe(CHANGED_TOPIC, lambda _: self._forget())
        signals.on_resync(self._forget)

    async def speakers(self, db: Db, account_id: int, people: Collection[int], bots: Collection[int]) -> Speakers:
        """The speakers of the account, among them these; one statement where somebody is not remembered."""
        now = clock.monotonic()
        known = self._by_account.get(account_id)
        if known is None or known.until <= now:
            known = Speakers(now + REMEMBERED_SECONDS)
        missing_people = [each for each in people if each not in known.people]
        missing_bots = [each for each in bots if each not in known.bots]
        if not (missing_people or missing_bots):
            return known
        turn = self._turn
        found = await speakers.list_speakers(db, account_id, missing_people, missing_bots)
        known = Speakers(
            known.until,
            known.people | dict.fromkeys(missing_people) | {each.id: each for each in found if not each.is_bot},
            known.bots | dict.fromkeys(missing_bots) | {each.id: each for each in found if each.is_bot},
        )
        if turn == self._turn:
            self._remember(account_id, known, len(missing_people) + len(missing_bots))
        return known

    def _remember(self, account_id: int, known: Speakers, count: int) -> None:
        self._count += count
        if self._count > MOST_REMEMBERED:
            self._by_account.clear()
            self._count = len(known.people) + len(known.bots)
        self._by_account[account_id] = known

    def _forget(self) -> None:
        self._turn += 1
        self._by_account.clear()
        self._count = 0
