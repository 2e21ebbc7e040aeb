"""Whom messages of e-mail inboxes go to."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given

ADDRESSES = ("cc_emails", "bcc_emails", "to_emails")


async def email_conversation(given: Given) -> Any:
    channel = {"type": "email", "email": f"help.{given.account_id}@loja.example"}
    return await given.conversation(inbox=await given.inbox("Mail", channel=channel))


async def test_addresses_come_as_texts_and_are_kept_as_lists(api: Api, given: Given) -> None:
    conversation = await email_conversation(given)

    said = await given.message(
        conversation, "Olá!", cc_emails="a@x.example, b@x.example,a@x.example", to_emails=["c@x.example"]
    )
    plain = await given.message(conversation, "Olá!", content_attributes={"a": "b"})

    assert {name: said["content_attributes"][name] for name in ADDRESSES} == {
        "cc_emails": ["a@x.example", "b@x.example"],
        "bcc_emails": [],
        "to_emails": ["c@x.example"],
    }
    assert {name: plain["content_attributes"][name] for name in ("a", *ADDRESSES)} == {
        "a": "b",
        "cc_emails": [],
        "bcc_emails": [],
        "to_emails": [],
    }


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


async def test_what_goes_out_by_mail_is_kept_as_text_and_as_html(api: Api, given: Given) -> None:
    conversation = await email_conversation(given)

    said = await given.message(conversation, "Olá, **{{contact.first_name}}** <b>!</b>\r\n\r\n* um\r\n* dois")

    text = "Olá, **Rosa** <b>!</b>\n\n* um\n* dois"
    html = "<p>Olá, <strong>Rosa</strong> &lt;b&gt;!&lt;/b&gt;</p>\n<ul>\n<li>um</li>\n<li>dois</li>\n</ul>\n"
    assert said["content_attributes"]["email"] == {
        "html_content": {"full": html, "reply": html},
        "text_content": {"full": text, "reply": text},
    }


async def test_html_of_its_sender_stands_in_place_of_the_markdown(api: Api, given: Given) -> None:
    conversation = await email_conversation(given)

    said = await given.message(conversation, "Olá!", email_html_content="<h1>Olá!</h1>")

    assert said["content_attributes"]["email"] == {
        "html_content": {"full": "<h1>Olá!</h1>", "reply": "<h1>Olá!</h1>"},
        "text_content": {"full": "Olá!", "reply": "Olá!"},
    }


@pytest.mark.parametrize(
    ("said", "has_mail"), [({"private": "false"}, True), ({"private": "true"}, False), ({"private": True}, False)]
)
async def test_a_note_is_no_mail(api: Api, given: Given, said: Any, has_mail: bool) -> None:  # noqa: FBT001
    conversation = await email_conversation(given)

    reply = await api.call("POST", f"/conversations/{conversation['id']}/messages", data={"content": "Olá!", **said})

    assert reply.status == 200, reply.body
    assert ("email" in reply.json["content_attributes"]) is has_mail


async def test_elsewhere_there_is_no_mail(given: Given) -> None:
    said = await given.message(await given.conversation(), "Olá!", email_html_content="<h1>Olá!</h1>")

    assert said["content_attributes"] == {}


@pytest.mark.parametrize(
    ("hostile", "told_as"),
    [
        ("[" * 150_000, "<p>[["),
        ("![a](" * 30_000, "<p>![a](!["),
        ("**a**\nb\n\n" * 15_000, "<p>**a**<br />\nb</p>\n<p>**a**<br />\nb</p>\n"),
        ("<script>" * 18_000, "<p>&lt;script&gt;&lt;"),
    ],
    ids=["brackets", "pictures", "paragraphs", "tags"],
)
async def test_what_is_too_long_to_be_markdown_is_told_as_it_is(
    api: Api, given: Given, hostile: str, told_as: str
) -> None:
    conversation = await email_conversation(given)

    reply = await api.post(f"/conversations/{conversation['id']}/messages", {"content": hostile})

    assert reply.status == 200
    told = reply.json["content_attributes"]["email"]
    assert told["text_content"]["full"] == hostile
    assert told["html_content"]["full"].startswith(told_as)
    assert "<script" not in told["html_content"]["full"]


async def test_html_that_is_too_long_is_refused(api: Api, given: Given) -> None:
    conversation = await email_conversation(given)
    path = f"/conversations/{conversation['id']}/messages"

    reply = await api.post(path, {"content": "Olá!", "email_html_content": "x" * 150_001})

    assert (reply.status, reply.json) == (
        422,
        {"error": "Validation failed: Content is too long (maximum is 150000 characters)"},
    )


async def test_elsewhere_they_say_nothing(given: Given) -> None:
    said = await given.message(await given.conversation(), "Olá!", cc_emails="no address")

    assert said["content_attributes"] == {}
