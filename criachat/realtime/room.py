"""Who listens in one account, and what was said there lately."""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from criachat.conversations.shares import ALL, Share
from criachat.kit import clock
from criachat.kit.events import Cursor, Record
from criachat.realtime.models import Member, Visitor
from criachat.realtime.protocol import data_prefix

if TYPE_CHECKING:
    from criachat.realtime.sockets import Socket

MOST_KEPT: Final = 1_000
KEPT_SECONDS: Final = 60.0


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """One message for those who listen, rendered once: what it says, and to whom.

    Without an `inbox_id` it is for the whole team, with `user_ids` for these people alone. Roles may show an inbox's
    conversations by who has them, and who takes part. `for_contact` is None when the contact is not told. With
    `by_user` each of these people is told something of their own, and nobody else.
    """

    cursor: Cursor
    for_agents: str
    for_contact: str | None = None
    inbox_id: int | None = None
    assignee_ids: Collection[int | None] = ()
    participant_ids: Collection[int] = ()
    user_ids: frozenset[int] | None = None
    by_user: Mapping[int, str] | None = None
    contact_inbox_id: int | None = None
    contact_id: int | None = None
    is_for_verified: bool = False
    pushed_at: float = 0.0


class Seat:
    """One subscription of a socket: an agent's (with a `user_id`) or a contact's (with a `contact_inbox_id`)."""

    __slots__ = ("account_id", "contact_id", "contact_inbox_id", "identifier", "is_verified", "prefix", "socket",
                 "token", "user_id")  # fmt: skip

    def __init__(
        self,
        socket: Socket,
        identifier: str,
        *,
        account_id: int,
        token: str,
        user_id: int | None = None,
        visitor: Visitor | None = None,
    ) -> None:
        self.socket = socket
        self.identifier = identifier
        self.prefix = data_prefix(identifier)
        self.account_id = account_id
        self.token = token
        self.user_id = user_id
        self.contact_inbox_id = None if visitor is None else visitor.contact_inbox_id
        self.contact_id = None if visitor is None else visitor.contact_id
        self.is_verified = visitor is not None and visitor.is_verified

    def push(self, message: str) -> None:
        """Send this message, unless the seat was given up meanwhile."""
        if self.identifier in self.socket.seats:
            self.socket.push(self.prefix, message, "}")


Push = Callable[["Room", Sequence[Record]], Awaitable[None]]
"""Renders rows of the log, moves the room past each, and gives it to whom it is meant for."""


