from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given
from visitors import Browser, signed_in, with_password

from criachat.accounts.events import AdministrationChanged
from criachat.audit.listeners import write_down
from criachat.auth.operations.sessions import open_session
from criachat.auth.queries.sessions import find_entrant
from criachat.kit import clock

PATH = "/audit_logs"
ADDRESS = "https://crm.example.com/page?token=very-secret"
CALL = {"action_name": "send_webhook_event", "action_params": [ADDRESS]}


async def log(given: Given, **params: Any) -> Any:
    await given.relayed()
    reply = await given.api.get(PATH, params=params)
    assert reply.status == 200, reply.body
    return reply.json


async def latest(given: Given) -> Any:
    return (await log(given))["audit_logs"][0]


async def test_it_says_who_changed_what_and_how(api: Api, given: Given) -> None:
    bruno = await given.administrator("Bruno")
    team = (await api.post("/teams", {"name": "vendas"})).json
    created = await latest(given)
    await api.acting_as(bruno).patch(f"/teams/{team['id']}", {"name": "compras"})
    changed = await latest(given)
    await api.delete(f"/teams/{team['id']}")
    removed = await latest(given)

    assert created == {
        "id": created["id"],
        "auditable_id": team["id"],
        "auditable_type": "Team",
        "auditable": None,
        "associated_id": given.account_id,
        "associated_type": "Account",
        "user_id": given.boss.id,
        "user_type": "User",
        "username": given.boss.email,
        "action": "create",
        "audited_changes": {"name": "vendas", "allow_auto_assign": True},
        "version": 1,
        "comment": None,
        "request_uuid": None,
        "created_at": created["created_at"],
        "remote_address": None,
    }
    assert (changed["action"], changed["version"], changed["username"]) == ("update", 2, bruno.email)
    assert changed["audited_changes"] == {"name": ["vendas", "compras"]}
    assert (removed["action"], removed["version"]) == ("destroy", 3)
    assert removed["audited_changes"]["name"] == "compras"


async def change_account(given: Given) -> None:
    await given.api.patch("", {"name": "Loja Nova"})


async def hire(given: Given) -> None:
    await given.api.post("/agents", {"name": "Eva", "email": f"eva{given.account_id}@example.net"})


async def promote(given: Given) -> None:
    ana = await given.agent("Ana")
    await given.api.patch(f"/agents/{ana.id}", {"role": "administrator"})


async def dismiss(given: Given) -> None:
    ana = await given.agent("Ana")
    await given.api.delete(f"/agents/{ana.id}")


async def make_rule(given: Given) -> None:
    actions = [CALL]
    rule = {"name": "Close", "event_name": "message_created", "conditions": [], "actions": actions}
    await given.api.post("/automation_rules", rule)


async def make_macro(given: Given) -> None:
    await given.api.post("/macros", {"name": "Tell the CRM", "actions": [CALL]})


async def make_page(given: Given) -> None:
    await given.api.post("/dashboard_apps", {"title": "CRM", "content": [{"type": "frame", "url": ADDRESS}]})


async def delete_conversation(given: Given) -> None:
    conversation = await given.conversation()
    await given.api.delete(f"/conversations/{conversation['id']}")
    await given.worked()


async def merge_contacts(given: Given) -> None:
    rosa, rosinha = await given.contact("Rosa"), await given.contact("Rosinha")
    body = {"base_contact_id": rosa["id"], "mergee_contact_id": rosinha["id"]}
    await given.api.post("/actions/contact_merge", body)


async def make_inbox(given: Given) -> None:
    await given.inbox()


async def rename_inbox(given: Given) -> None:
    inbox = await given.inbox()
    await given.api.patch(f"/inboxes/{inbox['id']}", {"name": "Other"})


async def join_inbox(given: Given) -> None:
    await given.agent("Ana", inbox=await given.inbox())


async def join_team(given: Given) -> None:
    await given.team("vendas", await given.agent("Ana"))


async def make_webhook(given: Given) -> None:
    await given.webhook("https://hooks.example.com/services/very-secret-path?token=very-secret")


async def rename_label(given: Given) -> None:
    label = (await given.api.post("/labels", {"title": "vip"})).json
    await given.api.patch(f"/labels/{label['id']}", {"title": "gold"})


@pytest.mark.parametrize(
    ("change", "kind", "action"),
    [
        (change_account, "Account", "update"),
        (hire, "AccountUser", "create"),
        (promote, "AccountUser", "update"),
        (dismiss, "AccountUser", "destroy"),
        (make_rule, "AutomationRule", "create"),
        (make_macro, "Macro", "create"),
        (make_page, "DashboardApp", "create"),
        (delete_conversation, "Conversation", "destroy"),
        (merge_contacts, "Contact", "update"),
        (make_inbox, "Inbox", "create"),
        (rename_inbox, "Inbox", "update"),
        (join_inbox, "InboxMember", "update"),
        (join_team, "TeamMember", "update"),
        (make_webhook, "Webhook", "create"),
        (rename_label, "Label", "update"),
    ],
)
async def test_everything_that_changes_how_the_account_works_is_written_down(
    given: Given, change: Any, kind: str, action: str
) -> None:
    await change(given)

    entry = await latest(given)
    assert (entry["auditable_type"], entry["action"]) == (kind, action)
    assert entry["user_id"] == given.boss.id
    assert entry["audited_changes"]
    assert "very-secret" not in str(entry)


