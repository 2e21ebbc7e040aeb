"""Bots as rows."""

from __future__ import annotations

from typing import Any

import msgspec

BOT_TYPES = ("webhook",)
# What the endpoints ask for that let bots in.
SCOPES_OF_BOTS = ("conversations:write", "messages:write", "events:read")
# Those of the installation included.
MOST_BOTS = 1_000


class AgentBot(msgspec.Struct, frozen=True, kw_only=True):
    """A bot of an account, or of the installation: then `account_id` is None, and every account may connect it.

    Bots of before the secret and the token were kept have neither.
    """

    id: int
    account_id: int | None
    name: str
    description: str | None
    outgoing_url: str | None
    bot_config: dict[str, Any]
    avatar_key: str | None
    secret: bytes | None
    access_token: bytes | None
    access_token_id: int | None

    @property
    def is_system(self) -> bool:
        """Whether it belongs to the installation."""
        return self.account_id is None


def token_context(bot_id: int) -> str:
    """What a bot's access token is sealed for."""
    return f"agent_bot:{bot_id}:access_token"
