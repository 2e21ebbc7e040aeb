from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from apps import CLIENT_API, App, open_app
from harness import BASE_URL, Api, Given
from shapes import misfits, one_of

from criachat.kit import clock

PATH = "/csat_survey_responses"
CONTACT: dict[str, Any] = {
    "additional_attributes": dict,
    "availability_status": str,
    "email": one_of(str, None),
    "id": int,
    "name": one_of(str, None),
    "phone_number": one_of(str, None),
    "blocked": bool,
    "identifier": one_of(str, None),
    "thumbnail": str,
    "custom_attributes": dict,
    "last_activity_at?": int,
    "created_at": int,
}
ANSWER: dict[str, Any] = {
    "id": int,
    "rating": int,
    "feedback_message": one_of(str, None),
    "csat_review_notes": one_of(str, None),
    "review_notes_updated_at": one_of(int, None),
    "review_notes_updated_by?": {"id": int, "name": str},
    "account_id": int,
    "message_id": int,
    "contact?": CONTACT,
    "conversation_id": int,
    "assigned_agent?": dict,
    "created_at": int,
}


async def surveyed_inbox(given: Given) -> Any:
    return await given.inbox("Loja", csat_survey_enabled=True)


async def rated(
    given: Given, app: App, rating: int, *, agent_id: int | None = None, team_id: int | None = None, **answer: Any
) -> Any:
    """A conversation that was resolved and rated."""
    conversation = await app.conversation()
    path = f"/conversations/{conversation['id']}"
    for assignment in ({"assignee_id": agent_id}, {"team_id": team_id}):
        if any(assignment.values()):
            assert (await given.api.post(f"{path}/assignments", assignment)).status == 200
    await app.post(f"{path}/toggle_status")
    await given.relayed()
    values = {"csat_survey_response": {"rating": rating, **answer}}
    survey = f"{CLIENT_API}/csat_survey/{conversation['uuid']}"
    reply = await given.api.acting_as(None).put(survey, {"message": {"submitted_values": values}})
    assert reply.status == 200, reply.body
    return conversation


async def found(api: Api, query: str = "") -> list[int]:
    """The ratings that are listed."""
    reply = await api.get(f"{PATH}{query}")
    assert reply.status == 200, reply.body
    return [each["rating"] for each in reply.json]


async def test_administrators_read_what_contacts_answered(api: Api, given: Given) -> None:
    app = await open_app(given, await surveyed_inbox(given), email="rosa@example.net")
    ana = await given.agent("Ana", inbox=app.inbox)
    conversation = await rated(given, app, 4, agent_id=ana.id, feedback_message="quick help")

    with given.queries(at_most=4):
        reply = await api.get(PATH)

    assert misfits(reply.json, [ANSWER]) == []
    (answer,) = reply.json
    contact, agent = answer["contact"], answer["assigned_agent"]
    assert answer == {
        "id": answer["id"],
        "rating": 4,
        "feedback_message": "quick help",
        "csat_review_notes": None,
        "review_notes_updated_at": None,
        "account_id": given.account_id,
        "message_id": answer["message_id"],
        "contact": contact,
        "conversation_id": conversation["id"],
        "assigned_agent": agent,
        "created_at": answer["created_at"],
    }
    assert (contact["id"], contact["email"]) == (app.session["id"], "rosa@example.net")
    assert agent == next(each for each in (await api.get("/agents")).json if each["id"] == ana.id)
    assert abs(answer["created_at"] - clock.unix()) < 60


async def test_an_answer_of_nobodys_conversation_names_nobody(api: Api, given: Given) -> None:
    await rated(given, await open_app(given, await surveyed_inbox(given)), 4)

    (answer,) = (await api.get(PATH)).json

    assert "assigned_agent" not in answer
    assert "review_notes_updated_by" not in answer


async def test_answers_are_paged_and_sorted_by_time(api: Api, given: Given) -> None:
    app = await open_app(given, await surveyed_inbox(given))
    ratings = [number % 5 + 1 for number in range(27)]
    for rating in ratings:
        await rated(given, app, rating)

    assert await found(api) == ratings[:25]
    assert await found(api, "?page=2") == ratings[25:]
    assert await found(api, "?page=3") == []
    assert await found(api, "?sort=created_at&page=junk") == ratings[:25]
    assert await found(api, "?sort=-created_at") == ratings[:1:-1]


async def test_answers_are_found_by_period_agent_inbox_team_and_rating(api: Api, given: Given) -> None:
    inbox, other = await surveyed_inbox(given), await surveyed_inbox(given)
    ana, team = await given.agent("Ana"), (await api.post("/teams", {"name": "Sales"})).json
    app = await open_app(given, inbox)
    began = int(clock.unix())
    await rated(given, app, 1)
    await rated(given, app, 2, agent_id=ana.id)
    await rated(given, app, 3, team_id=team["id"])
    await rated(given, await open_app(given, other), 4)
    clock.travel(timedelta(days=1))
    await rated(given, app, 5)
    later = int(clock.unix())

    assert await found(api, f"?since={began}&until={later - 3600}") == [1, 2, 3, 4]
    assert await found(api, f"?since={later - 3600}&until={later + 60}") == [5]
    assert await found(api, f"?since={later - 3600}") == [1, 2, 3, 4, 5]
    assert await found(api, f"?user_ids={ana.id}") == await found(api, f"?user_ids[]={ana.id}&user_ids[]=0") == [2]
    assert await found(api, f"?inbox_id={other['id']}") == [4]
    assert await found(api, f"?team_id={team['id']}") == [3]
    assert await found(api, "?rating=5") == await found(api, "?rating[]=5&rating[]=9") == [5]
    assert await found(api, "?conversation_id=1") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "query",
    [
        "since=x&until=y",
        "since=-1&until=1",
        f"since={'9' * 30}&until={'9' * 400}",
        "user_ids=x",
        "user_ids[][a]=1",
        f"inbox_id={'9' * 30}",
        "team_id[]=1",
        "rating=0",
        "rating=x",
        f"rating={2**40}",
        "sort=id;drop",
        "page=-1",
    ],
)
@pytest.mark.parametrize("path", [PATH, f"{PATH}/metrics", f"{PATH}/download"])
async def test_a_filter_that_cannot_be_is_answered_cleanly(api: Api, path: str, query: str) -> None:
    reply = await api.get(f"{path}?{query}")

    assert reply.status in (200, 422)


