"""Keeping macros, and having them executed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import take_turn, tell_of_change
from criachat.automation.actions import OF_MACROS, check_people, kept_actions, read_actions, told_actions
from criachat.automation.errors import (
    MacroNameBlank,
    MacroTooLarge,
    TooManyConversations,
    TooManyMacros,
    VisibilityUnknown,
)
from criachat.automation.files import hold_files
from criachat.automation.models import MOST_BYTES, VISIBILITIES, Macro, files_of
from criachat.automation.queries import macros
from criachat.automation.schemas import MacroParams
from criachat.kit.actors import Actor
from criachat.kit.choices import chosen
from criachat.kit.db import Db, Tx
from criachat.kit.files import Files

RECORD = "Macro"
MOST_CONVERSATIONS = 100


async def create_macro(tx: Tx, files: Files, params: MacroParams, *, actor: Actor) -> Macro:
    """A new macro of the caller, theirs alone unless an administrator wants it to be everybody's."""
    blank = Macro(
        id=0,
        account_id=actor.account_id,
        name="",
        visibility="personal",
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
        actions=[],
    )
    whole = msgspec.structs.replace(params, actions=None if params.actions is UNSET else params.actions)
    wanted = await _changed(tx, files, blank, whole, actor=actor)
    await take_turn(tx, actor.account_id)
    macro = await macros.insert_macro(tx, wanted)
    if macro is None:
        raise TooManyMacros
    await hold_files(tx, macro.account_id, before=(), after=files_of(macro.actions))
    await tell_of_change(tx, actor, RECORD, macro.id, before=None, after=_told(macro))
    return macro


async def change_macro(tx: Tx, files: Files, macro: Macro, params: MacroParams, *, actor: Actor) -> Macro:
    """Change what was sent: all of it, or nothing. What an agent changes is theirs alone."""
    changed = await _changed(tx, files, macro, params, actor=actor)
    await macros.save_macro(tx, changed)
    await hold_files(tx, macro.account_id, before=files_of(macro.actions), after=files_of(changed.actions))
    await tell_of_change(tx, actor, RECORD, macro.id, before=_told(macro), after=_told(changed))
    return changed


async def delete_macro(tx: Tx, macro: Macro, *, actor: Actor) -> None:
    """Remove it; what it has done stays, and where it is being executed it goes on."""
    await macros.delete_macro(tx, macro)
    await hold_files(tx, macro.account_id, before=files_of(macro.actions), after=())
    await tell_of_change(tx, actor, RECORD, macro.id, before=_told(macro), after=None)


async def begin_runs(tx: Tx, macro: Macro, display_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """Have the macro executed in these conversations, with the rights the caller has now; the ids of its runs."""
    wanted = list(dict.fromkeys(display_ids))
    if len(wanted) > MOST_CONVERSATIONS:
        raise TooManyConversations
    if not wanted:
        return []
    acting = msgspec.structs.replace(actor, access_token=None, token_id=None, session_id=None)
    return await macros.insert_runs(tx, macro, msgspec.to_builtins(acting), wanted)


async def _changed(db: Db, files: Files, macro: Macro, params: MacroParams, *, actor: Actor) -> Macro:
    name = macro.name if params.name is UNSET else (params.name or "").strip()
    if not name:
        raise MacroNameBlank
    actions = macro.actions
    if params.actions is not UNSET:
        attached = files_of(macro.actions)
        read = read_actions(params.actions, OF_MACROS, files=files, account_id=actor.account_id, attached=attached)
        await check_people(db, actor, read)
        actions = kept_actions(read)
        if len(msgspec.json.encode(actions)) > MOST_BYTES:
            raise MacroTooLarge
    return msgspec.structs.replace(
        macro, name=name, visibility=_visibility(macro, params, actor), updated_by_id=actor.user_id, actions=actions
    )


def _told(macro: Macro) -> dict[str, Any]:
    """The macro as the log of changes shows it."""
    return {"name": macro.name, "visibility": macro.visibility, "actions": told_actions(macro.actions)}


def _visibility(macro: Macro, params: MacroParams, actor: Actor) -> str:
    """Only administrators make something everybody's; what is not said stays as it is."""
    said = params.visibility
    wanted = macro.visibility if said in (UNSET, None, "") else _named(said)
    if wanted is None:
        raise VisibilityUnknown
    return wanted if actor.is_administrator else "personal"


def _named(said: object) -> str | None:
    """The visibility of this name or number; None when there is no such."""
    return chosen(said, VISIBILITIES) if isinstance(said, str | int) and not isinstance(said, bool) else None
