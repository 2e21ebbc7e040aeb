"""By which `source_id` a contact is known in an inbox, when nobody says it."""

from __future__ import annotations

from criachat.contacts.errors import DetailMissing, NotContactable
from criachat.contacts.models import Contact
from criachat.inboxes.models import Inbox
from criachat.kit import tokens


def default_source_id(contact: Contact, inbox: Inbox) -> str:
    """A new one, or the address the channel writes to; refused when the contact has none."""
    source_id = offered_source_id(contact, inbox, None)
    if source_id is None:
        raise _missing(inbox)
    return source_id


def offered_source_id(contact: Contact, inbox: Inbox, known: str | None) -> str | None:
    """By which they are known already, a new one, or their address; None when they cannot be written to first."""
    match inbox.channel_type:
        case "Channel::Api":
            return known or tokens.uuid4()
        case "Channel::Email":
            return contact.email
        case "Channel::Whatsapp":
            return contact.phone_number and contact.phone_number.removeprefix("+")
        case "Channel::Sms":
            return contact.phone_number
        case _:
            return None


def _missing(inbox: Inbox) -> DetailMissing | NotContactable:
    match inbox.channel_type:
        case "Channel::Email":
            return DetailMissing("param is missing or the value is empty: contact email")
        case "Channel::Whatsapp" | "Channel::Sms":
            return DetailMissing("param is missing or the value is empty: contact phone number")
        case _:
            return NotContactable()
