"""By which `source_id` a contact is known in an inbox, when nobody says it."""

from __future__ import annotations

from criachat.contacts.errors import DetailMissing, NotContactable
from criachat.contacts.models import Contact
from criachat.inboxes.models import Inbox
from criachat.kit import tokens


def default_source_id(contact: Contact, inbox: Inbox) -> str:
    """A new one, or the address the channel writes to; refused when the contact has none."""
    match inbox.channel_type:
        case "Channel::Api" | "Channel::WebWidget":
            return tokens.uuid4()
        case "Channel::Email":
            return _needed(contact.email, "contact email")
        case "Channel::Whatsapp":
            return _needed(contact.phone_number, "contact phone number").removeprefix("+")
        case "Channel::Sms":
            return _needed(contact.phone_number, "contact phone number")
        case _:
            raise NotContactable


def _needed(value: str | None, what: str) -> str:
    if value is None:
        raise DetailMissing(f"param is missing or the value is empty: {what}")
    return value
