"""Whom messages of e-mail inboxes go to."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given


async def email_conversation(given: Given) -> Any:
    channel = {"type": "email", "email": f"help.{given.account_id}@loja.example"}
    return await given.conversation(inbox=await given.inbox("Mail", channel=channel))


async def test_addresses_come_as_texts_and_are_kept_as_lists(api: Api, given: Given) -> None:
    conversation = await email_conversation(given)

    said = await given.message(
        conversation, "Olá!", cc_emails="a@x.example, b@x.example,a@x.example", to_emails=["c@x.example"]
    )
    plain = await given.message(conversation, "Olá!", content_attributes={"a": "b"})

    assert said["content_attributes"] == {
        "cc_emails": ["a@x.example", "b@x.example"],
        "bcc_emails": [],
        "to_emails": ["c@x.example"],
    }
    assert plain["content_attributes"] == {"a": "b", "cc_emails": [], "bcc_emails": [], "to_emails": []}


async def test_one_of_a_first_message_that_is_no_address_is_a_plain_refusal_too(api: Api, given: Given) -> None:
    conversation = await email_conversation(given)
    contact = await given.contact("Davi", email="davi@example.net")
    place = {"inbox_id": conversation["inbox_id"], "contact_id": contact["id"]}

    reply = await api.post("/conversations", {**place, "message": {"content": "Olá!", "cc_emails": "no address"}})

    assert (reply.status, reply.json) == (422, {"error": "Validation failed: Invalid email address"})
    assert (await api.get(f"/contacts/{contact['id']}/conversations")).json == {"payload": []}


@pytest.mark.parametrize("name", ["cc_emails", "bcc_emails", "to_emails"])
@pytest.mark.parametrize(
    "sent", ["no address", "a@x.example,b", [7], {"a": "b"}, ",".join(["a@x.example"] + ["x"] * 200)]
)
async def test_one_that_is_no_address_is_refused(api: Api, given: Given, name: str, sent: Any) -> None:
    conversation = await email_conversation(given)

    reply = await api.post(f"/conversations/{conversation['id']}/messages", {"content": "Olá!", name: sent})

    assert (reply.status, reply.json) == (422, {"error": "Validation failed: Invalid email address"})


async def test_elsewhere_they_say_nothing(given: Given) -> None:
    said = await given.message(await given.conversation(), "Olá!", cc_emails="no address")

    assert said["content_attributes"] == {}
