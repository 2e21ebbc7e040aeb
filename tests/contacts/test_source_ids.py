from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from criachat.contacts.errors import DetailMissing, NotContactable, SourceInvalid
from criachat.contacts.models import Contact
from criachat.contacts.source_ids import (
    checked_source_id,
    contactable_source_id,
    default_source_id,
    offered_source_id,
)
from criachat.inboxes.models import Inbox

ROSA: dict[str, Any] = {"email": "rosa@example.net", "phone_number": "+351912000111"}
NOBODY: dict[str, Any] = {"email": None, "phone_number": None}


def contact(details: dict[str, Any]) -> Contact:
    fields: dict[str, Any] = {**dict.fromkeys(Contact.__struct_fields__), **details}
    return Contact(**fields)


def inbox(channel_type: str, medium: str | None = None) -> Inbox:
    channel = {"channel_type": channel_type, "channel": {"medium": medium} if medium else None}
    fields: dict[str, Any] = {**dict.fromkeys(Inbox.__struct_fields__), **channel}
    return Inbox(**fields)


@pytest.mark.parametrize(
    ("channel_type", "source_id"),
    [
        ("Channel::Email", "rosa@example.net"),
        ("Channel::Whatsapp", "351912000111"),
        ("Channel::Sms", "+351912000111"),
        ("Channel::Voice", "+351912000111"),
    ],
)
def test_channels_that_write_to_an_address_know_contacts_by_it(channel_type: str, source_id: str) -> None:
    rosa = contact(ROSA)

    assert offered_source_id(rosa, inbox(channel_type), "known") == source_id
    assert default_source_id(rosa, inbox(channel_type)) == source_id


@pytest.mark.parametrize(
    ("channel_type", "detail"),
    [("Channel::Email", "email"), ("Channel::Whatsapp", "phone number"), ("Channel::Sms", "phone number")],
)
def test_who_lacks_the_address_is_not_offered_and_told_what_is_missing(channel_type: str, detail: str) -> None:
    nobody = contact(NOBODY)

    assert offered_source_id(nobody, inbox(channel_type), None) is None
    with pytest.raises(DetailMissing, match=f"param is missing or the value is empty: contact {detail}"):
        default_source_id(nobody, inbox(channel_type))


def test_channels_that_cannot_write_first_offer_nobody() -> None:
    rosa = contact(ROSA)

    assert offered_source_id(rosa, inbox("Channel::Telegram"), "known") is None
    with pytest.raises(NotContactable):
        default_source_id(rosa, inbox("Channel::Telegram"))


def test_an_api_inbox_knows_them_by_what_it_knew_or_anew() -> None:
    rosa = contact(NOBODY)

    assert offered_source_id(rosa, inbox("Channel::Api"), "known") == "known"
    made = [default_source_id(rosa, inbox("Channel::Api")) for _ in range(2)]
    assert made[0] != made[1]
    assert {UUID(each).version for each in made} == {4}


def test_a_visitor_of_a_website_is_written_to_only_where_nothing_was_said_yet() -> None:
    website = inbox("Channel::WebWidget")

    assert contactable_source_id(contact(ROSA), website, known="used", unused="unused") == "unused"
    assert contactable_source_id(contact(ROSA), website, known="used", unused=None) is None
    assert contactable_source_id(contact(NOBODY), inbox("Channel::Api"), known="used", unused=None) == "used"


def test_who_has_no_number_is_known_anew_where_they_may_be_called() -> None:
    nobody = contact(NOBODY)

    assert offered_source_id(nobody, inbox("Channel::Voice"), None) is None
    assert UUID(default_source_id(nobody, inbox("Channel::Voice"))).version == 4


@pytest.mark.parametrize(
    ("channel_type", "medium", "source_id"),
    [
        ("Channel::Whatsapp", None, "351912000111"),
        ("Channel::TwilioSms", "sms", "+351912000111"),
        ("Channel::TwilioSms", "whatsapp", "whatsapp:+351912000111"),
        ("Channel::Sms", None, "anything"),
        ("Channel::Api", None, "anything"),
    ],
)
def test_a_source_id_that_a_channel_can_write_to_is_taken(
    channel_type: str, medium: str | None, source_id: str
) -> None:
    assert checked_source_id(source_id, inbox(channel_type, medium)) == source_id


@pytest.mark.parametrize(
    ("channel_type", "medium", "source_id"),
    [
        ("Channel::Whatsapp", None, "+351912000111"),
        ("Channel::Whatsapp", None, "1" * 16),
        ("Channel::Whatsapp", None, "35191200011\u0662"),
        ("Channel::TwilioSms", "sms", "351912000111"),
        ("Channel::TwilioSms", "sms", "whatsapp:+351912000111"),
        ("Channel::TwilioSms", "whatsapp", "+351912000111"),
    ],
)
def test_a_source_id_that_a_channel_could_not_write_to_is_refused(
    channel_type: str, medium: str | None, source_id: str
) -> None:
    with pytest.raises(SourceInvalid):
        checked_source_id(source_id, inbox(channel_type, medium))
