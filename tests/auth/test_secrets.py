"""No secret is to be read in the database or in the logs (TK-3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from typing import Any

import msgspec
import pytest
from harness import Api, Given
from structlog.testing import capture_logs

TABLES = """
SELECT format('%I.%I', nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema')
"""
TOKENS = "/api/v1/profile/access_tokens"


async def dumped(given: Given) -> str:
    """All that a dump of the database would hold."""
    async with given.world.parts.database.reading() as db:
        tables: list[str] = await db.fetch_values(TABLES)
        contents = [await db.fetch_value(_contents(table)) for table in tables]
    assert len(tables) > 40
    return "\n".join(content or "" for content in contents)


def _contents(table: str) -> Any:
    return f"SELECT string_agg(kept::text, chr(10)) FROM {table} AS kept"


def disguises(secret: str) -> set[str]:
    """The ways in which a secret could be written down so that anybody reads it."""
    plain = secret.encode()
    return {secret, plain.hex(), base64.b64encode(plain).decode().rstrip("="), base64.urlsafe_b64encode(plain).decode()}


async def secrets_used(api: Api, given: Given) -> dict[str, str]:
    """Tokens, keys and secrets of every kind, made and used in every way there is."""
    key = {"idempotency-key": "the-key-of-a-token"}
    token = (await api.post(TOKENS, {"name": "n8n", "scopes": ["labels:write"]}, headers=key)).json
    await api.post(TOKENS, {"name": "n8n", "scopes": ["labels:write"]}, headers=key)
    rotated = (await api.post(f"{TOKENS}/{token['id']}/rotate")).json
    bot = await given.bot()
    app, user = await _operated(given)
    inbox = await given.inbox(channel={"webhook_url": "http://127.0.0.1:9/inbox"})
    webhook = await given.webhook("http://127.0.0.1:9/in")
    fresh = (await api.post(f"/webhooks/{webhook['id']}/rotate_secret", {})).json["payload"]["webhook"]
    conversation = await given.conversation(inbox=inbox)
    await api.acting_as(bot).post(f"/conversations/{conversation['id']}/messages", {"content": "Olá"})
    identifier_hash = hmac.new(inbox["hmac_token"].encode(), b"cpf-1", hashlib.sha256).hexdigest()
    await given.session(inbox, identifier="cpf-1", identifier_hash=identifier_hash)
    await given.delivered()
    wrong = token["token"][:-1] + ("0" if token["token"][-1] != "0" else "1")
    await api.acting_as(None).get("/labels", headers={"api_access_token": wrong})
    await api.acting_as(None).post("/labels", {"title": "x"}, headers={"api_access_token": token["token"]})
    await api.post("/labels", {"title": token["token"] * 20})
    return {
        "token of a person": given.boss.token,
        "token of a service": token["token"],
        "rotated token": rotated["token"],
        "token of a bot": bot.token,
        "secret of a bot": (await api.get("/agent_bots")).json[0]["secret"],
        "token of an operator's app": app,
        "token an app has for a person": user["access_token"],
        "mistyped token": wrong,
        "secret of a webhook": webhook["secret"],
        "rotated secret of a webhook": fresh["secret"],
        "identity key of an inbox": inbox["hmac_token"],
        "webhook secret of an inbox": inbox["secret"],
        "proof of an identity": identifier_hash,
        "installation key": "a-key-for-tests-only-0123456789abcdef",
    }


async def _operated(given: Given) -> tuple[str, Any]:
    """The token of an operator's app, and a person it made."""
    operator = await given.operators_app()
    app = given.api.acting_as(operator)
    lena = {"name": "Lena", "email": f"lena{given.account_id}@example.com", "password": "Lena-2026!"}
    return operator.token, (await app.post("/platform/api/v1/users", lena)).json


@pytest.mark.promise("TK-3")
async def test_no_secret_is_in_the_database_or_in_the_logs(
    api: Api, given: Given, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as events:
        secrets = await secrets_used(api, given)

    database = await dumped(given)
    logs = msgspec.json.encode(events, enc_hook=repr).decode() + caplog.text
    found = [
        f"{name} in {place}"
        for name, secret in secrets.items()
        for place, text in (("the database", database), ("the logs", logs))
        if any(disguise in text for disguise in disguises(secret))
    ]

    assert len(events) > 10
    assert str(given.account_id) in database
    assert found == []
