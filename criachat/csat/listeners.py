"""Asking how it was when a conversation is resolved, and keeping the answers with whoever gave them."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.contacts.events import ContactMerged
from criachat.conversations.events import ConversationResolved
from criachat.conversations.models import Conversation
from criachat.conversations.snapshots import ACTIVITY, TEMPLATE
from criachat.csat import queries
from criachat.csat.rules import TOO_LATE, display_type, is_asked_about, question
from criachat.inboxes import access as inboxes
from criachat.inboxes.models import Inbox
from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.kit.languages import language_of
from criachat.messages.models import Draft
from criachat.messages.operations.automatic import say_by_itself

listeners = Listeners("csat")


@listeners.on(ConversationResolved)
async def send_surveys(tx: Tx, events: Sequence[ConversationResolved]) -> None:
    """Ask once in a conversation, where its inbox wants to know."""
    known: dict[int, Inbox | None] = {}
    for event in events:
        inbox_id = event.snapshot.inbox.id
        if inbox_id not in known:
            known[inbox_id] = await inboxes.find_inbox(tx, event.account_id, inbox_id)
        inbox = known[inbox_id]
        if inbox is None or not is_asked_about(inbox, event.snapshot.labels):
            continue
        if await queries.find_survey_message_id(tx, event.account_id, event.snapshot.conversation_id) is None:
            await _ask(tx, event, inbox)


@listeners.on(ContactMerged)
async def move_answers(tx: Tx, events: Sequence[ContactMerged]) -> None:
    """What somebody answered before they became one with another contact is that contact's answer."""
    for event in events:
        await queries.set_contact(tx, event.account_id, event.merged_contact_id, event.contact_id or 0)


async def _ask(tx: Tx, event: ConversationResolved, inbox: Inbox) -> None:
    def write(conversation: Conversation) -> Draft | None:
        if conversation.status != "resolved":
            return None
        language = language_of(conversation.account_locale)
        once = f"survey:{event.id}"
        if not conversation.can_reply:
            return Draft(message_type=ACTIVITY, content=TOO_LATE[language], client_message_id=once)
        return Draft(
            message_type=TEMPLATE,
            content=question(inbox, language),
            content_type="input_csat",
            content_attributes={"display_type": display_type(inbox)},
            client_message_id=once,
        )

    await say_by_itself(tx, event.account_id, event.snapshot.id, write, cause=f"event:{event.id}")
