"""One conversation, over HTTP. Opening one is the slice of messages', since that may bring its first message."""

from __future__ import annotations

from typing import Any, cast

from criachat.conversations import access, typing
from criachat.conversations.models import Conversation
from criachat.conversations.operations import assigning, deleting, describing, muting, status
from criachat.conversations.schemas import (
    AssignmentParams,
    BotSlimOut,
    ConversationOut,
    CustomAttributesOut,
    CustomAttributesParams,
    LabelParams,
    LabelsOut,
    LabelsParams,
    PriorityParams,
    StatusOut,
    StatusParams,
    StatusPayloadOut,
    TypingParams,
    assignee_out,
    conversation_out,
    id_of,
)
from criachat.kit.actors import ADMINISTRATOR, AGENT, BOT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.binding import sent
from criachat.kit.http.routes import Routes
from criachat.kit.http.versions import Expected, Versioned
from criachat.kit.signals import Signals
from criachat.kit.times import iso_or_none
from criachat.teams import access as teams
from criachat.teams.schemas import RawTeamOut, raw_team_out
from criachat.users import access as users
from criachat.users.schemas import AgentOut
from criachat.users.shown import Shown
from criachat.users.snapshots import snapshot_of

routes = Routes("/api/v1/accounts/{account_id}/conversations", tag="Conversations", scope="conversations")


@routes.get("/{conversation_id}", actors=AGENT)
async def show_conversation(db: Db, actor: Actor, shown: Shown, conversation_id: int) -> Versioned[ConversationOut]:
    """One conversation."""
    return _versioned(await access.load_conversation(db, actor, conversation_id), shown)


@routes.update("/{conversation_id}", actors=AGENT | BOT)
async def update_conversation(
    tx: Tx, actor: Actor, expected: Expected, shown: Shown, conversation_id: int, params: PriorityParams
) -> Versioned[ConversationOut]:
    """Change its priority; everything else has an endpoint of its own."""
    conversation = await access.load_conversation_to_change(tx, actor, conversation_id, expected)
    if sent(params.priority):
        conversation = await status.change_priority(tx, conversation, cast(Any, params.priority), actor=actor)
    return _versioned(conversation, shown)


@routes.delete("/{conversation_id}", actors=ADMINISTRATOR)
async def delete_conversation(tx: Tx, actor: Actor, expected: Expected, conversation_id: int) -> None:
    """Remove it with all that was said in it."""
    conversation = await access.load_conversation_to_change(tx, actor, conversation_id, expected)
    await deleting.delete_conversation(tx, conversation, actor=actor)


@routes.post("/{conversation_id}/toggle_status", actors=AGENT | BOT)
async def toggle_status(
    tx: Tx, actor: Actor, expected: Expected, conversation_id: int, params: StatusParams
) -> Versioned[StatusOut]:
    """Open, resolve or snooze it; without a status it toggles between open and resolved.

    An agent who opens it takes it. `snoozed_until` is unix seconds; without it a snooze lasts until the next message
    of the contact.
    """
    snoozed_until = status.from_unix(params.snoozed_until)
    conversation = await access.load_conversation_to_change(tx, actor, conversation_id, expected)
    after, is_handoff = await status.change_status(
        tx, conversation, params.status, snoozed_until=snoozed_until, actor=actor
    )
    payload = StatusPayloadOut(
        success=None if is_handoff else True,
        conversation_id=after.display_id,
        current_status=after.status,
        snoozed_until=iso_or_none(after.snoozed_until),
    )
    return Versioned(StatusOut(payload), after.version)


@routes.post("/{conversation_id}/toggle_priority", actors=AGENT | BOT)
async def toggle_priority(
    tx: Tx, actor: Actor, expected: Expected, conversation_id: int, params: PriorityParams
) -> None:
    """Set its priority; null, `none`, empty or missing clears it."""
    conversation = await access.load_conversation_to_change(tx, actor, conversation_id, expected)
    wanted = cast(Any, params.priority) if sent(params.priority) else None
    await status.change_priority(tx, conversation, wanted, actor=actor)


@routes.post("/{conversation_id}/toggle_typing_status", actors=AGENT | BOT, is_idempotent=False)
async def toggle_typing(db: Db, actor: Actor, signals: Signals, conversation_id: int, params: TypingParams) -> None:
    """Show, or stop showing, that the caller types. Nothing is stored."""
    conversation = await access.load_conversation(db, actor, conversation_id)
    if params.typing_status in ("on", "off"):
        is_on = params.typing_status == "on"
        typist = snapshot_of(actor)
        await typing.publish_typing(signals, conversation, typist=typist, is_on=is_on, is_private=params.is_private)


@routes.post("/{conversation_id}/mute", actors=AGENT)
async def mute_conversation(tx: Tx, actor: Actor, conversation_id: int) -> None:
    """Resolve it and block its contact, who is muted everywhere from then on."""
    await muting.mute(tx, await access.load_conversation(tx, actor, conversation_id), actor=actor)


@routes.post("/{conversation_id}/unmute", actors=AGENT)
async def unmute_conversation(tx: Tx, actor: Actor, conversation_id: int) -> None:
    """Hear of its contact again; the status stays."""
    await muting.unmute(tx, await access.load_conversation(tx, actor, conversation_id), actor=actor)


