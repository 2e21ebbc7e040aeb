"""What can be done with inboxes and their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import hold_limit, invalidate_cache, tell_of_change
from criachat.custom_attributes import access as custom_attributes
from criachat.inboxes import access, queries, rules
from criachat.inboxes.channel import address_kinds, addresses_of, told_settings, with_settings
from criachat.inboxes.errors import (
    AddressTaken,
    ChannelMissing,
    NoSuchToken,
    PortalMissing,
    TooManyInboxes,
    UserMissing,
)
from criachat.inboxes.events import InboxCreated, InboxDeleted, InboxEvent, InboxState, InboxUpdated
from criachat.inboxes.kinds import KINDS, TWILIO, WEBSITE_TOKEN, Address, Kind
from criachat.inboxes.models import API, WEBSITE, Inbox, hmac_context, secret_context, usual_week
from criachat.inboxes.pre_chat import OPTIONS, Renaming, followed
from criachat.inboxes.rules import is_bounded
from criachat.inboxes.schemas import InboxParams, TwilioParams
from criachat.kit import directory, tokens
from criachat.kit.actors import Actor, system
from criachat.kit.db import Tx, changed
from criachat.kit.errors import NotFound
from criachat.kit.events import by, emit
from criachat.kit.times import iso
from criachat.kit.tokens import Keyring
from criachat.kit.upkeep import remove_file_later
from criachat.users import access as users

# Whoever remembers inboxes reads those that are named here again.
CHANGED_TOPIC = "inboxes_changed"
# What events tell apart from the settings, and what they tell nobody.
TOLD_APART = frozenset(("hmac_mandatory", "additional_attributes", "channel"))
NEVER_TOLD = frozenset(
    (
        "hmac_token",
        "secret",
        "identifier",
        "webhook_url",
        "channel_secrets",
        "account_id",
        "account_name",
        "account_domain",
        "portal_name",
        "portal_slug",
        "is_visible",
    )
)


async def create_inbox(
    tx: Tx, keyring: Keyring, params: InboxParams, *, actor: Actor, avatar_key: str | None = None
) -> Inbox:
    """A new inbox with a channel of the kind that was asked for; an API channel's identifier and secrets are made here.

    Nobody is a member yet.
    """
    asked = (params.channel or {}).get("type")
    if asked == "api":
        return await _create(tx, keyring, params, None, actor=actor, avatar_key=avatar_key)
    kind = KINDS.get(asked) if isinstance(asked, str) else None
    if kind is None:
        raise ChannelMissing
    if kind.names_itself and not (params.name or "").strip():
        params = msgspec.structs.replace(params, name=kind.channel_type.removeprefix("Channel::"))
    return await _create(tx, keyring, params, kind, actor=actor, avatar_key=avatar_key)


async def create_twilio_inbox(tx: Tx, keyring: Keyring, params: TwilioParams, *, actor: Actor) -> Inbox:
    """A new inbox for a Twilio number, or for a messaging service."""
    settings = {name: value for name, value in msgspec.structs.asdict(params).items() if value is not None}
    return await _create(tx, keyring, InboxParams(name=params.name, channel=settings), TWILIO, actor=actor)


async def _create(
    tx: Tx, keyring: Keyring, params: InboxParams, kind: Kind | None, *, actor: Actor, avatar_key: str | None = None
) -> Inbox:
    name = rules.name_of(params)
    await _check_room(tx, actor.account_id, kind)
    channel_id = await queries.reserve_channel_id(tx)
    hmac_token = keyring.seal(tokens.random_token(), context=hmac_context(channel_id))
    if kind is None:
        await queries.insert_api_channel(
            tx,
            actor.account_id,
            channel_id,
            identifier=tokens.random_token(),
            hmac_token=hmac_token,
            secret=keyring.seal(tokens.random_secret(), context=secret_context(channel_id)),
        )
    else:
        token = hmac_token if kind.has_hmac_token else None
        await queries.insert_channel(tx, actor.account_id, channel_id, hmac_token=token)
    inbox_id = await queries.insert_inbox(
        tx,
        actor.account_id,
        channel_id=channel_id,
        channel_type=API if kind is None else kind.channel_type,
        name=name,
        week=usual_week(),
    )
    plain = await access.load_inbox(tx, actor, inbox_id)
    wanted = with_settings(rules.changed(plain, params, is_new=True), params.channel or {}, keyring)
    await _check_portal(tx, wanted, params)
    inbox = await _saved(tx, plain, _with_avatar(wanted, avatar_key), actor=actor)
    await _lead_to(tx, inbox, addresses_of(inbox, keyring))
    await _tell(tx, InboxCreated, inbox, actor)
    return inbox


async def change_inbox(
    tx: Tx, keyring: Keyring, inbox: Inbox, params: InboxParams, *, actor: Actor, avatar_key: str | None = None
) -> Inbox:
    """Change its settings and its channel's: all that was sent, or nothing."""
    wanted = rules.changed(inbox, params)
    await _check_portal(tx, wanted, params)
    if params.channel is not None:
        wanted = with_settings(wanted, params.channel, keyring)
        before, after = addresses_of(inbox, keyring), addresses_of(wanted, keyring)
        if before != after:
            await _forget(tx, inbox)
            await _lead_to(tx, inbox, after)
    return await _change(tx, inbox, _with_avatar(wanted, avatar_key), actor=actor)


