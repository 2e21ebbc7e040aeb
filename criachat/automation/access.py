"""The ways to get a rule on somebody's behalf."""

from __future__ import annotations

from criachat.automation.models import Rule
from criachat.automation.queries import rules
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound


async def list_rules(db: Db, actor: Actor) -> list[Rule]:
    """The rules of the caller's account, oldest first."""
    return await rules.list_rules(db, actor.account_id)


async def load_rule(db: Db, actor: Actor, rule_id: int) -> Rule:
    """The rule of the caller's account."""
    return _found(await rules.find_rule(db, actor.account_id, rule_id))


async def load_rule_to_change(tx: Tx, actor: Actor, rule_id: int) -> Rule:
    """The same; nobody else changes it before this transaction ends."""
    return _found(await rules.lock_rule(tx, actor.account_id, rule_id))


def _found(rule: Rule | None) -> Rule:
    if rule is None:
        raise NotFound
    return rule
