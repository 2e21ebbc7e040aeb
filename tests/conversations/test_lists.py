from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given, Reply

from criachat.conversations.jobs import fold_counts
from criachat.kit import clock
from criachat.kit.jobs import JobContext

NO_COUNTS = {"mine_count": 0, "assigned_count": 0, "unassigned_count": 0, "all_count": 0}


async def lists(api: Api, **params: Any) -> Reply:
    reply = await api.get("/conversations", params=params)
    assert reply.status == 200, reply.body
    return reply


async def listed(api: Api, **params: Any) -> list[int]:
    """The numbers of the conversations on a page, in order."""
    return [each["id"] for each in (await lists(api, **params)).json["data"]["payload"]]


async def counted(api: Api, **params: Any) -> dict[str, int]:
    """The numbers behind the tabs; the list and the endpoint of the numbers alone say the same."""
    counts = (await api.get("/conversations/meta", params=params)).json["meta"]
    assert (await lists(api, **params)).json["data"]["meta"] == counts
    return counts


def ids(*conversations: Any) -> list[int]:
    return [each["id"] for each in conversations]


async def change(api: Api, conversation: Any, what: str, body: dict[str, Any]) -> Any:
    reply = await api.post(f"/conversations/{conversation['id']}/{what}", body)
    assert reply.status == 200, reply.body
    return conversation


