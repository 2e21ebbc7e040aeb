"""`criachat listen`: a receiver for those who write one. It verifies what it is sent, shows it, and may pass it on."""

from __future__ import annotations

import base64
import hmac
import socket
from binascii import Error as NoBase64
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit

import msgspec
import uvicorn

from criachat.kit import clock
from criachat.kit.errors import Refused
from criachat.kit.http.request import Receive, Scope, Send
from criachat.kit.outside import OUR_HEADERS, Outside, OutsideFailed, check_url
from criachat.webhooks.signing import family_signature, standard_signature

Verdict = Literal["signed", "wrong signature", "too old", "not signed", "not checked"]
OLDEST_SECONDS: Final = 5 * 60
MOST_BYTES: Final = 2 * 1024 * 1024
FORWARD_SECONDS: Final = 30
LONGEST_SHOWN: Final = 60


class SecretUnreadable(Refused):
    """The secret is the webhook's `secret`, or its `secret_standard`, which begins with whsec_"""


class PortTaken(Refused):
    """Somebody listens there already"""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery as it came, and what became of it. `forwarded` is the status of whoever it was passed on to."""

    delivery_id: str
    verdict: Verdict
    event: str | None
    body: Any
    forwarded: int | None = None
    failure: str | None = None


def read_secret(text: str) -> str:
    """The secret, whichever of its two forms was given."""
    if not text.startswith("whsec_"):
        return text
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True).decode()
    except (NoBase64, UnicodeDecodeError) as failure:
        raise SecretUnreadable from failure


def verdict_on(headers: Mapping[str, str], body: bytes, secret: str | None) -> Verdict:
    """Whether a delivery is ours: signed with this secret in either scheme, and not long ago."""
    if secret is None:
        return "not checked"
    delivery_id = headers.get("webhook-id", "")
    family, standard = headers.get("x-chatwoot-signature"), headers.get("webhook-signature")
    if family is None and standard is None:
        return "not signed"
    text = headers.get("webhook-timestamp") or headers.get("x-chatwoot-timestamp") or ""
    if not (text.isascii() and text.isdigit() and len(text) < 15):
        return "wrong signature"
    timestamp = int(text)
    expected = {
        family_signature(secret, timestamp=timestamp, body=body): [family or ""],
        standard_signature(secret, delivery_id, timestamp=timestamp, body=body): (standard or "").split(" "),
    }
    if not any(_is_among(one, given) for one, given in expected.items()):
        return "wrong signature"
    return "signed" if abs(clock.unix() - timestamp) <= OLDEST_SECONDS else "too old"


class Listener:
    """The receiver as an ASGI application. It answers 401 to what is not ours, so that a wrong secret is noticed."""

    def __init__(
        self, tell: Callable[[Heard], None], *, secret: str | None, outside: Outside, forward_to: str | None
    ) -> None:
        self._tell = tell
        self._secret = secret
        self._outside = outside
        self._forward_to = forward_to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one delivery."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _whole(receive)
        status = 405 if scope["method"] != "POST" else 413 if body is None else await self._take(headers, body)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def _take(self, headers: Mapping[str, str], body: bytes) -> int:
        verdict = verdict_on(headers, body, self._secret)
        decoded = _decoded(body)
        event = cast(dict[str, Any], decoded).get("event") if isinstance(decoded, dict) else None
        heard = Heard(
            delivery_id=headers.get("webhook-id", ""),
            verdict=verdict,
            event=event if isinstance(event, str) else None,
            body=decoded,
        )
        if verdict not in ("signed", "not checked"):
            self._tell(heard)
            return 401
        if self._forward_to is not None:
            heard = await self._passed_on(heard, self._forward_to, headers, body)
        self._tell(heard)
        return 502 if heard.failure is not None else heard.forwarded or 200

    async def _passed_on(self, heard: Heard, url: str, headers: Mapping[str, str], body: bytes) -> Heard:
        kept = {name: value for name, value in headers.items() if name not in OUR_HEADERS}
        try:
            answer = await self._outside.post(url, body=body, headers=kept, timeout_seconds=FORWARD_SECONDS)
        except OutsideFailed as failure:
            return msgspec.structs.replace(heard, failure=failure.text)
        return msgspec.structs.replace(heard, forwarded=answer.status)


async def serve(
    tell: Callable[[Heard], None],
    announce: Callable[[str], None],
    *,
    host: str,
    port: int,
    secret: str | None,
    forward_to: str | None,
) -> None:
    """Take deliveries until interrupted; `announce` is told the address they are to be sent to."""
    key = None if secret is None else read_secret(secret)
    if forward_to is not None:
        check_url(forward_to)
    try:
        door = socket.create_server((host, port))
    except OSError as failure:
        raise PortTaken(f"Nobody can listen on {host}:{port}: {failure.strerror}") from failure
    # Whoever starts this names the address, so that it may be one of their own.
    outside = Outside((urlsplit(forward_to or "").hostname or host,), user_agent="CriaChat listen")
    app = Listener(tell, secret=key, outside=outside, forward_to=forward_to)
    config = uvicorn.Config(app, log_level="error", lifespan="off", access_log=False)
    try:
        announce(f"http://{host}:{door.getsockname()[1]}")
        await uvicorn.Server(config).serve([door])
    finally:
        door.close()
        await outside.close()


def shown(heard: Heard, *, is_brief: bool) -> str:
    """A delivery for people: when, what, about whom, whether it is ours, and its body."""
    sign = "✓" if heard.verdict == "signed" else "?" if heard.verdict == "not checked" else "✗"
    parts = [f"{clock.now():%H:%M:%S}", sign, heard.event or "(no event)", *_facts(heard.body), heard.verdict]
    if heard.delivery_id:
        parts.append(heard.delivery_id)
    if heard.forwarded is not None:
        parts.append(f"passed on: {heard.forwarded}")
    if heard.failure is not None:
        parts.append(f"not passed on: {heard.failure}")
    line = "  ".join(_harmless(part) for part in parts)
    if is_brief:
        return line
    if isinstance(heard.body, str):
        return f"{line}\n{_harmless(heard.body)}\n"
    # JSON lets the second half of the control characters stand as they are.
    body = msgspec.json.format(msgspec.json.encode(heard.body)).decode()
    return "\n".join([line, *map(_harmless, body.split("\n")), ""])


def _facts(body: Any) -> list[str]:
    """What a person looks for first: whose conversation, and what was said."""
    if not isinstance(body, dict):
        return []
    values = cast(dict[str, Any], body)
    conversation = values.get("conversation")
    is_message = isinstance(conversation, dict)
    number = cast(dict[str, Any], conversation).get("id") if is_message else values.get("id")
    facts = [f"conversation {number}" if is_message else f"id {number}"]
    content = values.get("content")
    return [*facts, f'"{content[:LONGEST_SHOWN]}"'] if isinstance(content, str) and content else facts


def _harmless(text: str) -> str:
    """Without what would move the cursor of a terminal, or worse."""
    return "".join(character if character.isprintable() else " " for character in text)


def _is_among(expected: str, given: list[str]) -> bool:
    return any(hmac.compare_digest(expected.encode(), each.encode("utf-8", "replace")) for each in given)


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode("utf-8", "replace")


async def _whole(receive: Receive) -> bytes | None:
    """The body; None when it is longer than any of ours."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return bytes(body)
