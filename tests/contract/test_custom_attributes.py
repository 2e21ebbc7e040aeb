"""Custom attribute definitions against the contract, key by key."""

from __future__ import annotations

from harness import Api
from shapes import iso, misfits, one_of

PATH = "/custom_attribute_definitions"
DEFINITION = {
    "id": int,
    "attribute_display_name": str,
    "attribute_display_type": one_of("text", "number", "currency", "percent", "link", "date", "list", "checkbox"),
    "attribute_description": one_of(str, None),
    "attribute_key": str,
    "regex_pattern": one_of(str, None),
    "regex_cue": one_of(str, None),
    "attribute_values": [str],
    "attribute_model": one_of("conversation_attribute", "contact_attribute"),
    "default_value": None,
    "created_at": iso,
    "updated_at": iso,
}


async def test_extra_fields_are_answered_bare(api: Api) -> None:
    body = {"attribute_display_name": "Plan", "attribute_key": "plan", "attribute_values": ["free"]}

    created = await api.post(PATH, {"custom_attribute_definition": body})
    path = f"{PATH}/{created.json['id']}"
    replies = [created, await api.get(path), await api.patch(path, {"regex_cue": "x"}), await api.put(path, body)]
    listed = await api.get(PATH)
    removed = await api.delete(path)

    for reply in replies:
        assert reply.status == 200
        assert misfits(reply.json, DEFINITION) == []
    assert misfits(listed.json, [DEFINITION]) == []
    assert (removed.status, removed.body) == (204, b"")


async def test_refusals_have_the_shapes_of_the_family(api: Api) -> None:
    body = {"attribute_display_name": "Plan", "attribute_key": "plan"}
    await api.post(PATH, body)

    taken = await api.post(PATH, body)
    unknown = await api.get(f"{PATH}/0")
    empty = await api.post(PATH, {})

    assert misfits(taken.json, {"message": str, "attributes": ["attribute_key"]}) == []
    assert (unknown.status, misfits(unknown.json, {"error": str})) == (404, [])
    assert (empty.status, misfits(empty.json, {"error": str})) == (422, [])
