"""What the product writes into a conversation when something happened in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from criachat.conversations import access as conversations
from criachat.conversations.events import (
    ConversationCreated,
    ConversationMuted,
    ConversationUnmuted,
    ConversationUpdated,
)
from criachat.conversations.models import Conversation
from criachat.conversations.operations import participating
from criachat.conversations.snapshots import ACTIVITY, TEMPLATE
from criachat.inboxes import access as inboxes
from criachat.inboxes.models import Inbox
from criachat.kit.actors import system
from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.kit.languages import language_of
from criachat.messages import queries
from criachat.messages.activities import Activity, Told, activities_of, left_team
from criachat.messages.events import MessageCreated, TranscriptRequested
from criachat.messages.jobs import Transcript, jobs, send_transcript
from criachat.messages.mentions import mentions_in
from criachat.messages.models import Draft
from criachat.messages.operations.automatic import say_by_itself
from criachat.messages.templates import greeting_text, is_ever_answered, may_be_answered, out_of_office_text
from criachat.messages.variables import with_variables

listeners = Listeners("messages")

RECENTLY = timedelta(minutes=5)


@listeners.on(ConversationCreated, ConversationUpdated, ConversationMuted, ConversationUnmuted)
async def write_activities(tx: Tx, events: Sequence[Told]) -> None:
    """Tell the team in the thread who changed what."""
    left = {team_id for team_id in map(left_team, events) if team_id is not None}
    team_names = await queries.list_team_names(tx, events[0].account_id, list(left)) if left else {}
    for event in events:
        for number, activity in enumerate(activities_of(event, team_names)):
            await _write_activity(tx, event, number, activity)


async def _write_activity(tx: Tx, event: Told, number: int, activity: Activity) -> None:
    def write(conversation: Conversation) -> Draft:
        return Draft(
            message_type=ACTIVITY,
            content=activity.text(language_of(event.screen_locale or conversation.account_locale)),
            client_message_id=f"activity:{event.id}:{number}",
        )

    await say_by_itself(tx, event.account_id, event.snapshot.id, write, cause=f"event:{event.id}")


@listeners.on(MessageCreated)
async def ask_the_mentioned(tx: Tx, events: Sequence[MessageCreated]) -> None:
    """Have people who are named in a private note find the conversation among those they were asked for in."""
    for event in events:
        mentions = mentions_in(event.snapshot.message)
        if mentions is None:
            continue
        place = event.snapshot.conversation.conversation_id
        conversation = await conversations.find_conversation_by_id(tx, event.account_id, place)
        if conversation is not None:
            author = system(event.account_id)
            await participating.mention(tx, conversation, mentions, actor=author, cause=f"event:{event.id}")


@listeners.on(TranscriptRequested)
async def have_transcripts_sent(tx: Tx, events: Sequence[TranscriptRequested]) -> None:
    """Have each transcript that somebody wants sent, once."""
    for event in events:
        params = Transcript(event.account_id, event.snapshot.conversation_id, event.email)
        await jobs.enqueue(tx, send_transcript, params, dedupe_key=f"{event.account_id}:{event.id}")


@listeners.on(MessageCreated)
async def answer_incoming_messages(tx: Tx, events: Sequence[MessageCreated]) -> None:
    """Greet who writes for the first time, and say so when nobody is there."""
    known: dict[int, Inbox | None] = {}
    for event in events:
        message = event.snapshot.message
        if not may_be_answered(message):
            continue
        if message.inbox_id not in known:
            known[message.inbox_id] = await inboxes.find_inbox(tx, event.account_id, message.inbox_id)
        inbox = known[message.inbox_id]
        if inbox is not None and is_ever_answered(inbox):
            await _answer(tx, event, inbox)


async def _answer(tx: Tx, event: MessageCreated, inbox: Inbox) -> None:
    text = await _text_for(tx, event, inbox)
    if text is None:
        return

    def write(conversation: Conversation) -> Draft:
        return Draft(
            message_type=TEMPLATE,
            content=with_variables(text, conversation, None),
            client_message_id=f"answer:{event.id}",
        )

    await say_by_itself(tx, event.account_id, event.snapshot.conversation.id, write, cause=f"event:{event.id}")


async def _text_for(tx: Tx, event: MessageCreated, inbox: Inbox) -> str | None:
    """That nobody is there takes the place of the greeting, unless somebody just answered."""
    key = (event.account_id, event.snapshot.conversation.conversation_id)
    at = event.snapshot.message.created_at
    answers = await queries.find_answers(tx, *key)
    text = out_of_office_text(at, inbox, answers)
    if text is not None and not await queries.has_reply_since(tx, *key, at - RECENTLY):
        return text
    return greeting_text(inbox, answers)
