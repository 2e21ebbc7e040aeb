"""Who speaks for a team: its people and its bots by id, for whoever reads threads.

Whoever reads a thread needs the names of those who wrote in it, the same few again and again. They are remembered for
three seconds, as callers are by their tokens, and forgotten as soon as the signal comes that they changed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, LiteralString

import msgspec

from criachat.kit import clock
from criachat.kit.signals import Signals
from criachat.users.operations import CHANGED_TOPIC
from criachat.users.snapshots import Availability

REMEMBERED_SECONDS: Final = 3.0
MOST_REMEMBERED: Final = 50_000


class Speaker(msgspec.Struct, frozen=True, array_like=True):
    """Of a person or a bot of the team what everybody is shown who reads what they wrote.

    Whoever left the account is known as before. The fields stand as they do in `SPEAKERS`.
    """

    id: int
    name: str
    available_name: str
    avatar_key: str | None
    availability: Availability
    auto_offline: bool
    is_member: bool
    is_bot: bool


decode_speakers = msgspec.json.Decoder(list[Speaker]).decode

# As JSON, those that there are of the people $2 and the bots $3 of the account $1; for statements that read something
# else on the same trip.
SPEAKERS: LiteralString = """(
    SELECT json_agg(json_build_array(users.id, users.name, coalesce(nullif(users.display_name, ''), users.name),
        users.avatar_key, coalesce(account_users.availability, 'offline'), coalesce(account_users.auto_offline, true),
        account_users.user_id IS NOT NULL, false))
    FROM users
    LEFT JOIN account_users ON account_users.account_id = $1 AND account_users.user_id = users.id
    WHERE users.id = ANY($2::bigint[])
) AS people, (
    SELECT json_agg(json_build_array(id, name, name, avatar_key, 'online', false, true, true))
    FROM agent_bots WHERE account_id = $1 AND id = ANY($3::bigint[])
) AS bots"""


class Unknown(msgspec.Struct, frozen=True):
    """Whom nobody remembers: people and bots by id."""

    people: list[int]
    bots: list[int]

    def __bool__(self) -> bool:
        return bool(self.people or self.bots)


class Speakers(msgspec.Struct, frozen=True):
    """Those of one account who are known, by id; None for an id that nobody has."""

    until: float
    turn: int
    people: dict[int, Speaker | None] = {}
    bots: dict[int, Speaker | None] = {}

    def without(self, people: Collection[int], bots: Collection[int]) -> Unknown:
        """Those of these who are not among them."""
        return Unknown(
            [each for each in people if each not in self.people], [each for each in bots if each not in self.bots]
        )


class Roster:
    """The speakers that this process remembers, by account."""

    def __init__(self, signals: Signals) -> None:
        self._by_account: dict[int, Speakers] = {}
        self._count = 0
        self._turn = 0
        signals.subscribe(CHANGED_TOPIC, lambda _: self._forget())
        signals.on_resync(self._forget)

    def known(self, account_id: int) -> Speakers:
        """Those of the account who are remembered."""
        now = clock.monotonic()
        known = self._by_account.get(account_id)
        return Speakers(now + REMEMBERED_SECONDS, self._turn) if known is None or known.until <= now else known

    def learn(self, account_id: int, known: Speakers, unknown: Unknown, found: Sequence[Speaker]) -> Speakers:
        """The same with those who were unknown, and were then looked for.

        Where anybody changed meanwhile, what was found is good for this once, and not remembered.
        """
        people = dict.fromkeys(unknown.people) | {each.id: each for each in found if not each.is_bot}
        bots = dict.fromkeys(unknown.bots) | {each.id: each for each in found if each.is_bot}
        more = Speakers(known.until, known.turn, known.people | people, known.bots | bots)
        if known.turn == self._turn:
            self._remember(account_id, more, len(people) + len(bots))
        return more

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
