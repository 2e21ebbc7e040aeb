"""The JavaScript client that bridges and automations of the family call through, against a real server."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from apps import PNG
from harness import Given, World, numbers
from lines import Server
from nodes import NodeProgram, node_program
from receivers import Receiver

Json = Any


class Sdk:
    """The client of one caller; operations are named as the package names them."""

    def __init__(self, program: NodeProgram, token: str | None, account: dict[str, int]) -> None:
        self._program = program
        self._token = token
        self._account = account

    async def call(self, operation: str, **params: Any) -> Json:
        """What the client hands to whoever called it."""
        fact = await self._fact(operation, params)
        assert fact["fact"] == "answered", (operation, fact)
        return fact["body"]

    async def refusal(self, operation: str, **params: Any) -> tuple[int, Json]:
        """The status and the body of the error that the client throws."""
        fact = await self._fact(operation, params)
        assert fact["fact"] == "refused", (operation, fact)
        return fact["status"], fact["body"]

    async def _fact(self, operation: str, params: dict[str, Any]) -> Json:
        await self._program.tell("call", operation=operation, params={**self._account, **params}, token=self._token)
        return await self._program.fact()


@pytest.fixture
async def server(world: World) -> AsyncIterator[Server]:
    async with Server(world).running() as server:
        yield server


@asynccontextmanager
async def speaking(server: Server, token: str | None, **account: int) -> AsyncGenerator[Sdk]:
    """The client in a process of its own, pointed at this server."""
    async with node_program("javascript_sdk.js", f"http://{server.address}") as program:
        yield Sdk(program, token, account)


@pytest.fixture
async def sdk(given: Given, server: Server) -> AsyncIterator[Sdk]:
    """The client of an administrator of the test's account."""
    async with speaking(server, given.boss.token, accountId=given.account_id) as sdk:
        yield sdk


async def test_a_bridge_sets_up_its_inbox(given: Given, sdk: Sdk) -> None:
    ana = await given.agent("Ana")
    bot = await given.bot()
    channel = {"type": "api", "webhook_url": "https://bridge.example/hook"}

    before = await sdk.call("inboxes.list")
    made = await sdk.call("inboxes.create", data={"name": "WhatsApp", "channel": channel})
    after = await sdk.call("inboxes.list")
    inbox_id = made["id"]
    members = {"inbox_id": str(inbox_id), "user_ids": [ana.id, given.boss.id]}
    added = await sdk.call("inboxes.addAgent", data=members)
    kept = await sdk.call("inboxes.updateAgentsInInbox", data={**members, "user_ids": [ana.id]})
    listed = await sdk.call("inboxes.listAgents", inboxId=inbox_id)
    without_bot = await sdk.call("inboxes.getAgentBot", id=inbox_id)
    connected = await sdk.call("inboxes.updateAgentBot", id=inbox_id, data={"agent_bot": bot.id})
    with_bot = await sdk.call("inboxes.getAgentBot", id=inbox_id)
    renamed = await sdk.call("inboxes.update", id=inbox_id, data={"name": "Zap", "enable_auto_assignment": False})
    shown = await sdk.call("inboxes.get", id=inbox_id)

    assert before == {"payload": []}
    assert [each["name"] for each in after["payload"]] == ["WhatsApp"]
    assert (made["channel_type"], made["webhook_url"]) == ("Channel::Api", channel["webhook_url"])
    assert {each["id"] for each in added["payload"]} == {ana.id, given.boss.id}
    assert [each["id"] for each in kept["payload"]] == [each["id"] for each in listed["payload"]] == [ana.id]
    assert without_bot == {}
    assert connected == ""
    assert with_bot["agent_bot"]["id"] == bot.id
    assert (renamed["name"], renamed["enable_auto_assignment"]) == ("Zap", False)
    assert shown == renamed


