"""What can be done with accounts."""

from __future__ import annotations

from typing import Literal

from criachat.accounts import queries
from criachat.accounts.events import AccountCreated, CacheInvalidated
from criachat.accounts.models import Account, all_cache_keys
from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.kit.errors import Invalid
from criachat.kit.events import emit

LONGEST_NAME = 255


class NameBlank(Invalid):
    """Name can't be blank"""

    attributes = ("name",)


class NameTooLong(Invalid):
    """Name is too long (maximum is 255 characters)"""

    attributes = ("name",)


async def create_account(tx: Tx, *, name: str, locale: str = "en") -> Account:
    """Open an account; nobody belongs to it yet."""
    if not name.strip():
        raise NameBlank
    if len(name) > LONGEST_NAME:
        raise NameTooLong
    account = await queries.insert_account(tx, name=name.strip(), locale=locale)
    await emit(tx, AccountCreated(account_id=account.id))
    return account


async def invalidate_cache(tx: Tx, account_id: int, kind: Literal["label", "inbox", "team"]) -> None:
    """Have clients read their labels, inboxes or teams again."""
    keys = await queries.set_cache_key(tx, account_id, kind, int(clock.unix()))
    await emit(tx, CacheInvalidated(account_id=account_id, cache_keys=all_cache_keys(keys)))


async def list_account_ids(db: Db) -> list[int]:
    """Every account, for jobs that go round."""
    return await queries.list_account_ids(db)
