"""Rules, over HTTP. All of it is for administrators."""

from __future__ import annotations

from criachat.automation import access
from criachat.automation.files import find_files
from criachat.automation.models import Rule
from criachat.automation.operations import rules
from criachat.automation.schemas import RuleOut, RuleParams, RuleReply, RulesReply, rule_out
from criachat.kit.actors import ADMINISTRATOR, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.files import Files
from criachat.kit.http.routes import Routes

routes = Routes("/api/v1/accounts/{account_id}/automation_rules", tag="Automation rules", scope="automation")


@routes.get(actors=ADMINISTRATOR)
async def list_rules(db: Db, actor: Actor, files: Files) -> RulesReply:
    """All rules of the account, oldest first."""
    found = await access.list_rules(db, actor)
    uploads = await find_files(db, actor.account_id, [rule.actions for rule in found])
    return RulesReply([rule_out(rule, uploads, files) for rule in found])


@routes.get("/{rule_id}", actors=ADMINISTRATOR)
async def show_rule(db: Db, actor: Actor, files: Files, rule_id: int) -> RuleReply:
    """One rule."""
    return RuleReply(await _out(db, files, await access.load_rule(db, actor, rule_id)))


@routes.post(actors=ADMINISTRATOR)
async def create_rule(tx: Tx, actor: Actor, files: Files, params: RuleParams) -> RuleOut:
    """A new rule: `actions` for conversations about which `event_name` tells something and `conditions` hold."""
    return await _out(tx, files, await rules.create_rule(tx, files, params, actor=actor))


@routes.update("/{rule_id}", actors=ADMINISTRATOR)
async def change_rule(tx: Tx, actor: Actor, files: Files, rule_id: int, params: RuleParams) -> RuleReply:
    """Change a rule. Conditions and actions are replaced when they are sent."""
    rule = await access.load_rule_to_change(tx, actor, rule_id)
    return RuleReply(await _out(tx, files, await rules.change_rule(tx, files, rule, params, actor=actor)))


@routes.delete("/{rule_id}", actors=ADMINISTRATOR)
async def delete_rule(tx: Tx, actor: Actor, rule_id: int) -> None:
    """Remove a rule. What it has done stays."""
    await rules.delete_rule(tx, await access.load_rule_to_change(tx, actor, rule_id), actor=actor)


@routes.post("/{rule_id}/clone", actors=ADMINISTRATOR)
async def clone_rule(tx: Tx, actor: Actor, files: Files, rule_id: int) -> RuleReply:
    """The same rule once more, under another id; it sends the same files."""
    rule = await access.load_rule_to_change(tx, actor, rule_id)
    return RuleReply(await _out(tx, files, await rules.clone_rule(tx, rule, actor=actor)))


async def _out(db: Db, files: Files, rule: Rule) -> RuleOut:
    return rule_out(rule, await find_files(db, rule.account_id, [rule.actions]), files)
