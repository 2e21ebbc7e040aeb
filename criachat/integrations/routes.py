"""Apps of others, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from criachat.integrations import access
from criachat.integrations.apps import App, allowed_apps, find_app, form_schema, json_schema
from criachat.integrations.models import Hook, Presence
from criachat.integrations.operations import dashboard_apps as pages
from criachat.integrations.operations import hooks as operations
from criachat.integrations.queries import dashboard_apps, hooks
from criachat.integrations.schemas import (
    AppOut,
    AppsOut,
    DashboardAppOut,
    DashboardAppParams,
    HookOut,
    HookParams,
    dashboard_app_out,
    hook_out,
)
from criachat.kit.actors import ADMINISTRATOR, AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound
from criachat.kit.http.answers import Answer
from criachat.kit.http.routes import Routes
from criachat.kit.tokens import Keyring

TAG = "Integrations"
routes = Routes("/api/v1/accounts/{account_id}/integrations", tag=TAG, scope="integrations")
dashboard_app_routes = Routes("/api/v1/accounts/{account_id}/dashboard_apps", tag=TAG, scope="integrations")


@routes.get("/apps", actors=AGENT)
async def list_apps(db: Db, actor: Actor, keyring: Keyring) -> AppsOut:
    """The apps that the account can use, and how they are set up; with what, administrators see."""
    presence = await hooks.find_presence(db, actor.account_id)
    found = await hooks.list_hooks(db, actor.account_id)
    return AppsOut([_app_out(app, found, presence, actor, keyring) for app in allowed_apps(presence.features)])


@routes.get("/apps/{app_id}", actors=AGENT)
async def show_app(db: Db, actor: Actor, keyring: Keyring, app_id: str) -> AppOut:
    """One app."""
    presence = await hooks.find_presence(db, actor.account_id)
    app = find_app(presence.features, app_id)
    if app is None:
        raise NotFound
    return _app_out(app, await hooks.list_hooks(db, actor.account_id), presence, actor, keyring)


@routes.post("/hooks", actors=ADMINISTRATOR, wrapper="hook")
async def create_hook(tx: Tx, actor: Actor, keyring: Keyring, params: HookParams) -> HookOut:
    """Set an app up: `settings` are what its `settings_json_schema` says, all of it and nothing else."""
    return _out(await operations.create_hook(tx, keyring, params, actor=actor), keyring)


@routes.update("/hooks/{hook_id}", actors=ADMINISTRATOR, wrapper="hook")
async def change_hook(tx: Tx, actor: Actor, keyring: Keyring, hook_id: int, params: HookParams) -> HookOut:
    """Switch an app on or off, or set it up with other `settings`, which replace the ones before."""
    hook = await access.load_hook_to_change(tx, actor, hook_id)
    return _out(await operations.change_hook(tx, keyring, hook, params, actor=actor), keyring)


@routes.delete("/hooks/{hook_id}", actors=ADMINISTRATOR)
async def delete_hook(tx: Tx, actor: Actor, hook_id: int) -> None:
    """Use an app no more."""
    await operations.delete_hook(tx, await access.load_hook_to_change(tx, actor, hook_id), actor=actor)


@dashboard_app_routes.get(actors=AGENT)
async def list_dashboard_apps(db: Db, actor: Actor) -> list[DashboardAppOut]:
    """The pages that are shown beside conversations, oldest first."""
    return [dashboard_app_out(app) for app in await dashboard_apps.list_apps(db, actor.account_id)]


@dashboard_app_routes.get("/{dashboard_app_id}", actors=AGENT)
async def show_dashboard_app(db: Db, actor: Actor, dashboard_app_id: int) -> DashboardAppOut:
    """One page."""
    return dashboard_app_out(await access.load_dashboard_app(db, actor, dashboard_app_id))


@dashboard_app_routes.post(actors=AGENT, wrapper="dashboard_app")
async def create_dashboard_app(tx: Tx, actor: Actor, params: DashboardAppParams) -> DashboardAppOut:
    """Show everybody a page beside conversations."""
    return dashboard_app_out(await pages.create_app(tx, params, actor=actor))


@dashboard_app_routes.update("/{dashboard_app_id}", actors=AGENT, wrapper="dashboard_app")
async def change_dashboard_app(
    tx: Tx, actor: Actor, dashboard_app_id: int, params: DashboardAppParams
) -> DashboardAppOut:
    """Change what was sent."""
    app = await access.load_dashboard_app_to_change(tx, actor, dashboard_app_id)
    return dashboard_app_out(await pages.change_app(tx, app, params, actor=actor))


@dashboard_app_routes.delete("/{dashboard_app_id}", actors=AGENT)
async def delete_dashboard_app(tx: Tx, actor: Actor, dashboard_app_id: int) -> Answer:
    """Show a page no more; answers 204."""
    await pages.delete_app(tx, await access.load_dashboard_app_to_change(tx, actor, dashboard_app_id), actor=actor)
    return Answer(status=204)


def _app_out(app: App, found: Sequence[Hook], presence: Presence, actor: Actor, keyring: Keyring) -> AppOut:
    is_administrator = actor.is_administrator
    theirs = [hook for hook in found if hook.app_id == app.id]
    has_own = {"webhook": presence.has_webhooks, "dashboard_apps": presence.has_dashboard_apps}
    return AppOut(
        id=app.id,
        name=app.name,
        description=app.description,
        short_description=app.short_description,
        enabled=has_own.get(app.id, bool(theirs)),
        hooks=[_out(hook, keyring) if is_administrator else hook_out(hook, None) for hook in theirs],
        logo=app.logo if is_administrator else UNSET,
        i18n_key=app.id if is_administrator else UNSET,
        hook_type=app.hook_type if is_administrator else UNSET,
        allow_multiple_hooks=app.allows_several if is_administrator else UNSET,
        settings_json_schema=json_schema(app) if is_administrator and app.settings else UNSET,
        settings_form_schema=form_schema(app) if is_administrator and app.settings else UNSET,
        visible_properties=_visible(app) if is_administrator and app.settings else UNSET,
        feature_flag=app.feature if is_administrator and app.feature else UNSET,
    )


def _visible(app: App) -> list[str]:
    return [setting.name for setting in app.settings if setting.is_visible]


def _out(hook: Hook, keyring: Keyring) -> HookOut:
    return hook_out(hook, operations.open_settings(keyring, hook))
