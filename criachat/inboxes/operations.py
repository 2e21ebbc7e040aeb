"""What can be done with inboxes and their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import invalidate_cache
from criachat.inboxes import access, queries
from criachat.inboxes.errors import (
    AssignmentLimitInvalid,
    ChannelMissing,
    NameBlank,
    ReplyWindowInvalid,
    UserMissing,
)
from criachat.inboxes.events import InboxCreated, InboxDeleted, InboxEvent, InboxState, InboxUpdated
from criachat.inboxes.hours import changed_week, check_timezone
from criachat.inboxes.models import API, Inbox, usual_week
from criachat.inboxes.schemas import ChannelParams, InboxParams, hmac_context, secret_context
from criachat.kit import directory, tokens
from criachat.kit.actors import Actor
from criachat.kit.db import Tx, changed
from criachat.kit.errors import NotFound, Unprocessable
from criachat.kit.events import by, emit
from criachat.kit.outside import check_url
from criachat.kit.times import iso
from criachat.kit.tokens import Keyring
from criachat.users import access as users

CSAT_DEFAULTS: dict[str, Any] = {
    "display_type": "emoji",
    "message": "",
    "button_text": "",
    "language": "en",
    "survey_rules": {"operator": "contains", "values": []},
}
SENDER_NAME_TYPES = ("friendly", "professional")
# What events show of the channel, and what they show to nobody.
TOLD_APART = frozenset(("hmac_mandatory", "additional_attributes"))
NEVER_TOLD = frozenset(("hmac_token", "secret", "identifier", "webhook_url", "account_id", "is_visible"))
NOT_COLUMNS = frozenset(("channel", "working_hours", "csat_config", "sender_name_type"))


async def create_api_inbox(tx: Tx, keyring: Keyring, params: InboxParams, *, actor: Actor) -> Inbox:
    """A new inbox with an API channel, its identifier and secrets made here. Nobody is a member yet."""
    channel = params.channel
    if channel is None or channel.type != "api":
        raise ChannelMissing
    if params.name is UNSET or not (params.name or "").strip():
        raise NameBlank
    channel_id = await queries.reserve_channel_id(tx)
    identifier = tokens.random_token()
    await queries.insert_api_channel(
        tx,
        actor.account_id,
        channel_id,
        identifier=identifier,
        webhook_url=None,
        hmac_mandatory=False,
        hmac_token=keyring.seal(tokens.random_token(), context=hmac_context(channel_id)),
        secret=keyring.seal(tokens.random_secret(), context=secret_context(channel_id)),
        additional_attributes={},
        deduplicate_source_ids=False,
    )
    inbox_id = await queries.insert_inbox(
        tx,
        actor.account_id,
        channel_id=channel_id,
        channel_type=API,
        name=cast(str, params.name).strip(),
        week=usual_week(),
    )
    await directory.register(tx, access.IDENTIFIERS, identifier, actor.account_id, inbox_id)
    inbox = await _save(tx, await access.load_inbox(tx, actor, inbox_id), params, actor=actor)
    await _tell(tx, InboxCreated, inbox, actor)
    return inbox


async def change_inbox(tx: Tx, inbox: Inbox, params: InboxParams, *, actor: Actor) -> Inbox:
    """Change its settings and its channel's: all that was sent, or nothing."""
    await queries.lock_inbox(tx, inbox.account_id, inbox.id)
    before = await access.load_inbox(tx, actor, inbox.id)
    if params.name is not UNSET and not (params.name or "").strip():
        raise NameBlank
    after = await _save(tx, before, params, actor=actor)
    if msgspec.structs.replace(after, updated_at=before.updated_at, version=before.version) != before:
        await _tell(tx, InboxUpdated, after, actor, changes=_changes(before, after))
    return after


async def delete_inbox(tx: Tx, inbox: Inbox, *, actor: Actor) -> None:
    """Hide it at once; a job removes what is in it."""
    if not await queries.mark_deleted(tx, inbox):
        raise NotFound
    await directory.forget(tx, access.IDENTIFIERS, inbox.account_id, inbox.id)
    await _tell(tx, InboxDeleted, inbox, actor)


async def remove_deleted(tx: Tx, *, account_id: int, inbox_id: int) -> None:
    """Remove a hidden inbox and everything in it."""
    await queries.delete_inbox(tx, account_id, inbox_id)


