from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from harness import PATIENCE_SECONDS

from criachat.kit import clock
from criachat.kit.settings import Settings
from criachat.kit.signals import Signals
from criachat.users.presence import PRESENCE_TOPIC, Presence, availability
from criachat.users.snapshots import Availability

LOJA_AZUL, LOJA_VERDE = 1, 2
ANA, BRUNO, ROSA = 7, 8, 88


@pytest.fixture
def presence() -> Presence:
    return Presence(Settings(presence_seconds=45, contact_presence_seconds=90), Signals())


@pytest.mark.parametrize(
    ("chosen", "auto_offline", "is_present", "seen"),
    [
        ("online", True, True, "online"),
        ("busy", True, True, "busy"),
        ("offline", True, True, "offline"),
        ("busy", True, False, "offline"),
        ("busy", False, False, "busy"),
        ("online", False, False, "online"),
    ],
)
def test_others_see_the_choice_unless_the_person_is_away_and_wants_it_otherwise(
    chosen: Availability, seen: Availability, *, auto_offline: bool, is_present: bool
) -> None:
    assert availability(chosen, auto_offline=auto_offline, is_present=is_present) == seen


async def test_a_person_is_there_for_45_seconds_after_each_sign_and_a_contact_for_90(presence: Presence) -> None:
    presence.touch_user(LOJA_AZUL, ANA)
    presence.touch_contact(LOJA_AZUL, ROSA)
    clock.travel(timedelta(seconds=44))
    there_after_44 = presence.is_user_present(LOJA_AZUL, ANA), presence.is_contact_present(LOJA_AZUL, ROSA)
    clock.travel(timedelta(seconds=45))

    assert there_after_44 == (True, True)
    assert not presence.is_user_present(LOJA_AZUL, ANA)
    assert presence.present_users(LOJA_AZUL) == []
    assert presence.present_contacts(LOJA_AZUL) == [ROSA]


async def test_a_heartbeat_keeps_a_person_there_while_others_expire(presence: Presence) -> None:
    presence.touch_user(LOJA_AZUL, ANA)
    presence.touch_user(LOJA_AZUL, BRUNO)
    clock.travel(timedelta(seconds=30))
    presence.touch_user(LOJA_AZUL, ANA)
    clock.travel(timedelta(seconds=30))

    assert presence.present_users(LOJA_AZUL) == [ANA]


async def test_who_is_in_one_account_is_not_in_another(presence: Presence) -> None:
    presence.touch_user(LOJA_AZUL, ANA)
    presence.touch_contact(LOJA_AZUL, ROSA)

    assert not presence.is_user_present(LOJA_VERDE, ANA)
    assert presence.present_users(LOJA_VERDE) == presence.present_contacts(LOJA_VERDE) == []


async def test_other_processes_hear_of_a_sign_of_life() -> None:
    bus, heard = Signals(), asyncio.Event()
    here, there = Presence(Settings(), bus), Presence(Settings(), bus)
    bus.subscribe(PRESENCE_TOPIC, lambda _message: heard.set())

    for user_id in range(250):
        here.touch_user(LOJA_AZUL, user_id)
    here.touch_contact(LOJA_AZUL, ROSA)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not there.is_contact_present(LOJA_AZUL, ROSA):
            heard.clear()
            await heard.wait()

    assert sorted(there.present_users(LOJA_AZUL)) == list(range(250))


async def test_those_who_left_are_forgotten(presence: Presence) -> None:
    presence.touch_user(LOJA_AZUL, ANA)
    clock.travel(timedelta(seconds=100))
    presence.touch_user(LOJA_VERDE, BRUNO)
    clock.travel(timedelta(seconds=-100))

    assert not presence.is_user_present(LOJA_AZUL, ANA)
