"""The SQL of rules."""

from __future__ import annotations

from criachat.automation.models import MOST_RULES, Rule
from criachat.kit import clock
from criachat.kit.db import Db, Tx

LIST_RULES = """
SELECT id, account_id, name, description, event_name, active, conditions, actions, created_at
FROM automation_rules
WHERE account_id = $1
ORDER BY id
LIMIT $2
"""
FIND_RULE = """
SELECT id, account_id, name, description, event_name, active, conditions, actions, created_at
FROM automation_rules
WHERE account_id = $1 AND id = $2
"""
LOCK_RULE = """
SELECT id, account_id, name, description, event_name, active, conditions, actions, created_at
FROM automation_rules
WHERE account_id = $1 AND id = $2
FOR UPDATE
"""
# Whoever makes one has taken their turn, so that two at once do not both take the last place.
INSERT_RULE = """
INSERT INTO automation_rules (account_id, name, description, event_name, active, conditions, actions, created_at,
    updated_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8
WHERE (SELECT count(*) FROM automation_rules WHERE account_id = $1) < $9
RETURNING id, account_id, name, description, event_name, active, conditions, actions, created_at
"""
SAVE_RULE = """
UPDATE automation_rules
SET name = $3, description = $4, event_name = $5, active = $6, conditions = $7, actions = $8, version = version + 1,
    updated_at = greatest($9, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
DELETE_RULE = "DELETE FROM automation_rules WHERE account_id = $1 AND id = $2"


async def list_rules(db: Db, account_id: int) -> list[Rule]:
    """The account's rules, oldest first."""
    return await db.fetch_all(Rule, LIST_RULES, account_id, MOST_RULES)


async def find_rule(db: Db, account_id: int, rule_id: int) -> Rule | None:
    """The rule, or None."""
    return await db.fetch_one_or_none(Rule, FIND_RULE, account_id, rule_id)


async def lock_rule(tx: Tx, account_id: int, rule_id: int) -> Rule | None:
    """The rule, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(Rule, LOCK_RULE, account_id, rule_id)


async def insert_rule(tx: Tx, rule: Rule) -> Rule | None:
    """The rule with an id; None when the account has as many as it can have."""
    values = (*_values(rule), clock.now(), MOST_RULES)
    return await tx.fetch_one_or_none(Rule, INSERT_RULE, rule.account_id, *values)


async def save_rule(tx: Tx, rule: Rule) -> None:
    """Write what a rule became."""
    await tx.execute(SAVE_RULE, rule.account_id, rule.id, *_values(rule), clock.now())


async def delete_rule(tx: Tx, rule: Rule) -> None:
    """Remove it."""
    await tx.execute(DELETE_RULE, rule.account_id, rule.id)


def _values(rule: Rule) -> tuple[object, ...]:
    return rule.name, rule.description, rule.event_name, rule.active, rule.conditions, rule.actions