async def add_members(tx: Tx, inbox: Inbox, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Put people into it."""
    await _check_colleagues(tx, user_ids, actor)
    await queries.insert_members(tx, inbox, user_ids)
    await invalidate_cache(tx, inbox.account_id, "inbox")


async def set_members(tx: Tx, inbox: Inbox, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Have just these people in it."""
    await _check_colleagues(tx, user_ids, actor)
    await queries.delete_other_members(tx, inbox, user_ids)
    await queries.insert_members(tx, inbox, user_ids)
    await invalidate_cache(tx, inbox.account_id, "inbox")


async def remove_members(tx: Tx, inbox: Inbox, user_ids: Sequence[int]) -> None:
    """Take people out of it; their conversations stay theirs."""
    await queries.delete_members(tx, inbox, user_ids)
    await invalidate_cache(tx, inbox.account_id, "inbox")


async def _save(tx: Tx, inbox: Inbox, params: InboxParams, *, actor: Actor) -> Inbox:
    wanted = msgspec.structs.replace(inbox, **_settings(inbox, params))
    if params.channel is not None:
        wanted = msgspec.structs.replace(wanted, **_channel(params.channel))
    await queries.save_inbox(tx, wanted)
    return await access.load_inbox(tx, actor, inbox.id)


def _settings(inbox: Inbox, params: InboxParams) -> dict[str, Any]:
    """What was sent of the inbox itself, checked."""
    sent = {
        name: value
        for name, value in msgspec.structs.asdict(params).items()
        if name not in NOT_COLUMNS and value is not UNSET
    }
    if "timezone" in sent:
        check_timezone(sent["timezone"])
    if params.working_hours is not UNSET:
        week = changed_week(inbox.week, params.working_hours)
        sent["working_hours"] = msgspec.to_builtins(week)
    if params.csat_config is not UNSET:
        sent["csat_config"] = {**CSAT_DEFAULTS, **params.csat_config}
    if params.sender_name_type is not UNSET:
        sent["sender_name_type"] = _sender_name_type(params.sender_name_type)
    limit = sent.get("auto_assignment_config", {}).get("max_assignment_limit")
    if limit is not None and (not isinstance(limit, int) or limit <= 0):
        raise AssignmentLimitInvalid
    return sent


def _sender_name_type(value: object) -> str:
    if isinstance(value, int) and 0 <= value < len(SENDER_NAME_TYPES):
        return SENDER_NAME_TYPES[value]
    if value not in SENDER_NAME_TYPES:
        raise Unprocessable("sender_name_type must be friendly or professional")
    return cast(str, value)


def _channel(channel: ChannelParams) -> dict[str, Any]:
    """What was sent of the channel, checked."""
    sent: dict[str, Any] = {}
    if channel.webhook_url is not UNSET:
        sent["webhook_url"] = channel.webhook_url or None
        if channel.webhook_url:
            check_url(channel.webhook_url)
    if channel.hmac_mandatory is not UNSET:
        sent["hmac_mandatory"] = channel.hmac_mandatory
    if channel.deduplicate_source_ids is not UNSET:
        sent["deduplicate_source_ids"] = channel.deduplicate_source_ids
    if channel.additional_attributes is not UNSET:
        attributes = channel.additional_attributes or {}
        _check_reply_window(attributes.get("agent_reply_time_window"))
        sent["additional_attributes"] = attributes
    return sent


def _check_reply_window(hours: object) -> None:
    if hours is None or hours == "":
        return
    text = str(hours)
    if not text.isascii() or not text.isdigit() or int(text) <= 0:
        raise ReplyWindowInvalid


async def _check_colleagues(tx: Tx, user_ids: Sequence[int], actor: Actor) -> None:
    known = {colleague.id for colleague in await users.list_colleagues(tx, actor, user_ids)}
    if not known.issuperset(user_ids):
        raise UserMissing


async def _tell(
    tx: Tx, kind: type[InboxEvent], inbox: Inbox, actor: Actor, *, changes: dict[str, list[Any]] | None = None
) -> None:
    state = InboxState(
        id=inbox.id,
        name=inbox.name,
        channel_type=inbox.channel_type,
        account_name=await queries.find_account_name(tx, inbox.account_id),
        settings={
            name: value for name, value in msgspec.structs.asdict(inbox).items() if name not in TOLD_APART | NEVER_TOLD
        },
        channel={name: getattr(inbox, name) for name in sorted(TOLD_APART)},
    )
    event = kind(**by(actor), account_id=inbox.account_id, inbox_id=inbox.id, changes=changes, snapshot=state)
    await emit(tx, event)
    await invalidate_cache(tx, inbox.account_id, "inbox")


def _changes(before: Inbox, after: Inbox) -> dict[str, list[Any]]:
    """What an update changed. That a secret or an address did shows in `updated_at` alone."""
    names = [name for name in Inbox.__struct_fields__ if name not in NEVER_TOLD | {"updated_at", "version"}]
    changes = changed({name: getattr(before, name) for name in names}, {name: getattr(after, name) for name in names})
    return {**changes, "updated_at": [iso(before.updated_at), iso(after.updated_at)]}
