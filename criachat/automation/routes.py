"""Rules, for administrators, and macros, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.automation import access
from criachat.automation.actions import scopes_of, told_by
from criachat.automation.files import find_files
from criachat.automation.jobs import RunMacro, jobs, run_macro
from criachat.automation.models import Macro, Rule
from criachat.automation.operations import macros, rules
from criachat.automation.schemas import (
    ExecutionParams,
    MacroOut,
    MacroParams,
    MacroReply,
    MacrosReply,
    RuleOut,
    RuleParams,
    RuleReply,
    RulesReply,
    macro_out,
    rule_out,
)
from criachat.kit.actors import ADMINISTRATOR, AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound, ScopeMissing
from criachat.kit.files import Files
from criachat.kit.http.answers import Answer
from criachat.kit.http.routes import Routes
from criachat.kit.shared_limits import SharedLimiter
from criachat.users import access as users
from criachat.users.schemas import agent_out
from criachat.users.shown import Shown

routes = Routes("/api/v1/accounts/{account_id}/automation_rules", tag="Automation rules", scope="automation")
macro_routes = Routes("/api/v1/accounts/{account_id}/macros", tag="Macros", scope="macros")


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


@macro_routes.get(actors=AGENT)
async def list_macros(db: Db, actor: Actor, shown: Shown, files: Files) -> MacrosReply:
    """The macros that the caller may use: those of everybody, and their own."""
    return MacrosReply(await _macros_out(db, actor, shown, files, await access.list_macros(db, actor)))


@macro_routes.post(actors=AGENT)
async def create_macro(tx: Tx, actor: Actor, shown: Shown, files: Files, params: MacroParams) -> MacroReply:
    """A new macro; agents' are theirs alone."""
    macro = await macros.create_macro(tx, files, params, actor=actor)
    return MacroReply((await _macros_out(tx, actor, shown, files, [macro]))[0])


@macro_routes.get("/{macro_id}", actors=AGENT)
async def show_macro(db: Db, actor: Actor, shown: Shown, files: Files, macro_id: int) -> MacroReply | Answer:
    """One macro; an unknown one is an empty 404."""
    try:
        macro = await access.load_macro(db, actor, macro_id)
    except NotFound:
        return Answer(status=404)
    return MacroReply((await _macros_out(db, actor, shown, files, [macro]))[0])


@macro_routes.update("/{macro_id}", actors=AGENT)
async def change_macro(
    tx: Tx, actor: Actor, shown: Shown, files: Files, macro_id: int, params: MacroParams
) -> MacroReply:
    """Change a macro: its author may, and administrators where it is everybody's. Actions are replaced when sent."""
    macro = await macros.change_macro(
        tx, files, await access.load_macro_to_change(tx, actor, macro_id), params, actor=actor
    )
    return MacroReply((await _macros_out(tx, actor, shown, files, [macro]))[0])


@macro_routes.delete("/{macro_id}", actors=AGENT)
async def delete_macro(tx: Tx, actor: Actor, macro_id: int) -> None:
    """Remove a macro: its author may, and administrators where it is everybody's and its author is gone."""
    await macros.delete_macro(tx, await access.load_macro_to_delete(tx, actor, macro_id), actor=actor)


@macro_routes.post("/{macro_id}/execute", actors=AGENT)
async def execute_macro(tx: Tx, actor: Actor, limits: SharedLimiter, macro_id: int, params: ExecutionParams) -> None:
    """Do what the macro says in these conversations, 100 at most, a moment later and in the caller's name.

    What cannot be done is passed over, and told of in the thread. A token with scopes needs those of each action. How
    many outside are told of conversations, by address or by mail, has limits for each account.
    """
    macro = await access.load_macro(tx, actor, macro_id)
    for scope in scopes_of(macro.actions):
        if not actor.covers(scope):
            raise ScopeMissing(scope)
    run_ids = await macros.begin_runs(tx, macro, params.conversation_ids, actor=actor)
    for name, times in told_by(macro.actions).items():
        await limits.count_within(tx, name, str(actor.account_id), times=times * len(run_ids))
    await jobs.enqueue_all(tx, run_macro, [RunMacro(macro.account_id, run_id) for run_id in run_ids])


async def _macros_out(db: Db, actor: Actor, shown: Shown, files: Files, found: Sequence[Macro]) -> list[MacroOut]:
    wanted = {each for macro in found for each in (macro.created_by_id, macro.updated_by_id) if each is not None}
    colleagues = await users.list_colleagues(db, actor, sorted(wanted)) if wanted else []
    people = {each.id: agent_out(each, shown) for each in colleagues}
    uploads = await find_files(db, actor.account_id, [macro.actions for macro in found])
    return [macro_out(macro, people, uploads, files) for macro in found]
