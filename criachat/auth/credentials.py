"""What whoever signed in sends with each request: read from it, and written into answers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import parse_qs, quote, unquote

import msgspec

from criachat.auth.models import Credentials
from criachat.kit.http.request import MAXIMUM_FIELDS, Request
from criachat.kit.tokens import SESSION, derived_access_token

# Whoever does not say which client they are.
USUAL_CLIENT: Final = "default"
BEARER: Final = "Bearer "
LONGEST: Final = 512


def credentials_of(request: Request) -> Credentials | None:
    """The credentials in a request's headers, its `Authorization` or its query string; None when there are none."""
    for found in (request.headers, _in_authorization(request), _in_query(request)):
        token, uid = found.get("access-token"), found.get("uid")
        if token and uid:
            credentials = Credentials(token, found.get("client") or USUAL_CLIENT, uid)
            return credentials if all(map(_is_storable, credentials)) else None
    return None


def uids_of(credentials: Credentials) -> list[str]:
    """The addresses that a uid may stand for: headers hold letters of few scripts, so it may be escaped."""
    return [
        uid for uid in dict.fromkeys((credentials.uid.strip(), unquote(credentials.uid).strip())) if _is_storable(uid)
    ]


def session_headers(credentials: Credentials, expires_at: datetime) -> tuple[tuple[str, str], ...]:
    """What the answer to somebody who signed in carries."""
    email = credentials.uid
    fields = {
        "access-token": credentials.access_token,
        "token-type": "Bearer",
        "client": credentials.client,
        "expiry": str(int(expires_at.timestamp())),
        "uid": email if email.isascii() else quote(email, safe="@"),
    }
    bearer = base64.b64encode(msgspec.json.encode(fields)).decode()
    return (*fields.items(), ("Authorization", f"{BEARER}{bearer}"))


def api_token_of(credentials: Credentials, token_number: int) -> str:
    """The session's own access token: worked out from what its owner carries, so that it need not be kept."""
    return derived_access_token(SESSION, credentials.access_token, f"access token {token_number} of a session")


def _is_storable(text: str) -> bool:
    return len(text) <= LONGEST and "\x00" not in text


def _in_authorization(request: Request) -> Mapping[str, str]:
    text = request.headers.get("authorization", "")
    if not text.startswith(BEARER) or len(text) > 8 * LONGEST:
        return {}
    try:
        found: Any = msgspec.json.decode(base64.b64decode(text.removeprefix(BEARER), validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    fields = cast(dict[str, Any], found) if isinstance(found, dict) else {}
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _in_query(request: Request) -> Mapping[str, str]:
    if b"access-token=" not in request.query:
        return {}
    try:
        fields = parse_qs(request.query.decode("latin-1"), max_num_fields=MAXIMUM_FIELDS)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}
