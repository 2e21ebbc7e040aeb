"""Contacts on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.contacts.models import Contact, Session
from criachat.inboxes.models import Inbox
from criachat.inboxes.schemas import InboxRawOut, InboxSlimOut
from criachat.inboxes.shown import inbox_slim_out
from criachat.kit.texts import Short
from criachat.kit.times import unix
from criachat.users.shown import Shown

Page = Annotated[str | int | None, Meta(description="Which page, from 1; there are 15 on each.")]
Sort = Annotated[
    str | None,
    Meta(
        description="By what: `name`, `email`, `phone_number`, `last_activity_at`, `created_at`, `company`, `city` or "
        "`country`, several with commas, each with `-` in front for descending. By `id` when nothing is said."
    ),
]
WithInboxes = Annotated[Any, Meta(description="`false` leaves out `contact_inboxes`, which most callers do not need.")]


class ContactParams(msgspec.Struct, kw_only=True):
    """What a contact is; what is not sent stays as it is, and a blank e-mail, phone number or identifier is none."""

    name: Short | UnsetType | None = UNSET
    email: Annotated[
        Short | UnsetType | None, Meta(description="Kept in small letters; no other contact of the account has it.")
    ] = UNSET
    phone_number: Annotated[
        Short | UnsetType | None,
        Meta(description="With `+` and country code, such as +351912000111; no other contact has it."),
    ] = UNSET
    identifier: Annotated[
        Short | UnsetType | None,
        Meta(description="Another system's id, kept to the letter; no other contact has it."),
    ] = UNSET
    blocked: Annotated[
        bool | UnsetType, Meta(description="New conversations of somebody who is blocked start as resolved.")
    ] = UNSET
    additional_attributes: Annotated[
        dict[str, Any] | UnsetType | None,
        Meta(
            description="Merged by top-level keys. `company_name`, `city`, `country`, `country_code`, `description` "
            "and `social_profiles` have a meaning; lists can be sorted by the first three."
        ),
    ] = UNSET
    custom_attributes: Annotated[
        dict[str, Any] | UnsetType | None,
        Meta(
            description="Merged by top-level keys; null is kept as null, `destroy_custom_attributes` takes keys away."
        ),
    ] = UNSET


class PicturedContactParams(ContactParams, kw_only=True):
    """The same with a picture: the file `avatar` of a multipart request, or an address to fetch it from, soon; null as
    `avatar` is none, of a contact that is changed."""

    avatar: Any = UNSET
    avatar_url: Annotated[str, Meta(max_length=2048)] | None = None


class NewContactParams(PicturedContactParams, kw_only=True):
    """A contact to be made, with a contact inbox when an inbox is named.

    With `upsert`, whoever has the identifier, e-mail or phone number is changed instead, and a session they have in the
    inbox is used again.
    """

    inbox_id: Annotated[int | None, Meta(description="An inbox in which they get a session too.")] = None
    source_id: Annotated[
        Short | None, Meta(description="By what the inbox shall know them; the channel's own way when it is left out.")
    ] = None
    upsert: Annotated[
        bool, Meta(description="Change whoever has the identifier, e-mail or phone number, instead of refusing.")
    ] = False


class ChangedContactParams(PicturedContactParams, kw_only=True):
    """What changes, and how to show the contact then."""

    include_contact_inboxes: WithInboxes = True


class ShowParams(msgspec.Struct, kw_only=True):
    """How to show a contact."""

    include_contact_inboxes: WithInboxes = True


class ListParams(ShowParams, kw_only=True):
    """Which contacts to list, and in which order."""

    page: Page = None
    sort: Sort = None
    labels: Annotated[
        list[str] | str | None, Meta(description="Those with any of these labels: `labels[]=vip&labels[]=lead`.")
    ] = None


class SearchParams(ListParams, kw_only=True):
    """What to look for."""

    q: Annotated[
        str | None,
        Meta(description="What is to be in name, e-mail, phone number, company or, to the letter, identifier."),
    ] = None


class ConditionParams(msgspec.Struct, kw_only=True):
    """One condition of a filter; `query_operator` joins it to the next."""

    attribute_key: Annotated[
        str,
        Meta(
            description="`name`, `email`, `identifier`, `phone_number`, `country_code`, `city`, `company`, `labels`, "
            "`created_at`, `last_activity_at`, `blocked`, or the key of a custom attribute of contacts."
        ),
    ]
    filter_operator: Annotated[
        str,
        Meta(
            description="`equal_to`, `not_equal_to`, `contains`, `does_not_contain`, `starts_with`, `is_present`, "
            "`is_not_present`, `is_greater_than`, `is_less_than` or `days_before`; a refusal names those of the key."
        ),
    ]
    values: Annotated[
        Any, Meta(description="A list. Equality looks at the first; times are days such as 2026-01-31, in UTC.")
    ] = None
    query_operator: Annotated[
        str | None, Meta(description="`and` or `or`, with the next condition; null on the last. AND goes before OR.")
    ] = None


class FilterParams(ShowParams, kw_only=True):
    """Which contacts to list, in the filter language."""

    payload: list[ConditionParams]
    page: Page = None
    sort: Sort = None


class SessionFilterParams(msgspec.Struct, kw_only=True):
    """By what an inbox knows a contact."""

    inbox_id: int
    source_id: str


class ContactInboxParams(msgspec.Struct, kw_only=True):
    """An inbox the contact shall have an identity in."""

    inbox_id: int
    source_id: Short | None = None
    hmac_verified: bool = False


class LabelsParams(msgspec.Struct, kw_only=True):
    """All labels the contact shall have."""

    labels: list[str] | str | None = None


class LabelParams(msgspec.Struct, kw_only=True):
    """One label."""

    label: str


class CustomAttributesParams(msgspec.Struct, kw_only=True):
    """Custom attributes by name."""

    custom_attributes: dict[str, Any]


class AttributeNamesParams(msgspec.Struct, kw_only=True):
    """The names of custom attributes."""

    custom_attributes: list[str] = []


class ContactInboxOut(msgspec.Struct, frozen=True, kw_only=True):
    """One identity of a contact in one inbox."""

    source_id: str
    inbox: InboxSlimOut


class ContactFullOut(msgspec.Struct, frozen=True, kw_only=True):
    """A contact, as agents see them beside a conversation. Who was never active has no `last_activity_at`."""

    additional_attributes: dict[str, Any]
    availability_status: str
    email: str | None
    id: int
    name: str | None
    phone_number: str | None
    blocked: bool
    identifier: str | None
    thumbnail: str
    custom_attributes: dict[str, Any]
    last_activity_at: int | UnsetType
    created_at: int


class ContactOut(ContactFullOut, frozen=True, kw_only=True):
    """A contact as the team sees them, with their sessions where they are asked for."""

    contact_inboxes: list[ContactInboxOut] | UnsetType = UNSET


class ContactPayloadOut(msgspec.Struct, frozen=True, kw_only=True):
    """One contact."""

    payload: ContactOut


class ListMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are, and which page this is; a page that was asked for as text is told as text."""

    count: int
    current_page: str | int


class ContactListOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of contacts."""

    meta: ListMetaOut
    payload: list[ContactOut]


class NewContactInboxOut(msgspec.Struct, frozen=True, kw_only=True):
    """The contact inbox that was made along; nulls when none was asked for."""

    inbox: InboxRawOut | None
    source_id: str | None


class NewContactOut(msgspec.Struct, frozen=True, kw_only=True):
    """A contact and the contact inbox that was made along."""

    contact: ContactOut
    contact_inbox: NewContactInboxOut


class NewContactPayloadOut(msgspec.Struct, frozen=True, kw_only=True):
    """A new contact."""

    payload: NewContactOut


class ContactableOut(msgspec.Struct, frozen=True, kw_only=True):
    """The inboxes in which a conversation can be started."""

    payload: list[ContactInboxOut]


class LabelsOut(msgspec.Struct, frozen=True, kw_only=True):
    """All labels as they are now."""

    payload: list[str]


class CustomAttributesOut(msgspec.Struct, frozen=True, kw_only=True):
    """All custom attributes as they are now."""

    custom_attributes: dict[str, Any]


def wants_sessions(params: ShowParams | ChangedContactParams) -> bool:
    """Whether the contact's inboxes are to be shown: yes, when nothing was said; else only `true` says so."""
    return params.include_contact_inboxes in (True, "true")


def contact_out(contact: Contact, shown: Shown, sessions: Sequence[Session] | None = None) -> ContactOut:
    """The contact, with their inboxes unless those are left out."""
    is_present = shown.presence.is_contact_present(contact.account_id, contact.id)
    last_activity_at = contact.last_activity_at
    return ContactOut(
        additional_attributes=contact.additional_attributes,
        availability_status="online" if is_present else "offline",
        email=contact.email,
        id=contact.id,
        name=contact.name,
        phone_number=contact.phone_number,
        blocked=contact.blocked,
        identifier=contact.identifier,
        thumbnail=shown.files.avatar_url(contact.avatar_key),
        custom_attributes=contact.custom_attributes,
        last_activity_at=UNSET if last_activity_at is None else unix(last_activity_at),
        created_at=unix(contact.created_at),
        contact_inboxes=UNSET
        if sessions is None
        else [session_out(each, shown) for each in sessions if each.contact_id == contact.id],
    )


def session_out(session: Session, shown: Shown) -> ContactInboxOut:
    """A contact inbox of a list."""
    return ContactInboxOut(
        source_id=session.source_id,
        inbox=InboxSlimOut(
            id=session.inbox_id,
            avatar_url=shown.files.avatar_url(session.inbox_avatar_key),
            channel_id=session.channel_id,
            name=session.inbox_name,
            channel_type=session.channel_type,
            provider=session.provider,
        ),
    )


def contact_inbox_out(source_id: str, inbox: Inbox, shown: Shown) -> ContactInboxOut:
    """A contact inbox, or one that could be made."""
    return ContactInboxOut(source_id=source_id, inbox=inbox_slim_out(inbox, shown.files))
