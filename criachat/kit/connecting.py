"""How a fresh connection to PostgreSQL is set up: what its session runs with, and how values travel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from criachat.kit.db import Connection

_encode_json = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder().decode


def session_settings(part: str) -> dict[str, str]:
    """What every session of ours runs with."""
    return {
        "application_name": f"criachat {part}",
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": "20s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "15s",
        "plan_cache_mode": "auto",
    }


async def set_codecs(connection: Connection) -> None:
    """Have JSON and transaction ids sent and read as ours."""
    # As text, because what decodes it can be handed over as it is: rows have several of these.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="text",
        encoder=lambda value: _encode_json(value).decode(),
        decoder=_decode_json,
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", format="binary", encoder=_encode_json, decoder=msgspec.Raw
    )
    await connection.set_type_codec(
        "xid8",
        schema="pg_catalog",
        format="text",
        encoder=str,
        decoder=int,
    )
