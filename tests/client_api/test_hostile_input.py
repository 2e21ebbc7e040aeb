"""Whatever is sent, the answer is a clean refusal, and nothing has changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from apps import CLIENT_API, contacts_path, open_app
from harness import Given

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
LONG = "x" * 200_000

RAW: list[tuple[str, dict[str, str], bytes]] = [
    ("no JSON", JSON, b"{"),
    ("no UTF-8", JSON, b'{"name": "\xff\xfe"}'),
    ("NUL", JSON, b'{"name": "a\\u0000b", "content": "a\\u0000b", "custom_attributes": {"a\\u0000": 1}}'),
    ("a lone surrogate", JSON, b'{"name": "\\ud800", "content": "\\ud800", "source_id": "\\ud800"}'),
    ("deep", JSON, b'{"custom_attributes": ' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}"),
    ("a deep list", JSON, b"[" * 100_000),
    ("no object", JSON, b"[1, 2]"),
    ("a text", JSON, b'"content"'),
    ("a NUL in a form", FORM, b"name=a%00b&content=a%00b"),
    ("no UTF-8 in a form", FORM, b"name=%ff&content=%ff"),
    ("a deep form", FORM, b"custom_attributes" + b"[a]" * 200 + b"=1"),
    ("a form of too many", FORM, b"&".join(b"a%d=1" % number for number in range(5000))),
    ("no multipart", {"content-type": "multipart/form-data"}, b"x"),
    ("a broken multipart", {"content-type": "multipart/form-data; boundary=x"}, b"--x\r\n: nothing\r\n\r\nx\r\n--x--"),
]
WRONG: list[Any] = [None, 7, 1.5, True, "", "x", LONG, [], ["x"], [[1]], {}, {"a": "b"}, 10**40, -1, "\u0000"]
FIELDS = [
    *("name", "email", "phone_number", "identifier", "identifier_hash", "source_id", "custom_attributes", "content"),
    *("echo_id", "client_message_id", "attachments", "submitted_values", "typing_status"),
]
DOORS = [
    ("POST", "{contacts}"),
    ("PATCH", "{app}"),
    ("POST", "{app}/conversations"),
    ("POST", "{app}/conversations/{number}/messages"),
    ("PATCH", "{app}/conversations/{number}/messages/{message}"),
    ("POST", "{app}/conversations/{number}/toggle_typing"),
    ("POST", "{app}/conversations/{number}/toggle_status"),
    ("POST", "{app}/conversations/{number}/update_last_seen"),
    ("PUT", "{survey}"),
]


@pytest.mark.parametrize(("method", "door"), DOORS)
async def test_no_body_breaks_a_door(given: Given, method: str, door: str) -> None:
    app = await open_app(given, await given.inbox(csat_survey_enabled=True))
    conversation = await app.conversation()
    await app.post(f"/conversations/{conversation['id']}/toggle_status")
    await given.relayed()
    (survey,) = (await app.get(f"/conversations/{conversation['id']}/messages")).json
    path = door.format(
        contacts=contacts_path(app.inbox),
        app=app.path,
        number=conversation["id"],
        message=survey["id"],
        survey=f"{CLIENT_API}/csat_survey/{conversation['uuid']}",
    )
    door_of_anybody = given.api.acting_as(None)
    broken = [(name, headers, body) for name, headers, body in RAW]
    mistyped = [
        (f"{field}: {value!r:.20}", JSON, json.dumps({field: value, "message": {field: value}}).encode())
        for field in FIELDS
        for value in WRONG
    ]

    statuses = {
        name: (await door_of_anybody.call(method, path, headers=headers, content=body)).status
        for name, headers, body in (*broken, *mistyped)
    }

    assert {name: status for name, status in statuses.items() if status >= 500} == {}
    accepted = {name for name, _, _ in broken if statuses[name] == 200}
    assert accepted <= {"no object", "a text"}


@pytest.mark.parametrize("number", ["0", "-1", "1.0", "x", "9" * 19, "9" * 5000, "%2e%2e", "%F0%9F%98%80", "\u0661"])
async def test_no_number_in_a_path_breaks_a_door(given: Given, number: str) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    inside = f"/conversations/{number}"

    replies = [
        await app.get(inside),
        await app.post(f"{inside}/toggle_status"),
        await app.post(f"{inside}/toggle_typing"),
        await app.post(f"{inside}/update_last_seen"),
        await app.get(f"{inside}/messages"),
        await app.post(f"{inside}/messages", {"content": "Olá!"}),
        await app.patch(f"/conversations/{conversation['id']}/messages/{number}", {"submitted_values": []}),
    ]

    assert {reply.status for reply in replies} == {404}
    assert {reply.body for reply in replies} == {b'{"status":404,"error":"Not Found"}'}
