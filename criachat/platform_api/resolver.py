"""From the header `api_access_token` to an operator's app."""

from __future__ import annotations

from collections.abc import Mapping

from criachat.auth.resolver import TokenResolver
from criachat.kit.actors import Actor
from criachat.kit.errors import InvalidAccessToken
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Endpoint


class PlatformResolver:
    """Knows operators' apps by their access tokens; whoever else comes is told nothing of who they are."""

    def __init__(self, tokens: TokenResolver) -> None:
        self._tokens = tokens

    async def __call__(self, request: Request, endpoint: Endpoint, path: Mapping[str, str]) -> Actor:
        """The app, or a refusal."""
        app = await self._tokens.platform_app(request)
        if app is None:
            raise InvalidAccessToken("Invalid access_token")
        return app