async def reset_hmac_token(tx: Tx, keyring: Keyring, inbox: Inbox, *, actor: Actor) -> Inbox:
    """Make a new key for identity hashes; those made with the old one prove nothing from now on."""
    if inbox.hmac_token is None:
        raise NoSuchToken
    token = keyring.seal(tokens.random_token(), context=hmac_context(inbox.channel_id))
    return await _change(tx, inbox, msgspec.structs.replace(inbox, hmac_token=token), actor=actor)


async def reset_identifier(tx: Tx, keyring: Keyring, inbox: Inbox, *, actor: Actor) -> Inbox:
    """Make a new public identifier, or a new token of a website; the old one leads nowhere from now on."""
    token = tokens.random_token()
    if inbox.channel_type == API:
        wanted = msgspec.structs.replace(inbox, identifier=token)
    elif inbox.channel is not None and WEBSITE_TOKEN in inbox.channel:
        wanted = msgspec.structs.replace(inbox, channel={**inbox.channel, WEBSITE_TOKEN: token})
    else:
        raise NoSuchToken
    await _forget(tx, inbox)
    await _lead_to(tx, inbox, addresses_of(wanted, keyring))
    return await _change(tx, inbox, wanted, actor=actor)


async def remove_avatar(tx: Tx, inbox: Inbox, *, actor: Actor) -> None:
    """Show no picture any more."""
    await _change(tx, inbox, msgspec.structs.replace(inbox, avatar_key=None), actor=actor)


async def delete_inbox(tx: Tx, inbox: Inbox, *, actor: Actor) -> None:
    """Hide it at once; a job removes what is in it."""
    if not await queries.mark_deleted(tx, inbox):
        raise NotFound
    tx.wake(CHANGED_TOPIC, str(inbox.id))
    await _forget(tx, inbox)
    await _tell(tx, InboxDeleted, inbox, actor)


async def mark_bot(tx: Tx, account_id: int, inbox_ids: Sequence[int], *, has_active_bot: bool) -> None:
    """Note whether a bot answers first in these inboxes: where one does, new conversations start pending."""
    if await queries.mark_bot(tx, account_id, inbox_ids, has_active_bot=has_active_bot):
        await invalidate_cache(tx, account_id, "inbox")


async def follow_definition(tx: Tx, renaming: Renaming, *, after: int) -> int | None:
    """Have the form of the next website that asks for an extra field follow it; which it was, None when none is left.

    What becomes too large by it stays as it is.
    """
    account_id = renaming.account_id
    key = account_id, renaming.attribute_key, renaming.attribute_model
    inbox_id = await queries.find_asking(tx, *key, after=after)
    if inbox_id is None:
        return None
    await queries.lock_inbox(tx, account_id, inbox_id)
    inbox = await access.find_inbox(tx, account_id, inbox_id)
    definition = await custom_attributes.find_definition(tx, account_id, renaming.definition_id)
    if inbox is not None and inbox.channel is not None:
        options = followed(inbox.channel[OPTIONS], renaming, definition)
        if is_bounded(options):
            channel = {**inbox.channel, OPTIONS: options}
            await _change(tx, inbox, msgspec.structs.replace(inbox, channel=channel), actor=system(account_id))
    return inbox_id


async def remove_deleted(tx: Tx, *, account_id: int, inbox_id: int) -> bool:
    """Remove a hidden inbox; False while there are sessions in it."""
    removed = await queries.delete_inbox(tx, account_id, inbox_id)
    if removed is None:
        return not await queries.is_left(tx, account_id, inbox_id)
    if removed.avatar_key is not None:
        await remove_file_later(tx, removed.avatar_key)
    return True


