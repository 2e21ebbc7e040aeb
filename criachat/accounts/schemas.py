"""Accounts on the wire."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.accounts.models import Account, all_cache_keys
from criachat.kit.texts import Long, Short
from criachat.kit.times import iso

SHOWN_KEYS = (
    "industry",
    "company_size",
    "timezone",
    "logo",
    "onboarding_step",
    "marked_for_deletion_at",
    "marked_for_deletion_reason",
)
PLAN_KEYS = ("plan_name", "subscribed_quantity", "subscription_status", "subscription_ends_on")


class AccountParams(msgspec.Struct, kw_only=True):
    """What an account is; what is not sent stays as it is, and attributes and settings are merged one by one."""

    name: Short | UnsetType = UNSET
    locale: Short | UnsetType = UNSET
    domain: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    support_email: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    industry: Short | UnsetType | None = UNSET
    company_size: Short | UnsetType | None = UNSET
    timezone: Short | UnsetType | None = UNSET
    auto_resolve_after: Any = UNSET
    auto_resolve_message: Long | UnsetType | None = UNSET
    auto_resolve_ignore_waiting: bool | UnsetType | None = UNSET
    auto_resolve_label: Short | UnsetType | None = UNSET
    audio_transcriptions: bool | UnsetType | None = UNSET
    conversation_required_attributes: Annotated[list[Short], Meta(max_length=100)] | UnsetType | None = UNSET


class OperatorAccountParams(msgspec.Struct, kw_only=True):
    """An account as its operator wants it; what is not sent stays as it is.

    `limits` and `custom_attributes` are replaced, `features` are switched one by one.
    """

    name: Short | UnsetType = UNSET
    locale: Short | UnsetType | None = UNSET
    domain: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    support_email: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    status: str | int | UnsetType | None = UNSET
    features: dict[str, bool | None] | UnsetType | None = UNSET
    limits: dict[str, Any] | UnsetType | None = UNSET
    custom_attributes: dict[str, Any] | UnsetType | None = UNSET


class AccountOut(msgspec.Struct, frozen=True, kw_only=True):
    """One account. `custom_attributes` is absent when empty; `features` names only those that are on."""

    id: int
    name: str
    locale: str
    domain: str | None
    support_email: str | None
    status: str
    created_at: str
    features: dict[str, bool]
    settings: dict[str, Any]
    custom_attributes: dict[str, Any] | msgspec.UnsetType
    cache_keys: dict[str, str]
    latest_chatwoot_version: str | None = None


def account_out(account: Account, *, sender: str | None) -> AccountOut:
    """The account as administrators and agents see it; mail in its name comes from `sender` where it has no address."""
    attributes = account.custom_attributes
    return AccountOut(
        id=account.id,
        name=account.name,
        locale=account.locale,
        domain=account.domain,
        support_email=account.support_email or sender,
        status=account.status,
        created_at=iso(account.created_at),
        features=dict.fromkeys(account.features, True),
        settings=account.settings,
        custom_attributes=_attributes_out(attributes) if attributes else msgspec.UNSET,
        cache_keys=all_cache_keys(account.cache_keys),
    )


def _attributes_out(attributes: dict[str, Any]) -> dict[str, Any]:
    """The plan in any case; of the rest what clients know and is not blank."""
    plan = {name: attributes.get(name) for name in PLAN_KEYS}
    return plan | {name: value for name in SHOWN_KEYS if (value := attributes.get(name)) not in (None, "")}
