"""Automation rules against the contract: which answers are wrapped, and every key."""

from __future__ import annotations

from harness import Api
from shapes import misfits, one_of

RULE = {
    "id": int,
    "account_id": int,
    "name": str,
    "description": one_of(str, None),
    "event_name": str,
    "active": bool,
    "conditions": [dict],
    "actions": [{"action_name": str, "action_params": list}],
    "created_on": int,
}


async def test_a_new_rule_is_bare_and_all_else_wrapped(api: Api) -> None:
    body = {
        "name": "VIP first",
        "event_name": "conversation_created",
        "conditions": [
            {
                "attribute_key": "status",
                "filter_operator": "equal_to",
                "values": ["open"],
                "query_operator": None,
                "custom_attribute_type": "",
            }
        ],
        "actions": [{"action_name": "add_label", "action_params": ["vip"]}],
    }

    created = await api.post("/automation_rules", body)
    path = f"/automation_rules/{created.json['id']}"

    assert (created.status, misfits(created.json, RULE)) == (200, [])
    for reply in (
        await api.get(path),
        await api.patch(path, {"description": "Paga bem"}),
        await api.put(path, {"active": False}),
        await api.post(f"{path}/clone"),
    ):
        assert (reply.status, misfits(reply.json, {"payload": RULE})) == (200, [])
    assert misfits((await api.get("/automation_rules")).json, {"payload": [RULE]}) == []
    assert created.json["conditions"] == body["conditions"]
    removed = await api.delete(path)
    assert (removed.status, removed.body) == (200, b"")


async def test_what_cannot_be_saved_is_told_list_by_list(api: Api) -> None:
    body = {"name": "VIP", "event_name": "conversation_created", "conditions": [], "actions": []}

    unknown = await api.get("/automation_rules/999999999")
    no_actions = await api.post("/automation_rules", body)
    odd = {"attribute_key": "x", "filter_operator": "equal_to", "values": [1], "query_operator": None}
    bad = await api.post("/automation_rules", {**body, "conditions": [odd]})

    assert (unknown.status, misfits(unknown.json, {"error": str})) == (404, [])
    assert (no_actions.status, misfits(no_actions.json, {"error": {"actions": [str]}})) == (422, [])
    assert (bad.status, misfits(bad.json, {"error": {"conditions": [str]}})) == (422, [])
