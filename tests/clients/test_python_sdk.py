"""The Python client of the family, whose models refuse what is not as they say, against a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from chatwoot import AsyncChatwootClient
from chatwoot.exceptions import ChatwootAPIError, ChatwootAuthError, ChatwootNotFoundError
from chatwoot.types import (
    AgentRole,
    AvailabilityStatus,
    ConversationPriority,
    ConversationStatus,
    MessageContentType,
)
from harness import Given, World, numbers
from lines import Server


@pytest.fixture
async def address(world: World) -> AsyncIterator[str]:
    """Where a real server answers, with the slash at the end that people paste."""
    async with Server(world).running() as server:
        yield f"http://{server.address}/"


@pytest.fixture
async def client(given: Given, address: str) -> AsyncIterator[AsyncChatwootClient]:
    """The client of an administrator of the test's account."""
    async with AsyncChatwootClient(address, given.boss.token) as client:
        yield client


async def test_the_client_reads_who_it_is(given: Given, client: AsyncChatwootClient) -> None:
    profile = await client.profile.get()

    assert (profile.id, profile.email, profile.role) == (given.boss.id, given.boss.email, AgentRole.ADMINISTRATOR)
    assert [(account.id, account.role) for account in profile.accounts] == [(given.account_id, AgentRole.ADMINISTRATOR)]


async def test_the_client_keeps_agents_and_teams(given: Given, client: AsyncChatwootClient) -> None:
    account_id = given.account_id
    email = f"ana{next(numbers)}.{account_id}@example.com"

    ana = await client.agents.add(account_id, name="Ana", email=email, role="agent")
    busy = await client.agents.update(account_id, ana.id, role="administrator", availability="busy", auto_offline=False)
    agents = await client.agents.list(account_id)
    team = await client.teams.create(account_id, name="Vendas", description="Quem vende")
    renamed = await client.teams.update(account_id, team.id, name="Suporte")
    await client.teams.agents.add(account_id, team.id, [ana.id, given.boss.id])
    await client.teams.agents.remove(account_id, team.id, [given.boss.id])
    members = await client.teams.agents.list(account_id, team.id)
    teams = await client.teams.list(account_id)
    shown = await client.teams.get(account_id, team.id)
    await client.teams.delete(account_id, team.id)
    await client.agents.remove(account_id, ana.id)

    assert (ana.email, ana.role, ana.confirmed) == (email, AgentRole.AGENT, False)
    assert (busy.role, busy.availability_status) == (AgentRole.ADMINISTRATOR, AvailabilityStatus.BUSY)
    assert [agent.id for agent in agents] == [ana.id, given.boss.id]
    assert (team.name, team.description, renamed.name) == ("vendas", "Quem vende", "suporte")
    assert [member.id for member in members] == [ana.id]
    assert teams == [renamed] == [shown]
    assert await client.teams.list(account_id) == []
    assert [agent.id for agent in await client.agents.list(account_id)] == [given.boss.id]


async def test_the_client_keeps_inboxes(given: Given, client: AsyncChatwootClient) -> None:
    account_id = given.account_id
    ana = await given.agent("Ana")
    bot = await given.bot()

    made = await client.inboxes.create(account_id, name="App", channel_type="api", webhook_url="https://a.example/in")
    site = await client.inboxes.create(
        account_id, name="Site", channel_type="web_widget", website_url="https://a.example"
    )
    renamed = await client.inboxes.update(account_id, made.id, name="Aplicativo", enable_auto_assignment=False)
    inboxes = await client.inboxes.list(account_id)
    shown = await client.inboxes.get(account_id, made.id)
    without_bot = await client.inboxes.get_agent_bot(account_id, made.id)
    await client.inboxes.set_agent_bot(account_id, made.id, bot.id)
    with_bot: Any = await client.inboxes.get_agent_bot(account_id, made.id)
    await client.inboxes.set_agent_bot(account_id, made.id, None)
    without_again = await client.inboxes.get_agent_bot(account_id, made.id)
    await client.inboxes.agents.add(account_id, made.id, [ana.id, given.boss.id])
    await client.inboxes.agents.update(account_id, made.id, [given.boss.id])
    await client.inboxes.agents.add(account_id, made.id, [ana.id])
    await client.inboxes.agents.remove(account_id, made.id, [given.boss.id])
    members = (await given.api.get(f"/inbox_members/{made.id}")).json["payload"]

    assert (made.channel_type, made.webhook_url) == ("Channel::Api", "https://a.example/in")
    assert (site.channel_type, site.website_url) == ("Channel::WebWidget", "https://a.example")
    assert site.web_widget_script is not None
    assert (renamed.name, renamed.enable_auto_assignment) == ("Aplicativo", False)
    assert inboxes == [renamed, site]
    assert shown == renamed
    assert without_bot == without_again == {}
    assert with_bot["agent_bot"]["id"] == bot.id
    # The client takes the list out of its wrapping and then looks for the wrapping, so the members are asked for here.
    assert [member["id"] for member in members] == [ana.id]


