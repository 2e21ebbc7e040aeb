from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given

BLANK = {"message": "Content can't be blank", "attributes": ["content"]}


async def path_of(given: Given, **fields: Any) -> str:
    return f"/contacts/{(await given.contact(**fields))['id']}/notes"


async def test_a_note_is_written_shown_changed_and_removed(api: Api, given: Given) -> None:
    contact = await given.contact()
    path = f"/contacts/{contact['id']}/notes"
    ana = await given.agent("Ana")

    written = await api.post(path, {"note": {"content": "Prefers calls after 16:00"}})
    one = f"{path}/{written.json['id']}"
    changed = await api.acting_as(ana).patch(one, {"content": "Prefers mail"})
    shown = await api.get(one)
    removed = await api.delete(one)

    assert written.status == 200
    assert written.json == {
        "id": written.json["id"],
        "content": "Prefers calls after 16:00",
        "account_id": given.account_id,
        "contact_id": contact["id"],
        "user": written.json["user"],
        "created_at": written.json["created_at"],
        "updated_at": written.json["updated_at"],
    }
    assert (written.json["user"]["id"], written.json["user"]["name"]) == (given.boss.id, "Beatriz")
    assert changed.json == shown.json
    assert (shown.json["content"], shown.json["user"]["id"]) == ("Prefers mail", ana.id)
    assert (removed.status, removed.body) == (200, b"")
    assert (await api.get(one)).status == 404


async def test_notes_are_listed_newest_first(api: Api, given: Given) -> None:
    path = await path_of(given)
    ana = await given.agent("Ana")
    for number, person in enumerate((given.boss, ana, given.boss)):
        await api.acting_as(person).post(path, {"content": f"Note {number}"})

    with given.queries(at_most=3):
        reply = await api.get(path)

    assert [each["content"] for each in reply.json] == ["Note 2", "Note 1", "Note 0"]
    assert [each["user"]["id"] for each in reply.json] == [given.boss.id, ana.id, given.boss.id]


@pytest.mark.parametrize("content", ["", "  ", None])
async def test_a_note_says_something(api: Api, given: Given, content: str | None) -> None:
    path = await path_of(given)
    kept = (await api.post(path, {"content": "Kept"})).json

    written = await api.post(path, {"content": content})
    changed = await api.acting_as(await given.agent("Ana")).patch(f"{path}/{kept['id']}", {"content": content})

    assert (written.status, written.json) == (422, BLANK)
    assert (changed.status, changed.json) == (200, kept)
    assert (await api.get(path)).json == [kept]


async def test_a_note_is_not_endless(api: Api, given: Given) -> None:
    path = await path_of(given)

    replies = [await api.post(path, {"content": "x" * 20_001}), await api.post(path, {})]

    assert replies[0].json == {
        "message": "Content is too long (maximum is 20000 characters)",
        "attributes": ["content"],
    }
    assert replies[1].json == {"error": "param is missing or the value is empty: note"}
    assert [reply.status for reply in replies] == [422, 422]


async def test_who_left_is_not_named(api: Api, given: Given) -> None:
    path = await path_of(given)
    ana = await given.agent("Ana")
    await api.acting_as(ana).post(path, {"content": "Likes tea"})

    assert (await api.delete(f"/agents/{ana.id}")).status == 200

    (note,) = (await api.get(path)).json
    assert note["content"] == "Likes tea"
    assert "user" not in note


async def test_notes_go_with_their_contact(api: Api, given: Given) -> None:
    path = await path_of(given)
    await api.post(path, {"content": "Likes tea"})

    await api.delete(path.removesuffix("/notes"))

    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value("SELECT count(*) FROM notes WHERE account_id = $1", given.account_id) == 0


async def test_notes_move_along_when_contacts_are_merged(api: Api, given: Given) -> None:
    rosa, marta = await given.contact("Rosa"), await given.contact("Marta")
    await api.post(f"/contacts/{rosa['id']}/notes", {"content": "About Rosa"})
    await api.post(f"/contacts/{marta['id']}/notes", {"content": "About Marta"})

    await api.post("/actions/contact_merge", {"base_contact_id": rosa["id"], "mergee_contact_id": marta["id"]})

    notes = (await api.get(f"/contacts/{rosa['id']}/notes")).json
    assert [each["content"] for each in notes] == ["About Marta", "About Rosa"]


async def test_a_note_about_somebody_else_is_not_found(api: Api, given: Given) -> None:
    path = await path_of(given)
    note = (await api.post(path, {"content": "Likes tea"})).json
    elsewhere = f"{await path_of(given)}/{note['id']}"
    others = await given.another_account()
    nowhere = f"{await path_of(others)}/{note['id']}"

    replies = [await each.get(at) for each, at in ((api, elsewhere), (others.api, nowhere), (others.api, path))]
    replies += [await api.patch(elsewhere, {"content": "x"}), await api.delete(elsewhere)]
    replies += [await others.api.post(path, {"content": "x"})]

    assert [reply.status for reply in replies] == [404] * 6
    assert (await api.get(path)).json == [note]


async def test_bots_and_strangers_read_and_write_no_notes(api: Api, given: Given) -> None:
    path = await path_of(given)
    note = (await api.post(path, {"content": "Likes tea"})).json
    bot = await given.bot()

    statuses = [
        reply.status
        for caller in (bot, None)
        for reply in (
            await api.acting_as(caller).get(path),
            await api.acting_as(caller).post(path, {"content": "x"}),
            await api.acting_as(caller).patch(f"{path}/{note['id']}", {"content": "x"}),
            await api.acting_as(caller).delete(f"{path}/{note['id']}"),
        )
    ]

    assert statuses == [401] * 8
