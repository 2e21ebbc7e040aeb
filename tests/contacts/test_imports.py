"""Files of contacts that are taken in: what becomes of their rows, whatever is in them, and whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from harness import Api, Given, Reply
from mailserver import Mailbox, text_of
from stores import files_of

from criachat.contacts import jobs
from criachat.contacts.events import ContactCreated, ContactUpdated
from criachat.contacts.jobs import ImportContacts
from criachat.kit.jobs import JobContext

HEADER = "identifier,email,phone_number,name,plan,city,company\n"


async def send(api: Api, text: str | bytes) -> Reply:
    content = text.encode() if isinstance(text, str) else text
    return await api.post("/contacts/import", files={"import_file": ("contacts.csv", content, "text/csv")})


async def imported(given: Given, text: str | bytes) -> Any:
    """The file, sent and taken in, as the API shows how it went."""
    reply = await send(given.api, text)
    assert (reply.status, reply.body) == (200, b"")
    await given.worked()
    return (await given.api.get(reply.headers["location"])).json


def context_of(given: Given) -> JobContext:
    parts = given.world.parts
    return JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)


async def left_of_rejects(given: Given) -> int:
    async with given.world.parts.database.reading() as db:
        return await db.fetch_value(
            "SELECT count(*) FROM contact_import_rejects WHERE account_id = $1", given.account_id
        )


async def everybody(given: Given) -> list[Any]:
    return (await given.api.get("/contacts?sort=name&include_contact_inboxes=false")).json["payload"]


async def rejects(given: Given, shown: Any) -> list[list[str]]:
    reply = await given.api.acting_as(None).get(shown["rejects_url"].removeprefix("http://criachat.test"))
    assert reply.status == 200
    return list(csv.reader(io.StringIO(reply.body.decode(), newline="")))


async def test_the_file_may_be_the_whole_body(given: Given) -> None:
    headers = {"content-type": "text/csv"}
    content = b"name,email\nRosa,rosa@example.net\n"

    reply = await given.api.call("POST", "/contacts/import", content=content, headers=headers)
    await given.worked()

    assert (reply.status, reply.body) == (200, b"")
    assert [(each["name"], each["email"]) for each in await everybody(given)] == [("Rosa", "rosa@example.net")]


async def test_each_row_becomes_a_contact(given: Given) -> None:
    shown = await imported(
        given,
        HEADER
        + "crm-1,Ana@Example.net,351912000111,Ana Reis,gold,Porto,Nordwind\n"
        + '\n,bia@example.net,,"Bia ""B"" Lima,\nSilva",,,\n',
    )

    assert {name: shown[name] for name in ("status", "total_rows", "processed_rows", "error", "rejects_url")} == {
        "status": "completed",
        "total_rows": 2,
        "processed_rows": 2,
        "error": None,
        "rejects_url": None,
    }
    assert (shown["created_rows"], shown["updated_rows"], shown["rejected_rows"]) == (2, 0, 0)
    ana, bia = await everybody(given)
    assert (ana["identifier"], ana["email"], ana["phone_number"]) == ("crm-1", "ana@example.net", "+351912000111")
    assert ana["custom_attributes"] == {"plan": "gold", "city": "Porto", "company": "Nordwind"}
    assert ana["additional_attributes"] == {"city": "Porto", "company": "Nordwind"}
    assert (bia["name"], bia["custom_attributes"]) == ('Bia "B" Lima,\nSilva', {})
    assert await given.emitted(ContactCreated) == []


async def test_who_is_there_is_changed_where_the_row_says_something(given: Given) -> None:
    by_identifier = await given.contact("Ana", identifier="crm-1", custom_attributes={"seats": 3})
    by_email = await given.contact("Bia", email="bia@example.net")
    by_phone = await given.contact("Caio", phone_number="+351912000111")
    same = await given.contact("Davi", email="davi@example.net")

    shown = await imported(
        given,
        HEADER
        + "crm-1,new@example.net,,,gold,,\n"
        + ",BIA@example.net,,Bia Lima,,,\n"
        + ",,+351912000111,,,Faro,\n"
        + ",davi@example.net,,Davi,,,\n",
    )

    assert (shown["created_rows"], shown["updated_rows"], shown["rejected_rows"]) == (0, 3, 0)
    ana, bia, caio, davi = await everybody(given)
    assert (ana["id"], ana["name"], ana["email"]) == (by_identifier["id"], "Ana", "new@example.net")
    assert ana["custom_attributes"] == {"seats": 3, "plan": "gold"}
    assert (bia["id"], bia["name"]) == (by_email["id"], "Bia Lima")
    assert (caio["id"], caio["additional_attributes"]) == (by_phone["id"], {"city": "Faro"})
    assert davi["id"] == same["id"]
    told = await given.emitted(ContactUpdated)
    assert {event.contact_id for event in told} == {ana["id"], bia["id"], caio["id"]}
    assert {event.actor_id for event in told} == {given.boss.id}
    (of_bia,) = [event for event in told if event.contact_id == bia["id"]]
    assert of_bia.changes["name"] == ["Bia", "Bia Lima"]


async def test_rows_about_the_same_person_are_one_contact(given: Given) -> None:
    shown = await imported(
        given,
        HEADER + "crm-1,,,Ana,,,\n,ana@example.net,,Ana,,,\ncrm-1,,+351912000111,,gold,,\n,,351912000111,Ana R,,,\n",
    )

    assert (shown["created_rows"], shown["rejected_rows"]) == (2, 0)
    first, second = await everybody(given)
    assert (first["name"], first["email"]) == ("Ana", "ana@example.net")
    assert (second["name"], second["identifier"], second["phone_number"]) == ("Ana R", "crm-1", "+351912000111")


async def test_rows_that_cannot_be_are_kept_with_the_reason(given: Given, mailbox: Mailbox) -> None:
    await given.contact("Eva", email="eva@example.net")

    shown = await imported(
        given,
        HEADER
        + "crm-1,not an address,,Ana,,,\n"
        + "crm-2,,00351,Bia,,,\n"
        + "crm-3,,,Caio,,,\n"
        + "crm-3,eva@example.net,,Caio,,,\n"
        + f"crm-4,,,{'x' * 256},,,\n"
        + "crm-5,,,Davi,,,,surplus\n"
        + "=1+1,wrong,,Formula,,,\n",
    )

    assert (shown["created_rows"], shown["rejected_rows"], shown["processed_rows"]) == (1, 6, 7)
    header, *rows = await rejects(given, shown)
    assert header == ["identifier", "email", "phone_number", "name", "plan", "city", "company", "errors"]
    assert [row[-1] for row in rows] == [
        "Email Invalid email",
        "Phone number should be in e164 format",
        "Email has already been taken",
        "Name is too long (maximum is 255 characters)",
        "There are more cells than columns",
        "Email Invalid email",
    ]
    assert rows[0][:4] == ["crm-1", "not an address", "", "Ana"]
    assert rows[-1][0] == "'=1+1"
    (mail,) = mailbox.of(given.boss.email)
    assert "Rows in the file: 7. Taken in: 1. Left out: 6." in text_of(mail)
    assert shown["rejects_url"].rpartition("/")[0] in text_of(mail)
    assert await left_of_rejects(given) == 0


async def test_what_was_rejected_is_mended_and_sent_again(given: Given) -> None:
    shown = await imported(given, HEADER + "=1+1,wrong,,Formula,@home,,\n")
    reply = await given.api.get(shown["rejects_url"].removeprefix("http://criachat.test"))

    again = await imported(given, reply.body.replace(b"wrong", b"right@example.net").replace(b"errors", b"plan2"))

    assert again["created_rows"] == 1
    (contact,) = await everybody(given)
    assert (contact["identifier"], contact["custom_attributes"]["plan"]) == ("=1+1", "@home")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("\ufeffName;Email\r\nJosé;jose@example.net\r\n", ["José"]),
        ("name\temail\nJosé\tjose@example.net", ["José"]),
        ("Phone Number,NAME\n+351912000111,Ana", ["Ana"]),
        (b"name,email\nJos\xe9,jose@example.net\n", ["Jos"]),
        ("\n\n,,\nname,email\nAna,a@b.c\n\n,\n", ["Ana"]),
        ("name,email\n", []),
        ("name,email,\nAna,a@b.c,\n", ["Ana"]),
        ("name,email\nAna\nBia,bia@example.net\n", ["Bia"]),
    ],
)
async def test_files_come_from_many_programs(given: Given, text: str | bytes, names: list[str]) -> None:
    shown = await imported(given, text)

    assert (shown["status"], shown["rejected_rows"]) == ("completed", 0)
    assert [contact["name"] for contact in await everybody(given)] == names


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('name,email\nAna,a@b.c\n"Bia,b@b.c\n', "A quote that is opened in row 3 is not closed"),
        ('name,email\nAna,a@b.c\n"Bia"x,b@b.c\n', "Row 3 cannot be read: ',' expected after '\"'"),
        ("name,email\rAna,a@b.c\r", "Row 1 cannot be read"),
        ("name,email\n" + "x" * (1024 * 1024 + 1), "too long"),
        ("a," * 501, "Row 1 has more than 500 cells"),
        (",\n", "The file has no header"),
    ],
)
async def test_of_a_broken_file_nothing_is_taken_in(given: Given, mailbox: Mailbox, text: str, error: str) -> None:
    shown = await imported(given, text)

    assert shown["status"] == "failed"
    assert error in shown["error"]
    assert await everybody(given) == []
    (mail,) = mailbox.of(given.boss.email)
    assert shown["error"] in text_of(mail)


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (None, "The file to import is missing: it comes as import_file of a multipart request"),
        (
            {"other": ("contacts.csv", b"name\nAna\n", "text/csv")},
            "The file to import is missing: it comes as import_file of a multipart request",
        ),
        (
            {"import_file": ("contacts.csv", b"", "text/csv")},
            "The file to import is missing: it comes as import_file of a multipart request",
        ),
        (
            {"import_file": ("contacts.csv", "name\nAna\n".encode("utf-16"), "text/csv")},
            "The file is not text in UTF-8",
        ),
        ({"import_file": ("contacts.xlsx", b"PK\x03\x04\x00\x00", "text/csv")}, "The file is not text in UTF-8"),
    ],
)
async def test_without_a_file_that_could_be_read_nothing_begins(api: Api, files: Any, error: str) -> None:
    reply = await api.post("/contacts/import", files=files)
    as_text = await api.post("/contacts/import", {"import_file": "name"})

    assert (reply.status, reply.json) == (422, {"error": error})
    assert (as_text.status, as_text.json) == (
        422,
        {"error": "The file to import is missing: it comes as import_file of a multipart request"},
    )
    assert (await api.get("/contacts/imports")).json == {"payload": []}


class Dies(Exception):
    """The worker is gone."""


async def test_a_worker_that_dies_half_way_leaves_no_row_out_and_takes_none_in_twice(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(jobs, "ROWS_A_JOB", 21)
    # Names alone say nothing of who is meant: each row that is taken in twice would be one contact more.
    rows = [f",{'' if number % 20 else 'wrong'},,Person {number},,,\n" for number in range(100)]
    reply = await send(given.api, HEADER + "".join(rows))
    import_id = int(reply.headers["location"].rpartition("/")[2])
    parts = given.world.parts
    files, context = parts.files, context_of(given)
    whole_open = files.open

    async def dying(key: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        chunks = await whole_open(key, start=start, length=length)
        text = b"".join([chunk async for chunk in chunks])

        async def some() -> AsyncIterator[bytes]:
            yield text[:300]
            raise Dies

        return some()

    params = ImportContacts(given.account_id, import_id)
    await jobs.import_contacts(context, params)
    deaths = 0
    for _ in range(100):
        monkeypatch.setattr(files, "open", dying)
        try:
            await jobs.import_contacts(context, params)
        except Dies:
            deaths += 1
        monkeypatch.setattr(files, "open", whole_open)
        await asyncio.gather(
            jobs.import_contacts(context, params), jobs.import_contacts(context, params), return_exceptions=True
        )
        shown = (await given.api.get(f"/contacts/imports/{import_id}")).json
        if shown["status"] == "completed":
            break

    assert deaths > 0
    assert (shown["processed_rows"], shown["created_rows"], shown["rejected_rows"]) == (100, 95, 5)
    async with parts.database.reading() as db:
        names = await db.fetch_values("SELECT name FROM contacts WHERE account_id = $1", given.account_id)
    assert sorted(names) == sorted({f"Person {number}" for number in range(100) if number % 20})
    assert len(await rejects(given, shown)) == 6


async def test_whoever_is_deleted_meanwhile_does_not_stand_among_the_rejected(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ROWS_A_JOB", 1)
    monkeypatch.setattr(jobs, "ROWS_AT_ONCE", 1)
    rosa = await given.contact("Rosa Lind")
    await given.worked()
    context = context_of(given)
    reply = await send(given.api, "name,email\nRosa Lind,wrong\nAna,ana@example.net\nBia,wrong too\n")
    params = ImportContacts(given.account_id, int(reply.headers["location"].rpartition("/")[2]))
    await jobs.import_contacts(context, params)

    await given.api.delete(f"/contacts/{rosa['id']}")
    await given.worked()

    shown = (await given.api.get(reply.headers["location"])).json
    assert (shown["status"], shown["processed_rows"], shown["rejected_rows"]) == ("completed", 3, 2)
    assert shown["rejects_url"] is None
    assert [stored for stored in files_of(given) if b"Rosa" in stored] == []
    assert await left_of_rejects(given) == 0


async def test_nor_where_they_are_deleted_while_the_rejected_rows_are_written(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    rosa = await given.contact("Rosa Lind")
    await given.worked()
    reply = await send(given.api, "name,email\nRosa Lind,wrong\nAna,ana@example.net\n")
    params = ImportContacts(given.account_id, int(reply.headers["location"].rpartition("/")[2]))
    files = given.world.parts.files
    whole_put = files.put

    async def put_too_late(key: str, content: Any, **options: Any) -> Any:
        """The bytes arrive after the deletion, and after the job that removes what it withdrew."""
        await given.api.delete(f"/contacts/{rosa['id']}")
        await given.relayed()
        return await whole_put(key, content, **options)

    monkeypatch.setattr(files, "put", put_too_late)
    await jobs.import_contacts(context_of(given), params)
    monkeypatch.setattr(files, "put", whole_put)
    await given.worked()

    shown = (await given.api.get(reply.headers["location"])).json
    assert (shown["status"], shown["rejected_rows"], shown["rejects_url"]) == ("completed", 1, None)
    assert [stored for stored in files_of(given) if b"Rosa" in stored] == []


async def test_what_was_sent_after_somebody_was_deleted_keeps_its_rejected_rows(given: Given) -> None:
    rosa = await given.contact("Rosa Lind")
    await given.api.delete(f"/contacts/{rosa['id']}")

    shown = await imported(given, "name,email\nAna,wrong\n")
    await given.worked()

    assert len(await rejects(given, shown)) == 2


async def test_two_files_with_the_same_people_at_once_make_each_of_them_once(given: Given) -> None:
    text = HEADER + "".join(f"crm-{number},,,Person,,,\n" for number in range(600))
    replies = await asyncio.gather(send(given.api, text), send(given.api, text))
    context = context_of(given)
    ids = [int(reply.headers["location"].rpartition("/")[2]) for reply in replies]

    await asyncio.gather(*[jobs.import_contacts(context, ImportContacts(given.account_id, each)) for each in ids])

    assert (await given.api.get("/contacts")).json["meta"]["count"] == 600


async def test_a_long_file_is_taken_in_by_several_jobs(given: Given) -> None:
    text = "identifier,name\n" + "".join(f"crm-{number},Person {number}\n" for number in range(10_300))

    shown = await imported(given, text)

    assert (shown["status"], shown["total_rows"], shown["created_rows"]) == ("completed", 10_300, 10_300)


async def test_imports_are_listed_newest_first_to_administrators_only(api: Api, given: Given) -> None:
    first, second = await imported(given, "name\nAna\n"), await imported(given, "name\nBia\n")
    agent, others = api.acting_as(await given.agent("Ana")), (await given.another_account()).api
    path = f"/contacts/imports/{first['id']}"

    with given.queries(at_most=2):
        listed = await api.get("/contacts/imports")

    assert listed.json == {"payload": [second, first]}
    assert [(await each).status for each in (agent.get(path), agent.get("/contacts/imports"), send(agent, "x"))] == [
        401
    ] * 3
    assert (await others.get(path)).status == 404
    assert (await others.get("/contacts/imports")).json == {"payload": []}