async def test_a_bridge_finds_a_customer_by_number_and_their_open_conversation(given: Given, sdk: Sdk) -> None:
    inbox = await given.inbox("WhatsApp")
    number = f"5511{next(numbers):09}"
    condition = {"attribute_key": "phone_number", "filter_operator": "equal_to"}
    payload = [
        {**condition, "values": [number], "query_operator": "OR"},
        {**condition, "values": [number[:4] + number[5:]], "query_operator": None},
    ]
    data = {"inbox_id": inbox["id"], "name": "Rosa", "phone_number": f"+{number}", "identifier": f"{number}@s"}

    unknown = await sdk.call("contacts.filter", payload=payload)
    made = await sdk.call("contacts.create", data=data)
    contact = made["payload"]["contact"]
    known = await sdk.call("contacts.filter", payload=payload)
    opened = await sdk.call(
        "conversations.create", data={"contact_id": str(contact["id"]), "inbox_id": str(inbox["id"])}
    )
    conversations = await sdk.call("contacts.listConversations", id=contact["id"])
    renamed = await sdk.call("contacts.update", id=contact["id"], data={"name": "Rosa Lind", "avatar": None})
    searched = await sdk.call("contacts.search", q=f"{number}@s", page=1)
    status, refusal = await sdk.refusal("contacts.create", data=data)
    session = await sdk.call("contact.create", id=contact["id"], data={"inbox_id": inbox["id"], "source_id": number})
    contactable = await sdk.call("contact.getContactable", id=contact["id"])

    assert unknown["payload"] == []
    assert made["payload"]["contact_inbox"]["inbox"]["name"] == "WhatsApp"
    assert [each["id"] for each in known["payload"]] == [contact["id"]]
    assert [(each["id"], each["inbox_id"], each["status"]) for each in conversations["payload"]] == [
        (opened["id"], inbox["id"], "open")
    ]
    assert (renamed["payload"]["id"], renamed["payload"]["name"]) == (contact["id"], "Rosa Lind")
    assert [each["id"] for each in searched["payload"]] == [contact["id"]]
    assert (status, set(refusal["attributes"])) == (422, {"phone_number", "identifier"})
    assert (session["source_id"], session["inbox"]["id"]) == (number, inbox["id"])
    assert [each["source_id"] for each in contactable["payload"]] == [number]


async def test_a_bridge_carries_messages_and_files_both_ways(given: Given, sdk: Sdk, receiver: Receiver) -> None:
    inbox = await given.inbox("WhatsApp", channel={"webhook_url": receiver.url})
    contact = await given.contact(identifier=f"55119{next(numbers)}@s")
    conversation = await given.conversation(inbox=inbox, contact=contact)
    thread = {"conversationId": conversation["id"]}
    picture = {"content": base64.b64encode(PNG).decode(), "encoding": "base64", "filename": "foto.png"}

    asked = await sdk.call(
        "messages.create",
        **thread,
        data={
            "content": "Cadê meu pedido?",
            "message_type": "incoming",
            "private": False,
            "source_id": "WAID:3EB0A1",
            "content_attributes": {"in_reply_to": None, "in_reply_to_external_id": None},
            "source_reply_id": None,
        },
    )
    shown = await sdk.call(
        "messages.create", **thread, data={"message_type": "incoming", "attachments": [picture], "private": False}
    )
    replied = {"in_reply_to": None, "in_reply_to_external_id": "WAID:3EB0A1"}
    answer = await sdk.call(
        "messages.create", **thread, data={"content": "Chega *hoje*", "content_attributes": replied}
    )
    note = await sdk.call("messages.create", **thread, data={"content": "VIP", "private": True})
    choice = {"items": [{"title": "Sim", "value": "yes"}, {"title": "Não", "value": "no"}]}
    offered = await sdk.call(
        "messages.create",
        **thread,
        data={"content": "Chegou?", "content_type": "input_select", "content_attributes": choice},
    )
    deleted = await sdk.call("messages.delete", **thread, messageId=answer["id"])
    listed = await sdk.call("messages.list", **thread)
    await given.delivered()
    [told] = [each for each in receiver.events("message_created") if each["id"] == answer["id"]]
    [untold] = [each for each in receiver.events("message_updated") if each["content_attributes"].get("deleted")]

    assert (asked["message_type"], asked["source_id"], asked["sender"]["id"]) == (0, "WAID:3EB0A1", contact["id"])
    assert asked["content_attributes"] == {"in_reply_to": None, "in_reply_to_external_id": None}
    [attachment] = shown["attachments"]
    assert attachment["file_type"] == "image"
    assert attachment["data_url"].endswith("/foto.png")
    assert answer["content_attributes"] == {"in_reply_to": asked["id"], "in_reply_to_external_id": "WAID:3EB0A1"}
    assert (note["private"], offered["content_attributes"]) == (True, choice)
    assert (deleted["id"], deleted["content_attributes"]) == (answer["id"], {"deleted": True})
    assert [each["id"] for each in listed["payload"]] == [each["id"] for each in (asked, shown, answer, note, offered)]
    assert (told["message_type"], told["content"], told["private"]) == ("outgoing", "Chega *hoje*", False)
    assert told["content_attributes"]["in_reply_to"] == asked["id"]
    assert told["conversation"]["meta"]["sender"]["identifier"] == contact["identifier"]
    assert told["conversation"]["messages"][0]["sender"]["available_name"] == given.boss.name
    assert told["conversation"]["messages"][0]["source_id"] is None
    assert told["conversation"]["contact_inbox"]["source_id"]
    assert told["inbox"] == {"id": inbox["id"], "name": "WhatsApp"}
    assert untold["id"] == answer["id"]


