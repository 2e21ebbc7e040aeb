"""What can be done with accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from criachat.accounts import queries
from criachat.accounts.errors import AutoResolveInvalid, NameTooLong
from criachat.accounts.events import AccountCreated, AdministrationChanged, CacheInvalidated
from criachat.accounts.models import Account, all_cache_keys
from criachat.accounts.rules import kept_locale, kept_name, kept_support_email
from criachat.accounts.schemas import AccountParams
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.events import by, emit

LONGEST_NAME = 255
LONGEST_TOLD = 2_000
# Ten minutes to just under a thousand days.
AUTO_RESOLVE_MINUTES = range(10, 1_439_857)
ATTRIBUTES = ("industry", "company_size", "timezone")
ONBOARDING = "onboarding_step"
SETTINGS = (
    "auto_resolve_after",
    "auto_resolve_message",
    "auto_resolve_ignore_waiting",
    "auto_resolve_label",
    "audio_transcriptions",
    "conversation_required_attributes",
)


async def create_account(tx: Tx, *, name: str, locale: str = "en") -> Account:
    """Open an account; nobody belongs to it yet."""
    if len(name) > LONGEST_NAME:
        raise NameTooLong
    account = await queries.insert_account(tx, name=kept_name(name), locale=locale)
    await emit(tx, AccountCreated(account_id=account.id))
    return account


async def change_account(tx: Tx, account: Account, params: AccountParams, *, actor: Actor) -> Account:
    """Change what was sent: all of it, or nothing."""
    _check_minutes(params.auto_resolve_after)
    changed = msgspec.structs.replace(
        account,
        name=account.name if params.name is UNSET else kept_name(params.name),
        locale=account.locale if params.locale is UNSET else kept_locale(params.locale),
        domain=account.domain if params.domain is UNSET else params.domain or None,
        support_email=(
            account.support_email if params.support_email is UNSET else kept_support_email(params.support_email)
        ),
        custom_attributes={**_onboarded(account.custom_attributes), **_sent(params, ATTRIBUTES)},
        settings={**account.settings, **_sent(params, SETTINGS)},
    )
    if changed != account:
        await queries.save_account(tx, changed)
        before, after = msgspec.structs.asdict(account), msgspec.structs.asdict(changed)
        await tell_of_change(tx, actor, "Account", account.id, before=before, after=after)
    return changed


async def finish_onboarding(tx: Tx, account_id: int) -> None:
    """The account shows no first steps any more."""
    await queries.remove_onboarding_step(tx, account_id)


async def hold_limit(tx: Tx, account_id: int, name: Literal["agents", "inboxes"]) -> int | None:
    """How many of these the account may have; where that is not any, nobody makes one more before this ends."""
    return await queries.lock_limit(tx, account_id, name)


def _onboarded(attributes: dict[str, Any]) -> dict[str, Any]:
    """Who has described the account is asked for colleagues next."""
    if attributes.get(ONBOARDING) != "account_update":
        return attributes
    return {**attributes, ONBOARDING: "invite_team"}


def _sent(params: AccountParams, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(params, name)) is not UNSET}


def _check_minutes(minutes: object) -> None:
    """A number, and not its digits: clients of the family rely on that."""
    if minutes is UNSET or minutes is None:
        return
    if type(minutes) is not int:
        raise AutoResolveInvalid("Auto resolve after must be of type integer")
    if minutes not in AUTO_RESOLVE_MINUTES:
        bound = "greater than or equal to 10" if minutes < 10 else "less than or equal to 1439856"
        raise AutoResolveInvalid(f"Auto resolve after must be {bound}")


async def invalidate_cache(tx: Tx, account_id: int, kind: Literal["label", "inbox", "team"]) -> None:
    """Have clients read their labels, inboxes or teams again."""
    keys = await queries.set_cache_key(tx, account_id, kind, int(clock.unix()))
    await emit(tx, CacheInvalidated(account_id=account_id, cache_keys=all_cache_keys(keys)))


async def forget_required_attribute(tx: Tx, account_id: int, key: str) -> None:
    """Nobody has to fill in this custom attribute before they resolve a conversation any more."""
    await queries.forget_required_attribute(tx, account_id, key)


async def tell_of_change(
    tx: Tx,
    actor: Actor,
    auditable_type: str,
    auditable_id: int,
    *,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
) -> None:
    """Tell that the caller made (nothing `before`), changed or removed (nothing `after`) something of the account.

    Neither view may hold a secret. A view that did not change is not told of.
    """
    old, new = before or {}, after or {}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if before is not None and after is not None and not names:
        return
    await emit(
        tx,
        AdministrationChanged(
            account_id=actor.account_id,
            auditable_type=auditable_type,
            auditable_id=auditable_id,
            action="create" if before is None else "destroy" if after is None else "update",
            changes={name: [_told(old.get(name)), _told(new.get(name))] for name in names},
            **by(actor),
        ),
    )


def _told(value: object) -> object:
    """The value, or as much of a long one as says what it is."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return value if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…"


async def take_turn(tx: Tx, account_id: int) -> None:
    """Be the only one who makes what an account has a limited number of, until the transaction ends.

    Called before what there is gets counted: a statement that waits for the lock itself still counts what there was
    when it began to wait.
    """
    await queries.lock_account(tx, account_id)


async def list_account_ids(db: Db) -> list[int]:
    """Every account, for jobs that go round."""
    return await queries.list_account_ids(db)
