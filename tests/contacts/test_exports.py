"""Files of contacts that are written: who stands in them, how, for whom, and for how long."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given
from mailserver import Mailbox, text_of

from criachat.contacts.events import ContactDeleted
from criachat.contacts.listeners import withdraw_files_that_show_them
from criachat.kit import clock


async def exported(given: Given, body: Any = None) -> Any:
    reply = await given.api.post("/contacts/export", body or {})
    assert (reply.status, reply.body) == (200, b""), reply.body
    await given.worked()
    return (await given.api.get(reply.headers["location"])).json


async def rows_of(given: Given, shown: Any) -> list[list[str]]:
    """The file, as whoever has its link reads it."""
    reply = await given.api.acting_as(None).get(path_of(shown))
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/csv")
    assert reply.headers["content-disposition"].startswith("attachment")
    assert reply.headers["x-content-type-options"] == "nosniff"
    return list(csv.reader(io.StringIO(reply.body.decode(), newline="")))


def path_of(shown: Any) -> str:
    return shown["download_url"].removeprefix("http://criachat.test")


def where(key: str, value: str) -> dict[str, Any]:
    return {"attribute_key": key, "filter_operator": "equal_to", "values": [value], "query_operator": None}


async def test_all_known_contacts_stand_in_the_file_and_its_link_is_mailed(given: Given, mailbox: Mailbox) -> None:
    ana = await given.contact("Ana", email="ana@example.net", phone_number="+351912000111")
    bia = await given.contact("Bia", email="bia@example.net")
    await given.api.post("/contacts", {"name": "Nobody one could write to"})
    await (await given.another_account()).contact("Somebody elsewhere")

    shown = await exported(given)

    assert (shown["status"], shown["exported_rows"]) == ("completed", 2)
    assert await rows_of(given, shown) == [
        ["id", "name", "email", "phone_number"],
        [str(ana["id"]), "Ana", "ana@example.net", "+351912000111"],
        [str(bia["id"]), "Bia", "bia@example.net", ""],
    ]
    (mail,) = mailbox.of(given.boss.email)
    assert path_of(shown).rpartition("/")[0] in text_of(mail)
    assert "Contacts in it: 2." in text_of(mail)


async def test_columns_are_those_of_contacts_that_were_asked_for(given: Given) -> None:
    await given.contact("Ana", blocked=True, custom_attributes={"plan": "gold"}, additional_attributes={"city": "Faro"})

    shown = await exported(
        given,
        {
            "column_names": [
                "custom_attributes",
                "name",
                "token",
                "blocked",
                "location",
                "last_activity_at",
                "created_at",
            ]
        },
    )
    unknown = await exported(given, {"column_names": ["token"]})

    header, row = await rows_of(given, shown)
    assert header == ["name", "created_at", "last_activity_at", "custom_attributes", "location", "blocked"]
    assert [row[0], row[2], *row[3:]] == ["Ana", "", '{"plan":"gold"}', "Faro", "true"]
    assert row[1].endswith("Z")
    assert (await rows_of(given, unknown))[0] == ["id", "name", "email", "phone_number"]


async def test_a_file_shows_those_for_whom_conditions_hold_and_who_have_the_label(given: Given) -> None:
    definition = {"attribute_display_name": "Plan", "attribute_key": "plan", "attribute_model": "contact_attribute"}
    await given.api.post("/custom_attribute_definitions", definition)
    ana = await given.contact("Ana", custom_attributes={"plan": "gold"})
    await given.contact("Bia", custom_attributes={"plan": "gold"})
    caio = await given.contact("Caio")
    for contact in (ana, caio):
        await given.api.post(f"/contacts/{contact['id']}/labels", {"labels": ["vip"]})

    by_plan = await exported(given, {"column_names": ["name"], "payload": [where("plan", "gold")]})
    by_label = await exported(given, {"column_names": ["name"], "label": "VIP"})
    by_both = await exported(given, {"column_names": ["name"], "label": "vip", "payload": [where("plan", "gold")]})

    files = [await rows_of(given, each) for each in (by_plan, by_label, by_both)]
    assert files == [[["name"], ["Ana"], ["Bia"]], [["name"], ["Ana"], ["Caio"]], [["name"], ["Ana"]]]


@pytest.mark.parametrize("name", ["=1+1", "+SUM(A1)", "-2+3", "@cmd", "\t=1", '=HYPERLINK("http://x","y")', "=1\n+1"])
async def test_no_program_takes_a_cell_for_a_formula(given: Given, name: str) -> None:
    contact = await given.contact(name)

    rows = await rows_of(given, await exported(given, {"column_names": ["id", "name"]}))

    assert rows[1] == [str(contact["id"]), "'" + name]


@pytest.mark.parametrize(
    "body", [{"payload": [where("shoes", "42")]}, {"payload": "all"}, {"column_names": ["x"] * 101}]
)
async def test_what_no_list_could_read_is_refused(given: Given, body: Any) -> None:
    reply = await given.api.post("/contacts/export", body)

    assert reply.status == 422
    assert (await given.api.get("/contacts/exports")).json == {"payload": []}


async def test_a_file_whose_attribute_is_gone_meanwhile_is_not_written(given: Given) -> None:
    definition = {"attribute_display_name": "Plan", "attribute_key": "plan", "attribute_model": "contact_attribute"}
    made = (await given.api.post("/custom_attribute_definitions", definition)).json
    reply = await given.api.post("/contacts/export", {"payload": [where("plan", "gold")]})
    await given.api.delete(f"/custom_attribute_definitions/{made['id']}")
    await given.worked()

    shown = (await given.api.get(reply.headers["location"])).json

    assert (shown["status"], shown["download_url"]) == ("failed", None)


async def test_a_link_is_forged_by_nobody_and_is_over_after_some_days(given: Given) -> None:
    await given.contact("Ana")
    shown = await exported(given)
    path = path_of(shown)
    forged = path.replace("--", "--0")

    assert (await given.api.acting_as(None).get(forged)).status == 404
    clock.travel(timedelta(days=15))
    assert (await given.api.acting_as(None).get(path)).status == 404


async def test_a_file_goes_after_seven_days(given: Given) -> None:
    await given.contact("Ana")
    shown = await exported(given)
    clock.travel(timedelta(days=7, minutes=1))

    await given.world.parts.jobs.drain(ahead=timedelta(hours=1))

    again = (await given.api.get(f"/contacts/exports/{shown['id']}")).json
    assert (again["status"], again["download_url"]) == ("withdrawn", None)
    assert (await given.api.acting_as(None).get(path_of(shown))).status == 404


async def test_whoever_is_deleted_stands_in_no_file_any_more(given: Given) -> None:
    ana = await given.contact("Ana")
    shown = await exported(given)

    await given.api.delete(f"/contacts/{ana['id']}")
    await given.worked()
    await given.worked()

    assert (await given.api.acting_as(None).get(path_of(shown))).status == 404
    assert (await given.api.get(f"/contacts/exports/{shown['id']}")).json["status"] == "withdrawn"
    assert (await rows_of(given, await exported(given)))[1:] == []


async def test_exports_are_for_administrators_of_the_account(api: Api, given: Given) -> None:
    shown = await exported(given)
    agent, others = api.acting_as(await given.agent("Ana")), (await given.another_account()).api
    path = f"/contacts/exports/{shown['id']}"

    with given.queries(at_most=2):
        listed = await api.get("/contacts/exports")

    assert listed.json == {"payload": [{**shown, "download_url": listed.json["payload"][0]["download_url"]}]}
    refused = [await agent.get(path), await agent.get("/contacts/exports"), await agent.post("/contacts/export", {})]
    assert [reply.status for reply in refused] == [401] * 3
    assert (await others.get(path)).status == 404


async def test_a_deletion_heard_twice_withdraws_once_and_elsewhere_nothing(given: Given) -> None:
    others = await given.another_account()
    await given.contact("Ana")
    ours, theirs = await exported(given), await exported(others)
    event = await deletion(given)
    for _ in range(2):
        async with given.world.parts.database.transaction() as tx:
            await withdraw_files_that_show_them(tx, [event])
        assert await given.world.parts.jobs.drain() == []

    after = await exported(given)

    statuses = [(await given.api.get(f"/contacts/exports/{each['id']}")).json["status"] for each in (ours, after)]
    assert statuses == ["withdrawn", "completed"]
    assert (await rows_of(others, theirs))[0] == ["id", "name", "email", "phone_number"]


async def deletion(given: Given) -> ContactDeleted:
    """What is told when somebody is deleted, not heard yet."""
    contact = await given.contact("Bia")
    await given.api.delete(f"/contacts/{contact['id']}")
    (event,) = await given.emitted(ContactDeleted)
    return event
