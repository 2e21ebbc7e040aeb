"""Whom a message of an e-mail inbox goes to beside the contact, or in their place."""

from __future__ import annotations

from typing import Any, cast

from criachat.conversations.models import Conversation
from criachat.messages.errors import MailAddressInvalid
from criachat.messages.schemas import MessageParams
from criachat.users.addresses import is_address

EMAIL = "Channel::Email"
MOST_ADDRESSES = 100


def addresses_of(conversation: Conversation, params: MessageParams) -> dict[str, list[str]]:
    """The addresses by their attribute, all three of them as lists; in other inboxes there are none."""
    if conversation.channel_type != EMAIL:
        return {}
    return {
        "cc_emails": _addresses(params.cc_emails),
        "bcc_emails": _addresses(params.bcc_emails),
        "to_emails": _addresses(params.to_emails),
    }


def _addresses(sent: object) -> list[str]:
    """They come as one text with commas, or as a list."""
    parts = cast(list[Any], sent) if isinstance(sent, list) else [] if sent is None else str(sent).split(",")
    found = ["".join(part.split()) if isinstance(part, str) else "?" for part in parts]
    addresses = [address for address in dict.fromkeys(found) if address]
    if len(addresses) > MOST_ADDRESSES or not all(is_address(address) for address in addresses):
        raise MailAddressInvalid
    return addresses
