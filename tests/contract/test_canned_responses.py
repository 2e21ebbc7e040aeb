"""Canned responses against the contract: every endpoint and every refusal, key by key."""

from __future__ import annotations

from harness import Api, Given
from shapes import iso, misfits

CANNED_RESPONSE = {
    "id": int,
    "account_id": int,
    "short_code": str,
    "content": str,
    "created_at": iso,
    "updated_at": iso,
}
PATH = "/canned_responses"


async def test_the_list_is_bare_and_so_is_each_answer(api: Api) -> None:
    plain = await api.post(PATH, {"short_code": "hi", "content": "Oi"})
    wrapped = await api.post(PATH, {"canned_response": {"short_code": "bye", "content": "Tchau"}})
    path = f"{PATH}/{plain.json['id']}"

    for reply in (
        plain,
        wrapped,
        await api.patch(path, {"content": "Olá"}),
        await api.put(path, {"canned_response": {"content": "Oi"}}),
    ):
        assert reply.status == 200
        assert misfits(reply.json, CANNED_RESPONSE) == []
    for query in ("", "?search=hi"):
        assert misfits((await api.get(PATH + query)).json, [CANNED_RESPONSE]) == []
    removed = await api.delete(path)
    assert (removed.status, removed.body) == (200, b"")


async def test_refusals_have_the_contracts_bodies(api: Api, given: Given) -> None:
    await api.post(PATH, {"short_code": "hi", "content": "Oi"})

    invalid = await api.post(PATH, {"short_code": "hi", "content": "Oi"})
    nothing = await api.post(PATH, {})
    unknown = await api.delete(f"{PATH}/999999999")
    no_form = await api.call("POST", PATH, data={"short_code": "bye", "content": "Tchau"})
    bot = await api.acting_as(await given.bot()).get(PATH)
    nobody = await api.acting_as(None).get(PATH)

    assert (invalid.status, misfits(invalid.json, {"message": str, "attributes": [str]})) == (422, [])
    for reply, status in ((nothing, 422), (no_form, 422), (unknown, 404), (bot, 401)):
        assert (reply.status, misfits(reply.json, {"error": str})) == (status, [])
    assert (nobody.status, misfits(nobody.json, {"errors": [str]})) == (401, [])