class Room:
    """All seats of one account in this process, in front of one place in its log."""

    def __init__(self, account_id: int, cursor: Cursor, members: Iterable[Member], push: Push) -> None:
        self._push = push
        self.account_id = account_id
        self.cursor = cursor
        # How many are about to take their seats.
        self.entering = 0
        self.members: dict[int, Member] = {}
        # What the roles show of those whose roles do not show all.
        self._shares: dict[int, Share] = {}
        # Held while what was pushed earlier is read again, so that many who come back at once wait for one reader.
        self.lock = asyncio.Lock()
        self._checked_at = float("-inf")
        self._agents: dict[int, list[Seat]] = {}
        self._contacts: dict[int, list[Seat]] = {}
        self._of_inbox: dict[int, tuple[Seat, ...]] = {}
        self._of_contact: dict[int, list[Seat]] | None = None
        # Everything pushed between these two places is still here.
        self._kept: deque[Pushed] = deque()
        self.kept_after = cursor
        self.admit(members, as_of=clock.monotonic())

    @property
    def is_empty(self) -> bool:
        """Whether nobody is in it, nor about to be."""
        return not self.entering and not self._agents and not self._contacts

    def admit(self, members: Iterable[Member], *, as_of: float) -> None:
        """These were the people of the account at this moment, unless we know of a later one."""
        if as_of >= self._checked_at:
            was_asked = self.asks_who_takes_part
            self.members = {member.user_id: member for member in members}
            self._shares = {member.user_id: share for member in self.members.values() if (share := member.share) != ALL}
            self._checked_at = as_of
            if self.asks_who_takes_part and not was_asked:
                # Nobody asked who takes part in what is kept: whoever comes back has it read again.
                self._kept.clear()
                self.kept_after = self.cursor
            self._of_inbox.clear()

    @property
    def asks_who_takes_part(self) -> bool:
        """Whether somebody's role shows more of what they take part in."""
        return any(share.is_of_participants for share in self._shares.values())

    def admits(self, seat: Seat) -> bool:
        """Whether this agent still belongs to the account and proved it with the token of today."""
        member = self.members.get(seat.user_id or 0)
        return member is not None and hmac.compare_digest(member.pubsub_token.encode(), seat.token.encode())

    def take(self, seat: Seat) -> None:
        """Somebody listens from now on."""
        seats, key = (self._contacts, seat.contact_inbox_id) if seat.user_id is None else (self._agents, seat.user_id)
        seats.setdefault(key or 0, []).append(seat)
        self._look_again()

    def leave(self, seat: Seat) -> None:
        """Somebody does not listen any more."""
        seats, key = (self._contacts, seat.contact_inbox_id) if seat.user_id is None else (self._agents, seat.user_id)
        remaining = [other for other in seats.get(key or 0, ()) if other is not seat]
        if remaining:
            seats[key or 0] = remaining
        else:
            seats.pop(key or 0, None)
        self._look_again()

    def recognise(self, visitors: Iterable[Visitor]) -> None:
        """These are the contacts behind the channel identities now: some were verified, some merged."""
        for visitor in visitors:
            for seat in self._contacts.get(visitor.contact_inbox_id, ()):
                seat.contact_id, seat.is_verified = visitor.contact_id, visitor.is_verified
        self._of_contact = None

    async def hear(self, records: Sequence[Record]) -> None:
        """Have what happened pushed to those it is meant for."""
        await self._push(self, records)

    def seats_of(self, user_id: int) -> Sequence[Seat]:
        """Where this person listens."""
        return self._agents.get(user_id, ())

    def seats_of_contact_inbox(self, contact_inbox_id: int) -> Sequence[Seat]:
        """Where the contact listens under this channel identity."""
        return self._contacts.get(contact_inbox_id, ())

    def agent_seats(self) -> list[Seat]:
        """Everybody of the team who listens."""
        return [seat for seats in self._agents.values() for seat in seats]

    def contact_seats(self) -> list[Seat]:
        """Every contact who listens."""
        return [seat for seats in self._contacts.values() for seat in seats]

    def agents_of(self, inbox_id: int | None) -> tuple[Seat, ...]:
        """Those of the team who see this inbox: its members and all administrators. The whole team without one."""
        key = inbox_id or 0
        seats = self._of_inbox.get(key)
        if seats is None:
            members = self.members
            seats = self._of_inbox[key] = tuple(
                seat
                for user_id, theirs in self._agents.items()
                if user_id in members and (inbox_id is None or members[user_id].hears(inbox_id))
                for seat in theirs
            )
        return seats

    def agents_for(self, pushed: Pushed) -> Sequence[Seat]:
        """Those of the team whom this message is for."""
        seats: Sequence[Seat] = self.agents_of(pushed.inbox_id)
        if pushed.inbox_id is not None:
            seats = self.shown(seats, pushed.assignee_ids, pushed.participant_ids)
        named = pushed.user_ids
        return seats if named is None else [seat for seat in seats if seat.user_id in named]

    def shown(
        self, seats: Sequence[Seat], assignee_ids: Collection[int | None], participant_ids: Collection[int]
    ) -> Sequence[Seat]:
        """Those of these whose roles show a conversation that these people have, and take part in."""
        if not self._shares:
            return seats
        return [seat for seat in seats if self._is_shown(seat.user_id, assignee_ids, participant_ids)]

    def _is_shown(
        self, user_id: int | None, assignee_ids: Collection[int | None], participant_ids: Collection[int]
    ) -> bool:
        share = self._shares.get(user_id or 0, ALL)
        return share.lists(user_id, assignee_ids) or (share.is_of_participants and user_id in participant_ids)

    def told(self, pushed: Pushed) -> Iterator[tuple[Sequence[Seat], str]]:
        """Who is told what."""
        if pushed.by_user is None:
            yield self.agents_for(pushed), pushed.for_agents
        else:
            for user_id in pushed.by_user.keys() & self.members.keys():
                yield self.seats_of(user_id), pushed.by_user[user_id]
        if pushed.for_contact is not None:
            yield self.contacts_of(pushed), pushed.for_contact

    def contacts_of(self, pushed: Pushed) -> list[Seat]:
        """The contact's seats: those of its channel identity, or of all its verified ones."""
        if pushed.contact_inbox_id is None or not self._contacts:
            return []
        own = self._contacts.get(pushed.contact_inbox_id, [])
        if not pushed.is_for_verified:
            return own
        verified = self._verified_of(pushed.contact_id)
        return [*own, *(seat for seat in verified if seat.contact_inbox_id != pushed.contact_inbox_id)]

    def _verified_of(self, contact_id: int | None) -> Sequence[Seat]:
        if self._of_contact is None:
            self._of_contact = {}
            for seat in self.contact_seats():
                if seat.is_verified and seat.contact_id is not None:
                    self._of_contact.setdefault(seat.contact_id, []).append(seat)
        return self._of_contact.get(contact_id or 0, ())

    def _look_again(self) -> None:
        self._of_inbox.clear()
        self._of_contact = None

    def hears(self, seat: Seat, pushed: Pushed) -> str | None:
        """What this message says to this seat; None when it is not meant for it."""
        if seat.user_id is None:
            is_theirs = seat.contact_inbox_id == pushed.contact_inbox_id or _is_verified(seat, pushed)
            return pushed.for_contact if is_theirs else None
        member = self.members.get(seat.user_id)
        if pushed.by_user is not None:
            return None if member is None else pushed.by_user.get(seat.user_id)
        if pushed.user_ids is not None and seat.user_id not in pushed.user_ids:
            return None
        is_theirs = member is not None and (pushed.inbox_id is None or member.hears(pushed.inbox_id))
        if is_theirs and pushed.inbox_id is not None:
            is_theirs = self._is_shown(seat.user_id, pushed.assignee_ids, pushed.participant_ids)
        return pushed.for_agents if is_theirs else None

    def keep(self, pushed: Pushed) -> None:
        """Remember the message for those who come back."""
        self._kept.append(pushed)
        if len(self._kept) > MOST_KEPT:
            self.kept_after = self._kept.popleft().cursor

    def keep_earlier(self, earlier: Sequence[Pushed], after: Cursor) -> None:
        """Remember also what was pushed between `after` and the first message kept so far."""
        self._kept.extendleft(reversed(earlier))
        self.kept_after = after

    @property
    def kept_count(self) -> int:
        """How many messages are kept for those who come back."""
        return len(self._kept)

    def forget_old(self, *, most: int) -> None:
        """Forget what nobody comes back for any more, and what is more than this."""
        earliest = clock.monotonic() - KEPT_SECONDS
        while self._kept and (self._kept[0].pushed_at < earliest or len(self._kept) > most):
            self.kept_after = self._kept.popleft().cursor

    def kept_since(self, cursor: Cursor) -> list[Pushed]:
        """What was pushed after this place, which must not lie before `kept_after`."""
        return [pushed for pushed in self._kept if pushed.cursor.is_after(cursor)]


def _is_verified(seat: Seat, pushed: Pushed) -> bool:
    return pushed.is_for_verified and seat.is_verified and seat.contact_id == pushed.contact_id
