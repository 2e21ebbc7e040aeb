"""Inboxes and their members, over HTTP."""

from __future__ import annotations

from criachat.inboxes import access, operations, queries
from criachat.inboxes.models import Inbox
from criachat.inboxes.schemas import (
    AgentsOut,
    AssignableParams,
    InboxListOut,
    InboxOut,
    InboxParams,
    MembersParams,
    MessageOut,
    TwilioParams,
)
from criachat.inboxes.shown import ShownInboxes, inbox_out
from criachat.kit.actors import ADMINISTRATOR, AGENT, Actor
from criachat.kit.avatars import KeptAvatar
from criachat.kit.db import Db, Tx
from criachat.kit.errors import Invalid, NotFound, Unprocessable
from criachat.kit.http.routes import Routes
from criachat.kit.http.versions import Expected, Versioned
from criachat.users import access as users
from criachat.users.schemas import agent_out
from criachat.users.shown import Shown

routes = Routes("/api/v1/accounts/{account_id}", tag="Inboxes", scope="inboxes")


@routes.get("/inboxes", actors=AGENT)
async def list_inboxes(db: Db, actor: Actor, shown: ShownInboxes) -> InboxListOut:
    """All inboxes the caller may see, by name; not paged."""
    return InboxListOut(payload=[_out(inbox, shown, actor) for inbox in await access.list_inboxes(db, actor)])


@routes.post("/inboxes", actors=ADMINISTRATOR, files=("avatar",), null_text=True)
async def create_inbox(tx: Tx, actor: Actor, shown: ShownInboxes, params: InboxParams, avatar: KeptAvatar) -> InboxOut:
    """A new inbox; `channel.type` is `api`, `web_widget`, `email`, `whatsapp`, `telegram`, `line` or `sms`.

    Add members for agents to see it.
    """
    key = await avatar.taken(tx)
    return _out(await operations.create_inbox(tx, shown.keyring, params, actor=actor, avatar_key=key), shown, actor)


@routes.post("/channels/twilio_channel", actors=ADMINISTRATOR, wrapper="twilio_channel", plain_errors=True)
async def create_twilio_inbox(tx: Tx, actor: Actor, shown: ShownInboxes, params: TwilioParams) -> InboxOut:
    """A new inbox for a Twilio number or messaging service."""
    try:
        return _out(await operations.create_twilio_inbox(tx, shown.keyring, params, actor=actor), shown, actor)
    except Invalid as refusal:
        raise Unprocessable(refusal.text) from refusal


@routes.get("/inboxes/{inbox_id}", actors=AGENT)
async def show_inbox(db: Db, actor: Actor, shown: ShownInboxes, inbox_id: int) -> Versioned[InboxOut]:
    """One inbox; secrets only for administrators."""
    return _versioned(await access.load_inbox(db, actor, inbox_id), shown, actor)


@routes.update("/inboxes/{inbox_id}", actors=ADMINISTRATOR, files=("avatar",), null_text=True)
async def change_inbox(  # noqa: PLR0913 - what it touches is in the signature
    tx: Tx,
    actor: Actor,
    shown: ShownInboxes,
    inbox_id: int,
    params: InboxParams,
    avatar: KeptAvatar,
    expected: Expected,
) -> Versioned[InboxOut]:
    """Change its settings, its working hours and its channel: all of it, or nothing.

    With `If-Match` only when nobody else changed it since.
    """
    inbox = await access.load_inbox_to_change(tx, actor, inbox_id)
    expected.check(inbox.version)
    key = await avatar.taken(tx)
    after = await operations.change_inbox(tx, shown.keyring, inbox, params, actor=actor, avatar_key=key)
    return _versioned(after, shown, actor)


@routes.post("/inboxes/{inbox_id}/reset_hmac_token", actors=ADMINISTRATOR)
async def reset_hmac_token(tx: Tx, actor: Actor, shown: ShownInboxes, inbox_id: int) -> InboxOut:
    """A new key for identity hashes of a website or an app; the old one proves nothing any more."""
    inbox = await access.load_inbox_to_change(tx, actor, inbox_id)
    return _out(await operations.reset_hmac_token(tx, shown.keyring, inbox, actor=actor), shown, actor)


@routes.post("/inboxes/{inbox_id}/reset_identifier", actors=ADMINISTRATOR)
async def reset_identifier(tx: Tx, actor: Actor, shown: ShownInboxes, inbox_id: int) -> InboxOut:
    """A new `inbox_identifier` or `website_token`; the old one leads nowhere any more."""
    inbox = await access.load_inbox_to_change(tx, actor, inbox_id)
    return _out(await operations.reset_identifier(tx, shown.keyring, inbox, actor=actor), shown, actor)


