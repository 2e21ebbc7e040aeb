"""Labels against the contract: every endpoint and every refusal, key by key."""

from __future__ import annotations

from harness import Api, Given
from shapes import misfits, one_of

LABEL = {
    "id": int,
    "title": str,
    "description": one_of(str, None),
    "color": str,
    "show_on_sidebar": one_of(bool, None),
}
RECORD_REFUSAL = {"message": str, "attributes": [str]}
ERROR = {"error": str}


async def test_lists_are_wrapped_and_single_labels_bare(api: Api) -> None:
    plain = await api.post("/labels", {"title": "VIP"})
    full = await api.post("/labels", {"label": {"title": "gold", "description": "Paga bem", "show_on_sidebar": True}})
    path = f"/labels/{plain.json['id']}"

    for reply in (
        plain,
        full,
        await api.get(path),
        await api.patch(path, {"color": "red"}),
        await api.put(path, {"color": "red"}),
    ):
        assert reply.status == 200
        assert misfits(reply.json, LABEL) == []
    assert misfits((await api.get("/labels")).json, {"payload": [LABEL]}) == []
    assert (plain.json["title"], plain.json["color"]) == ("vip", "#1f93ff")


async def test_a_removal_is_empty(api: Api) -> None:
    label = (await api.post("/labels", {"title": "vip"})).json

    reply = await api.delete(f"/labels/{label['id']}")

    assert (reply.status, reply.body) == (200, b"")


async def test_refusals_have_the_contracts_bodies(api: Api, given: Given) -> None:
    await api.post("/labels", {"title": "vip"})
    agent, bot, nobody = (api.acting_as(each) for each in (await given.agent("Ana"), await given.bot(), None))

    taken = await api.post("/labels", {"title": "vip"})
    too_long = await api.post("/labels", {"title": "gold", "description": "x" * 20_001})
    missing = await api.post("/labels", {})
    unknown = await api.get("/labels/999999999")

    for reply in (taken, too_long):
        assert (reply.status, misfits(reply.json, RECORD_REFUSAL)) == (422, [])
    assert (missing.status, misfits(missing.json, ERROR)) == (422, [])
    assert (unknown.status, misfits(unknown.json, ERROR)) == (404, [])
    for refused in (await agent.post("/labels", {"title": "gold"}), await bot.get("/labels")):
        assert (refused.status, misfits(refused.json, ERROR)) == (401, [])
    assert misfits((await nobody.get("/labels")).json, {"errors": [str]}) == []
