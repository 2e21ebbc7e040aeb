from __future__ import annotations

import time
from datetime import timedelta
from ipaddress import ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from criachat.kit import clock, limits
from criachat.kit.limits import BURSTS_PER_WINDOW, LIMITS, Limit, Limiter, Verdict

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]

quotas = st.integers(1, 8)
windows = st.sampled_from([1, 60, 300, 43200])
# Waits in sixtieths of a window and parts of them, so that requests meet at every edge there is.
waits = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 7.0, 29.75, 30.0, 59.0, 60.0, 60.25, 61.0, 130.0]))


def a_limit(requests: int = 3, window_seconds: int = 60) -> Limit:
    return Limit("some", requests, window_seconds, "token", "Something")


def asked(limiter: Limiter, key: str, now: float) -> Verdict:
    verdict = limiter.check("some", key, now)
    assert verdict is not None
    return verdict


@given(quotas, windows, waits)
@example(1, 1, [60.0])
def test_no_window_holds_more_requests_than_the_limit(requests: int, window: int, waits: list[float]) -> None:
    limiter = Limiter([a_limit(requests, window)])
    now, allowed = 1000.0, list[float]()

    for wait in waits:
        now += wait * window / 60
        if asked(limiter, "Ana", now).allowed:
            allowed.append(now)

    for start in allowed:
        assert sum(start <= moment < start + window for moment in allowed) <= requests


@given(quotas, windows, waits)
def test_a_refused_caller_had_their_requests_within_a_window_and_a_grain(
    requests: int, window: int, waits: list[float]
) -> None:
    limiter = Limiter([a_limit(requests, window)])
    grain = window / BURSTS_PER_WINDOW
    now, allowed = 1000.0, list[float]()

    for wait in waits:
        now += wait * window / 60
        if asked(limiter, "Ana", now).allowed:
            allowed.append(now)
        else:
            assert sum(moment > now - window - grain for moment in allowed) >= requests


@given(quotas, windows, waits)
def test_what_the_headers_say_is_what_happens(requests: int, window: int, waits: list[float]) -> None:
    limiter = Limiter([a_limit(requests, window)])
    now = 1000.0

    for wait in waits:
        now += wait * window / 60
        verdict = asked(limiter, "Ana", now)
        if not verdict.allowed:
            assert verdict.remaining == 0
            assert verdict.retry_after_seconds == verdict.reset_seconds > 0
            now += verdict.retry_after_seconds
            verdict = asked(limiter, "Ana", now)
            assert verdict.allowed
        for left in range(verdict.remaining, 0, -1):
            following = asked(limiter, "Ana", now)
            assert following.allowed
            assert following.remaining == left - 1


@given(windows, st.lists(st.integers(0, 59)))
def test_an_idle_caller_has_the_whole_limit_after_one_window(window: int, waits: list[int]) -> None:
    limiter = Limiter([a_limit(5, window)])
    now = 1000.0
    for wait in waits:
        now += wait
        asked(limiter, "Ana", now)

    verdict = asked(limiter, "Ana", now + window)

    assert verdict.remaining == 4


def test_callers_are_counted_apart() -> None:
    limiter = Limiter([a_limit(1)])

    assert asked(limiter, "Ana", 0).allowed
    assert asked(limiter, "Bruno", 0).allowed
    assert not asked(limiter, "Ana", 1).allowed


@given(st.integers(1, 200))
def test_callers_who_are_silent_for_two_windows_are_forgotten(count: int) -> None:
    limiter = Limiter([a_limit(3, 60)])
    for number in range(count):
        asked(limiter, f"visitor {number}", now=number / 10)

    asked(limiter, "Ana", now=100)
    asked(limiter, "Bruno", now=161)

    assert len(limiter) == 2


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 100)), max_size=60))
def test_forgetting_the_silent_never_frees_a_caller_early(requests: list[tuple[str, int]]) -> None:
    limiter = Limiter([a_limit(2, 60)])
    now, allowed = 0, dict[str, list[int]]()

    for key, wait in requests:
        now += wait
        if asked(limiter, key, now).allowed:
            allowed.setdefault(key, []).append(now)

    for moments in allowed.values():
        for start in moments:
            assert sum(start <= moment < start + 60 for moment in moments) <= 2


def test_a_flood_of_callers_does_not_grow_the_table_without_bound() -> None:
    limiter = Limiter([a_limit()], most_subjects=100)

    for number in range(10_000):
        asked(limiter, f"visitor {number}", now=0)

    assert len(limiter) <= 100