@routes.delete("/inboxes/{inbox_id}", actors=ADMINISTRATOR)
async def delete_inbox(tx: Tx, actor: Actor, inbox_id: int) -> MessageOut:
    """Hide it now; its conversations are removed in the background."""
    await operations.delete_inbox(tx, await access.load_inbox(tx, actor, inbox_id), actor=actor)
    return MessageOut(message="Your inbox deletion request will be processed in some time.")


@routes.delete("/inboxes/{inbox_id}/avatar", actors=ADMINISTRATOR)
async def remove_avatar(tx: Tx, actor: Actor, inbox_id: int) -> None:
    """Show no picture any more."""
    await operations.remove_avatar(tx, await access.load_inbox_to_change(tx, actor, inbox_id), actor=actor)


@routes.get("/inboxes/{inbox_id}/assignable_agents", actors=AGENT)
async def list_assignable_agents(db: Db, actor: Actor, shown: Shown, inbox_id: int) -> AgentsOut:
    """Members of the inbox and all administrators."""
    inbox = await access.load_inbox(db, actor, inbox_id)
    return await _assignable(db, actor, shown, await queries.list_member_ids(db, inbox))


@routes.get("/assignable_agents", actors=AGENT)
async def list_agents_of_all(db: Db, actor: Actor, shown: Shown, params: AssignableParams) -> AgentsOut:
    """Members of every one of these inboxes, and all administrators."""
    if not params.inbox_ids:
        raise NotFound
    await access.load_inboxes(db, actor, params.inbox_ids)
    common = await queries.list_common_member_ids(db, actor.account_id, params.inbox_ids)
    return await _assignable(db, actor, shown, common)


@routes.get("/inbox_members/{inbox_id}", actors=AGENT)
async def list_members(db: Db, actor: Actor, shown: Shown, inbox_id: int) -> AgentsOut:
    """Who is in the inbox."""
    return await _members(db, actor, shown, await access.load_inbox(db, actor, inbox_id))


@routes.post("/inbox_members", actors=ADMINISTRATOR)
async def add_members(tx: Tx, actor: Actor, shown: Shown, params: MembersParams) -> AgentsOut:
    """Put people into an inbox; all of its members."""
    inbox = await _load(tx, actor, params)
    await operations.add_members(tx, inbox, params.user_ids, actor=actor)
    return await _members(tx, actor, shown, inbox)


@routes.patch("/inbox_members", actors=ADMINISTRATOR)
async def set_members(tx: Tx, actor: Actor, shown: Shown, params: MembersParams) -> AgentsOut:
    """Have just these people in an inbox."""
    inbox = await _load(tx, actor, params)
    await operations.set_members(tx, inbox, params.user_ids, actor=actor)
    return await _members(tx, actor, shown, inbox)


@routes.delete("/inbox_members", actors=ADMINISTRATOR)
async def remove_members(tx: Tx, actor: Actor, params: MembersParams) -> None:
    """Take people out of an inbox."""
    await operations.remove_members(tx, await _load(tx, actor, params), params.user_ids, actor=actor)


def _out(inbox: Inbox, shown: ShownInboxes, actor: Actor) -> InboxOut:
    return inbox_out(inbox, shown, with_secrets=actor.is_administrator)


def _versioned(inbox: Inbox, shown: ShownInboxes, actor: Actor) -> Versioned[InboxOut]:
    return Versioned(_out(inbox, shown, actor), inbox.version)


async def _load(tx: Tx, actor: Actor, params: MembersParams) -> Inbox:
    """The inbox; nobody else changes it or its members before this transaction ends."""
    if params.inbox_id is None:
        raise NotFound
    return await access.load_inbox_to_change(tx, actor, params.inbox_id)


async def _members(db: Db, actor: Actor, shown: Shown, inbox: Inbox) -> AgentsOut:
    ids = await queries.list_member_ids(db, inbox)
    return AgentsOut(payload=[agent_out(each, shown) for each in await users.list_colleagues(db, actor, ids)])


async def _assignable(db: Db, actor: Actor, shown: Shown, member_ids: list[int]) -> AgentsOut:
    colleagues = await users.list_colleagues(db, actor)
    wanted = [each for each in colleagues if each.role == "administrator" or each.id in member_ids]
    return AgentsOut(payload=[agent_out(each, shown) for each in wanted])
