"""Keeping rules. What they say is checked now; running them is another matter."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import take_turn, tell_of_change
from criachat.automation.actions import OF_RULES, check_people, kept_actions, read_actions, told_actions
from criachat.automation.conditions import check_references, read_conditions
from criachat.automation.errors import EventNameUnknown, NameBlank, RuleTooLarge, TooManyRules
from criachat.automation.files import hold_files
from criachat.automation.models import EVENT_NAMES, MOST_BYTES, Rule, files_of
from criachat.automation.queries import rules
from criachat.automation.schemas import RuleParams
from criachat.custom_attributes import access as custom_attributes
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.files import Files

RECORD = "AutomationRule"


async def create_rule(tx: Tx, files: Files, params: RuleParams, *, actor: Actor) -> Rule:
    """A new rule, in force at once unless it is not to be `active`."""
    blank = Rule(
        id=0,
        account_id=actor.account_id,
        name="",
        description=None,
        event_name="",
        active=True,
        conditions=[],
        actions=[],
        created_at=clock.now(),
    )
    # Both must be there from the beginning.
    whole = msgspec.structs.replace(
        params,
        event_name=None if params.event_name is UNSET else params.event_name,
        conditions=None if params.conditions is UNSET else params.conditions,
        actions=None if params.actions is UNSET else params.actions,
    )
    return await _insert(tx, await _changed(tx, files, blank, whole, actor=actor), actor=actor)


async def change_rule(tx: Tx, files: Files, rule: Rule, params: RuleParams, *, actor: Actor) -> Rule:
    """Change what was sent: all of it, or nothing."""
    changed = await _changed(tx, files, rule, params, actor=actor)
    if changed == rule:
        return rule
    await rules.save_rule(tx, changed)
    await hold_files(tx, rule.account_id, before=files_of(rule.actions), after=files_of(changed.actions))
    await tell_of_change(tx, actor, RECORD, rule.id, before=_told(rule), after=_told(changed))
    return changed


async def clone_rule(tx: Tx, rule: Rule, *, actor: Actor) -> Rule:
    """The same rule once more, under another id; it sends the same files."""
    return await _insert(tx, rule, actor=actor)


async def delete_rule(tx: Tx, rule: Rule, *, actor: Actor) -> None:
    """Remove it; what it has done stays."""
    await rules.delete_rule(tx, rule)
    await hold_files(tx, rule.account_id, before=files_of(rule.actions), after=())
    await tell_of_change(tx, actor, RECORD, rule.id, before=_told(rule), after=None)


async def _insert(tx: Tx, rule: Rule, *, actor: Actor) -> Rule:
    await take_turn(tx, rule.account_id)
    inserted = await rules.insert_rule(tx, rule)
    if inserted is None:
        raise TooManyRules
    await hold_files(tx, rule.account_id, before=(), after=files_of(inserted.actions))
    await tell_of_change(tx, actor, RECORD, inserted.id, before=None, after=_told(inserted))
    return inserted


async def _changed(db: Db, files: Files, rule: Rule, params: RuleParams, *, actor: Actor) -> Rule:
    name = rule.name if params.name is UNSET else (params.name or "").strip()
    if not name:
        raise NameBlank
    event_name = rule.event_name if params.event_name is UNSET else params.event_name
    if event_name not in EVENT_NAMES:
        raise EventNameUnknown
    conditions, actions = rule.conditions, rule.actions
    if params.conditions is not UNSET or params.event_name is not UNSET:
        asked: Any = rule.conditions if params.conditions is UNSET else params.conditions
        defined = await custom_attributes.list_definitions(db, rule.account_id, None)
        custom_keys = {definition.attribute_key for definition in defined}
        conditions = read_conditions(asked, event_name=event_name, custom_keys=custom_keys)
        await check_references(db, actor, conditions)
    if params.actions is not UNSET:
        attached = files_of(rule.actions)
        read = read_actions(params.actions, OF_RULES, files=files, account_id=actor.account_id, attached=attached)
        await check_people(db, actor, read)
        actions = kept_actions(read)
    if len(msgspec.json.encode((conditions, actions))) > MOST_BYTES:
        raise RuleTooLarge
    return msgspec.structs.replace(
        rule,
        name=name,
        description=rule.description if params.description is UNSET else params.description,
        event_name=event_name,
        active=rule.active if params.active in (UNSET, None) else params.active,
        conditions=conditions,
        actions=actions,
    )


def _told(rule: Rule) -> dict[str, Any]:
    """The rule as the log of changes shows it."""
    told = {**msgspec.structs.asdict(rule), "actions": told_actions(rule.actions)}
    return {name: value for name, value in told.items() if name not in ("id", "account_id", "created_at")}
