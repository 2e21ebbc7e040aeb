"""Who is there right now: when people and contacts last gave a sign of life.

Nothing of this is stored. Each process keeps the whole picture in memory and tells the others over the signal bus what
it saw, so that asking costs a look into a dictionary. After a start the picture is complete again within one heartbeat
of the clients.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from criachat.kit import clock
from criachat.kit.settings import Settings
from criachat.kit.signals import Signals
from criachat.users.snapshots import Availability

PRESENCE_TOPIC: Final = "presence"
ANNOUNCE_SECONDS: Final = 0.25
# Two numbers of 19 digits and three characters around them: a hundred pairs fit into one signal.
MOST_IN_ONE_SIGNAL: Final = 100
MOST_IN_ONE_ACCOUNT: Final = 100_000


class Signs(msgspec.Struct, array_like=True):
    """Who gave a sign of life lately, as pairs of account and id."""

    users: list[tuple[int, int]]
    contacts: list[tuple[int, int]]


_decode = msgspec.json.Decoder(Signs).decode
_encode = msgspec.json.Encoder().encode


def availability(chosen: Availability, *, auto_offline: bool, is_present: bool) -> Availability:
    """What others see: the person's choice, or offline while they are away and want it so."""
    return chosen if is_present or not auto_offline else "offline"


class Presence:
    """When people and contacts were last seen, by account."""

    def __init__(self, settings: Settings, signals: Signals) -> None:
        self._signals = signals
        self._users = _Seen(settings.presence_seconds)
        self._contacts = _Seen(settings.contact_presence_seconds)
        self._unannounced = Signs([], [])
        self._announcing: asyncio.Task[None] | None = None
        signals.subscribe(PRESENCE_TOPIC, self._hear)

    def touch_user(self, account_id: int, user_id: int) -> None:
        """This person is there, in this account."""
        self._users.touch(account_id, user_id)
        self._unannounced.users.append((account_id, user_id))
        self._announce_soon()

    def touch_contact(self, account_id: int, contact_id: int) -> None:
        """This contact is there."""
        self._contacts.touch(account_id, contact_id)
        self._unannounced.contacts.append((account_id, contact_id))
        self._announce_soon()

    def is_user_present(self, account_id: int, user_id: int) -> bool:
        """Whether the person gave a sign of life lately."""
        return self._users.is_present(account_id, user_id)

    def is_contact_present(self, account_id: int, contact_id: int) -> bool:
        """Whether the contact gave a sign of life lately."""
        return self._contacts.is_present(account_id, contact_id)

    def present_users(self, account_id: int) -> list[int]:
        """Those people of the account who are there, the latest first."""
        return self._users.present(account_id)

    def present_contacts(self, account_id: int) -> list[int]:
        """Those contacts of the account who are there, the latest first."""
        return self._contacts.present(account_id)

    def _announce_soon(self) -> None:
        if self._announcing is None or self._announcing.done():
            self._announcing = asyncio.get_running_loop().create_task(self._announce())

    async def _announce(self) -> None:
        while self._unannounced.users or self._unannounced.contacts:
            await asyncio.sleep(ANNOUNCE_SECONDS)
            signs, self._unannounced = self._unannounced, Signs([], [])
            for message in _messages(signs):
                await self._signals.publish(PRESENCE_TOPIC, message)

    def _hear(self, message: bytes) -> None:
        signs = _decode(message)
        for account_id, user_id in signs.users:
            self._users.touch(account_id, user_id)
        for account_id, contact_id in signs.contacts:
            self._contacts.touch(account_id, contact_id)


def _messages(signs: Signs) -> list[bytes]:
    step = MOST_IN_ONE_SIGNAL
    users, contacts = (list(dict.fromkeys(pairs)) for pairs in (signs.users, signs.contacts))
    packets = [Signs(users[at : at + step], []) for at in range(0, len(users), step)]
    packets += [Signs([], contacts[at : at + step]) for at in range(0, len(contacts), step)]
    return [_encode(packet) for packet in packets]


class _Seen:
    """Last-seen times by account and id. Each account's ids stand in the order in which they were last seen."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._by_account: dict[int, dict[int, float]] = {}
        self._swept_at = clock.monotonic()

    def touch(self, account_id: int, object_id: int) -> None:
        now = clock.monotonic()
        seen = self._by_account.setdefault(account_id, {})
        seen.pop(object_id, None)
        seen[object_id] = now
        if len(seen) > MOST_IN_ONE_ACCOUNT:
            del seen[next(iter(seen))]
        if now - self._swept_at > self._seconds:
            self._sweep(now)

    def is_present(self, account_id: int, object_id: int) -> bool:
        seen = self._by_account.get(account_id)
        at = None if seen is None else seen.get(object_id)
        return at is not None and clock.monotonic() - at <= self._seconds

    def present(self, account_id: int) -> list[int]:
        earliest = clock.monotonic() - self._seconds
        present: list[int] = []
        for object_id, at in reversed(self._by_account.get(account_id, {}).items()):
            if at < earliest:
                break
            present.append(object_id)
        return present

    def _sweep(self, now: float) -> None:
        self._swept_at = now
        for account_id, seen in list(self._by_account.items()):
            gone: list[int] = []
            for object_id, at in seen.items():
                if now - at <= self._seconds:
                    break
                gone.append(object_id)
            for object_id in gone:
                del seen[object_id]
            if not seen:
                del self._by_account[account_id]
