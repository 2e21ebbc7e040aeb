"""Who may do what: every endpoint, called for real by everybody who may be at the door.

What is expected stands in `permissions.txt`, taken from the contract and not from the code: an endpoint that names the
wrong callers, or forgets to ask who is in the inbox, is found here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
from harness import Api, Given, Person
from test_isolation import ENDPOINTS, WITH_TOKEN, Site, built, called, operators_app, probe, sent

from criachat.kit.actors import ANYONE
from criachat.kit.http.routes import Endpoint
from criachat.kit.tokens import random_token
from criachat.users.models import PERMISSIONS

EXPECTED: Final = Path(__file__).with_name("permissions.txt")
ACCOUNT: Final = "/api/v1/accounts/{account_id}"
REFUSED: Final = 401
CALLERS: Final = {
    "A": "administrator",
    "m": "agent who is a member of the inbox",
    "o": "agent who is no member of it",
    "r": "agent with a role that has every permission, no member of the inbox",
    "b": "bot",
    "p": "operator's app",
    "n": "nobody",
}
# Parameters that pass, so that what is asked first is who is asking.
FIELDS: Final = {"content": "Olá", "custom_attributes": {}, "labels": [], "status": "open", "target_language": "pt"}


class Line(msgspec.Struct, frozen=True):
    """One line of the table: for these methods and paths, who is let in."""

    methods: str
    pattern: re.Pattern[str]
    callers: str
    text: str

    def fits(self, method: str, path: str) -> bool:
        """Whether this line speaks of the endpoint."""
        return self.methods in ("*", method) and self.pattern.fullmatch(path) is not None


def lines() -> Iterator[Line]:
    """The table, line by line."""
    for text in EXPECTED.read_text().splitlines():
        if text and not text.startswith("#"):
            method, path, *callers = text.split()
            pattern = re.escape(path).replace(r"\*\*", ".*").replace(r"\{\}", r"\{\w+\}")
            yield Line(method, re.compile(pattern), callers[0] if callers else "", text)


def shown(path: str) -> str:
    """The path as the table writes it."""
    return re.sub(r"^/api/v[12]/accounts/\{account_id\}(?=/)", "", path)


def expected(method: str, path: str, table: list[Line]) -> str | None:
    """Who may call this: the first line that fits says so."""
    return next((line.callers for line in table if line.fits(method, shown(path))), None)


async def caller_of(letter: str, site: Site) -> Api:
    """This kind of caller, at the door of this account."""
    given, inbox = site.given, {"id": site.ids["inbox_id"]}
    match letter:
        case "A":
            person: Person | None = await given.administrator("Bruno")
        case "m":
            person = await given.agent("Davi", inbox=inbox)
        case "o":
            person = await given.agent("Olga")
        case "r":
            person = await given.agent("Rita")
            role = await given.custom_role(*PERMISSIONS, name="Everything")
            assert (await given.api.patch(f"/agents/{person.id}", {"custom_role_id": role["id"]})).status == 200
        case "b":
            person = await given.bot("Rob")
        case "p":
            person = await operators_app(site)
        case _:
            person = None
    return given.api.acting_as(person)


def in_order(endpoint: Endpoint) -> tuple[bool, bool, int]:
    """What removes something comes late, the whole after its parts, and last of all what ends the caller's token."""
    is_removal = endpoint.methods == ("DELETE",)
    ends_caller = endpoint.path.endswith("/reset_access_token") and "{" not in endpoint.path
    return ends_caller, is_removal, -endpoint.path.count("/") if is_removal else 0


@pytest.mark.parametrize("letter", CALLERS)
async def test_each_caller_is_let_in_where_the_table_says(given: Given, letter: str) -> None:
    table = list(lines())
    site = await built(given, mark=f"ours{random_token(8)}", conversations=1)
    told = msgspec.structs.replace(site, ids={**FIELDS, **site.ids})
    caller = await caller_of(letter, site)
    offences: list[str] = []
    for endpoint, method in called(sorted(WITH_TOKEN, key=in_order)):
        reply = await caller.call(method, site.path(endpoint), **sent(method, probe(endpoint, told)))
        wanted = expected(method, endpoint.path, table)
        is_right = wanted is not None and (reply.status != REFUSED) == (letter in wanted)
        if reply.status >= 500 or not is_right:
            offences.append(f"{method} {shown(endpoint.path)} -> {reply.status}, expected {wanted} {reply.body[:60]!r}")

    assert offences == [], f"{CALLERS[letter]}; the table is {EXPECTED.name}"


def test_the_table_speaks_of_every_endpoint_and_of_no_other() -> None:
    table = list(lines())
    paths = [(method, shown(endpoint.path)) for endpoint, method in called(WITH_TOKEN)]

    assert [path for path in paths if expected(*path, table) is None] == []
    assert [line.text for line in table if not any(line.fits(*path) for path in paths)] == []


def test_what_everybody_may_call_is_known_by_name() -> None:
    """Signing in, files behind signed addresses, and what tells nothing of anybody."""
    opened = {endpoint.path for endpoint in ENDPOINTS if endpoint.actors & ANYONE}
    known = (
        "/",
        "/api",
        "/api/v1/accounts",
        "/api/v1/tokens/revoke",
        "/api/v2/accounts",
        "/auth/**",
        "/avatars/**",
        "/docs",
        "/health",
        "/metrics",
        "/openapi.json",
        "/public/api/v1/csat_survey/**",
        "/rails/active_storage/**",
    )
    patterns = [re.compile(re.escape(each).replace(r"\*\*", ".*")) for each in known]

    assert [path for path in sorted(opened) if not any(pattern.fullmatch(path) for pattern in patterns)] == []
