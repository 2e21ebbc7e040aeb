from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given

from criachat.accounts.events import AdministrationChanged

PATH = "/automation_rules"
RULE: dict[str, Any] = {
    "name": "VIP to sales",
    "description": "Paga bem",
    "event_name": "conversation_created",
    "conditions": [
        {"attribute_key": "status", "filter_operator": "equal_to", "values": ["open"], "query_operator": "and"},
        {"attribute_key": "email", "filter_operator": "contains", "values": ["@acme"], "query_operator": None},
    ],
    "actions": [
        {"action_name": "add_label", "action_params": ["vip"]},
        {"action_name": "resolve_conversation", "action_params": []},
    ],
}


async def rule(api: Api, **fields: Any) -> Any:
    reply = await api.post(PATH, {**RULE, **fields})
    assert reply.status == 200, reply.body
    return reply.json


async def test_a_rule_is_created_bare_and_shown_changed_and_removed_wrapped(api: Api, given: Given) -> None:
    created = await api.post(PATH, RULE)
    path = f"{PATH}/{created.json['id']}"
    changed = await api.patch(path, {"name": "VIP", "active": "false"})
    shown = await api.get(path)
    listed = await api.get(PATH)
    removed = await api.delete(path)

    assert created.status == 200
    assert created.json == {
        "id": created.json["id"],
        "account_id": given.account_id,
        **RULE,
        "active": True,
        "created_on": created.json["created_on"],
    }
    assert changed.json == shown.json == {"payload": {**created.json, "name": "VIP", "active": False}}
    assert listed.json == {"payload": [shown.json["payload"]]}
    assert (removed.status, removed.body) == (200, b"")
    assert (await api.get(path)).status == 404
    assert (await api.get(PATH)).json == {"payload": []}


async def test_a_clone_is_the_same_under_another_id(api: Api) -> None:
    first = await rule(api)

    clone = await api.post(f"{PATH}/{first['id']}/clone")

    assert clone.status == 200
    assert clone.json["payload"]["id"] > first["id"]
    assert {**clone.json["payload"], "id": 0, "created_on": 0} == {**first, "id": 0, "created_on": 0}


async def test_lists_are_replaced_when_they_are_sent(api: Api) -> None:
    first = await rule(api)
    actions = [{"action_name": "change_priority", "action_params": ["urgent"]}]

    changed = await api.put(f"{PATH}/{first['id']}", {"actions": actions, "conditions": []})

    assert changed.json["payload"] == {**first, "actions": actions, "conditions": []}


async def test_ids_may_come_as_text_and_nothing_means_nobody(api: Api, given: Given) -> None:
    ana, team = await given.agent("Ana"), await given.team("vendas")
    sent = [
        {"action_name": "assign_agent", "action_params": [str(ana.id)]},
        {"action_name": "assign_team", "action_params": [team["id"]]},
        {"action_name": "assign_agent", "action_params": ["nil"]},
        {"action_name": "assign_agent", "action_params": ["last_responding_agent"]},
        {"action_name": "assign_team", "action_params": []},
        {"action_name": "assign_team", "action_params": [0]},
        {"action_name": "change_priority", "action_params": [None]},
        {"action_name": "mute_conversation"},
    ]

    created = await rule(api, actions=sent)

    assert [action["action_params"] for action in created["actions"]] == [
        [ana.id],
        [team["id"]],
        ["nil"],
        ["last_responding_agent"],
        ["nil"],
        ["nil"],
        ["nil"],
        [],
    ]


@pytest.mark.parametrize(
    "condition",
    [
        {"attribute_key": "priority", "filter_operator": "not_equal_to", "values": ["low", "high"]},
        {"attribute_key": "labels", "filter_operator": "is_not_present", "values": []},
        {"attribute_key": "assignee_id", "filter_operator": "is_present", "values": None},
        {"attribute_key": "message_type", "filter_operator": "equal_to", "values": ["incoming"]},
        {"attribute_key": "phone_number", "filter_operator": "starts_with", "values": ["+55"]},
        {"attribute_key": "company_name", "filter_operator": "does_not_contain", "values": ["acme"]},
        {"attribute_key": "private_note", "filter_operator": "equal_to", "values": [True]},
    ],
)
async def test_a_condition_is_kept_as_it_was_sent(api: Api, condition: dict[str, Any]) -> None:
    created = await rule(api, conditions=[{**condition, "query_operator": "OR"}])

    assert created["conditions"] == [{**condition, "query_operator": "OR", "values": condition["values"] or []}]


@pytest.mark.parametrize("key", [{}, {"attribute_key": None}, {"attribute_key": 7}, {"attribute_key": ["status"]}])
async def test_a_condition_without_a_key_is_told_what_it_lacks(api: Api, key: dict[str, Any]) -> None:
    reply = await api.post(PATH, {**RULE, "conditions": [{"filter_operator": "equal_to", "values": ["x"], **key}]})

    text = "Conditions must be a list of objects with attribute_key, filter_operator and values"
    assert (reply.status, reply.json) == (422, {"error": {"conditions": [text]}})


