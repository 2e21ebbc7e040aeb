"""What contacts tell others."""

from __future__ import annotations

from criachat.contacts.snapshots import AccountSnapshot, ContactSnapshot
from criachat.kit.events import Event, declare


class ContactEvent(Event, frozen=True, kw_only=True):
    """Something about one contact."""

    account: AccountSnapshot
    snapshot: ContactSnapshot


@declare("contact_created", realtime="contact.created")
class ContactCreated(ContactEvent, frozen=True, kw_only=True):
    """A contact is new."""


@declare("contact_updated", realtime="contact.updated")
class ContactUpdated(ContactEvent, frozen=True, kw_only=True):
    """Attributes, labels or the blocked mark of a contact changed."""


@declare("contact_merged", realtime="contact.merged")
class ContactMerged(ContactEvent, frozen=True, kw_only=True):
    """Another contact became part of this one."""

    merged_contact_id: int


@declare("contact_deleted", realtime="contact.deleted")
class ContactDeleted(ContactEvent, frozen=True, kw_only=True):
    """A contact is gone."""
