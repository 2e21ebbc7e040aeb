"""The ways to get a label on somebody's behalf."""

from __future__ import annotations

from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import existing
from criachat.labels import queries
from criachat.labels.models import Label


async def load_label(db: Db, actor: Actor, label_id: int) -> Label:
    """The label of the caller's account."""
    return existing(await queries.find_label(db, actor.account_id, label_id))


async def load_label_to_change(tx: Tx, actor: Actor, label_id: int) -> Label:
    """The same; nobody else changes it before this transaction ends."""
    return existing(await queries.lock_label(tx, actor.account_id, label_id))


async def list_labels(db: Db, account_id: int) -> list[Label]:
    """The account's labels by title."""
    return await queries.list_labels(db, account_id)