async def test_of_an_address_another_secret_is_told_apart_and_not_told(api: Api, given: Given) -> None:
    frames = [[{"type": "frame", "url": f"https://crm.example.com/page?token=very-secret-{each}"}] for each in "ab"]
    page = (await api.post("/dashboard_apps", {"title": "CRM", "content": frames[0]})).json
    await api.patch(f"/dashboard_apps/{page['id']}", {"content": frames[1]})
    plain = [{"type": "frame", "url": "https://crm.example.com:8443/page"}]
    await api.patch(f"/dashboard_apps/{page['id']}", {"content": plain})

    last, second = (await log(given))["audit_logs"][:2]

    before, after = [view[0]["url"] for view in second["audited_changes"]["content"]]
    assert before != after
    assert before.partition("#")[0] == after.partition("#")[0] == "https://crm.example.com/page"
    assert last["audited_changes"]["content"][1] == plain


async def test_who_changes_and_removes_a_macro_is_written_down(api: Api, given: Given) -> None:
    macro = (await api.post("/macros", {"name": "Close", "actions": [{"action_name": "mute_conversation"}]})).json
    path = f"/macros/{macro['payload']['id']}"
    await api.patch(path, {"name": "Close"})
    await api.patch(path, {"name": "Mute"})
    await api.delete(path)

    entries = [each for each in (await log(given))["audit_logs"] if each["auditable_type"] == "Macro"]

    assert [each["action"] for each in entries] == ["destroy", "update", "create"]
    assert entries[1]["audited_changes"] == {"name": ["Close", "Mute"]}
    assert entries[0]["audited_changes"]["name"] == "Mute"


async def test_who_signs_in_and_out_is_written_down_in_each_of_their_accounts(given: Given) -> None:
    others, strangers = await given.another_account(), await given.another_account()
    ana = await with_password(given, await given.agent("Ana"))
    await others.api.post("/agents", {"name": "Ana", "email": ana.email})
    browser = Browser(given.world)

    await browser.sign_in(ana, "wrong")
    assert (await browser.sign_in(ana)).status == 200
    assert (await browser.delete("/auth/sign_out")).status == 200

    for account in (given, others):
        out, entered = [each for each in (await log(account))["audit_logs"] if each["auditable_type"] == "User"]
        assert (entered["action"], out["action"]) == ("sign_in", "sign_out")
        for each in (entered, out):
            assert (each["auditable_id"], each["user_id"], each["user_type"]) == (ana.id, ana.id, "User")
            assert (each["username"], each["audited_changes"]) == (ana.email, {})
    assert "sign_" not in str(await log(strangers))


async def test_of_many_who_end_a_session_at_once_one_is_written_down(given: Given) -> None:
    browser = await signed_in(given, await given.agent("Ana"))

    await asyncio.gather(*(browser.delete("/auth/sign_out") for _ in range(8)))

    entries = (await log(given))["audit_logs"]
    assert [each["action"] for each in entries].count("sign_out") == 1


async def test_a_sign_in_that_is_undone_is_not_written_down(given: Given) -> None:
    ana = await with_password(given, await given.agent("Ana"))
    async with given.world.parts.database.reading() as db:
        entrant = await find_entrant(db, ana.email)
    assert entrant is not None

    async def sign_in_and_stumble() -> None:
        async with given.world.parts.database.transaction() as tx:
            await open_session(tx, given.world.keyring, entrant)
            raise LookupError

    with pytest.raises(LookupError):
        await sign_in_and_stumble()

    assert "sign_in" not in str(await log(given))


async def test_what_people_choose_for_themselves_is_nobodys_business(api: Api, given: Given) -> None:
    before = (await log(given))["total_entries"]

    await api.post(
        "/api/v1/profile/availability", {"profile": {"account_id": given.account_id, "availability": "busy"}}
    )

    assert (await log(given))["total_entries"] == before


async def test_pages_have_fifteen_the_latest_first(api: Api, given: Given) -> None:
    for number in range(17):
        await api.post("/teams", {"name": f"team-{number:02}"})

    first, second = await log(given), await log(given, page=2)
    junk = await log(given, page="-1")

    names = [each["audited_changes"].get("name") for each in first["audit_logs"] + second["audit_logs"]]
    assert (first["per_page"], first["current_page"], second["current_page"]) == (15, 1, 2)
    assert len(first["audit_logs"]) == 15
    assert [name for name in names if name] == [f"team-{number:02}" for number in reversed(range(17))]
    assert first["total_entries"] == len(names)
    assert junk == first


async def test_an_event_heard_twice_is_written_once(api: Api, given: Given) -> None:
    await api.post("/teams", {"name": "vendas"})
    before = await log(given)
    events = await given.emitted(AdministrationChanged)

    async with given.world.parts.database.transaction() as tx:
        await write_down(tx, [*events, *events])

    assert await log(given) == before


async def test_it_is_forgotten_after_a_year(api: Api, given: Given) -> None:
    await api.post("/teams", {"name": "vendas"})
    await given.relayed()

    clock.travel(timedelta(days=366))
    await given.world.parts.jobs.drain(ahead=timedelta(days=1))

    reply = await api.get(PATH)
    assert (reply.json["total_entries"], reply.json["audit_logs"]) == (0, [])


async def test_it_is_for_administrators(api: Api, given: Given) -> None:
    for person in (await given.agent("Ana"), await given.bot(), None):
        assert (await api.acting_as(person).get(PATH)).status == 401


async def test_another_account_has_its_own(api: Api, given: Given) -> None:
    others = await given.another_account()
    await others.api.post("/teams", {"name": "deles"})
    await others.relayed()

    assert "deles" not in str(await log(given))


async def test_a_page_is_two_statements(api: Api, given: Given) -> None:
    await api.post("/teams", {"name": "vendas"})
    await given.relayed()

    with given.queries(at_most=2):
        await api.get(PATH)