async def test_an_automation_sorts_and_assigns_conversations(given: Given, sdk: Sdk) -> None:
    ana = await given.agent("Ana")
    team = await given.team("vendas")
    conversation = await given.conversation()
    chosen = {"conversationId": conversation["id"]}
    payload = [
        {"attribute_key": "status", "filter_operator": "equal_to", "values": ["pending"], "query_operator": "AND"},
        {"attribute_key": "labels", "filter_operator": "equal_to", "values": ["vip"], "query_operator": None},
    ]

    assigned = await sdk.call("conversationAssignment.assign", **chosen, data={"assignee_id": ana.id})
    handed_over = await sdk.call("conversationAssignment.assign", **chosen, data={"team_id": team["id"]})
    labelled = await sdk.call("conversationLabels.add", **chosen, data={"labels": ["vip", "novo"]})
    labels = await sdk.call("conversationLabels.list", **chosen)
    toggled = await sdk.call("conversations.toggleStatus", **chosen, data={"status": "pending"})
    counted = await sdk.call("conversations.getMeta", status="pending", labels=["vip"])
    listed = await sdk.call("conversations.list", assigneeType="all", status="pending", teamId=team["id"], page=1)
    filtered = await sdk.call("conversations.filter", payload=payload, page=1)
    shown = await sdk.call("conversations.get", **chosen)

    assert (assigned["id"], assigned["name"], assigned["role"]) == (ana.id, "Ana", "agent")
    assert (handed_over["id"], handed_over["name"]) == (team["id"], "vendas")
    assert labelled == labels == {"payload": ["vip", "novo"]}
    assert toggled["payload"] == {
        "success": True,
        "conversation_id": conversation["id"],
        "current_status": "pending",
        "snoozed_until": None,
    }
    assert counted["meta"]["all_count"] == 1
    assert [each["id"] for each in listed["data"]["payload"]] == [conversation["id"]]
    assert [each["id"] for each in filtered["payload"]] == [conversation["id"]]
    assert (shown["status"], shown["meta"]["team"]["name"]) == ("pending", "vendas")


async def test_an_integration_keeps_people_and_teams(given: Given, sdk: Sdk) -> None:
    email = f"ana{next(numbers)}.{given.account_id}@example.com"

    me = await sdk.call("profile.profile")
    ana = await sdk.call("agents.create", data={"name": "Ana", "email": email, "role": "agent", "auto_offline": True})
    changed = await sdk.call("agents.update", id=ana["id"], data={"role": "administrator", "availability": "busy"})
    agents = await sdk.call("agents.list")
    team = await sdk.call("teams.create", data={"name": "Vendas", "description": "", "allow_auto_assign": True})
    renamed = await sdk.call("teams.update", teamId=team["id"], data={"name": "Suporte"})
    teams = await sdk.call("teams.list")
    one_team = await sdk.call("teams.get", teamId=team["id"])
    gone = await sdk.call("teams.delete", teamId=team["id"])
    left = await sdk.call("agents.delete", id=ana["id"])
    status, _ = await sdk.refusal("teams.get", teamId=team["id"])

    assert (me["id"], me["account_id"], me["role"]) == (given.boss.id, given.account_id, "administrator")
    assert (ana["email"], ana["role"], ana["confirmed"]) == (email, "agent", False)
    assert (changed["role"], changed["availability_status"], changed["auto_offline"]) == (
        "administrator",
        "offline",
        True,
    )
    assert [each["id"] for each in agents] == [ana["id"], given.boss.id]
    assert (team["name"], renamed["name"]) == ("vendas", "suporte")
    assert teams == [renamed] == [one_team]
    assert gone == left == ""
    assert status == 404


