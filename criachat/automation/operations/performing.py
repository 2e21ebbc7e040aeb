"""Doing one action of a macro in a conversation, on somebody's behalf."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from criachat.automation.actions import NOBODY, Action
from criachat.automation.errors import NotDone
from criachat.conversations.models import Conversation
from criachat.conversations.operations import assigning, describing, muting, status
from criachat.conversations.operations.saving import save
from criachat.conversations.operations.telling import tell_address
from criachat.inboxes import access as inboxes
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.messages.models import StoredFile
from criachat.messages.operations.opening import add_message
from criachat.messages.operations.transcribing import request_transcript
from criachat.messages.schemas import MessageParams
from criachat.messages.variables import with_variables
from criachat.teams import access as teams
from criachat.users import access as users
from criachat.users.snapshots import UserSnapshot, snapshot_of

MOST_ADDRESSES = 20
EXECUTED = "macro.executed"


class Doing(msgspec.Struct, frozen=True, kw_only=True):
    """On whose behalf something is done, and what that brings along: copies of the files it sends."""

    actor: Actor
    cause: str
    limit_per_minute: int
    files: tuple[StoredFile, ...] = ()


Perform = Callable[[Tx, Conversation, list[Any], Doing], Awaitable[object]]


async def perform(tx: Tx, conversation: Conversation, action: Action, doing: Doing) -> None:
    """Do it, or refuse with the reason; the conversation's row is locked already."""
    await PERFORMERS[action.action_name](tx, conversation, action.action_params, doing)


async def _assign_agent(tx: Tx, conversation: Conversation, params: list[Any], doing: Doing) -> None:
    actor, wanted = doing.actor, params[0]
    if wanted == NOBODY:
        await assigning.assign(tx, conversation, None, actor=actor, cause=doing.cause)
        return
    agent = await users.find_colleague(tx, actor, actor.user_id if wanted == "self" else wanted)
    if agent is None or not (
        agent.role == "administrator" or await inboxes.is_member(tx, agent.account_id, conversation.inbox_id, agent.id)
    ):
        raise NotDone("the agent is not in the inbox")
    await assigning.assign(tx, conversation, agent, actor=actor, cause=doing.cause)


async def _assign_team(tx: Tx, conversation: Conversation, params: list[Any], doing: Doing) -> None:
    team = None if params[0] == NOBODY else await teams.find_team(tx, doing.actor, params[0])
    if team is None and params[0] != NOBODY:
        raise NotDone("there is no such team any more")
    await assigning.assign_team(tx, conversation, team, actor=doing.actor, cause=doing.cause)


async def _remove_team(tx: Tx, conversation: Conversation, _: list[Any], doing: Doing) -> None:
    await assigning.assign_team(tx, conversation, None, actor=doing.actor, cause=doing.cause)


async def _remove_agent(tx: Tx, conversation: Conversation, _: list[Any], doing: Doing) -> None:
    await assigning.assign(tx, conversation, None, actor=doing.actor, cause=doing.cause)


async def _add_labels(tx: Tx, conversation: Conversation, params: list[Any], doing: Doing) -> None:
    await describing.set_labels(tx, conversation, [*conversation.labels, *params], actor=doing.actor, cause=doing.cause)


async def _remove_labels(tx: Tx, conversation: Conversation, params: list[Any], doing: Doing) -> None:
    kept = [label for label in conversation.labels if label not in params]
    await describing.set_labels(tx, conversation, kept, actor=doing.actor, cause=doing.cause)


async def _change_status(tx: Tx, conversation: Conversation, params: list[Any], doing: Doing) -> None:
    wanted = {"status": status.status_named(params[0])}
    await save(tx, conversation, lambda _: wanted, actor=doing.actor, cause=doing.cause)


async def _resolve(tx: Tx, conversation: Conversation, _: list[Any], doing: Doing) -> None:
    await _change_status(tx, conversation, ["resolved"], doing)


async def _snooze(tx: Tx, conversation: Conversation, _: list[Any], doing: Doing) -> None:
    await _change_status(tx, conversation, ["snoozed"], doing)


async def _mute(tx: Tx, conversation: Conversation, _: list[Any], doing: Doing) -> None:
    await muting.mute(tx, conversation, actor=doing.actor, cause=doing.cause)


async def _change_priority(tx: Tx, conversation: Conversation, params: list[Any], doing: Doing) -> None:
    wanted = None if params[0] == NOBODY else params[0]
    await status.change_priority(tx, conversation, wanted, actor=doing.actor, cause=doing.cause)


async def _send_message(tx: Tx, conversation: Conversation, params: list[Any], doing: Doing) -> None:
    await _say(tx, conversation, MessageParams(content=params[0]), doing)


async def _add_note(tx: Tx, conversation: Conversation, params: list[Any], doing: Doing) -> None:
    await _say(tx, conversation, MessageParams(content=params[0], private=True), doing)


async def _send_attachment(tx: Tx, conversation: Conversation, _: list[Any], doing: Doing) -> None:
    if not doing.files:
        raise NotDone("the file is gone")
    await _say(tx, conversation, MessageParams(), doing, files=doing.files)


async def _say(
    tx: Tx, conversation: Conversation, params: MessageParams, doing: Doing, *, files: tuple[StoredFile, ...] = ()
) -> None:
    await add_message(
        tx,
        conversation,
        params,
        files,
        actor=doing.actor,
        limit_per_minute=doing.limit_per_minute,
        cause=doing.cause,
    )


async def _send_transcript(tx: Tx, conversation: Conversation, params: list[Any], doing: Doing) -> None:
    sender = snapshot_of(doing.actor)
    text = with_variables(params[0], conversation, sender if isinstance(sender, UserSnapshot) else None)
    addresses = list(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))
    if not 0 < len(addresses) <= MOST_ADDRESSES:
        raise NotDone("there is no address, or there are too many")
    for address in addresses:
        await request_transcript(tx, conversation, address, actor=doing.actor, cause=doing.cause)


async def _tell_webhook(tx: Tx, conversation: Conversation, params: list[Any], doing: Doing) -> None:
    await tell_address(tx, conversation, params[0], told_as=EXECUTED, actor=doing.actor, cause=doing.cause)


PERFORMERS: Final[Mapping[str, Perform]] = {
    "assign_agent": _assign_agent,
    "assign_team": _assign_team,
    "remove_assigned_team": _remove_team,
    "remove_assigned_agent": _remove_agent,
    "add_label": _add_labels,
    "remove_label": _remove_labels,
    "change_status": _change_status,
    "resolve_conversation": _resolve,
    "snooze_conversation": _snooze,
    "mute_conversation": _mute,
    "change_priority": _change_priority,
    "send_message": _send_message,
    "add_private_note": _add_note,
    "send_attachment": _send_attachment,
    "send_email_transcript": _send_transcript,
    "send_webhook_event": _tell_webhook,
}