async def test_ratings_are_counted(api: Api, given: Given) -> None:
    app = await open_app(given, await surveyed_inbox(given))
    for rating in (5, 5, 1):
        await rated(given, app, rating)
    unanswered = await app.conversation()
    await app.post(f"/conversations/{unanswered['id']}/toggle_status")
    await given.relayed()

    with given.queries(at_most=2):
        reply = await api.get(f"{PATH}/metrics")

    assert (reply.status, reply.json) == (
        200,
        {"total_count": 3, "ratings_count": {"1": 1, "5": 2}, "total_sent_messages_count": 4},
    )
    filtered = (await api.get(f"{PATH}/metrics?rating=1")).json
    assert filtered == {"total_count": 1, "ratings_count": {"1": 1}, "total_sent_messages_count": 4}


async def test_where_nobody_answered_nothing_is_counted(api: Api) -> None:
    reply = await api.get(f"{PATH}/metrics")

    assert reply.json == {"total_count": 0, "ratings_count": {}, "total_sent_messages_count": 0}


def period() -> str:
    now = int(clock.unix())
    return f"since={now - 3600}&until={now + 3600}"


async def test_answers_are_downloaded_as_a_table(api: Api, given: Given) -> None:
    app = await open_app(given, await surveyed_inbox(given), email="rosa@example.net", phone_number="+4915112345678")
    ana = await given.agent("Ana", inbox=app.inbox)
    conversation = await rated(given, app, 4, agent_id=ana.id, feedback_message='quick, "good" help')

    reply = await api.get(f"{PATH}/download?{period()}")

    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/csv")
    assert reply.headers["content-disposition"] == 'attachment; filename="csat_report.csv"'
    head, line, end = csv.reader(io.StringIO(reply.body.decode()))
    assert len(head) == 8
    assert line[:6] == [
        f"Ana ({ana.email})",
        "4",
        'quick, "good" help',
        "Rosa Lind",
        "rosa@example.net",
        "+4915112345678",
    ]
    assert line[6] == f"{BASE_URL}/app/accounts/{given.account_id}/conversations/{conversation['id']}"
    assert end[0].startswith("Reporting period 20")


async def test_a_table_holds_all_answers_and_runs_nothing(api: Api, given: Given) -> None:
    app = await open_app(given, await surveyed_inbox(given), name="=1+1")
    for number in range(3):
        await rated(given, app, 5, feedback_message=f"@SUM({number})")

    reply = await api.get(f"{PATH}/download?{period()}")

    _, *lines, _ = csv.reader(io.StringIO(reply.body.decode()))
    assert [(line[2], line[3]) for line in lines] == [(f"'@SUM({number})", "'=1+1") for number in range(3)]


@pytest.mark.parametrize("query", ["", "since=1", "until=1", "since=x&until=1"])
async def test_a_table_is_of_a_period(api: Api, query: str) -> None:
    reply = await api.get(f"{PATH}/download?{query}")

    sentence = "param is missing or the value is empty: since and until"
    assert (reply.status, reply.json) == (422, {"error": sentence})


@pytest.mark.parametrize("path", [PATH, f"{PATH}/metrics", f"{PATH}/download"])
async def test_administrators_and_those_whose_role_reads_reports_read_answers_and_nobody_else(
    api: Api, given: Given, path: str
) -> None:
    ana, rui = await given.agent("Ana"), await given.agent("Rui")
    await given.custom_role("report_manage", of=rui)
    await given.custom_role("contact_manage", name="Cadastro", of=ana)
    others = await given.another_account()
    callers = [api.acting_as(ana), api.acting_as(await given.bot()), api.acting_as(None)]
    callers += [api.acting_as(await given.agent("Eva")), others.api.in_account(given.account_id)]
    period = {"since": 1, "until": 2}

    replies = [await caller.get(path, params=period) for caller in callers]
    by_role = await api.acting_as(rui).get(path, params=period)

    assert [reply.status for reply in replies] == [401] * 5
    assert (by_role.status, by_role.body) == (200, (await api.get(path, params=period)).body)


async def test_answers_of_another_account_are_not_told_of(api: Api, given: Given) -> None:
    others = await given.another_account()
    await rated(others, await open_app(others, await surveyed_inbox(others)), 5)

    assert await found(api) == []
    assert (await api.get(f"{PATH}/metrics")).json["total_sent_messages_count"] == 0
    table: list[list[str]] = [*csv.reader(io.StringIO((await api.get(f"{PATH}/download?{period()}")).body.decode()))]
    assert len(table) == 2