async def test_the_client_keeps_contacts(given: Given, client: AsyncChatwootClient) -> None:
    account_id = given.account_id
    inbox = await given.inbox()
    email = f"rosa{next(numbers)}@example.net"
    noa = await given.contact("Noa Pires", phone_number=f"+35191{next(numbers):07}")

    made = await client.contacts.create(
        account_id, inbox_id=inbox["id"], name="Rosa", email=email, custom_attributes={"plan": "gold"}
    )
    rosa = made.contact
    renamed = await client.contacts.update(account_id, rosa.id, name="Rosa Lind", blocked=True)
    labels = await client.contacts.labels.add(account_id, rosa.id, ["vip"])
    same_labels = await client.contacts.labels.list(account_id, rosa.id)
    listed = await client.contacts.list(account_id, page=1)
    found = await client.contacts.search(account_id, email)
    ways = await client.contacts.contactable_inboxes(account_id, rosa.id)
    merged = await client.contacts.merge(account_id, base_contact_id=rosa.id, mergee_contact_id=noa["id"])
    shown = await client.contacts.get(account_id, rosa.id)
    await client.contacts.delete(account_id, rosa.id)

    assert (rosa.name, rosa.email, rosa.custom_attributes) == ("Rosa", email, {"plan": "gold"})
    assert [session.source_id for session in rosa.contact_inboxes] == [made.contact_inbox.source_id]
    assert (renamed.name, renamed.blocked) == ("Rosa Lind", True)
    assert labels == same_labels == ["vip"]
    assert {contact.id for contact in listed} == {rosa.id, noa["id"]}
    assert [contact.id for contact in found] == [rosa.id]
    assert [(way["inbox"]["id"], way["source_id"]) for way in ways] == [(inbox["id"], made.contact_inbox.source_id)]
    assert (merged.id, merged.phone_number) == (rosa.id, noa["phone_number"])
    assert (shown.name, shown.phone_number) == ("Rosa Lind", noa["phone_number"])
    with pytest.raises(ChatwootNotFoundError):
        await client.contacts.get(account_id, rosa.id)


async def test_the_client_leads_a_conversation(given: Given, client: AsyncChatwootClient) -> None:
    account_id = given.account_id
    inbox = await given.inbox()
    session = await client.contacts.create(account_id, inbox_id=inbox["id"], name="Rosa", identifier="crm-77")
    contact_id = session.contact.id

    made = await client.conversations.create(
        account_id, session.contact_inbox.source_id, inbox["id"], contact_id, custom_attributes={"order": "A-99"}
    )
    asked = await client.messages.create(account_id, made.id, "Cadê meu pedido?", message_type="incoming")
    answer = await client.messages.create(account_id, made.id, "Chega hoje")
    note = await client.messages.create(account_id, made.id, "Cliente antigo", private=True, echo_id="e-1")
    urgent = await client.conversations.update(account_id, made.id, priority="urgent")
    labels = await client.conversations.labels.add(account_id, made.id, ["vip", "entrega"])
    same_labels = await client.conversations.labels.list(account_id, made.id)
    snoozed = await client.conversations.toggle_status(account_id, made.id, "snoozed")
    resolved = await client.conversations.toggle_status(account_id, made.id, "resolved")
    reopened = await client.conversations.toggle_status(account_id, made.id, "open")
    await given.worked()
    messages = await client.messages.list(account_id, made.id)
    listed = await client.conversations.list(account_id, inbox_id=inbox["id"], labels=["vip"])
    counted = await client.conversations.get_counts(account_id, status="open")
    of_contact = await client.contacts.conversations(account_id, contact_id)
    shown = await client.conversations.get(account_id, made.id)

    assert (made.status, made.custom_attributes) == (ConversationStatus.OPEN, {"order": "A-99"})
    assert (asked.message_type, answer.message_type, note.private) == (0, 1, True)
    assert urgent.priority is ConversationPriority.URGENT
    assert labels == same_labels == ["vip", "entrega"]
    assert (snoozed.success, snoozed.current_status) == (True, ConversationStatus.SNOOZED)
    assert (resolved.current_status, reopened.current_status) == (
        ConversationStatus.RESOLVED,
        ConversationStatus.OPEN,
    )
    assert {asked.id, answer.id, note.id} < {message.id for message in messages}
    assert {message.content_type for message in messages} == {MessageContentType.TEXT}
    assert [conversation.id for conversation in listed] == [made.id]
    assert counted["meta"]["all_count"] == 1
    assert [conversation.id for conversation in of_contact] == [made.id]
    assert shown.meta is not None
    assert shown.meta.sender is not None
    assert (shown.meta.sender.identifier, shown.labels) == ("crm-77", ["vip", "entrega"])


async def test_the_client_raises_what_was_refused(given: Given, client: AsyncChatwootClient, address: str) -> None:
    inbox = await given.inbox()

    with pytest.raises(ChatwootNotFoundError):
        await client.conversations.get(given.account_id, 999_999)
    with pytest.raises(ChatwootAPIError) as invalid:
        await client.contacts.create(given.account_id, inbox_id=inbox["id"], name="Rosa", email="no address")
    async with AsyncChatwootClient(address, "guessed") as stranger:
        with pytest.raises(ChatwootAuthError):
            await stranger.profile.get()

    assert (invalid.value.status_code, invalid.value.description) == (422, "Email Invalid email")