def test_the_clock_of_the_kit_is_used_when_no_time_is_given() -> None:
    limiter = Limiter([a_limit(1, 3600)])
    limiter.check("some", "Ana")
    refused = limiter.check("some", "Ana")
    clock.travel(timedelta(hours=1))
    try:
        again = limiter.check("some", "Ana")
    finally:
        clock.travel(timedelta(hours=-1))

    assert refused is not None
    assert again is not None
    assert (refused.allowed, again.allowed) == (False, True)


def test_headers_tell_limit_remaining_and_reset() -> None:
    limiter = Limiter([a_limit(3, 60)])

    told = limits.headers([asked(limiter, "Ana", 0), asked(limiter, "Ana", 30)])

    assert told == {
        "RateLimit-Policy": '"some";q=3;w=60, "some";q=3;w=60',
        "RateLimit": '"some";r=2;t=60, "some";r=1;t=30',
    }


def test_headers_of_a_refusal_say_when_to_come_back() -> None:
    limiter = Limiter([a_limit(1, 60)])
    asked(limiter, "Ana", 0)

    told = limits.headers([asked(limiter, "Ana", 17.5)])

    assert told == {"RateLimit-Policy": '"some";q=1;w=60', "RateLimit": '"some";r=0;t=43', "Retry-After": "43"}


def test_limits_are_adjusted_by_name_and_switched_off_by_zero() -> None:
    changed = limits.adjusted(LIMITS, {"address": 9000, "sign-up": 0})
    limiter = Limiter(changed)

    assert next(limit.requests for limit in changed if limit.name == "address") == 9000
    assert limiter.check("sign-up", "203.0.113.9") is None
    assert len(changed) == len(LIMITS) - 1


def test_an_unknown_limit_cannot_be_adjusted() -> None:
    with pytest.raises(ValueError, match="no such limit: adress"):
        limits.adjusted(LIMITS, {"adress": 9000})


def test_the_table_names_each_limit_once_and_prints_as_documentation() -> None:
    names = [limit.name for limit in LIMITS]

    assert len(set(names)) == len(names)
    assert limits.markdown().count("\n") == len(names) + 2
    assert "| `sign-in` | 5 in 5 min | address | Signing in with a password |" in limits.markdown()
    assert "| `contact-search` | 100 in 1 min | account |" in limits.markdown()


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("203.0.113.9", None, ("203.0.113.9", False)),
        ("127.0.0.1", None, ("127.0.0.1", True)),
        ("::1", None, ("::1", True)),
        ("::ffff:127.0.0.1", None, ("127.0.0.1", True)),
        ("", None, ("", True)),
        ("127.0.0.1", "203.0.113.9", ("127.0.0.1", False)),
        ("127.0.0.1", "127.0.0.1", ("127.0.0.1", False)),
        ("203.0.113.9", "127.0.0.1", ("203.0.113.9", False)),
        ("10.0.0.1", "203.0.113.9", ("203.0.113.9", False)),
        ("10.0.0.1", "127.0.0.1", ("127.0.0.1", False)),
        ("10.0.0.1", "198.51.100.7, 203.0.113.9", ("203.0.113.9", False)),
        ("10.0.0.1", "198.51.100.7, 203.0.113.9, 10.9.9.9", ("203.0.113.9", False)),
        ("10.0.0.1", "10.0.0.3,10.0.0.2", ("10.0.0.3", False)),
        ("10.0.0.1", "203.0.113.9, nonsense", ("10.0.0.1", False)),
        ("10.0.0.1", "", ("10.0.0.1", False)),
        ("fd00::1", "[2001:db8::7]:4711", ("2001:db8::7", False)),
        ("10.0.0.1", "203.0.113.9:4711", ("203.0.113.9", False)),
    ],
)
def test_the_address_of_a_caller_is_the_last_one_a_trusted_proxy_vouches_for(
    peer: str, forwarded_for: str | None, expected: tuple[str, bool]
) -> None:
    assert limits.client_address(peer, forwarded_for, PROXIES) == expected


@given(st.text(), st.none() | st.text())
def test_any_header_gives_some_address(peer: str, forwarded_for: str | None) -> None:
    _, is_direct_loopback = limits.client_address(peer, forwarded_for, PROXIES)

    assert not (is_direct_loopback and forwarded_for is not None)


def test_addresses_of_version_6_are_counted_by_network() -> None:
    assert limits.address_key("2001:db8:1:2:3:4:5:6") == limits.address_key("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert limits.address_key("2001:db8:1:3::9") == "2001:db8:1:3::/64"
    assert limits.address_key("203.0.113.9") == "203.0.113.9"


def test_a_check_costs_a_few_microseconds() -> None:
    limiter = Limiter([a_limit(3000, 60)])
    keys = [f"token {number}" for number in range(1000)]
    started = time.process_time()

    for now in range(20):
        for key in keys:
            limiter.check("some", key, now)

    assert (time.process_time() - started) / 20_000 < 20e-6