async def test_a_list_shows_conversations_as_each_is_shown_alone(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    first, second = await given.conversation(), await given.conversation()
    await given.message(first, "Já a caminho", private=True)
    await change(api, second, "assignments", {"assignee_id": ana.id})

    reply = await lists(api)

    shown = [(await api.get(f"/conversations/{each['id']}")).json for each in (first, second)]
    counts = {"mine_count": 0, "assigned_count": 1, "unassigned_count": 1, "all_count": 2}
    assert reply.json == {"data": {"meta": counts, "payload": shown}}


async def test_a_list_is_one_query_for_the_page_and_one_for_the_counts(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    contact = await given.contact()
    for _ in range(26):
        await given.conversation(inbox=inbox, contact=contact, assignee_id=ana.id, message={"content": "Oi"})
    for caller in (api, api.acting_as(ana)):
        await caller.get("/conversations")

        with given.queries(at_most=2):
            assert len(await listed(caller)) == 25


async def test_a_list_shows_open_conversations_until_asked_for_others(api: Api, given: Given) -> None:
    of = {status: await given.conversation(status=status) for status in ("open", "pending", "resolved", "snoozed")}

    assert await listed(api) == await listed(api, status="open") == await listed(api, status="") == ids(of["open"])
    assert await listed(api, status="snoozed") == ids(of["snoozed"])
    several = {"status[]": ["open", "resolved", "open", "closed"]}
    assert await listed(api, **several) == ids(of["resolved"], of["open"])
    assert await listed(api, status="all") == ids(of["snoozed"], of["resolved"], of["pending"], of["open"])
    assert (await counted(api, status="all"))["all_count"] == 4
    assert await listed(api, status="closed") == []
    assert await counted(api, status="closed") == NO_COUNTS


async def test_a_list_has_every_order_of_the_contract(api: Api, given: Given) -> None:
    # Created in this order; who waits, who was heard of last and what is urgent are all in another one.
    low, urgent, plain, high = [await given.conversation() for _ in range(4)]
    await given.message(urgent, "Feito!")
    await given.message(high, "Feito também!")
    await given.message(low, "Liga para ela", private=True)
    for conversation, priority in ((low, "low"), (urgent, "urgent"), (high, "high")):
        await change(api, conversation, "toggle_priority", {"priority": priority})
    orders = {
        "created_at_asc": (low, urgent, plain, high),
        "created_at_desc": (high, plain, urgent, low),
        "last_activity_at_asc": (plain, urgent, high, low),
        "last_activity_at_desc": (low, high, urgent, plain),
        "priority_asc": (low, high, urgent, plain),
        "priority_desc": (urgent, high, low, plain),
        "waiting_since_asc": (low, plain, urgent, high),
        "waiting_since_desc": (plain, low, urgent, high),
    }
    aliases = {
        "latest": "last_activity_at_desc",
        "sort_on_created_at": "created_at_asc",
        "sort_on_priority": "priority_desc",
        "sort_on_waiting_since": "waiting_since_asc",
        "by_colour": "last_activity_at_desc",
    }

    found = {order: await listed(api, sort_by=order) for order in (*orders, *aliases)}

    expected = {order: ids(*conversations) for order, conversations in orders.items()}
    assert found == expected | {alias: expected[order] for alias, order in aliases.items()}


async def test_of_one_priority_the_newest_activity_comes_first(api: Api, given: Given) -> None:
    urgent = [await given.conversation() for _ in range(3)]
    for conversation in urgent:
        await change(api, conversation, "toggle_priority", {"priority": "urgent"})
    await given.message(urgent[0], "Olá!", private=True)

    expected = ids(urgent[0], urgent[2], urgent[1])
    assert await listed(api, sort_by="priority_asc") == await listed(api, sort_by="priority_desc") == expected


@pytest.mark.parametrize("order", ["last_activity_at_desc", "created_at_desc", "priority_desc", "waiting_since_desc"])
async def test_statuses_and_inboxes_are_merged_in_order(api: Api, given: Given, order: str) -> None:
    app, shop = await given.inbox("App"), await given.inbox("Loja")
    ana = await given.agent("Ana", inbox=app)
    await api.post("/inbox_members", {"inbox_id": shop["id"], "user_ids": [ana.id]})
    places = [(app, "open"), (shop, "resolved"), (app, "resolved"), (shop, "open"), (app, "pending"), (shop, "open")]
    for inbox, status in places:
        await given.conversation(inbox=inbox, status=status, message={"content": "Oi", "private": True})
    newest_first = await listed(api, status="all", sort_by=order)

    of_agent = await listed(api.acting_as(ana), status="all", sort_by=order)

    assert of_agent == newest_first == sorted(newest_first, reverse=True)
    assert len(newest_first) == len(places)


async def test_a_page_has_25_and_the_one_after_the_last_is_empty(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    conversations = [await given.conversation(inbox=inbox, contact=contact) for _ in range(27)]
    newest_first = ids(*reversed(conversations))

    pages = [(await lists(api, page=page)).json["data"] for page in (1, 2, 3)]

    assert [[each["id"] for each in page["payload"]] for page in pages] == [newest_first[:25], newest_first[25:], []]
    assert [page["meta"]["all_count"] for page in pages] == [27] * 3
    for junk in ("0", "-1", "x", "", "1.5", "\uff19", "9" * 30):
        assert await listed(api, page=junk) == newest_first[:25]
    assert await listed(api, page=99_999_999) == []


async def test_tabs_have_their_rows_and_share_their_numbers(api: Api, given: Given) -> None:
    davi, robot = await given.agent("Davi"), await given.bot()
    mine, davis, robots, nobodys = [await given.conversation() for _ in range(4)]
    await change(api, mine, "assignments", {"assignee_id": given.boss.id})
    await change(api, davis, "assignments", {"assignee_id": davi.id})
    await change(api, robots, "assignments", {"assignee_id": robot.id, "assignee_type": "AgentBot"})
    counts = {"mine_count": 1, "assigned_count": 2, "unassigned_count": 2, "all_count": 4}
    tabs = {
        "me": (mine,),
        "assigned": (davis, mine),
        "unassigned": (nobodys, robots),
        "all": (nobodys, robots, davis, mine),
        "everybody": (nobodys, robots, davis, mine),
    }

    for tab, expected in tabs.items():
        assert await listed(api, status="all", assignee_type=tab) == ids(*expected)
        assert await counted(api, status="all", assignee_type=tab) == counts


async def test_a_list_of_one_inbox_is_empty_for_whoever_is_not_in_it(api: Api, given: Given) -> None:
    app, shop = await given.inbox("App"), await given.inbox("Loja")
    ana = api.acting_as(await given.agent("Ana", inbox=app))
    in_app, in_shop = await given.conversation(inbox=app), await given.conversation(inbox=shop)

    assert await listed(api, inbox_id=shop["id"]) == ids(in_shop)
    assert await listed(ana, inbox_id=app["id"]) == ids(in_app)
    for nothing in (shop["id"], "", "x", 0, -1, 10**6, "9" * 40):
        assert await listed(ana, inbox_id=nothing) == []
        assert await counted(ana, inbox_id=nothing) == NO_COUNTS


async def test_a_list_of_one_team_needs_a_team(api: Api, given: Given) -> None:
    team, others = await given.team(), await given.another_account()
    theirs = await others.team()
    with_team, _ = await given.conversation(team_id=team["id"]), await given.conversation()

    assert await listed(api, team_id=team["id"]) == ids(with_team)
    assert (await counted(api, team_id=team["id"]))["all_count"] == 1
    for unknown in (theirs["id"], "", "x", 0, "9" * 40):
        for path in ("/conversations", "/conversations/meta"):
            reply = await api.get(path, params={"team_id": unknown})
            assert (reply.status, reply.json) == (404, {"error": "Resource could not be found"})


async def test_labels_find_conversations_that_have_one_of_them(api: Api, given: Given) -> None:
    vip, late, _ = [await given.conversation() for _ in range(3)]
    await change(api, vip, "labels", {"labels": ["vip", "envio"]})
    await change(api, late, "labels", {"labels": ["atraso"]})

    assert await listed(api, labels="VIP") == ids(vip)
    assert await listed(api, labels="vip, atraso") == ids(late, vip)
    assert await listed(api, **{"labels[]": ["atraso", "nada"]}) == ids(late)
    assert (await counted(api, labels="vip,atraso"))["all_count"] == 2
    for nothing in ({"labels": "nada"}, {"labels": ""}, {"labels": " , "}, {"labels[]": [""]}):
        assert await listed(api, **nothing) == []
        assert await counted(api, **nothing) == NO_COUNTS


async def test_unattended_conversations_were_never_answered_or_wait_again(api: Api, given: Given) -> None:
    new, answered, asked_again = [await given.conversation() for _ in range(3)]
    for conversation in (answered, asked_again):
        await given.message(conversation, "Olá!")
    await given.message(asked_again, "E agora?", message_type="incoming")

    assert await listed(api, conversation_type="unattended") == ids(asked_again, new)
    assert (await counted(api, conversation_type="unattended"))["all_count"] == 2
    assert await listed(api, conversation_type="fun") == ids(asked_again, answered, new)


async def test_participating_narrows_a_list_down_and_widens_nothing(api: Api, given: Given) -> None:
    app, shop = await given.inbox("App"), await given.inbox("Loja")
    ana = await given.agent("Ana", inbox=app)
    once_hers, _, in_shop = [await given.conversation(inbox=inbox) for inbox in (app, app, shop)]
    for conversation in (once_hers, in_shop):
        await change(api, conversation, "assignments", {"assignee_id": ana.id})
    await change(api, once_hers, "assignments", {"assignee_id": None})

    assert await listed(api.acting_as(ana), conversation_type="participating") == ids(once_hers)
    assert (await counted(api.acting_as(ana), conversation_type="participating"))["all_count"] == 1
    assert await listed(api, conversation_type="participating") == []


async def test_a_conversation_opened_for_somebody_has_them_participate(api: Api, given: Given) -> None:
    conversation = await given.conversation(assignee_id=given.boss.id)

    assert await listed(api, conversation_type="participating") == ids(conversation)


async def test_words_are_looked_for_in_what_was_said(api: Api, given: Given) -> None:
    told, noted, resolved, _ = [await given.conversation() for _ in range(4)]
    await given.message(told, "Desconto de 50% no CUPOM_10")
    await given.message(noted, "oferecer o cupom_10", private=True)
    await given.message(resolved, "cupom_10 usado", message_type="incoming")
    await change(api, resolved, "toggle_status", {"status": "resolved"})

    assert await listed(api, q="cupom_10") == ids(resolved, noted, told)
    assert await listed(api, q="50%") == ids(told)
    assert await listed(api, q="cupom-10") == await listed(api, q="cupom%usado") == []
    assert (await counted(api, q="cupom_10", status="open"))["all_count"] == 3
    assert len(await listed(api, q="")) == 4


async def test_what_the_product_tells_in_a_thread_is_not_what_was_said(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await change(api, conversation, "toggle_status", {"status": "resolved"})
    await given.relayed()

    assert await listed(api, q="resolved by") == []


async def test_a_session_is_found_by_its_source_id(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    first = await given.conversation(inbox=inbox, contact=contact, source_id="wa-5511")
    again = await given.conversation(inbox=inbox, contact=contact, source_id="wa-5511")
    await given.conversation(inbox=inbox, contact=contact, source_id="wa-55119")

    assert await listed(api, source_id="wa-5511") == ids(again, first)
    assert await listed(api, source_id="wa-551") == []
    assert (await counted(api, source_id="wa-5511"))["all_count"] == 2


async def test_what_was_updated_lately_comes_without_pages(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    clock.travel(timedelta(minutes=-10))
    old = [await given.conversation(inbox=inbox, contact=contact) for _ in range(2)]
    clock.stand_by()
    new = [await given.conversation(inbox=inbox, contact=contact) for _ in range(26)]
    await change(api, old[0], "labels", {"labels": ["vip"]})

    found = await listed(api, updated_within=60, page=2)

    assert found == ids(*reversed(new), old[0])
    assert (await counted(api, updated_within=60))["all_count"] == 27
    assert len(await listed(api, updated_within=3600)) == 28
    assert await listed(api, updated_within=0) == await listed(api, updated_within=-5) == []


async def test_counts_stay_right_while_conversations_change_at_once_and_are_folded(
    api: Api, given: Given, context: JobContext
) -> None:
    ana, team = await given.agent("Ana"), await given.team()
    conversations = [await given.conversation() for _ in range(6)]
    await asyncio.gather(
        *(change(api, each, "assignments", {"assignee_id": ana.id}) for each in conversations[:4]),
        *(change(api, each, "toggle_status", {"status": "resolved"}) for each in conversations[3:]),
        *(change(api, each, "assignments", {"team_id": team["id"]}) for each in conversations[5:]),
        *(change(api, each, "labels", {"labels": ["vip", "envio"]}) for each in conversations[2:]),
        *(change(api, each, "toggle_priority", {"priority": "high"}) for each in conversations[:3]),
    )
    await change(api, conversations[2], "labels", {"labels": ["envio"]})
    expected = {"mine_count": 0, "assigned_count": 3, "unassigned_count": 0, "all_count": 3}

    async def counts() -> list[Any]:
        urgent = {"attribute_key": "priority", "filter_operator": "equal_to", "values": ["high"]}
        listed = [await counted(api), await counted(api, status="all", team_id=team["id"])]
        labelled = [await counted(api, labels="vip"), await counted(api, status="all", labels="envio")]
        filtered = (await api.post("/conversations/filter", {"payload": [urgent]})).json["meta"]
        return [listed[0], *(each["all_count"] for each in (listed[1], *labelled, filtered))]

    before = await counts()

    await fold_counts(context)
    await fold_counts(context)

    assert before == [expected, 1, 0, 4, 3]
    assert await counts() == before


async def test_agents_list_what_is_in_their_inboxes_and_not_what_is_in_their_teams(api: Api, given: Given) -> None:
    app, shop = await given.inbox("App"), await given.inbox("Loja")
    ana = await given.agent("Ana", inbox=app)
    team = await given.team("vendas", ana)
    in_app = await given.conversation(inbox=app)
    in_shop = await given.conversation(inbox=shop, team_id=team["id"], assignee_id=ana.id)

    assert await listed(api.acting_as(ana)) == ids(in_app)
    assert (await counted(api.acting_as(ana)))["all_count"] == 1
    assert await listed(api.acting_as(ana), assignee_type="me") == []
    assert (await api.acting_as(ana).get(f"/conversations/{in_shop['id']}")).status == 200
    assert await listed(api) == ids(in_shop, in_app)


async def test_bots_strangers_and_other_accounts_list_nothing(api: Api, given: Given) -> None:
    others = await given.another_account()
    await given.conversation()
    robot = await given.bot()

    for path in ("/conversations", "/conversations/meta"):
        assert (await api.acting_as(robot).get(path)).json == {
            "error": "Access to this endpoint is not authorized for bots"
        }
        assert (await api.acting_as(None).get(path)).status == 401
        assert (await others.api.in_account(given.account_id).get(path)).status == 401
    assert await listed(others.api, status="all") == []


async def test_a_contact_shows_the_newest_twenty_of_every_status(api: Api, given: Given) -> None:
    app, shop = await given.inbox("App"), await given.inbox("Loja")
    contact = await given.contact()
    in_shop = await given.conversation(inbox=shop, contact=contact)
    conversations = [await given.conversation(inbox=app, contact=contact) for _ in range(20)]
    await given.conversation(inbox=app)
    await change(api, conversations[7], "toggle_status", {"status": "resolved"})
    ana = await given.agent("Ana", inbox=shop)
    path = f"/contacts/{contact['id']}/conversations"

    reply = await api.get(path)

    assert reply.status == 200
    assert list(reply.json) == ["payload"]
    assert [each["id"] for each in reply.json["payload"]] == ids(*reversed(conversations))
    assert reply.json["payload"][0] == (await api.get(f"/conversations/{conversations[-1]['id']}")).json
    assert [each["id"] for each in (await api.acting_as(ana).get(path)).json["payload"]] == ids(in_shop)
    with given.queries(at_most=2):
        await api.get(path)


async def test_conversations_of_an_unknown_contact_are_not_found(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = await others.contact()

    for contact_id in (theirs["id"], 0, 10**9, "x"):
        reply = await api.get(f"/contacts/{contact_id}/conversations")
        assert (reply.status, reply.json) == (404, {"error": "Resource could not be found"})
    path = f"/contacts/{(await given.contact())['id']}/conversations"
    assert (await api.acting_as(await given.bot()).get(path)).status == 401
    assert (await api.acting_as(None).get(path)).status == 401
