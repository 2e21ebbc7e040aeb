"""What accounts tell others."""

from __future__ import annotations

from criachat.kit.events import Event, declare


@declare("account_created", realtime="account.created")
class AccountCreated(Event, frozen=True, kw_only=True):
    """An account is new."""


@declare("account_cache_invalidated", realtime="account.cache_invalidated")
class CacheInvalidated(Event, frozen=True, kw_only=True):
    """A label, inbox or team changed; clients compare the keys and read again what is stale."""

    cache_keys: dict[str, str]