async def test_an_integration_keeps_bots_texts_attributes_and_saved_filters(sdk: Sdk) -> None:
    bot_fields = {"name": "Robô", "description": "Responde primeiro", "outgoing_url": "https://bot.example/in"}
    definition_fields = {
        "attribute_display_name": "Plano",
        "attribute_display_type": 6,
        "attribute_key": "plano",
        "attribute_values": ["ouro", "prata"],
        "attribute_model": 1,
    }

    bot = await sdk.call("accountAgentBots.create", data=bot_fields)
    rebuilt = await sdk.call("accountAgentBots.update", id=bot["id"], data={**bot_fields, "name": "Robô 2"})
    bots = await sdk.call("accountAgentBots.list")
    one_bot = await sdk.call("accountAgentBots.get", id=bot["id"])
    text = await sdk.call("cannedResponses.create", data={"short_code": "oi", "content": "Olá!"})
    reworded = await sdk.call("cannedResponses.update", id=text["id"], data={"short_code": "oi", "content": "Oi!"})
    texts = await sdk.call("cannedResponses.list")
    definition = await sdk.call("customAttributes.create", data=definition_fields)
    relabelled = await sdk.call(
        "customAttributes.update", id=definition["id"], data={"attribute_display_name": "Assinatura"}
    )
    definitions = await sdk.call("customAttributes.list", attributeModel="1")
    one_definition = await sdk.call("customAttributes.get", id=definition["id"])
    query = {"payload": []}
    saved = await sdk.call("customFilters.create", filterType="contact", data={"name": "Ouro", "query": query})
    renamed = await sdk.call("customFilters.update", customFilterId=saved["id"], data={"name": "Prata"})
    filters = await sdk.call("customFilters.list", filterType="contact")
    one_filter = await sdk.call("customFilters.get", customFilterId=saved["id"])
    gone = [
        await sdk.call("accountAgentBots.delete", id=bot["id"]),
        await sdk.call("cannedResponses.delete", id=text["id"]),
        await sdk.call("customAttributes.delete", id=definition["id"]),
        await sdk.call("customFilters.delete", customFilterId=saved["id"]),
    ]

    assert (bot["name"], rebuilt["name"], bot["outgoing_url"]) == ("Robô", "Robô 2", bot_fields["outgoing_url"])
    assert bots == [rebuilt] == [one_bot]
    assert (text["content"], reworded["content"]) == ("Olá!", "Oi!")
    assert texts == [reworded]
    assert (definition["attribute_display_type"], definition["attribute_model"]) == ("list", "contact_attribute")
    assert definition["attribute_values"] == ["ouro", "prata"]
    assert definitions == [relabelled] == [one_definition]
    assert (saved["filter_type"], saved["query"], renamed["name"]) == ("contact", query, "Prata")
    assert filters == [renamed] == [one_filter]
    assert gone == ["", "", None, None]


