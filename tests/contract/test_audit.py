"""The audit log against the contract, key by key."""

from __future__ import annotations

from harness import Api, Given
from shapes import misfits, one_of, unix

ENTRY = {
    "id": int,
    "auditable_id": int,
    "auditable_type": str,
    "auditable": one_of(dict, None),
    "associated_id": int,
    "associated_type": "Account",
    "user_id": one_of(int, None),
    "user_type": one_of(str, None),
    "username": one_of(str, None),
    "action": one_of("create", "update", "destroy", "sign_in", "sign_out"),
    "audited_changes": dict,
    "version": int,
    "comment": one_of(str, None),
    "request_uuid": one_of(str, None),
    "created_at": unix,
    "remote_address": one_of(str, None),
}


async def test_a_page_says_how_many_there_are(api: Api, given: Given) -> None:
    await api.post("/teams", {"name": "vendas"})
    await given.relayed()

    reply = await api.get("/audit_logs", params={"page": "1"})

    shape = {"per_page": 15, "total_entries": int, "current_page": int, "audit_logs": [ENTRY]}
    assert (reply.status, misfits(reply.json, shape)) == (200, [])
    assert reply.json["audit_logs"]
