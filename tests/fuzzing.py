"""Requests nobody would send, made from the API's own description, and what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from math import ceil
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import requests
import schemathesis
from harness import BASE_URL, PATIENCE_SECONDS, Given, World
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import given as each
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

FAILURES = "SELECT listener || ': ' || error FROM event_failures WHERE account_id = $1"
# What is put into any field in place of what was made for it.
NUMBERS = ["²", "-1", "0", str(2**63), str(2**63 - 1), str(10**400), "1e999", "nan", "0x10", "1,5"]
TIMES = ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-02-30", "T"]
TEXTS = ["", " ", "\x00", "a\x00b", "x" * 200_000, "null", "true", "[]", "{}", "%", "\\", "'; --", "\u202e", "\ud800"]
TEXTS += ["{{ 7 * 7 }}", "http://[", "//", "\r\nX: y"]
VALUES = [None, True, -1, 0, 2**63 - 1, 2**63, 10**400, 1e308, 0.1, [], {}, [[]], [None], {"": None}]
HOSTILE = st.sampled_from([*NUMBERS, *TIMES, *TEXTS, *VALUES])


class Sent(msgspec.Struct, frozen=True):
    """A request as it went over the wire."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def __str__(self) -> str:
        body = self.body if len(self.body) < 600 else self.body[:600] + b"..."
        return f"{self.method} {self.path}?{self.query[:300]} {self.headers.get('Content-Type', '')} {body!r}"


class Known(msgspec.Struct, frozen=True):
    """Things that exist, and values that pass, by the name under which endpoints ask for them."""

    ids: Mapping[str, Any]
    of_session: Mapping[str, Any]
    """Where an end user's app asks for them."""
    of_operator: Mapping[str, Any]
    """Where an operator's app asks for them; all of it is its own."""
    operator_token: str
    fields: Mapping[str, Any]

    def in_path(self, path: str) -> Mapping[str, Any]:
        """What may stand in this path."""
        if path.startswith("/platform/"):
            return self.of_operator
        return {**self.ids, **self.of_session} if path.startswith("/public/") else self.ids


async def known_things(given: Given) -> Known:
    """One of everything."""
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    contact = await given.contact()
    conversation = await given.conversation(inbox=inbox, contact=contact)
    message = await given.message(conversation)
    session = await given.session(inbox)
    door = f"/public/api/v1/inboxes/{inbox['inbox_identifier']}/contacts/{session['source_id']}"
    own = (await given.api.post(f"{door}/conversations", {})).json
    own_message = (await given.api.post(f"{door}/conversations/{own['id']}/messages", {"content": "Olá"})).json
    webhook = await given.webhook("https://hooks.example.com/in")
    bot = await given.bot("Rob", inbox=inbox)
    portal = await given.portal()
    ids = {
        "account_id": given.account_id,
        "inbox_id": inbox["id"],
        "contact_id": contact["id"],
        "conversation_id": conversation["id"],
        "conversation_uuid": conversation["uuid"],
        "message_id": message["id"],
        "label_id": (await given.api.post("/labels", {"title": "vip"})).json["id"],
        "note_id": (await given.api.post(f"/contacts/{contact['id']}/notes", {"content": "Olá"})).json["id"],
        "export_id": (await given.api.post("/contacts/export", {})).headers["location"].rpartition("/")[2],
        "filter_id": (await given.api.post("/custom_filters", {"name": "Gold"})).json["id"],
        "definition_id": (await given.api.post("/custom_attribute_definitions", DEFINITION)).json["id"],
        "macro_id": (await given.api.post("/macros", MACRO)).json["payload"]["id"],
        "canned_response_id": (await given.api.post("/canned_responses", {"short_code": "hi", "content": "Oi"})).json[
            "id"
        ],
        "slug": portal["slug"],
        "category_id": (await given.category(portal))["id"],
        "article_id": (await given.article(portal))["id"],
        "team_id": (await given.api.post("/teams", {"name": "vendas"})).json["id"],
        "role_id": (await given.custom_role("report_manage"))["id"],
        "webhook_id": webhook["id"],
        "agent_bot_id": bot.id,
        "agent_bot": bot.id,
        "user_id": ana.id,
        "assignee_id": ana.id,
        "user_ids": [ana.id],
        "inbox_ids": [inbox["id"]],
        "source_id": session["source_id"],
    }
    own_ids = {"conversation_id": own["id"], "message_id": own_message["id"]}
    doors = {"inbox_identifier": inbox["inbox_identifier"], "contact_identifier": session["source_id"]}
    operator_token, of_operator = await operated(given)
    return Known(ids, {**own_ids, **doors}, of_operator, operator_token, {**ids, **FIELDS})


DEFINITION = {"attribute_display_name": "Plan", "attribute_key": "plan"}
MACRO = {"name": "Spam", "actions": [{"action_name": "add_label", "action_params": ["spam"]}]}
FIELDS = {
    **DEFINITION,
    "title": "gold",
    "name": "Rosa",
    "content": "Olá",
    "type": "api",
    "email": "rosa@example.net",
    "phone_number": "+5511999998888",
    "url": "https://hooks.example.com/in",
    "outgoing_url": "https://hooks.example.com/in",
    "webhook_url": "https://hooks.example.com/in",
    "availability": "busy",
    "status": "open",
    "message_type": "outgoing",
    "timezone": "America/Sao_Paulo",
    "labels": ["vip"],
}