async def test_an_integration_keeps_rules_webhooks_and_hooks(sdk: Sdk) -> None:
    rule_fields = {
        "name": "Ajuda",
        "description": "",
        "event_name": "message_created",
        "active": True,
        "actions": [{"action_name": "add_label", "action_params": ["ajuda"]}],
        "conditions": [
            {"attribute_key": "content", "filter_operator": "contains", "values": ["ajuda"], "query_operator": None}
        ],
    }
    settings = {"project_id": "loja", "credentials": {"type": "service_account"}}

    rule = await sdk.call("automationRule.create", data=rule_fields)
    stopped = await sdk.call("automationRule.update", id=rule["id"], data={**rule_fields, "active": False})
    rules = await sdk.call("automationRule.list", page=1)
    one_rule = await sdk.call("automationRule.get", id=rule["id"])
    hooked = await sdk.call(
        "webhooks.create", data={"url": "https://crm.example/in", "subscriptions": ["contact_created"]}
    )
    webhook = hooked["payload"]["webhook"]
    moved = await sdk.call("webhooks.update", webhookId=webhook["id"], data={"url": "https://crm.example/new"})
    webhooks = await sdk.call("webhooks.list")
    hook = await sdk.call("integrations.create", data={"app_id": "google_translate", "settings": settings})
    paused = await sdk.call("integrations.update", hookId=hook["id"], data={"status": 0, "settings": settings})
    apps = await sdk.call("integrations.list")
    gone = [
        await sdk.call("automationRule.delete", id=rule["id"]),
        await sdk.call("webhooks.delete", webhookId=webhook["id"]),
        await sdk.call("integrations.delete", hookId=hook["id"]),
    ]

    assert (rule["name"], rule["active"], rule["conditions"][0]["values"]) == ("Ajuda", True, ["ajuda"])
    assert rules["payload"] == [stopped["payload"]] == [one_rule["payload"]]
    assert stopped["payload"]["active"] is False
    assert webhook["subscriptions"] == ["contact_created"]
    assert webhooks["payload"]["webhooks"] == [moved["payload"]["webhook"]]
    assert moved["payload"]["webhook"]["url"] == "https://crm.example/new"
    assert (hook["app_id"], hook["status"], paused["status"]) == ("google_translate", True, False)
    assert [each["id"] for each in apps["payload"] if each["hooks"]] == ["google_translate"]
    assert gone == ["", "", ""]


async def test_an_end_user_s_app_talks_with_the_business(given: Given, server: Server) -> None:
    inbox = await given.inbox("App")
    place = {"inboxIdentifier": inbox["inbox_identifier"]}
    choice = {"items": [{"title": "Sim", "value": "yes"}]}

    # Bridges hand the client the inbox's identifier as its token here, which says nothing to this door.
    async with speaking(server, inbox["inbox_identifier"]) as app:
        contact = await app.call(
            "client.contacts.create",
            **place,
            data={"identifier": "crm-77", "identifier_hash": "", "name": "Rosa", "phone_number": "", "avatar_url": ""},
        )
        session = {**place, "contactIdentifier": contact["source_id"]}
        again = await app.call("client.contacts.get", **session)
        renamed = await app.call("client.contacts.update", **session, data={"name": "Rosa Lind"})
        conversation = await app.call("client.conversations.create", **session)
        thread = {**session, "conversationId": conversation["id"]}
        said = await app.call("client.messages.create", **thread, data={"content": "Olá!", "echo_id": "e-1"})
        offered = await given.message(conversation, "Chegou?", content_type="input_select", content_attributes=choice)
        chosen = {"submitted_values": choice["items"]}
        answered = await app.call("client.messages.update", **thread, messageId=offered["id"], data=chosen)
        messages = await app.call("client.messages.list", **thread)
        conversations = await app.call("client.conversations.list", **session)
        status, lost = await app.refusal("client.contacts.get", **place, contactIdentifier="nobody")

    assert again == contact
    assert (renamed["id"], renamed["name"]) == (contact["id"], "Rosa Lind")
    assert (said["content"], said["message_type"], said["conversation_id"]) == ("Olá!", 0, conversation["id"])
    assert answered["content_attributes"] == {**choice, **chosen}
    assert [each["id"] for each in messages] == [said["id"], offered["id"]]
    assert [each["id"] for each in conversations] == [conversation["id"]]
    assert (status, lost) == (404, {"status": 404, "error": "Not Found"})


