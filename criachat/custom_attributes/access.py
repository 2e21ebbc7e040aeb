"""The ways to get the definition of an extra field on somebody's behalf. Every member may see and change them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from criachat.custom_attributes import queries
from criachat.custom_attributes.models import AttributeModel, Definition
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import existing


async def load_definition(db: Db, actor: Actor, definition_id: int) -> Definition:
    """The definition of the caller's account."""
    return existing(await queries.find_definition(db, actor.account_id, definition_id))


async def load_definition_to_change(tx: Tx, actor: Actor, definition_id: int) -> Definition:
    """The same; nobody else changes it before this transaction ends."""
    return existing(await queries.lock_definition(tx, actor.account_id, definition_id))


async def find_definition(db: Db, account_id: int, definition_id: int) -> Definition | None:
    """The definition, for jobs."""
    return await queries.find_definition(db, account_id, definition_id)


async def list_definitions(db: Db, account_id: int, model: AttributeModel | None) -> list[Definition]:
    """The account's definitions for one model, or for all."""
    return await queries.list_definitions(db, account_id, model)


async def find_definitions(
    db: Db, account_id: int, model: AttributeModel, keys: Iterable[str]
) -> Mapping[str, Definition]:
    """Those of these keys that are defined; no key, no statement."""
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return {}
    found = await queries.list_definitions_by_key(db, account_id, model, wanted)
    return {definition.attribute_key: definition for definition in found}
