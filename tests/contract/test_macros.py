"""Macros against the contract: every endpoint and every refusal, key by key."""

from __future__ import annotations

from typing import Any

from apps import PNG
from harness import Api, Given
from shapes import misfits, one_of

AGENT: dict[str, Any] = {
    "id": int,
    "account_id": int,
    "availability_status": one_of("online", "busy", "offline"),
    "auto_offline": bool,
    "confirmed": bool,
    "email": str,
    "provider": str,
    "available_name": str,
    "custom_attributes?": dict,
    "name": str,
    "role": one_of("agent", "administrator"),
    "thumbnail": str,
    "custom_role_id?": one_of(int, None),
}
MACRO: dict[str, Any] = {
    "id": int,
    "name": str,
    "visibility": one_of("personal", "global"),
    "created_by?": AGENT,
    "updated_by?": AGENT,
    "account_id": int,
    "actions": [{"action_name": str, "action_params": list}],
    "files?": [
        {
            "id": int,
            "macro_id": int,
            "file_type": str,
            "account_id": int,
            "file_url": str,
            "blob_id": int,
            "filename": str,
        }
    ],
}


async def test_macros_are_wrapped(api: Api, given: Given) -> None:
    upload = await api.call("POST", "/upload", files={"attachment": ("a.png", PNG, "image/png")})
    actions: list[Any] = [
        {"action_name": "send_attachment", "action_params": [upload.json["blob_id"]]},
        {"action_name": "resolve_conversation"},
    ]

    created = await api.post("/macros", {"name": "Close", "visibility": "global", "actions": actions})
    path = f"/macros/{created.json['payload']['id']}"

    for reply in (created, await api.get(path), await api.patch(path, {"name": "X"}), await api.put(path, {})):
        assert reply.status == 200
        assert misfits(reply.json, {"payload": MACRO}) == []
        assert {"created_by", "updated_by", "files"} <= set(reply.json["payload"])
    assert misfits((await api.get("/macros")).json, {"payload": [MACRO]}) == []
    conversation = await given.conversation()
    execution = await api.post(f"{path}/execute", {"conversation_ids": [conversation["id"]]})
    removed = await api.delete(path)
    assert [(each.status, each.body) for each in (execution, removed)] == [(200, b"")] * 2


async def test_refusals_have_the_contracts_bodies(api: Api, given: Given) -> None:
    error = {"error": str}
    actions = [{"action_name": "resolve_conversation"}]

    unsupported = await api.post("/macros", {"name": "X", "actions": [{"action_name": "open_conversation"}]})
    nameless = await api.post("/macros", {"actions": actions})
    unseen = await api.post("/macros", {"name": "X", "visibility": "x", "actions": actions})
    no_file = await api.post(
        "/macros", {"name": "X", "actions": [{"action_name": "send_attachment", "action_params": ["x"]}]}
    )
    gone = await api.get("/macros/999999999")
    unknown = [
        await api.patch("/macros/999999999", {}),
        await api.delete("/macros/999999999"),
        await api.post("/macros/999999999/execute", {"conversation_ids": [1]}),
    ]
    bot = await api.acting_as(await given.bot()).get("/macros")

    assert (unsupported.status, misfits(unsupported.json, {"error": {"actions": [str]}})) == (422, [])
    for reply in (nameless, unseen, no_file):
        assert (reply.status, misfits(reply.json, error)) == (422, [])
    assert (gone.status, gone.body) == (404, b"")
    assert [(each.status, misfits(each.json, error)) for each in unknown] == [(404, [])] * 3
    assert (bot.status, misfits(bot.json, error)) == (401, [])