async def test_a_bridge_begins_sessions_of_customers_who_are_known_by_another_number(
    given: Given, server: Server
) -> None:
    known_by = {"identifier": f"{next(numbers)}@c.us", "phone_number": f"+5511{next(numbers):09}"}
    bridge = {"additional_attributes": {"reuse_contacts": True}}
    numbers_of_the_shop = [await given.inbox(name, channel=bridge) for name in ("Vendas", "Suporte")]

    sessions: list[Json] = []
    for inbox in numbers_of_the_shop:
        place = {"inboxIdentifier": inbox["inbox_identifier"]}
        async with speaking(server, inbox["inbox_identifier"]) as app:
            contact = await app.call("client.contacts.create", **place, data={"name": "Rosa", **known_by})
            await app.call("client.conversations.create", **place, contactIdentifier=contact["source_id"])
            sessions.append(contact)
    async with speaking(server, given.boss.token, accountId=given.account_id) as sdk:
        conversations = await sdk.call("contacts.listConversations", id=sessions[0]["id"])

    assert sessions[0]["id"] == sessions[1]["id"]
    assert sessions[0]["source_id"] != sessions[1]["source_id"]
    assert {each["inbox_id"] for each in conversations["payload"]} == {inbox["id"] for inbox in numbers_of_the_shop}


async def test_an_operator_s_program_keeps_accounts_people_and_bots(given: Given, server: Server) -> None:
    token = (await given.operators_app()).token
    email = f"ines{next(numbers)}.{given.account_id}@example.com"
    person = {"name": "Inês", "email": email, "password": "Password1!", "custom_attributes": {"crm": 7}}

    async with speaking(server, token) as operator:
        account = await operator.call("platform.accounts.create", data={"name": "Loja"})
        renamed = await operator.call("platform.accounts.update", accountId=account["id"], data={"name": "Loja 2"})
        one_account = await operator.call("platform.accounts.get", accountId=account["id"])
        user = await operator.call("platform.users.create", data=person)
        one_user = await operator.call("platform.users.get", id=user["id"])
        retitled = await operator.call("platform.users.update", id=user["id"], data={"name": "Inês M."})
        way_in = await operator.call("platform.users.getSSOUrl", id=user["id"])
        membership = {"user_id": user["id"], "role": "administrator"}
        member = await operator.call("platform.accountUsers.create", accountId=account["id"], data=membership)
        members = await operator.call("platform.accountUsers.list", accountId=account["id"])
        left = await operator.call(
            "platform.accountUsers.delete", accountId=account["id"], data={"user_id": user["id"]}
        )
        bot = await operator.call("platform.agentBots.create", data={"name": "Robô", "outgoing_url": ""})
        rebuilt = await operator.call("platform.agentBots.update", id=bot["id"], data={"name": "Robô 2"})
        bots = await operator.call("platform.agentBots.list")
        gone = [
            await operator.call("platform.agentBots.delete", id=bot["id"]),
            await operator.call("platform.users.delete", id=user["id"]),
            await operator.call("platform.accounts.delete", accountId=account["id"]),
        ]
        status, _ = await operator.refusal("platform.accounts.get", accountId=given.account_id)

    assert (account["name"], one_account["name"]) == ("Loja", "Loja 2")
    assert renamed == one_account
    assert (user["email"], user["confirmed"], one_user["access_token"]) == (email, True, user["access_token"])
    assert retitled["name"] == "Inês M."
    assert "sso_auth_token=" in way_in["url"]
    assert (member["user_id"], member["role"]) == (user["id"], "administrator")
    assert [each["user_id"] for each in members] == [user["id"]]
    assert bots == [rebuilt]
    assert left == ""
    assert gone == ["", "", ""]
    assert status == 401


async def test_the_client_tells_its_caller_what_was_refused(given: Given, server: Server, sdk: Sdk) -> None:
    missing = await sdk.refusal("conversations.get", conversationId=999_999)
    invalid = await sdk.refusal("contacts.create", data={"name": "Rosa", "email": "no address"})
    async with speaking(server, "guessed", accountId=given.account_id) as stranger:
        unknown = await stranger.refusal("profile.profile")
    ana = await given.agent("Ana")
    async with speaking(server, ana.token, accountId=given.account_id) as agents:
        forbidden = await agents.refusal("webhooks.list")

    assert missing == (404, {"error": "Resource could not be found"})
    assert invalid == (422, {"message": "Email Invalid email", "attributes": ["email"]})
    assert unknown == (401, {"error": "Invalid Access Token"})
    assert forbidden == (401, {"error": "You are not authorized to do this action"})
