"""What can be done with inboxes and their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from criachat.accounts.operations import invalidate_cache
from criachat.inboxes import access, queries, rules
from criachat.inboxes.errors import ChannelMissing, UserMissing
from criachat.inboxes.events import InboxCreated, InboxDeleted, InboxEvent, InboxState, InboxUpdated
from criachat.inboxes.models import API, Inbox, hmac_context, secret_context, usual_week
from criachat.inboxes.schemas import InboxParams
from criachat.kit import directory, tokens
from criachat.kit.actors import Actor
from criachat.kit.avatars import keep_avatar
from criachat.kit.db import Tx, changed
from criachat.kit.errors import NotFound
from criachat.kit.events import by, emit
from criachat.kit.files import Files
from criachat.kit.times import iso
from criachat.kit.tokens import Keyring
from criachat.kit.upkeep import remove_file_later
from criachat.users import access as users

# What events show of the channel, and what they show to nobody.
TOLD_APART = frozenset(("hmac_mandatory", "additional_attributes"))
NEVER_TOLD = frozenset(("hmac_token", "secret", "identifier", "webhook_url", "account_id", "is_visible"))


async def create_api_inbox(
    tx: Tx, keyring: Keyring, params: InboxParams, *, actor: Actor, files: Files | None = None
) -> Inbox:
    """A new inbox with an API channel, its identifier and secrets made here. Nobody is a member yet."""
    if params.channel is None or params.channel.type != "api":
        raise ChannelMissing
    name = rules.name_of(params)
    channel_id = await queries.reserve_channel_id(tx)
    identifier = tokens.random_token()
    await queries.insert_api_channel(
        tx,
        actor.account_id,
        channel_id,
        identifier=identifier,
        hmac_token=keyring.seal(tokens.random_token(), context=hmac_context(channel_id)),
        secret=keyring.seal(tokens.random_secret(), context=secret_context(channel_id)),
    )
    inbox_id = await queries.insert_inbox(
        tx, actor.account_id, channel_id=channel_id, channel_type=API, name=name, week=usual_week()
    )
    await directory.register(tx, access.IDENTIFIERS, identifier, actor.account_id, inbox_id)
    plain = await access.load_inbox(tx, actor, inbox_id)
    wanted = await _with_avatar(rules.changed(plain, params, is_new=True), params, files)
    inbox = await _saved(tx, plain, wanted, actor=actor)
    await _tell(tx, InboxCreated, inbox, actor)
    return inbox


async def change_inbox(tx: Tx, inbox: Inbox, params: InboxParams, *, actor: Actor, files: Files) -> Inbox:
    """Change its settings and its channel's: all that was sent, or nothing."""
    wanted = await _with_avatar(rules.changed(inbox, params), params, files)
    return await _change(tx, inbox, wanted, actor=actor)


async def remove_avatar(tx: Tx, inbox: Inbox, *, actor: Actor) -> None:
    """Show no picture any more."""
    await _change(tx, inbox, msgspec.structs.replace(inbox, avatar_key=None), actor=actor)


async def delete_inbox(tx: Tx, inbox: Inbox, *, actor: Actor) -> None:
    """Hide it at once; a job removes what is in it."""
    if not await queries.mark_deleted(tx, inbox):
        raise NotFound
    await directory.forget(tx, access.IDENTIFIERS, inbox.account_id, inbox.id)
    await _tell(tx, InboxDeleted, inbox, actor)


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
    await queries.insert_members(tx, inbox, user_ids)
    await invalidate_cache(tx, inbox.account_id, "inbox")


async def set_members(tx: Tx, inbox: Inbox, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Have just these people in it."""
    await _check_colleagues(tx, user_ids, actor)
    await queries.lock_inbox(tx, inbox.account_id, inbox.id)
    await queries.delete_other_members(tx, inbox, user_ids)
    await queries.insert_members(tx, inbox, user_ids)
    await invalidate_cache(tx, inbox.account_id, "inbox")


async def remove_members(tx: Tx, inbox: Inbox, user_ids: Sequence[int]) -> None:
    """Take people out of it; their conversations stay theirs."""
    await queries.delete_members(tx, inbox, user_ids)
    await invalidate_cache(tx, inbox.account_id, "inbox")


async def _with_avatar(wanted: Inbox, params: InboxParams, files: Files | None) -> Inbox:
    """The inbox with the picture that was sent; kept last, when nothing else is refused any more."""
    if not params.avatar or files is None:
        return wanted
    key = await keep_avatar(files, params.avatar, account_id=wanted.account_id)
    return msgspec.structs.replace(wanted, avatar_key=key)


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
