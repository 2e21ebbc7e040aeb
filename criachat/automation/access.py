"""The ways to get a rule or a macro on somebody's behalf."""

from __future__ import annotations

from criachat.automation.models import Macro, Rule
from criachat.automation.queries import macros, rules
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotAuthorized, NotFound, existing


async def list_rules(db: Db, actor: Actor) -> list[Rule]:
    """The rules of the caller's account, oldest first."""
    return await rules.list_rules(db, actor.account_id)


async def load_rule(db: Db, actor: Actor, rule_id: int) -> Rule:
    """The rule of the caller's account."""
    return existing(await rules.find_rule(db, actor.account_id, rule_id))


async def load_rule_to_change(tx: Tx, actor: Actor, rule_id: int) -> Rule:
    """The same; nobody else changes it before this transaction ends."""
    return existing(await rules.lock_rule(tx, actor.account_id, rule_id))


async def list_macros(db: Db, actor: Actor) -> list[Macro]:
    """The macros that the caller may use, oldest first."""
    return await macros.list_macros(db, actor.account_id, actor.user_id)


async def load_macro(db: Db, actor: Actor, macro_id: int) -> Macro:
    """The macro, if the caller may use it; somebody else's own is refused."""
    macro = await macros.find_macro(db, actor.account_id, macro_id)
    if macro is None:
        raise NotFound
    if not (macro.is_global or macro.created_by_id == actor.user_id):
        raise NotAuthorized
    return macro


async def load_macro_to_change(tx: Tx, actor: Actor, macro_id: int) -> Macro:
    """The macro, if the caller may change it; nobody else does before this transaction ends."""
    macro = await _lock_macro(tx, actor, macro_id)
    if not (macro.created_by_id == actor.user_id or (macro.is_global and actor.is_administrator)):
        raise NotAuthorized
    return macro


async def load_macro_to_delete(tx: Tx, actor: Actor, macro_id: int) -> Macro:
    """The macro, if the caller may remove it: everybody's only with its author, or once that one is gone."""
    macro = await _lock_macro(tx, actor, macro_id)
    is_orphan = macro.is_global and macro.created_by_id is None
    if not (macro.created_by_id == actor.user_id or (is_orphan and actor.is_administrator)):
        raise NotAuthorized
    return macro


async def _lock_macro(tx: Tx, actor: Actor, macro_id: int) -> Macro:
    return existing(await macros.lock_macro(tx, actor.account_id, macro_id))