async def test_a_change_of_an_attribute_can_be_waited_for_where_changes_are_told(api: Api) -> None:
    condition = {
        "attribute_key": "status",
        "filter_operator": "attribute_changed",
        "values": {"from": ["open", None], "to": ["resolved"]},
        "query_operator": None,
    }

    created = await api.post(PATH, {**RULE, "conditions": [condition], "event_name": "conversation_updated"})
    refused = await api.post(PATH, {**RULE, "conditions": [condition]})
    moved = await api.patch(f"{PATH}/{created.json['id']}", {"event_name": "message_created"})

    assert created.json["conditions"] == [condition]
    assert (refused.status, moved.status) == (422, 422)
    assert "allowed operators for status" in refused.json["error"]["conditions"][0]


async def test_a_custom_attribute_of_the_account_can_be_asked_for(api: Api) -> None:
    definition = {"attribute_display_name": "Plan", "attribute_key": "plan", "attribute_model": "contact_attribute"}
    condition = {
        "attribute_key": "plan",
        "filter_operator": "equal_to",
        "values": ["gold"],
        "query_operator": None,
        "custom_attribute_type": "contact_attribute",
    }

    before = await api.post(PATH, {**RULE, "conditions": [condition]})
    assert (await api.post("/custom_attribute_definitions", definition)).status == 200
    after = await api.post(PATH, {**RULE, "conditions": [condition]})

    assert (before.status, before.json) == (
        422,
        {"error": {"conditions": ["Automation conditions plan not supported."]}},
    )
    assert after.json["conditions"] == [condition]


def wrong_condition(**fields: Any) -> list[dict[str, Any]]:
    return [{"attribute_key": "status", "filter_operator": "equal_to", "values": ["open"], **fields}]


@pytest.mark.parametrize(
    "conditions",
    [
        None,
        "status",
        [1],
        [{}],
        wrong_condition(attribute_key="weather"),
        wrong_condition(attribute_key=["status"]),
        wrong_condition(attribute_key=None),
        wrong_condition(filter_operator="contains"),
        wrong_condition(filter_operator=None),
        wrong_condition(filter_operator={}),
        wrong_condition(values=[]),
        wrong_condition(values="open"),
        wrong_condition(values=["closed"]),
        wrong_condition(values=[{}]),
        wrong_condition(values=["open"] * 201),
        wrong_condition(query_operator="XOR"),
        wrong_condition(query_operator={"and": 1}),
        wrong_condition(custom_attribute_type="weather"),
        wrong_condition(attribute_key="inbox_id", values=["x"]),
        wrong_condition(attribute_key="inbox_id", values=[10**400]),
        wrong_condition(attribute_key="content", values=["x" * 5_001]),
        wrong_condition() * 2,
        wrong_condition(query_operator="and") * 51,
    ],
)
async def test_a_condition_that_could_not_be_asked_is_refused(api: Api, conditions: Any) -> None:
    reply = await api.post(PATH, {**RULE, "conditions": conditions})

    assert reply.status == 422
    assert list(reply.json["error"]) == ["conditions"]
    assert (await api.get(PATH)).json == {"payload": []}


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("dance", []),
        (None, []),
        ("add_label", "vip"),
        ("add_label", []),
        ("add_label", ["x" * 256]),
        ("assign_agent", ["self"]),
        ("assign_agent", [{}]),
        ("assign_agent", [-1]),
        ("assign_agent", [2**70]),
        ("assign_team", ["sales"]),
        ("change_status", ["closed"]),
        ("change_priority", ["enormous"]),
        ("send_message", []),
        ("send_message", ["  "]),
        ("send_message", ["x" * 150_001]),
        ("add_private_note", [5]),
        ("send_webhook_event", ["ftp://example.com"]),
        ("send_webhook_event", [None]),
        ("send_email_to_team", [{"team_ids": [], "message": "Olá"}]),
        ("send_email_to_team", [{"team_ids": [1]}]),
        ("send_email_to_team", ["Olá"]),
        ("send_email_transcript", [""]),
    ],
)
async def test_an_action_that_could_not_be_done_is_refused(api: Api, name: Any, params: Any) -> None:
    reply = await api.post(PATH, {**RULE, "actions": [{"action_name": name, "action_params": params}]})

    assert reply.status == 422
    assert list(reply.json["error"]) == ["actions"]
    assert (await api.get(PATH)).json == {"payload": []}


@pytest.mark.parametrize("actions", [None, [], "resolve", [[]], [{"action_name": "resolve_conversation"}] * 51])
async def test_a_rule_has_something_to_do(api: Api, actions: Any) -> None:
    reply = await api.post(PATH, {**RULE, "actions": actions})

    assert reply.status == 422
    assert list(reply.json["error"]) == ["actions"]


@pytest.mark.parametrize("sent", ["forged--signature", "7", 7, None, True, {}, "²"])
async def test_a_file_that_was_not_uploaded_cannot_be_sent(api: Api, sent: Any) -> None:
    actions = [{"action_name": "send_attachment", "action_params": [sent]}]

    reply = await api.post(PATH, {**RULE, "actions": actions})

    assert (reply.status, reply.json) == (422, {"error": "Invalid attachment"})


