"""Setting apps up."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import take_turn, tell_of_change
from criachat.inboxes import access as inboxes
from criachat.integrations.apps import APPS, PLACEHOLDERS, App, find_app, read_settings
from criachat.integrations.errors import AppTaken, AppUnknown, InboxMissing, StatusUnknown, TooManyHooks
from criachat.integrations.models import MOST_HOOKS, Hook
from criachat.integrations.queries import hooks
from criachat.integrations.schemas import HookParams
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound
from criachat.kit.http.binding import whole_number
from criachat.kit.tokens import Keyring

RECORD = "Integrations::Hook"
STATUSES = {"enabled": True, "disabled": False, 1: True, 0: False, "1": True, "0": False, "true": True, "false": False}


async def create_hook(tx: Tx, keyring: Keyring, params: HookParams, *, actor: Actor) -> Hook:
    """Set an app up for the account, or for one of its inboxes."""
    app = await _app(tx, actor, params.app_id)
    inbox_id = await _inbox(tx, actor, app, params.inbox_id)
    settings = read_settings(app, None if params.settings is UNSET else params.settings)
    hook = Hook(
        id=await hooks.reserve_id(tx),
        account_id=actor.account_id,
        app_id=app.id,
        inbox_id=inbox_id,
        inbox_name=None,
        hook_type=app.hook_type,
        is_enabled=True if params.status is UNSET else _status(params.status),
        is_only=not app.allows_several,
        settings=b"",
        reference_id=None,
    )
    hook = msgspec.structs.replace(hook, settings=_sealed(keyring, hook, settings))
    await take_turn(tx, actor.account_id)
    if not await hooks.insert_hook(tx, hook):
        is_full = await hooks.count_hooks(tx, actor.account_id) >= MOST_HOOKS
        raise TooManyHooks if is_full else AppTaken
    await tell_of_change(tx, actor, RECORD, hook.id, before=None, after=_told(hook))
    return await _read_again(tx, hook)


async def change_hook(tx: Tx, keyring: Keyring, hook: Hook, params: HookParams, *, actor: Actor) -> Hook:
    """Switch it on or off, or set it up with something else."""
    changed = hook
    if params.status is not UNSET:
        changed = msgspec.structs.replace(changed, is_enabled=_status(params.status))
    has_new_settings = False
    if params.settings is not UNSET:
        settings = read_settings(APPS[hook.app_id], params.settings)
        has_new_settings = settings != open_settings(keyring, hook)
        if has_new_settings:
            changed = msgspec.structs.replace(changed, settings=_sealed(keyring, hook, settings))
    if changed == hook:
        return hook
    await hooks.save_hook(tx, changed)
    after = {**_told(changed), **({"settings": "(others)"} if has_new_settings else {})}
    await tell_of_change(tx, actor, RECORD, hook.id, before=_told(hook), after=after)
    return changed


async def delete_hook(tx: Tx, hook: Hook, *, actor: Actor) -> None:
    """Use the app no more."""
    await hooks.delete_hook(tx, hook)
    await tell_of_change(tx, actor, RECORD, hook.id, before=_told(hook), after=None)


def open_settings(keyring: Keyring, hook: Hook) -> dict[str, Any]:
    """What the app is set up with."""
    return msgspec.json.decode(keyring.open(hook.settings, context=hook.context))


async def _app(db: Db, actor: Actor, app_id: object) -> App:
    presence = await hooks.find_presence(db, actor.account_id)
    app = find_app(presence.features, app_id)
    if app is None or app.id in PLACEHOLDERS:
        raise AppUnknown
    return app


async def _inbox(db: Db, actor: Actor, app: App, sent: object) -> int | None:
    if app.hook_type != "inbox":
        return None
    inbox_id = whole_number(sent)
    if inbox_id is None:
        raise InboxMissing
    return (await inboxes.load_inbox(db, actor, inbox_id)).id


def _status(sent: object) -> bool:
    known = STATUSES.get(sent) if isinstance(sent, str | int) else None
    if known is None:
        raise StatusUnknown
    return known


def _sealed(keyring: Keyring, hook: Hook, settings: dict[str, Any]) -> bytes:
    return keyring.seal(msgspec.json.encode(settings).decode(), context=hook.context)


def _told(hook: Hook) -> dict[str, Any]:
    """The hook without its settings, which are secret."""
    return {"app_id": hook.app_id, "inbox_id": hook.inbox_id, "status": hook.is_enabled}


async def _read_again(tx: Tx, hook: Hook) -> Hook:
    found = await hooks.find_hook(tx, hook.account_id, hook.id)
    if found is None:
        raise NotFound
    return found