@routes.post("/{conversation_id}/update_last_seen", actors=AGENT)
async def update_last_seen(tx: Tx, actor: Actor, shown: Shown, conversation_id: int) -> Versioned[ConversationOut]:
    """The team has seen everything up to now."""
    conversation = await access.load_conversation(tx, actor, conversation_id)
    return _versioned(await describing.mark_seen_by_team(tx, conversation, actor=actor), shown)


@routes.post("/{conversation_id}/unread", actors=AGENT)
async def mark_unread(tx: Tx, actor: Actor, shown: Shown, conversation_id: int) -> Versioned[ConversationOut]:
    """The team has not seen the contact's last message yet."""
    conversation = await access.load_conversation(tx, actor, conversation_id)
    return _versioned(await describing.mark_unread_by_team(tx, conversation, actor=actor), shown)


@routes.post("/{conversation_id}/custom_attributes", actors=AGENT | BOT)
async def set_custom_attributes(
    tx: Tx, actor: Actor, expected: Expected, conversation_id: int, params: CustomAttributesParams
) -> Versioned[CustomAttributesOut]:
    """Replace all custom attributes."""
    conversation = await access.load_conversation_to_change(tx, actor, conversation_id, expected)
    after = await describing.set_custom_attributes(tx, conversation, params.custom_attributes, actor=actor)
    return Versioned(CustomAttributesOut(after.custom_attributes), after.version)


@routes.patch("/{conversation_id}/custom_attributes", actors=AGENT | BOT)
async def change_custom_attributes(
    tx: Tx, actor: Actor, expected: Expected, conversation_id: int, params: CustomAttributesParams
) -> Versioned[CustomAttributesOut]:
    """Write the custom attributes that were sent and leave the others; null takes one away."""
    conversation = await access.load_conversation_to_change(tx, actor, conversation_id, expected)
    after = await describing.change_custom_attributes(tx, conversation, params.custom_attributes, actor=actor)
    return Versioned(CustomAttributesOut(after.custom_attributes), after.version)


@routes.post("/{conversation_id}/assignments", actors=AGENT | BOT)
async def assign_conversation(
    tx: Tx, actor: Actor, expected: Expected, shown: Shown, conversation_id: int, params: AssignmentParams
) -> AgentOut | BotSlimOut | RawTeamOut | None:
    """Hand it to a person, a bot or a team.

    With `assignee_id` in the request only the assignee changes; null, 0, "nil" or an unknown id hands it to nobody.
    """
    conversation = await access.load_conversation_to_change(tx, actor, conversation_id, expected)
    if sent(params.assignee_id) and params.assignee_type == "AgentBot":
        bot = await users.find_bot(tx, actor, id_of(params.assignee_id))
        return assignee_out(await assigning.assign_bot(tx, conversation, bot, actor=actor), shown) if bot else None
    if sent(params.assignee_id):
        assignee = await users.find_colleague(tx, actor, id_of(params.assignee_id))
        return assignee_out(await assigning.assign(tx, conversation, assignee, actor=actor), shown)
    if sent(params.team_id):
        team = await teams.find_team(tx, actor, id_of(params.team_id))
        await assigning.assign_team(tx, conversation, team, actor=actor)
        return raw_team_out(team) if team else None
    return None


@routes.get("/{conversation_id}/labels", actors=AGENT)
async def list_labels(db: Db, actor: Actor, conversation_id: int) -> Versioned[LabelsOut]:
    """Its labels."""
    return _labels(await access.load_conversation(db, actor, conversation_id))


@routes.post("/{conversation_id}/labels", actors=AGENT)
async def set_labels(
    tx: Tx, actor: Actor, expected: Expected, conversation_id: int, params: LabelsParams
) -> Versioned[LabelsOut]:
    """Replace its labels; an empty or missing list clears them."""
    conversation = await access.load_conversation_to_change(tx, actor, conversation_id, expected)
    labels = cast(list[Any], params.labels) if isinstance(params.labels, list) else []
    return _labels(await describing.set_labels(tx, conversation, labels, actor=actor))


@routes.post("/{conversation_id}/labels/add", actors=AGENT | BOT)
async def add_label(
    tx: Tx, actor: Actor, expected: Expected, conversation_id: int, params: LabelParams
) -> Versioned[LabelsOut]:
    """Add one label and leave the others."""
    conversation = await access.load_conversation_to_change(tx, actor, conversation_id, expected)
    return _labels(await describing.add_label(tx, conversation, params.label, actor=actor))


@routes.post("/{conversation_id}/labels/remove", actors=AGENT | BOT)
async def remove_label(
    tx: Tx, actor: Actor, expected: Expected, conversation_id: int, params: LabelParams
) -> Versioned[LabelsOut]:
    """Take one label away and leave the others."""
    conversation = await access.load_conversation_to_change(tx, actor, conversation_id, expected)
    return _labels(await describing.remove_label(tx, conversation, params.label, actor=actor))


def _versioned(conversation: Conversation, shown: Shown) -> Versioned[ConversationOut]:
    return Versioned(conversation_out(conversation, shown), conversation.version)


def _labels(conversation: Conversation) -> Versioned[LabelsOut]:
    return Versioned(LabelsOut(conversation.labels), conversation.version)
