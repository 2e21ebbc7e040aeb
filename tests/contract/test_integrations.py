"""Apps, hooks and dashboard apps against the contract, key by key."""

from __future__ import annotations

from harness import Api, Given
from shapes import iso, misfits, one_of

HOOK = {
    "id": int,
    "app_id": str,
    "status": bool,
    "inbox": one_of({"id": int, "name": str}, None),
    "account_id": int,
    "hook_type": one_of("account", "inbox"),
}
HOOK_FOR_ADMINISTRATORS = {**HOOK, "settings": dict, "reference_id": one_of(str, None)}
APP = {
    "id": str,
    "name": str,
    "description": str,
    "short_description": one_of(str, None),
    "enabled": bool,
    "hooks": [HOOK],
}
APP_FOR_ADMINISTRATORS = {
    **APP,
    "hooks": [HOOK_FOR_ADMINISTRATORS],
    "logo": str,
    "i18n_key": str,
    "hook_type": one_of("account", "inbox"),
    "allow_multiple_hooks": bool,
    "settings_json_schema?": dict,
    "settings_form_schema?": [dict],
    "visible_properties?": [str],
    "feature_flag?": str,
}
DASHBOARD_APP = {"id": int, "title": str, "content": [{"type": "frame", "url": str}], "created_at": iso}


async def test_apps_and_hooks_have_their_shapes(api: Api, given: Given) -> None:
    inbox = await given.inbox("Bridge")
    body = {"app_id": "dialogflow", "inbox_id": inbox["id"], "settings": {"project_id": "acme", "credentials": {}}}

    created = await api.post("/integrations/hooks", body)
    changed = await api.patch(f"/integrations/hooks/{created.json['id']}", {"status": "disabled"})
    listed = await api.get("/integrations/apps")
    one = await api.get("/integrations/apps/dialogflow")
    for_agents = await api.acting_as(await given.agent("Ana")).get("/integrations/apps")

    for reply in (created, changed):
        assert (reply.status, misfits(reply.json, HOOK_FOR_ADMINISTRATORS)) == (200, [])
    assert (listed.status, misfits(listed.json, {"payload": [APP_FOR_ADMINISTRATORS]})) == (200, [])
    assert (one.status, misfits(one.json, APP_FOR_ADMINISTRATORS)) == (200, [])
    assert (for_agents.status, misfits(for_agents.json, {"payload": [APP]})) == (200, [])
    removed = await api.delete(f"/integrations/hooks/{created.json['id']}")
    assert (removed.status, removed.body) == (200, b"")


async def test_dashboard_apps_are_bare_and_their_removal_is_204(api: Api) -> None:
    body = {"title": "CRM", "content": [{"type": "frame", "url": "https://crm.example.com"}]}

    created = await api.post("/dashboard_apps", {"dashboard_app": body})
    path = f"/dashboard_apps/{created.json['id']}"

    for reply in (created, await api.get(path), await api.patch(path, {"title": "Orders"})):
        assert (reply.status, misfits(reply.json, DASHBOARD_APP)) == (200, [])
    assert misfits((await api.get("/dashboard_apps")).json, [DASHBOARD_APP]) == []
    assert (await api.delete(path)).status == 204
