"""Saved filters against the contract, key by key."""

from __future__ import annotations

from harness import Api
from shapes import iso, misfits, one_of

PATH = "/custom_filters"
CUSTOM_FILTER = {
    "id": int,
    "name": str,
    "filter_type": one_of("conversation", "contact", "report"),
    "query": dict,
    "created_at": iso,
    "updated_at": iso,
}


async def test_saved_filters_are_answered_bare(api: Api) -> None:
    made = await api.post(PATH, {"custom_filter": {"name": "Gold", "query": {"payload": []}}})
    path = f"{PATH}/{made.json['id']}"
    replies = [made, await api.get(path), await api.patch(path, {"name": "x"}), await api.put(path, {"query": {}})]
    listed = await api.get(PATH)
    removed = await api.delete(path)

    for reply in replies:
        assert reply.status == 200
        assert misfits(reply.json, CUSTOM_FILTER) == []
    assert misfits(listed.json, [CUSTOM_FILTER]) == []
    assert (removed.status, removed.body) == (204, b"")


async def test_refusals_have_the_shapes_of_the_family(api: Api) -> None:
    blank = await api.post(PATH, {"name": ""})
    unknown = await api.get(f"{PATH}/0")

    assert (blank.status, misfits(blank.json, {"message": str, "attributes": ["name"]})) == (422, [])
    assert (unknown.status, misfits(unknown.json, {"error": str})) == (404, [])
