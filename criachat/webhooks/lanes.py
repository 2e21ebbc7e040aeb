"""Whose turn it is: every target has a lane of its own, and no lane gets in the way of the others.

A receiver earns its places: it begins with two, each answer is worth one more, and one that does not answer is down to
a single place until it does. Targets at one host share that host's places, and those that failed lately may together
take half of all.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final
from urllib.parse import urlsplit

from criachat.kit import clock
from criachat.kit.settings import Settings
from criachat.webhooks.models import Lane, Result, Share, ToSend

FIRST_PLACES: Final = 2
# How many are claimed for each place: enough to keep it busy while the next are fetched.
CLAIMED_FOR_A_PLACE: Final = 6
# After so many failures in a row a lane gets a single place until something succeeds.
SUSPICIOUS: Final = 5
# Where the order of events begins; signals, which no log numbers, stand at 0.
BEGINNING: Final = -1
# How long to leave a lane alone whose whole backlog is kept back, for each time it took to look through it.
REST_SECONDS: Final = 0.05
LONGEST_REST_SECONDS: Final = 10.0


class Chain:
    """What is sent one after the other: deliveries of one conversation, or a single one of none."""

    def __init__(self, deliveries: Iterable[ToSend], track: Track, host: str) -> None:
        self.rest = deque(deliveries)
        self.track = track
        self.host = host


class Track:
    """How one target fares, what is claimed for it, and what of that was not begun."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.chains: deque[Chain] = deque()
        self.claimed = 0
        self.active = 0
        # Up to where a backlog that is kept back was looked through, in how many looks, and when to begin again.
        self.after = BEGINNING
        self.looks = 0
        self.rests_until = 0.0
        self._failures = 0
        self._earned = FIRST_PLACES

    @property
    def is_suspicious(self) -> bool:
        """Whether it keeps failing, so that one try at a time is enough."""
        return self._failures >= SUSPICIOUS or self._earned == 1

    @property
    def is_forgettable(self) -> bool:
        """Whether there is nothing to remember of it."""
        return not (self.claimed or self.active or self.looks or self._failures)

    def places(self, most: int) -> int:
        """How many may be under way."""
        return 1 if self.is_suspicious else min(self._earned, most)

    def room(self, most: int) -> int:
        """How many more to claim: none before half of what was claimed has gone, as every claim costs the same."""
        places = self.places(most)
        capacity = places if self.is_suspicious else places * CLAIMED_FOR_A_PLACE
        return capacity - self.claimed if self.claimed * 2 <= capacity else 0

    def note(self, result: Result) -> None:
        """Learn from what came back."""
        if result.tried is None:
            return
        self._failures = 0 if result.status == "delivered" else self._failures + 1
        self._earned = 1 if result.tried.status is None else self._earned + 1


class Lanes:
    """The lanes of one worker."""

    def __init__(self, settings: Settings) -> None:
        self._most = settings.webhook_concurrency
        self._most_at_host = max(min(2 * settings.webhook_concurrency_per_host, self._most // 4), 1)
        self._most_in_lane = min(settings.webhook_concurrency_per_host, self._most_at_host)
        self._tracks: dict[Lane, Track] = {}
        self._waiting: deque[Track] = deque()
        self._at_host: Counter[str] = Counter()
        self._active = 0

    def shares(self, lanes: Sequence[Lane], left: int) -> dict[int, list[Share]]:
        """How much to claim for each target, by account: the same for all when there is not enough for all."""
        share = max(left // max(len(lanes), 1), 1)
        shares: dict[int, list[Share]] = {}
        for lane in lanes:
            track = self._tracks.get(lane) or Track(lane)
            free = min(track.room(self._most_in_lane), share, left)
            if free > 0:
                # Also from the beginning, where something may have become free meanwhile.
                places = {BEGINNING, track.after}
                most = max(free // len(places), 1)
                shares.setdefault(lane.account_id, []).extend(Share(lane.target, most, after) for after in places)
                left -= free
        return shares

    def rested(self, lanes: Sequence[Lane]) -> list[Lane]:
        """Those of them that may be looked at again."""
        now = clock.monotonic()
        return [lane for lane in lanes if lane not in self._tracks or self._tracks[lane].rests_until <= now]

    def place_of(self, lane: Lane) -> int:
        """Up to where its backlog was looked through in vain."""
        return self._tracks[lane].after if lane in self._tracks else BEGINNING

    def looked_in_vain(self, lane: Lane, *, until: int | None) -> bool:
        """Note that nothing was free up to there, or in all of it; whether to go on looking right away."""
        track = self._tracks.get(lane)
        if until is not None:
            if track is None:
                track = self._tracks[lane] = Track(lane)
            track.after = until
            track.looks += 1
            return True
        if track is not None and track.looks:
            track.rests_until = clock.monotonic() + min(track.looks * REST_SECONDS, LONGEST_REST_SECONDS)
            track.after, track.looks = BEGINNING, 0
        return False

    def has_news(self, lane: Lane) -> None:
        """Something of it was written down, so others that it kept back may go."""
        if lane in self._tracks:
            self._tracks[lane].rests_until = 0.0

    def take(self, claimed: Sequence[ToSend]) -> None:
        """Queue what was claimed, in its order."""
        for lane, of_lane in groupby(claimed, key=lambda each: each.lane):
            track = self._tracks.get(lane)
            if track is None:
                track = self._tracks[lane] = Track(lane)
            by_conversation: dict[object, list[ToSend]] = {}
            for each in of_lane:
                key = each.delivery_id if each.conversation_id is None else each.conversation_id
                by_conversation.setdefault(key, []).append(each)
                track.claimed += 1
            track.chains.extend(Chain(chain, track, _host(chain[0])) for chain in by_conversation.values())
            if track not in self._waiting:
                self._waiting.append(track)

    def begin(self) -> Chain | None:
        """The next chain that may be sent now, one lane after the other; its place is taken until it has ended."""
        for _ in range(len(self._waiting)):
            track = self._waiting.popleft()
            chain = track.chains[0] if self._has_place(track, track.chains[0].host) else None
            if chain is not None:
                track.chains.popleft()
            if track.chains:
                self._waiting.append(track)
            if chain is not None:
                self._active += 1
                self._at_host[chain.host] += 1
                track.active += 1
                return chain
        return None

    def ended(self, chain: Chain) -> None:
        """Give its place free. Whatever of it was not settled is not ours any more."""
        track = chain.track
        track.claimed -= len(chain.rest)
        track.active -= 1
        self._active -= 1
        self._at_host[chain.host] -= 1
        if not self._at_host[chain.host]:
            del self._at_host[chain.host]
        if track.is_forgettable:
            self._tracks.pop(track.lane, None)

    def empty(self) -> list[Chain]:
        """Everything that was not begun; nothing is begun after this."""
        chains = [chain for track in self._waiting for chain in track.chains]
        for track in self._waiting:
            track.chains.clear()
        self._waiting.clear()
        return chains

    def _has_place(self, track: Track, host: str) -> bool:
        if self._active >= self._most or self._at_host[host] >= self._most_at_host:
            return False
        if track.active >= track.places(self._most_in_lane):
            return False
        return not track.is_suspicious or self._suspicious_under_way() < max(self._most // 2, 1)

    def _suspicious_under_way(self) -> int:
        return sum(track.active for track in self._tracks.values() if track.is_suspicious)


def _host(sent: ToSend) -> str:
    """Where it goes, for counting what goes there at the same time."""
    return urlsplit(sent.url or "").netloc.rpartition("@")[2].lower()
