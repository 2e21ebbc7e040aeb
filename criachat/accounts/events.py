"""What accounts tell others."""

from __future__ import annotations

from typing import Literal

from criachat.kit.events import Event, declare


@declare("account_created", realtime="account.created")
class AccountCreated(Event, frozen=True, kw_only=True):
    """An account is new."""


@declare("account_cache_invalidated", realtime="account.cache_invalidated")
class CacheInvalidated(Event, frozen=True, kw_only=True):
    """A label, inbox or team changed; clients compare the keys and read again what is stale."""

    cache_keys: dict[str, str]


@declare("administration_changed")
class AdministrationChanged(Event, frozen=True, kw_only=True):
    """Something that is kept for an account was made, changed or removed: a rule, a team, a webhook, a membership.

    `changes` never holds a secret, and long values only as far as they say what they are.
    """

    auditable_type: str
    auditable_id: int
    action: Literal["create", "update", "destroy"]
