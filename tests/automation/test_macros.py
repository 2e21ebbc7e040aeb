"""Macros: kept, shared, and executed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from apps import PNG
from harness import Api, Given, Reply

from criachat.automation.jobs import RunMacro, run_macro
from criachat.conversations.events import (
    AssigneeChanged,
    ConversationStatusChanged,
    ConversationUpdated,
    TeamChanged,
)
from criachat.kit import clock
from criachat.kit.jobs import JobContext
from criachat.messages.events import MessageCreated

PATH = "/macros"
SPAM: dict[str, Any] = {
    "name": "Close as spam",
    "actions": [
        {"action_name": "add_label", "action_params": ["spam"]},
        {"action_name": "resolve_conversation", "action_params": []},
    ],
}


def doing(*actions: tuple[str, Sequence[Any]]) -> dict[str, Any]:
    return {
        "name": "Macro",
        "actions": [{"action_name": name, "action_params": list(params)} for name, params in actions],
    }


async def macro(api: Api, body: dict[str, Any] = SPAM, **fields: Any) -> Any:
    reply = await api.post(PATH, {**body, **fields})
    assert reply.status == 200, reply.body
    return reply.json["payload"]


async def executed(given: Given, api: Api, kept: Any, *conversations: Any) -> None:
    ids = [each["id"] for each in conversations]
    reply = await api.post(f"{PATH}/{kept['id']}/execute", {"conversation_ids": ids})
    assert (reply.status, reply.body) == (200, b"")
    await given.worked()
    await given.relayed()


async def runs_of(given: Given) -> list[int]:
    """Of each run that there is to be, that it is one."""
    async with given.world.parts.database.reading() as db:
        return await db.fetch_values("SELECT 1 FROM macro_runs WHERE account_id = $1", given.account_id)


async def shown(api: Api, conversation: Any) -> Any:
    return (await api.get(f"/conversations/{conversation['id']}")).json


async def thread(api: Api, conversation: Any) -> list[tuple[int, bool, str]]:
    payload = (await api.get(f"/conversations/{conversation['id']}/messages?after=0")).json["payload"]
    return [(each["message_type"], each["private"], each["content"]) for each in payload]


async def test_a_macro_is_created_shown_changed_and_removed(api: Api, given: Given) -> None:
    created = await api.post(PATH, {**SPAM, "visibility": "global"})
    path = f"{PATH}/{created.json['payload']['id']}"
    kept = await api.get(path)
    changed = await api.patch(path, {"name": "Spam"})
    removed = await api.delete(path)
    gone = await api.get(path)

    payload = created.json["payload"]
    assert payload == {
        "id": payload["id"],
        "name": "Close as spam",
        "visibility": "global",
        "created_by": payload["created_by"],
        "updated_by": payload["created_by"],
        "account_id": given.account_id,
        "actions": SPAM["actions"],
    }
    assert (payload["created_by"]["id"], payload["created_by"]["name"]) == (given.boss.id, "Beatriz")
    assert kept.json == created.json
    assert changed.json == {"payload": {**payload, "name": "Spam"}}
    assert (removed.status, removed.body) == (200, b"")
    assert (gone.status, gone.body) == (404, b"")


async def test_everybody_lists_those_of_all_and_their_own(api: Api, given: Given) -> None:
    ana, caio = api.acting_as(await given.agent("Ana")), api.acting_as(await given.agent("Caio"))
    shared = await macro(api, visibility="global")
    await macro(api)
    of_ana = await macro(ana, visibility="global")

    with given.queries(at_most=3):
        listed = (await ana.get(PATH)).json["payload"]

    assert of_ana["visibility"] == "personal"
    assert [each["id"] for each in listed] == [shared["id"], of_ana["id"]]
    assert [each["id"] for each in (await caio.get(PATH)).json["payload"]] == [shared["id"]]


async def test_who_may_show_change_remove_and_execute_it(api: Api, given: Given) -> None:
    ana, caio = api.acting_as(await given.agent("Ana")), api.acting_as(await given.agent("Caio"))
    shared, own = await macro(api, visibility="global"), await macro(ana)
    shared_path, own_path = f"{PATH}/{shared['id']}", f"{PATH}/{own['id']}"
    body = {"conversation_ids": []}

    assert [(await each.get(shared_path)).status for each in (api, ana, caio)] == [200, 200, 200]
    assert [(await each.get(own_path)).status for each in (api, ana, caio)] == [401, 200, 401]
    assert [(await each.patch(shared_path, {})).status for each in (api, ana)] == [200, 401]
    assert [(await each.patch(own_path, {})).status for each in (api, ana, caio)] == [401, 200, 401]
    assert [(await each.post(f"{shared_path}/execute", body)).status for each in (api, ana)] == [200, 200]
    assert [(await each.post(f"{own_path}/execute", body)).status for each in (api, ana, caio)] == [401, 200, 401]
    assert [(await each.delete(shared_path)).status for each in (ana, caio)] == [401, 401]
    assert [(await each.delete(own_path)).status for each in (api, caio, ana)] == [401, 401, 200]


async def test_one_whose_author_is_gone_is_removed_by_any_administrator(api: Api, given: Given) -> None:
    bruno = await given.administrator("Bruno")
    shared = await macro(api.acting_as(bruno), visibility="global")
    path = f"{PATH}/{shared['id']}"
    early = await api.delete(path)
    assert (await api.delete(f"/agents/{bruno.id}")).status == 200

    orphan = (await api.get(path)).json["payload"]
    late = await api.delete(path)

    assert (early.status, late.status) == (401, 200)
    assert "created_by" not in orphan
    assert "updated_by" not in orphan


async def test_visibility_stays_as_it_is_where_nothing_is_said_of_it(api: Api, given: Given) -> None:
    shared = await macro(api, visibility=1)
    path = f"{PATH}/{shared['id']}"

    unsaid = [(await api.patch(path, body)).json["payload"] for body in ({}, {"visibility": None}, {"name": "X"})]
    personal = (await api.patch(path, {"visibility": "personal"})).json["payload"]

    assert {each["visibility"] for each in (shared, *unsaid)} == {"global"}
    assert personal["visibility"] == "personal"
    assert (await macro(api))["visibility"] == "personal"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"actions": SPAM["actions"]}, "Name can't be blank"),
        ({**SPAM, "name": " "}, "Name can't be blank"),
        ({**SPAM, "visibility": "secret"}, "visibility must be personal or global"),
        ({**SPAM, "visibility": 7}, "visibility must be personal or global"),
        ({**SPAM, "visibility": ["global"]}, "visibility must be personal or global"),
        (doing(("send_attachment", ["x"])), "Invalid attachment"),
        (doing(*[("send_message", ["x" * 100_000])] * 3), "The actions of a macro are too large (maximum is 200 kB)"),
    ],
)
async def test_what_cannot_be_kept_is_refused(api: Api, body: dict[str, Any], error: str) -> None:
    reply = await api.post(PATH, body)

    assert (reply.status, reply.json) == (422, {"error": error})
    assert (await api.get(PATH)).json == {"payload": []}


@pytest.mark.parametrize(
    "actions",
    [
        None,
        [],
        "x",
        [{"action_name": "open_conversation"}],
        [{"action_name": "delete_everything"}],
        [{"action_name": "assign_agent", "action_params": [10**9]}],
        [{"action_name": "change_status", "action_params": ["lost"]}],
    ],
)
async def test_actions_that_cannot_be_done_are_refused_in_an_object(api: Api, actions: Any) -> None:
    reply = await api.post(PATH, {"name": "Macro", "actions": actions})

    assert reply.status == 422
    assert list(reply.json) == ["error"]
    assert list(reply.json["error"]) == ["actions"]


async def test_it_is_executed_in_each_conversation_in_order_and_in_the_callers_name(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    team = await given.team("vendas", ana)
    rosa = await given.contact("Rosa Lind")
    conversations = [await given.conversation(inbox=inbox, contact=rosa) for _ in range(2)]
    await api.post(f"/conversations/{conversations[0]['id']}/labels", {"labels": ["new", "old"]})
    body = doing(
        ("add_label", ["vip", "gold"]),
        ("remove_label", ["old"]),
        ("assign_team", [team["id"]]),
        ("assign_agent", ["self"]),
        ("change_priority", ["high"]),
        ("send_message", ["Oi {{contact.first_name}}, aqui é {{agent.name}}"]),
        ("add_private_note", ["Só nós"]),
        ("change_status", ["pending"]),
        ("resolve_conversation", []),
    )

    await executed(given, api.acting_as(ana), await macro(api.acting_as(ana), body), *conversations)

    for conversation in conversations:
        after = await shown(api, conversation)
        assert after["status"] == "resolved"
        assert after["priority"] == "high"
        assert after["meta"]["assignee"]["id"] == ana.id
        assert after["meta"]["team"]["id"] == team["id"]
        said = [each for each in await thread(api, conversation) if each[0] != 2]
        assert said == [(1, False, "Oi Rosa, aqui é Ana"), (1, True, "Só nós")]
    assert (await shown(api, conversations[0]))["labels"] == ["new", "vip", "gold"]
    activities = [content for kind, _, content in await thread(api, conversations[1]) if kind == 2]
    assert activities
    assert all("Ana" in each for each in activities)
    assert {event.actor_id for event in await given.emitted(MessageCreated) if event.actor_type == "user"} == {ana.id}


@pytest.mark.parametrize(
    ("action", "params", "key", "value"),
    [
        ("snooze_conversation", [], "status", "snoozed"),
        ("mute_conversation", [], "muted", True),
        ("change_priority", ["nil"], "priority", None),
        ("remove_assigned_team", [], "team", None),
        ("assign_team", ["nil"], "team", None),
        ("assign_agent", ["nil"], "assignee", None),
    ],
)
async def test_what_else_can_be_done(
    api: Api, given: Given, action: str, params: list[Any], key: str, value: Any
) -> None:
    team = await given.team("vendas", given.boss)
    conversation = await given.conversation(team_id=team["id"], assignee_id=given.boss.id)
    await api.post(f"/conversations/{conversation['id']}/toggle_priority", {"priority": "low"})

    await executed(given, api, await macro(api, doing((action, params))), conversation)

    after = await shown(api, conversation)
    assert {**after["meta"], **after}.get(key) == value


async def test_whatever_a_macro_does_is_told_of_as_its_doing(api: Api, given: Given) -> None:
    team = await given.team("vendas", given.boss)
    conversation = await given.conversation()
    kept = await macro(
        api,
        doing(
            ("add_label", ["vip", "old"]),
            ("remove_label", ["old"]),
            ("assign_team", [team["id"]]),
            ("assign_agent", ["self"]),
            ("change_priority", ["high"]),
            ("send_message", ["Oi"]),
            ("add_private_note", ["Só nós"]),
            ("change_status", ["pending"]),
            ("remove_assigned_agent", []),
            ("remove_assigned_team", []),
        ),
    )

    await executed(given, api, kept, conversation)

    kinds = (ConversationUpdated, ConversationStatusChanged, AssigneeChanged, TeamChanged, MessageCreated)
    told = {kind: [each for each in await given.emitted(kind) if each.actor_type == "user"] for kind in kinds}
    assert all(told.values())
    assert {each.cause for each in chain.from_iterable(told.values())} == {f"macro:{kept['id']}"}


async def test_a_file_is_sent_as_a_copy_each_time_also_after_the_macro_is_gone(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    upload = await api.call("POST", "/upload", files={"attachment": ("a.png", PNG, "image/png")})
    kept = await macro(api, doing(("send_attachment", [upload.json["blob_id"]])))
    again = await api.patch(f"{PATH}/{kept['id']}", {"actions": kept["actions"]})

    await executed(given, api, kept, conversation)
    await executed(given, api, kept, conversation)

    (file,) = kept["files"]
    assert again.json["payload"]["files"] == [file]
    assert (file["macro_id"], file["file_type"], file["filename"]) == (kept["id"], "image/png", "a.png")
    assert kept["actions"] == [{"action_name": "send_attachment", "action_params": [file["blob_id"]]}]
    payload = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    urls = {each["attachments"][0]["data_url"] for each in payload}
    assert len(urls) == 2


async def test_a_transcript_is_mailed_to_each_address(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    body = doing(("send_email_transcript", ["a@example.com, b@example.com"]))

    await executed(given, api, await macro(api, body), conversation)

    async with given.world.parts.database.reading() as db:
        count = await db.fetch_value(
            "SELECT count(*) FROM events WHERE account_id = $1 AND name LIKE '%transcript%'", given.account_id
        )
    assert count == 2


async def test_what_cannot_be_done_is_passed_over_and_told_of_in_the_thread(api: Api, given: Given) -> None:
    caio = await given.agent("Caio")
    conversation = await given.conversation()
    body = doing(
        ("assign_agent", [caio.id]),
        ("send_email_transcript", ["no address"]),
        ("resolve_conversation", []),
    )

    await executed(given, api, await macro(api, body), conversation)

    assert (await shown(api, conversation))["status"] == "resolved"
    told = [content for kind, _, content in await thread(api, conversation) if kind == 2]
    (sentence,) = [each for each in told if "could not do everything" in each]
    assert sentence.startswith("The macro Macro of Beatriz could not do everything: assign_agent (the agent is not in")
    assert "send_email_transcript (" in sentence


async def test_conversations_that_are_unknown_or_closed_to_the_caller_are_passed_over(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = api.acting_as(await given.agent("Ana", inbox=inbox))
    mine, other = await given.conversation(inbox=inbox), await given.conversation()

    await executed(given, ana, await macro(ana), {"id": 10**9}, other, mine, mine)

    assert [(await shown(api, each))["status"] for each in (mine, other)] == ["resolved", "open"]
    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value("SELECT count(*) FROM macro_runs WHERE account_id = $1", given.account_id) == 0


async def test_an_execution_that_is_run_twice_or_dies_half_way_does_each_action_once(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    kept = await macro(api, doing(("send_message", ["One"]), ("send_message", ["Two"])))
    await api.post(f"{PATH}/{kept['id']}/execute", {"conversation_ids": [conversation["id"]]})
    parts = given.world.parts
    context = JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)
    async with parts.database.transaction() as tx:
        run_id = await tx.fetch_value("SELECT id FROM macro_runs WHERE account_id = $1", given.account_id)
        # As it stands when a worker died behind the first action.
        await tx.execute("UPDATE macro_runs SET done = 1 WHERE account_id = $1", given.account_id)

    for _ in range(3):
        await run_macro(context, RunMacro(given.account_id, run_id))
    await given.worked()

    assert [content for kind, _, content in await thread(api, conversation) if kind == 1] == ["Two"]


async def test_an_execution_whose_job_is_gone_is_forgotten_in_the_end(api: Api, given: Given) -> None:
    kept = await macro(api)
    conversation = await given.conversation()
    await api.post(f"{PATH}/{kept['id']}/execute", {"conversation_ids": [conversation["id"]]})
    parts = given.world.parts
    async with parts.database.transaction() as tx:
        await tx.execute("DELETE FROM jobs.pgqueuer WHERE entrypoint = 'automation.run_macro'")

    counts: list[int] = []
    for days in (90, 2):
        clock.travel(timedelta(days=days))
        await parts.jobs.drain(ahead=timedelta(days=1))
        async with parts.database.reading() as db:
            counts.append(
                await db.fetch_value("SELECT count(*) FROM macro_runs WHERE account_id = $1", given.account_id)
            )

    assert counts == [1, 0]


@pytest.mark.promise("TK-6")
@pytest.mark.parametrize(
    ("actions", "scopes"),
    [
        ([("add_label", ["vip"])], ["conversations:write"]),
        ([("assign_agent", ["self"])], ["conversations:write"]),
        ([("mute_conversation", [])], ["conversations:write"]),
        ([("send_email_transcript", ["a@example.com"])], ["conversations:write"]),
        ([("send_message", ["Olá!"])], ["messages:write"]),
        ([("add_private_note", ["Olá!"])], ["messages:write"]),
        ([("send_webhook_event", ["https://crm.example/hook"])], ["conversations:read", "webhooks:write"]),
        ([("send_message", ["Olá!"]), ("resolve_conversation", [])], ["conversations:write", "messages:write"]),
    ],
)
async def test_a_token_executes_what_it_may_do_itself(
    api: Api, given: Given, actions: list[tuple[str, list[Any]]], scopes: list[str]
) -> None:
    conversation = await given.conversation()
    kept = await macro(api, doing(*actions))
    path, body = f"{PATH}/{kept['id']}/execute", {"conversation_ids": [conversation["id"]]}

    for missing in scopes:
        others = [scope for scope in scopes if scope != missing]
        narrow = api.acting_as(await given.narrowed(given.boss, "macros:write", *others))
        reply = await narrow.post(path, body)
        assert (reply.status, reply.json) == (401, {"error": f"This access token lacks the scope {missing}"})
    async with given.world.parts.database.reading() as db:
        begun = await db.fetch_value("SELECT count(*) FROM macro_runs WHERE account_id = $1", given.account_id)
    enough = api.acting_as(await given.narrowed(given.boss, "macros:write", *scopes))

    assert begun == 0
    assert (await enough.post(path, body)).status == 200


@pytest.mark.parametrize("body", [{}, {"conversation_ids": "x"}, {"conversation_ids": list(range(1, 102))}])
async def test_an_execution_names_a_hundred_conversations_at_most(api: Api, body: dict[str, Any]) -> None:
    kept = await macro(api)

    reply = await api.post(f"{PATH}/{kept['id']}/execute", body)

    assert (reply.status, list(reply.json)) == (422, ["error"])


async def execute(api: Api, kept: Any, *display_ids: int) -> Reply:
    return await api.post(f"{PATH}/{kept['id']}/execute", {"conversation_ids": display_ids})


@pytest.mark.parametrize(
    ("action", "in_an_hour"),
    [
        (("send_webhook_event", ["https://example.com/in"]), 1000),
        (("send_email_transcript", ["a@example.com, b@example.com"]), 300),
    ],
)
async def test_an_account_has_so_many_told_in_an_hour_whole_or_not_at_all(
    api: Api, given: Given, action: tuple[str, list[str]], in_an_hour: int
) -> None:
    others = await given.another_account()
    times = len(action[1][0].split(","))
    ten, one, other = await macro(api, doing(*[action] * 10)), await macro(api, doing(action)), await macro(api, SPAM)
    theirs = await macro(others.api, doing(action))
    most = in_an_hour // (10 * times)

    first = await execute(api, ten, *range(1, most + 1))
    over = await execute(api, one, 1)
    beside = [await execute(api, other, 1), await execute(others.api, theirs, 1), await execute(api, one)]
    clock.travel(timedelta(hours=1))
    later = await execute(api, one, 1, 1)

    assert (first.status, over.status, later.status) == (200, 429, 200)
    assert [reply.status for reply in beside] == [200] * 3
    assert over.body == b"Retry later\n"
    assert 3_500 < int(over.headers["Retry-After"]) <= 3_600
    assert await runs_of(given) == [1] * most + [1, 1]


async def test_what_is_sent_again_under_its_key_is_counted_once(api: Api, given: Given) -> None:
    ten = await macro(api, doing(*[("send_webhook_event", ["https://example.com/in"])] * 10))
    path, body = f"{PATH}/{ten['id']}/execute", {"conversation_ids": list(range(1, 51))}

    replies = [await api.post(path, body, headers={"Idempotency-Key": "press-1"}) for _ in range(5)]

    assert [reply.status for reply in replies] == [200] * 5
    assert (await api.post(path, body)).status == 200
    assert (await api.post(path, body)).status == 429


async def test_a_macro_names_ten_addresses_at_most(api: Api) -> None:
    action = ("send_webhook_event", ["https://example.com/in"])

    reply = await api.post(PATH, doing(*[action] * 11))

    assert (reply.status, reply.json) == (
        422,
        {"error": {"actions": ["Automation action send_webhook_event can be used 10 times at most"]}},
    )


async def test_unknown_ones_and_those_of_another_account_are_not_found(api: Api, given: Given) -> None:
    theirs = await macro((await given.another_account()).api, visibility="global")

    for macro_id in (theirs["id"], 10**12):
        path = f"{PATH}/{macro_id}"
        empty = await api.get(path)
        replies = [
            await api.patch(path, {}),
            await api.delete(path),
            await api.post(f"{path}/execute", {"conversation_ids": []}),
        ]
        assert (empty.status, empty.body) == (404, b"")
        assert [(each.status, each.json) for each in replies] == [(404, {"error": "Resource could not be found"})] * 3


async def test_macros_are_for_people_of_the_account(api: Api, given: Given) -> None:
    others = await given.another_account()

    for caller in (api.acting_as(await given.bot()), api.acting_as(None), others.api.in_account(given.account_id)):
        assert (await caller.get(PATH)).status == 401
        assert (await caller.post(PATH, SPAM)).status == 401


async def test_a_change_that_was_made_already_is_not_told_of_again(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    kept = await macro(api, doing(("add_label", ["vip"])))

    await executed(given, api, kept, conversation)
    await executed(given, api, kept, conversation)

    assert len(await given.emitted(ConversationUpdated)) == 1
