from __future__ import annotations

import pytest
from apps import CLIENT_API, open_app
from harness import Api, Given

NO_SUCH_PAGE = {"status": 404, "error": "Not Found"}


async def test_an_app_learns_what_it_may_know_of_its_inbox(api: Api, given: Given) -> None:
    inbox = await given.inbox("Loja", timezone="America/Sao_Paulo", channel={"hmac_mandatory": True})

    with given.queries(at_most=2):
        reply = await api.acting_as(None).get(f"{CLIENT_API}/inboxes/{inbox['inbox_identifier']}")

    assert reply.status == 200
    closed = {"closed_all_day": True, "open_hour": None, "open_minutes": None, "close_hour": None}
    open_day = {"closed_all_day": False, "open_hour": 9, "open_minutes": 0, "close_hour": 17}
    assert reply.json == {
        "identifier": inbox["inbox_identifier"],
        "identity_validation_enabled": True,
        "name": "Loja",
        "timezone": "America/Sao_Paulo",
        "working_hours": [
            {"day_of_week": 0, **closed, "close_minutes": None, "open_all_day": False},
            *({"day_of_week": day, **open_day, "close_minutes": 0, "open_all_day": False} for day in range(1, 6)),
            {"day_of_week": 6, **closed, "close_minutes": None, "open_all_day": False},
        ],
        "working_hours_enabled": False,
        "csat_survey_enabled": False,
        "greeting_enabled": False,
    }


@pytest.mark.parametrize("identifier", ["unknown", "1", "%20", "x" * 2000, "a%00b", "ação"])
async def test_an_inbox_that_does_not_exist_is_not_found(api: Api, identifier: str) -> None:
    reply = await api.acting_as(None).get(f"{CLIENT_API}/inboxes/{identifier}")

    assert (reply.status, reply.json) == (404, NO_SUCH_PAGE)


async def test_an_inbox_that_was_deleted_is_not_found(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    await api.delete(f"/inboxes/{inbox['id']}")

    reply = await api.acting_as(None).get(f"{CLIENT_API}/inboxes/{inbox['inbox_identifier']}")

    assert (reply.status, reply.json) == (404, NO_SUCH_PAGE)


async def test_an_access_token_changes_nothing_here(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    path = f"{CLIENT_API}/inboxes/{inbox['inbox_identifier']}.json"

    replies = [await caller.get(path) for caller in (api, api.acting_as(await given.bot()), api.acting_as(None))]

    assert [reply.status for reply in replies] == [200, 200, 200]
    assert len({reply.body for reply in replies}) == 1


async def test_what_an_inbox_asks_of_apps_changes_at_once(api: Api, given: Given) -> None:
    app = await open_app(given)
    path = f"/inboxes/{app.inbox['id']}"
    statuses: list[int] = []

    async def look() -> None:
        await api.get("/inboxes")
        statuses.append((await app.get("/conversations")).status)

    await look()
    for is_mandatory in (True, False):
        await api.patch(path, {"channel": {"hmac_mandatory": is_mandatory}})
        await look()
    await api.post(f"{path}/reset_identifier")
    await look()

    assert statuses == [200, 401, 200, 404]
