"""The settings of one inbox's channel: opened, changed, sealed again, and told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from criachat.inboxes.kinds import IDENTIFIER, OF_TYPE, Address, Kind, Settings
from criachat.inboxes.models import API, Inbox, settings_context
from criachat.inboxes.rules import bounded
from criachat.kit.http.binding import convert
from criachat.kit.tokens import Keyring

LARGE = frozenset(("pre_chat_form_options", "provider_config"))


def kind_of(inbox: Inbox) -> Kind | None:
    """What kind of channel it has; None for an API channel, and one that nobody can make yet."""
    return OF_TYPE.get(inbox.channel_type)


def opened_settings(inbox: Inbox, keyring: Keyring) -> Settings:
    """All settings of the channel, the secret ones too."""
    secrets: Settings = {}
    if inbox.channel_secrets is not None:
        secrets = msgspec.json.decode(keyring.open(inbox.channel_secrets, context=settings_context(inbox.channel_id)))
    return {**(inbox.channel or {}), **secrets}


def with_settings(inbox: Inbox, sent: dict[str, Any], keyring: Keyring) -> Inbox:
    """The inbox with what was sent of its kind's settings; what is no setting of it says nothing."""
    kind = kind_of(inbox)
    if kind is None:
        return inbox
    before = opened_settings(inbox, keyring)
    made = {name: before.get(name) or make() for name, make in kind.made.items()}
    after = {**made, **_changed(kind, before, sent)}
    hidden = {name: after[name] for name in kind.sealed}
    secrets = inbox.channel_secrets
    if hidden != {name: before.get(name) for name in kind.sealed}:
        text = msgspec.json.encode(hidden).decode()
        secrets = keyring.seal(text, context=settings_context(inbox.channel_id))
    plain = {name: value for name, value in after.items() if name not in kind.sealed}
    return msgspec.structs.replace(inbox, channel=plain, channel_secrets=secrets if hidden else None)


def _changed(kind: Kind, before: Settings, sent: dict[str, Any]) -> Settings:
    may_change = kind.changeable if before and kind.changeable is not None else set(kind.settings.__struct_fields__)
    wanted = {**before, **{name: value for name, value in sent.items() if name in may_change}}
    settings: Settings = msgspec.to_builtins(convert(wanted, kind.settings, plain_errors=False))
    for name in LARGE & settings.keys():
        bounded(name, settings[name])
    return kind.check(kind.blanks_refused(settings), before)


def told_settings(inbox: Inbox) -> Settings:
    """What everybody who sees the inbox may know of its channel, and what events tell."""
    kind = kind_of(inbox)
    if inbox.channel_type == API or kind is None:
        return {"additional_attributes": inbox.additional_attributes, "hmac_mandatory": inbox.hmac_mandatory}
    known = inbox.channel or {}
    return {name: known[name] for name in kind.told if name in known}


def settings_for_administrators(inbox: Inbox, keyring: Keyring) -> Settings:
    """What agents have no key for."""
    kind = kind_of(inbox)
    if kind is None or not kind.for_administrators:
        return {}
    settings = opened_settings(inbox, keyring)
    return {name: settings[name] for name in sorted(kind.for_administrators) if name in settings}


def addresses_of(inbox: Inbox, keyring: Keyring) -> list[Address]:
    """The keys of the directory that lead to it."""
    kind = kind_of(inbox)
    if kind is None:
        return [Address(IDENTIFIER, inbox.identifier, IDENTIFIER)] if inbox.identifier else []
    return kind.addresses(opened_settings(inbox, keyring))


def address_kinds(inbox: Inbox) -> Sequence[str]:
    """The kinds of keys that may lead to it."""
    kind = kind_of(inbox)
    return (IDENTIFIER,) if kind is None else kind.address_kinds
