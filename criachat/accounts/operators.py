"""What operators do with accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from criachat.accounts import operations, queries
from criachat.accounts.errors import (
    AttributesTooLong,
    FeatureUnknown,
    LimitsInvalid,
    StatusUnknown,
)
from criachat.accounts.models import FEATURES, LIMITED, STATUSES, OperatedAccount
from criachat.accounts.rules import kept_locale, kept_name, kept_support_email
from criachat.accounts.schemas import OperatorAccountParams
from criachat.kit import directory
from criachat.kit.choices import chosen
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NoSuchPage
from criachat.kit.http.binding import id_of

LARGEST_ATTRIBUTES_BYTES = 64 * 1024
# Whoever remembers callers reads those of the accounts named here again.
CHANGED_TOPIC = "accounts_changed"


async def list_accounts(db: Db, account_ids: Sequence[int]) -> list[OperatedAccount]:
    """Those of these accounts that there are, in the order of their ids."""
    return await queries.list_operated(db, account_ids)


async def load_account_to_change(tx: Tx, account_id: int) -> OperatedAccount:
    """The account; nobody else changes it before this transaction ends."""
    account = await queries.lock_operated(tx, account_id)
    if account is None:
        raise NoSuchPage
    return account


async def open_account(tx: Tx, params: OperatorAccountParams) -> OperatedAccount:
    """A new account, with what every account can do and what is switched on besides."""
    account = await operations.create_account(tx, name="" if params.name is UNSET else params.name)
    return await change_account(tx, await load_account_to_change(tx, account.id), params)


async def change_account(tx: Tx, account: OperatedAccount, params: OperatorAccountParams) -> OperatedAccount:
    """Change what was sent: all of it, or nothing."""
    changed = msgspec.structs.replace(account, **_named(params), **_allowed(account, params))
    if changed != account:
        await _save(tx, changed)
    return changed


async def suspend(tx: Tx, account_id: int) -> None:
    """Let nobody in any more."""
    account = await load_account_to_change(tx, account_id)
    await _save(tx, msgspec.structs.replace(account, status="suspended"))


async def remove_account(tx: Tx, account_id: int) -> None:
    """Remove an account whose contacts are gone; a second time there is nothing to remove.

    What led into it, as the address of a mailbox, may lead elsewhere from now on.
    """
    await queries.delete_account(tx, account_id)
    await directory.forget_all(tx, account_id)


async def _save(tx: Tx, account: OperatedAccount) -> None:
    await queries.save_operated(tx, account)
    tx.wake(CHANGED_TOPIC, str(account.id))


def _named(params: OperatorAccountParams) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if params.name is not UNSET:
        changes["name"] = kept_name(params.name)
    if params.locale is not UNSET and params.locale:
        changes["locale"] = kept_locale(params.locale)
    if params.domain is not UNSET:
        changes["domain"] = params.domain or None
    if params.support_email is not UNSET:
        changes["support_email"] = kept_support_email(params.support_email)
    return changes


def _allowed(account: OperatedAccount, params: OperatorAccountParams) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if params.status is not UNSET and params.status is not None:
        changes["status"] = chosen(params.status, STATUSES)
        if changes["status"] is None:
            raise StatusUnknown
    if params.features is not UNSET and params.features:
        changes["features"] = _switched(account.features, params.features)
    if params.limits is not UNSET:
        changes["limits"] = _limits(params.limits or {})
    if params.custom_attributes is not UNSET:
        changes["custom_attributes"] = params.custom_attributes or {}
        if len(msgspec.json.encode(changes["custom_attributes"])) > LARGEST_ATTRIBUTES_BYTES:
            raise AttributesTooLong
    return changes


def _switched(features: Sequence[str], switches: Mapping[str, bool | None]) -> list[str]:
    """What is on afterwards; what stays on stays in its place."""
    if not FEATURES.issuperset(switches):
        raise FeatureUnknown
    on = dict.fromkeys(features) | {name: None for name, is_on in switches.items() if is_on}
    return [name for name in on if switches.get(name, True)]


def _limits(limits: Mapping[str, object]) -> dict[str, object]:
    """Numbers of things an account is allowed; digits as text count as numbers."""
    kept: dict[str, object] = {}
    for name, value in limits.items():
        number = id_of(value) if isinstance(value, str) else value
        if name not in LIMITED or isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**31:
            raise LimitsInvalid
        kept[name] = number
    return kept