@pytest.mark.parametrize(
    ("fields", "attribute"),
    [
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"description": "x" * 20_001}, "description"),
        ({"event_name": "conversation_exploded"}, "event_name"),
        ({"event_name": None}, "event_name"),
        ({"event_name": ["message_created"]}, "event_name"),
    ],
)
async def test_a_field_that_cannot_be_is_named(api: Api, fields: dict[str, Any], attribute: str) -> None:
    reply = await api.post(PATH, {**RULE, **fields})

    assert (reply.status, reply.json["attributes"]) == (422, [attribute])


@pytest.mark.parametrize("missing", ["name", "event_name", "conditions", "actions"])
async def test_a_new_rule_says_all_of_it(api: Api, missing: str) -> None:
    reply = await api.post(PATH, {name: value for name, value in RULE.items() if name != missing})

    assert reply.status == 422


async def test_people_teams_and_inboxes_of_another_account_are_refused(api: Api, given: Given) -> None:
    others = await given.another_account()
    ana, team, inbox = await others.agent("Ana"), await others.team("vendas"), await others.inbox("App")
    actions = [
        {"action_name": "assign_agent", "action_params": [ana.id]},
        {"action_name": "assign_team", "action_params": [team["id"]]},
        {"action_name": "send_email_to_team", "action_params": [{"team_ids": [team["id"]], "message": "Olá"}]},
    ]
    asked = {"assignee_id": ana.id, "team_id": team["id"], "inbox_id": inbox["id"]}

    doing = [await api.post(PATH, {**RULE, "actions": [action]}) for action in actions]
    asking = [
        await api.post(PATH, {**RULE, "conditions": wrong_condition(attribute_key=key, values=[value])})
        for key, value in asked.items()
    ]

    assert [reply.status for reply in (*doing, *asking)] == [422] * 6
    assert {text for reply in doing for text in reply.json["error"]["actions"]} == {
        f"Automation agents {ana.id} do not belong to the account",
        f"Automation teams {team['id']} do not belong to the account",
    }
    assert len({text for reply in asking for text in reply.json["error"]["conditions"]}) == 3


async def test_an_invalid_change_changes_nothing(api: Api) -> None:
    first = await rule(api)
    path = f"{PATH}/{first['id']}"

    reply = await api.patch(path, {"name": "Other", "actions": [{"action_name": "dance"}]})

    assert reply.status == 422
    assert (await api.get(path)).json == {"payload": first}


async def test_who_makes_changes_and_removes_a_rule_is_told(api: Api, given: Given) -> None:
    first = await rule(api)
    path = f"{PATH}/{first['id']}"
    await api.patch(path, {"name": RULE["name"]})
    await api.patch(path, {"name": "VIP"})
    await api.delete(path)

    created, changed, removed = [
        event for event in await given.emitted(AdministrationChanged) if event.auditable_type == "AutomationRule"
    ]
    assert [event.action for event in (created, changed, removed)] == ["create", "update", "destroy"]
    assert created.changes["name"] == [None, RULE["name"]]
    assert changed.changes == {"name": [RULE["name"], "VIP"]}
    assert removed.changes["name"] == ["VIP", None]
    assert {(event.auditable_id, event.actor_id) for event in (created, changed, removed)} == {
        (first["id"], given.boss.id)
    }


async def test_a_rule_that_no_list_could_show_is_refused(api: Api) -> None:
    notes = [{"action_name": "add_private_note", "action_params": ["x" * 10_000]} for _ in range(20)]

    reply = await api.post(PATH, {**RULE, "actions": notes})

    assert (reply.status, reply.json["attributes"]) == (422, ["conditions", "actions"])
    assert (await api.get(PATH)).json == {"payload": []}


async def test_agents_bots_and_strangers_have_nothing_to_do_with_rules(api: Api, given: Given) -> None:
    first = await rule(api)
    path = f"{PATH}/{first['id']}"
    for person in (await given.agent("Ana"), await given.bot(), None):
        caller = api.acting_as(person)

        replies = [
            await caller.get(PATH),
            await caller.get(path),
            await caller.post(PATH, RULE),
            await caller.patch(path, {"name": "Mine"}),
            await caller.post(f"{path}/clone"),
            await caller.delete(path),
        ]

        assert [reply.status for reply in replies] == [401] * 6
    assert (await api.get(path)).json == {"payload": first}


async def test_a_rule_of_another_account_does_not_exist(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = await rule(others.api)
    path = f"{PATH}/{theirs['id']}"

    replies = [
        await api.get(path),
        await api.patch(path, {"name": "Mine"}),
        await api.post(f"{path}/clone"),
        await api.delete(path),
    ]

    assert [reply.status for reply in replies] == [404] * 4
    assert replies[0].json == {"error": "Resource could not be found"}
    assert (await others.api.get(path)).json == {"payload": theirs}


async def test_the_list_of_rules_is_one_statement(api: Api, given: Given) -> None:
    for name in ("One", "Two", "Three"):
        await rule(api, name=name)

    with given.queries(at_most=1):
        reply = await api.get(PATH)

    assert [each["name"] for each in reply.json["payload"]] == ["One", "Two", "Three"]
