from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given

from criachat.accounts.events import AdministrationChanged

PATH = "/integrations/hooks"
OPENAI: dict[str, Any] = {"app_id": "openai", "settings": {"api_key": "sk-very-secret", "label_suggestion": True}}


async def apps(api: Api) -> dict[str, Any]:
    return {app["id"]: app for app in (await api.get("/integrations/apps")).json["payload"]}


async def test_an_app_is_set_up_changed_and_removed(api: Api, given: Given) -> None:
    created = await api.post(PATH, {"hook": OPENAI})
    path = f"{PATH}/{created.json['id']}"
    disabled = await api.patch(path, {"status": "disabled"})
    renewed = await api.put(path, {"settings": {"api_key": "sk-other"}, "app_id": "dyte"})
    listed = await apps(api)
    removed = await api.delete(path)

    assert created.status == 200
    assert created.json == {
        "id": created.json["id"],
        "app_id": "openai",
        "status": True,
        "inbox": None,
        "account_id": given.account_id,
        "hook_type": "account",
        "settings": OPENAI["settings"],
        "reference_id": None,
    }
    assert disabled.json == {**created.json, "status": False}
    assert renewed.json == {**disabled.json, "settings": {"api_key": "sk-other"}}
    assert (listed["openai"]["enabled"], listed["openai"]["hooks"]) == (True, [renewed.json])
    assert (removed.status, removed.body) == (200, b"")
    assert (await apps(api))["openai"]["enabled"] is False
    assert (await api.patch(path, {"status": "enabled"})).status == 404


async def test_an_app_of_an_inbox_names_it_and_there_may_be_several(api: Api, given: Given) -> None:
    first, second = await given.inbox("Bridge"), await given.inbox("App")
    settings = {"project_id": "acme-bot", "credentials": {"type": "service_account"}}

    replies = [
        await api.post(PATH, {"app_id": "dialogflow", "inbox_id": str(inbox["id"]), "settings": settings})
        for inbox in (first, second)
    ]

    assert [reply.json["inbox"] for reply in replies] == [
        {"id": inbox["id"], "name": inbox["name"]} for inbox in (first, second)
    ]
    assert {reply.json["hook_type"] for reply in replies} == {"inbox"}


async def test_an_app_of_the_account_is_there_once(api: Api) -> None:
    await api.post(PATH, OPENAI)

    reply = await api.post(PATH, OPENAI)

    assert (reply.status, reply.json) == (422, {"message": "App has already been taken", "attributes": ["app_id"]})


@pytest.mark.parametrize(
    "settings",
    [
        None,
        {},
        "sk",
        [],
        {"api_key": ""},
        {"api_key": 5},
        {"api_key": None},
        {"api_key": "sk", "label_suggestion": "yes"},
        {"api_key": "sk", "unknown": "x"},
        {"api_key": "x" * 20_001},
    ],
)
async def test_settings_that_an_app_does_not_take_are_refused(api: Api, settings: Any) -> None:
    hook = (await api.post(PATH, OPENAI)).json

    created = await api.post(PATH, {"app_id": "openai", "settings": settings})
    changed = await api.patch(f"{PATH}/{hook['id']}", {"settings": settings})

    refusal = {"message": "Settings : Invalid settings data", "attributes": ["settings"]}
    assert (created.status, created.json) == (changed.status, changed.json) == (422, refusal)
    assert (await apps(api))["openai"]["hooks"] == [hook]


@pytest.mark.parametrize(
    "app_id", ["weather", "webhook", "dashboard_apps", "slack", "leadsquared", None, 5, ["openai"]]
)
async def test_an_app_that_cannot_be_set_up_here_is_refused(api: Api, app_id: Any) -> None:
    reply = await api.post(PATH, {"app_id": app_id, "settings": {}})

    assert (reply.status, reply.json["attributes"]) == (422, ["app_id"])


@pytest.mark.parametrize("status", ["on", None, [], {}, 7])
async def test_a_status_that_is_none_is_refused(api: Api, status: Any) -> None:
    reply = await api.post(PATH, {**OPENAI, "status": status})

    assert (reply.status, reply.json["attributes"]) == (422, ["status"])


async def test_an_inbox_that_is_missing_or_of_another_account_is_refused(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = await others.inbox()
    body = {"app_id": "dialogflow", "settings": {"project_id": "acme", "credentials": {}}}

    missing = await api.post(PATH, body)
    foreign = await api.post(PATH, {**body, "inbox_id": theirs["id"]})

    assert (missing.status, missing.json["attributes"]) == (422, ["inbox_id"])
    assert foreign.status == 404


async def test_agents_see_apps_without_what_they_are_set_up_with(api: Api, given: Given) -> None:
    hook = (await api.post(PATH, OPENAI)).json
    agent = api.acting_as(await given.agent("Ana"))

    shown = await agent.get("/integrations/apps/openai")
    replies = [
        await agent.post(PATH, OPENAI),
        await agent.patch(f"{PATH}/{hook['id']}", {"status": "disabled"}),
        await agent.delete(f"{PATH}/{hook['id']}"),
    ]

    bare = {name: value for name, value in hook.items() if name not in ("settings", "reference_id")}
    assert (shown.status, shown.json["hooks"]) == (200, [bare])
    assert "settings_json_schema" not in shown.json
    assert [reply.status for reply in replies] == [401] * 3


async def test_bots_and_strangers_see_no_apps(api: Api, given: Given) -> None:
    for person in (await given.bot(), None):
        assert (await api.acting_as(person).get("/integrations/apps")).status == 401


async def test_webhooks_and_pages_count_as_apps_once_there_is_one(api: Api, given: Given) -> None:
    before = await apps(api)
    await given.webhook("https://hooks.example.com/in")
    await api.post(
        "/dashboard_apps", {"title": "CRM", "content": [{"type": "frame", "url": "https://crm.example.com"}]}
    )
    after = await apps(api)

    assert [before[app]["enabled"] for app in ("webhook", "dashboard_apps")] == [False, False]
    assert [after[app]["enabled"] for app in ("webhook", "dashboard_apps")] == [True, True]


async def test_an_app_nobody_knows_does_not_exist(api: Api) -> None:
    reply = await api.get("/integrations/apps/weather")

    assert (reply.status, reply.json) == (404, {"error": "Resource could not be found"})


async def test_hooks_of_another_account_do_not_exist(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = (await others.api.post(PATH, OPENAI)).json
    path = f"{PATH}/{theirs['id']}"

    assert (await api.patch(path, {"status": "disabled"})).status == (await api.delete(path)).status == 404
    assert (await apps(others.api))["openai"]["hooks"] == [theirs]


async def test_keys_are_neither_in_the_database_nor_in_events(api: Api, given: Given) -> None:
    hook = (await api.post(PATH, OPENAI)).json
    await api.patch(f"{PATH}/{hook['id']}", {"settings": {"api_key": "sk-very-secret-too"}})

    async with given.world.parts.database.reading() as db:
        rows = await db.fetch_values(
            "SELECT kept::text FROM integration_hooks AS kept UNION ALL SELECT told::text FROM events AS told"
        )
    told = [event for event in await given.emitted(AdministrationChanged) if event.auditable_id == hook["id"]]
    assert not any("very-secret" in row or b"very-secret".hex() in row for row in rows)
    assert told[-1].changes == {"settings": [None, "(others)"]}


async def test_the_list_of_apps_is_two_statements(api: Api, given: Given) -> None:
    await api.post(PATH, OPENAI)

    with given.queries(at_most=2):
        await api.get("/integrations/apps")