def cases(described: Mapping[str, Any], *, examples: int) -> Iterator[Case]:
    """For each operation so many requests that fit its description, and as many that do not; removals come last."""
    schema = schemathesis.openapi.from_dict(described)
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in sorted(operations, key=lambda each: each.method.upper() == "DELETE"):
        for mode in GenerationMode:
            yield from _drawn(operation.as_strategy(generation_mode=mode), examples)


def _drawn(strategy: st.SearchStrategy[Case], examples: int) -> list[Case]:
    drawn: list[Case] = []

    @seed(4711)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @each(case=strategy, data=st.data())
    def draw(case: Case, data: st.DataObject) -> None:
        _worsen(case, data)
        drawn.append(case)

    # Of an operation without parameters nothing can be made that does not fit.
    with suppress(Unsatisfiable):
        draw()
    return drawn


def _worsen(case: Case, data: st.DataObject) -> None:
    """Put something hostile where it hurts: a parameter of the query, or a field of the body."""
    for place in (case.query, case.body):
        if isinstance(place, dict) and place and data.draw(st.integers(0, 2)) == 0:
            hostile = data.draw(HOSTILE)
            name = data.draw(st.sampled_from(sorted(place)))
            # Outside of JSON everything is text, and half of a surrogate pair cannot be sent.
            is_json = place is case.body and case.media_type == "application/json"
            place[name] = hostile if is_json else str(hostile).encode("utf-8", "replace").decode()


def aimed(case: Case, known: Known) -> Sent:
    """The request on the wire, aimed at things that exist."""
    existing = known.in_path(case.path)
    case.path_parameters = {name: existing.get(name, value) for name, value in case.path_parameters.items()}
    if isinstance(case.body, dict):
        case.body = _aimed(case.body, known)
    parts = case.as_transport_kwargs(base_url=BASE_URL)
    prepared = requests.Request(**{name: value for name, value in parts.items() if name in TAKEN}).prepare()
    url = urlsplit(prepared.url or "")
    body = prepared.body or b""
    return Sent(
        method=prepared.method or "GET",
        path=unquote(url.path),
        query=url.query,
        headers=dict(prepared.headers),
        body=body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body,
    )


TAKEN = ("method", "url", "headers", "files", "data", "params", "json")


def _aimed(body: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Half of what we know good values for has one; which half, the made value decides."""
    return {
        name: _aimed(value, known)
        if isinstance(value, dict)
        else known.fields[name]
        if name in known.fields and len(str(value)) % 2
        else value
        for name, value in body.items()
    }


async def operated(given: Given) -> tuple[str, Mapping[str, Any]]:
    """The token of an operator's app, and the ids of what it made."""
    operator = await given.operators_app()
    app = given.api.acting_as(operator)
    door = "/platform/api/v1"
    account = (await app.post(f"{door}/accounts", {"name": "Globex"})).json
    lena = {"name": "Lena", "email": f"lena{given.account_id}@example.com", "password": "Lena-2026!"}
    user = (await app.post(f"{door}/users", lena)).json
    await app.post(f"{door}/accounts/{account['id']}/account_users", {"user_id": user["id"]})
    bot = (await app.post(f"{door}/agent_bots", {"name": "Rob", "account_id": account["id"]})).json
    return operator.token, {"account_id": account["id"], "user_id": user["id"], "agent_bot_id": bot["id"]}


async def answer(world: World, sent: Sent, *, token: str) -> tuple[int, bytes]:
    """What the application says to it."""
    headers = {**sent.headers, "api_access_token": token} if "/public/" not in sent.path else sent.headers
    scope = {
        "type": "http",
        "method": sent.method,
        "path": sent.path,
        "query_string": sent.query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
        "client": ("127.0.0.1", 4711),
    }
    said: list[Any] = []
    # Whoever follows a stream hangs up at once.
    coming = iter([{"type": "http.request", "body": sent.body}])

    async def receive() -> Any:
        return next(coming, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        said.append(message)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await world.parts.http(scope, receive, send)
    return said[0]["status"], b"".join(message.get("body", b"") for message in said[1:])


async def fuzzed(given: Given, *, calls: int) -> Sequence[str]:
    """What broke: answers of 5xx, and events no listener could take. Each operation has its share of the calls."""
    described = (await given.api.get("/openapi.json")).json
    operations = sum(len(methods) for methods in described["paths"].values())
    known = await known_things(given)
    broken: list[str] = []
    for case in cases(described, examples=ceil(calls / operations)):
        sent = aimed(case, known)
        token = known.operator_token if sent.path.startswith("/platform/") else given.boss.token
        status, body = await answer(given.world, sent, token=token)
        if status >= 500:
            broken.append(f"{status} {sent} -> {body[:300]!r}")
    await given.relayed()
    async with given.world.parts.database.reading() as db:
        return broken + await db.fetch_values(FAILURES, given.account_id)
