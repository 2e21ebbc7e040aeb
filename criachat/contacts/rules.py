"""What the details of a contact must be, and what follows from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
from msgspec import UNSET

from criachat.contacts.errors import DetailsInvalid, LabelsInvalid
from criachat.contacts.models import Contact, ContactType, Details
from criachat.contacts.schemas import ContactParams
from criachat.kit.outside import InvalidUrl, check_url
from criachat.kit.texts import EMAIL_ADDRESS, PHONE_NUMBER
from criachat.labels.titles import excess_of, label_titles

# Every event that shows a contact carries all of their attributes.
MOST_ATTRIBUTE_BYTES = 100_000
UNIQUE = ("email", "phone_number", "identifier")
NAMES = ("name", "email", "phone_number", "identifier")
ATTRIBUTES = ("additional_attributes", "custom_attributes")


def check_avatar_url(url: str) -> None:
    """Refuse where no picture could be fetched from."""
    try:
        check_url(url)
    except InvalidUrl as refusal:
        raise DetailsInvalid("Avatar url is invalid", attributes=["avatar_url"]) from refusal


def avatar_url_hash(url: str) -> str:
    """What is noted of where a picture came from."""
    return hashlib.sha256(url.encode()).hexdigest()


def details_of(contact: Contact) -> Details:
    """The details of a contact as they are."""
    return Details(**{field: getattr(contact, field) for field in Details.__struct_fields__})


def changed_details(before: Details, params: ContactParams, *, is_deep: bool = False) -> Details:
    """The details after what was sent; a refusal names everything that is wrong with them.

    Attributes are merged by their top-level keys, with `is_deep` also those inside of them.
    """
    sent = _sent(params)
    for field in ATTRIBUTES:
        if field in sent:
            sent[field] = merged(getattr(before, field), sent[field] or {}, is_deep=is_deep)
    _check(sent)
    return _with_consequences(msgspec.structs.replace(before, **sent))


def claimed_details(params: ContactParams) -> Details:
    """What was sent of that which only one contact may have, whether or not it is well-formed."""
    sent = _sent(params)
    return Details(**{field: sent[field] for field in UNIQUE if field in sent})


def with_custom_attributes(before: Details, attributes: dict[str, Any]) -> Details:
    """The details with these custom attributes and no others."""
    _check({"custom_attributes": attributes})
    return msgspec.structs.replace(before, custom_attributes=attributes)


def joined_details(kept: Details, other: Details) -> Details:
    """The details of two who are one; where both say something, the first is believed."""
    said = {field: getattr(kept, field) or getattr(other, field) for field in NAMES}
    both = {field: merged(getattr(other, field), getattr(kept, field), is_deep=True) for field in ATTRIBUTES}
    return _with_consequences(msgspec.structs.replace(kept, **said, **both))


def merged(kept: Mapping[str, Any], sent: Mapping[str, Any], *, is_deep: bool) -> dict[str, Any]:
    """Both, with what was sent winning; nothing is taken away."""
    both = {**kept, **sent}
    if is_deep:
        for key in kept.keys() & sent.keys():
            old, new = kept[key], sent[key]
            if isinstance(old, dict) and isinstance(new, dict):
                both[key] = merged(cast(dict[str, Any], old), cast(dict[str, Any], new), is_deep=True)
    return both


def checked_labels(labels: str | Iterable[str] | None) -> list[str]:
    """Labels as they are kept, refused when they are too long or too many."""
    titles = label_titles(labels)
    if excess := excess_of(titles):
        raise LabelsInvalid(excess)
    return titles


def _sent(params: ContactParams) -> dict[str, Any]:
    """What was sent, as it is kept; blank says the same as null for what only one contact may have."""
    sent = {field: value for field in ContactParams.__struct_fields__ if (value := getattr(params, field)) is not UNSET}
    for field in ("email", "phone_number"):
        if field in sent:
            sent[field] = (sent[field] or "").strip().lower() or None
    # Another system's id is kept to the letter: it is looked up, and proved, by exactly what was sent.
    if "identifier" in sent and not (sent["identifier"] or "").strip():
        sent["identifier"] = None
    return sent


def _check(sent: Mapping[str, Any]) -> None:
    wrong: dict[str, str] = {}
    if sent.get("email") and not EMAIL_ADDRESS.fullmatch(sent["email"]):
        wrong["email"] = "Email Invalid email"
    if sent.get("phone_number") and not PHONE_NUMBER.fullmatch(sent["phone_number"]):
        wrong["phone_number"] = "Phone number should be in e164 format"
    for field in ATTRIBUTES:
        if field in sent and len(msgspec.json.encode(sent[field])) > MOST_ATTRIBUTE_BYTES:
            wrong[field] = f"{field.replace('_', ' ').capitalize()} is too large (maximum is 100 kB)"
    if wrong:
        raise DetailsInvalid(", ".join(wrong.values()), attributes=list(wrong))


def _with_consequences(details: Details) -> Details:
    """The place follows the attributes, and a visitor who can be reached becomes a lead."""
    return msgspec.structs.replace(
        details,
        location=_text(details.additional_attributes.get("city")),
        country_code=_text(details.additional_attributes.get("country")),
        contact_type=_contact_type(details),
    )


def _text(value: object) -> str | None:
    return value[:255] if isinstance(value, str) else None


def _contact_type(details: Details) -> ContactType:
    if details.contact_type != "visitor":
        return details.contact_type
    is_social = any(key.startswith("social_") and value for key, value in details.additional_attributes.items())
    return "lead" if details.email or details.phone_number or is_social else "visitor"
