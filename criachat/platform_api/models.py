"""What an operator's app may touch."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

import msgspec

Kind = Literal["user", "account", "agent_bot"]


class UserToken(msgspec.Struct, frozen=True, kw_only=True):
    """The token an app has for a person, sealed; good no more when it was ended since."""

    access_token_id: int
    access_token: bytes
    is_good: bool


class LoginPage(msgspec.Struct, frozen=True):
    """The page that signs people in. Handlers ask for it by its type."""

    base_url: str

    def address(self, email: str, token: str) -> str:
        """Its address with what signs this person in."""
        return f"{self.base_url}/app/login?email={quote(email, safe='')}&sso_auth_token={token}"


def token_context(platform_app_id: int, user_id: int) -> str:
    """What the token an app has for a person is sealed for."""
    return f"platform_user_token:{platform_app_id}:{user_id}"