async def add_members(tx: Tx, inbox: Inbox, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Put people into it."""
    await _check_colleagues(tx, user_ids, actor)
    before = await queries.list_member_ids(tx, inbox)
    await queries.insert_members(tx, inbox, user_ids)
    await _tell_of_members(tx, inbox, before, actor=actor)


async def set_members(tx: Tx, inbox: Inbox, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Have just these people in it."""
    await _check_colleagues(tx, user_ids, actor)
    before = await queries.list_member_ids(tx, inbox)
    await queries.delete_other_members(tx, inbox, user_ids)
    await queries.insert_members(tx, inbox, user_ids)
    await _tell_of_members(tx, inbox, before, actor=actor)


async def remove_members(tx: Tx, inbox: Inbox, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Take people out of it; their conversations stay theirs."""
    before = await queries.list_member_ids(tx, inbox)
    await queries.delete_members(tx, inbox, user_ids)
    await _tell_of_members(tx, inbox, before, actor=actor)


async def _tell_of_members(tx: Tx, inbox: Inbox, before: Sequence[int], *, actor: Actor) -> None:
    """Have clients read inboxes again, and say who came and went; the inbox is locked meanwhile."""
    await invalidate_cache(tx, inbox.account_id, "inbox")
    views = {"user_ids": before}, {"user_ids": await queries.list_member_ids(tx, inbox)}
    await tell_of_change(tx, actor, "InboxMember", inbox.id, before=views[0], after=views[1])


async def _check_room(tx: Tx, account_id: int, kind: Kind | None) -> None:
    """Refuse one inbox more than the account may have. Websites do not count."""
    if kind is not None and kind.channel_type == WEBSITE:
        return
    at_most = await hold_limit(tx, account_id, "inboxes")
    if at_most is not None and (await queries.find_usage(tx, account_id)).non_web_inboxes >= at_most:
        raise TooManyInboxes


async def _check_portal(tx: Tx, inbox: Inbox, params: InboxParams) -> None:
    is_named = params.portal_id is not UNSET and inbox.portal_id is not None
    if is_named and not await queries.has_portal(tx, inbox.account_id, inbox.portal_id or 0):
        raise PortalMissing


def _with_avatar(wanted: Inbox, avatar_key: str | None) -> Inbox:
    return wanted if avatar_key is None else msgspec.structs.replace(wanted, avatar_key=avatar_key)


async def _lead_to(tx: Tx, inbox: Inbox, addresses: Sequence[Address]) -> None:
    """Have the inbox found by these; of two who claim the same at once, one is refused."""
    for address in addresses:
        if await directory.find(tx, address.kind, address.key) is not None:
            raise AddressTaken(address.setting)
        await directory.register(tx, address.kind, address.key, inbox.account_id, inbox.id)


async def _forget(tx: Tx, inbox: Inbox) -> None:
    for kind in address_kinds(inbox):
        await directory.forget(tx, kind, inbox.account_id, inbox.id)


async def _change(tx: Tx, before: Inbox, wanted: Inbox, *, actor: Actor) -> Inbox:
    after = await _saved(tx, before, wanted, actor=actor)
    if before.avatar_key is not None and before.avatar_key != after.avatar_key:
        await remove_file_later(tx, before.avatar_key)
    if after != before:
        await _tell(tx, InboxUpdated, after, actor, changes=_changes(before, after))
    return after


async def _saved(tx: Tx, before: Inbox, wanted: Inbox, *, actor: Actor) -> Inbox:
    if wanted == before:
        return before
    await queries.save_inbox(tx, wanted)
    tx.wake(CHANGED_TOPIC, str(wanted.id))
    return await access.load_inbox(tx, actor, wanted.id)


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
        account_name=inbox.account_name,
        settings={
            name: value for name, value in msgspec.structs.asdict(inbox).items() if name not in TOLD_APART | NEVER_TOLD
        },
        channel=told_settings(inbox),
    )
    event = kind(**by(actor), account_id=inbox.account_id, inbox_id=inbox.id, changes=changes, snapshot=state)
    await emit(tx, event)
    await invalidate_cache(tx, inbox.account_id, "inbox")


def _changes(before: Inbox, after: Inbox) -> dict[str, list[Any]]:
    """What an update changed. That a secret or an address did shows in `updated_at` alone."""
    names = [
        name for name in Inbox.__struct_fields__ if name not in NEVER_TOLD | TOLD_APART | {"updated_at", "version"}
    ]
    told = [{**{name: getattr(inbox, name) for name in names}, **told_settings(inbox)} for inbox in (before, after)]
    return {**changed(*told), "updated_at": [iso(before.updated_at), iso(after.updated_at)]}
