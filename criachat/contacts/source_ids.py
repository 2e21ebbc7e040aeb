"""By which `source_id` a contact is known in an inbox, when nobody says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from criachat.contacts.errors import DetailMissing, NotContactable, SourceInvalid
from criachat.contacts.models import Contact
from criachat.inboxes.models import WEBSITE, Inbox
from criachat.kit import tokens

# Channels that write to an address: whoever has the address is whom they know.
ADDRESSED: Final = frozenset(
    ("Channel::Email", "Channel::Sms", "Channel::TwilioSms", "Channel::Whatsapp", "Channel::Voice")
)
# How the address looks that a kind of channel, by one medium or another, writes to; and one such.
FORMS: Final[Mapping[tuple[str, object], tuple[re.Pattern[str], str]]] = {
    ("Channel::Whatsapp", None): (re.compile(r"[0-9]{1,15}"), "351912000111"),
    ("Channel::TwilioSms", "sms"): (re.compile(r"\+[0-9]{1,15}"), "+351912000111"),
    ("Channel::TwilioSms", "whatsapp"): (re.compile(r"whatsapp:\+[0-9]{1,15}"), "whatsapp:+351912000111"),
}


def checked_source_id(source_id: str, inbox: Inbox) -> str:
    """What somebody calls a contact in this inbox, refused when the channel could not write to it."""
    form, example = FORMS.get((inbox.channel_type, _medium(inbox)), (None, ""))
    if form is not None and not form.fullmatch(source_id):
        raise SourceInvalid(f"Source must be one that this inbox can write to, such as {example}")
    return source_id


def contactable_source_id(contact: Contact, inbox: Inbox, *, known: str | None, unused: str | None) -> str | None:
    """Under which a conversation with them can be begun, or None: visitors of a website only in a session of theirs
    in which nothing was said yet."""
    return unused if inbox.channel_type == WEBSITE else offered_source_id(contact, inbox, known)


def default_source_id(contact: Contact, inbox: Inbox) -> str:
    """A new one, or the address the channel writes to; refused when the contact has none."""
    source_id = offered_source_id(contact, inbox, None)
    if source_id is None and inbox.channel_type == "Channel::Voice":
        return tokens.uuid4()
    if source_id is None:
        raise _missing(inbox)
    return source_id


def offered_source_id(contact: Contact, inbox: Inbox, known: str | None) -> str | None:
    """By which they are known already, a new one, or their address; None when they cannot be written to first."""
    match inbox.channel_type:
        case "Channel::Api" | "Channel::WebWidget":
            return known or tokens.uuid4()
        case "Channel::Email":
            return contact.email
        case "Channel::Whatsapp":
            return contact.phone_number and contact.phone_number.removeprefix("+")
        case "Channel::Sms" | "Channel::Voice":
            return contact.phone_number
        case "Channel::TwilioSms":
            return contact.phone_number and _of_medium(contact.phone_number, inbox)
        case _:
            return None


def _of_medium(phone_number: str, inbox: Inbox) -> str:
    """The address that Twilio gives somebody in WhatsApp, or on the phone."""
    return f"whatsapp:{phone_number}" if _medium(inbox) == "whatsapp" else phone_number


def _medium(inbox: Inbox) -> object:
    return (inbox.channel or {}).get("medium")


def _missing(inbox: Inbox) -> DetailMissing | NotContactable:
    match inbox.channel_type:
        case "Channel::Email":
            return DetailMissing("param is missing or the value is empty: contact email")
        case "Channel::Whatsapp" | "Channel::Sms" | "Channel::TwilioSms":
            return DetailMissing("param is missing or the value is empty: contact phone number")
        case _:
            return NotContactable()
