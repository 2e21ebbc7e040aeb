"""The way to a survey for whoever holds its conversation's uuid."""

from __future__ import annotations

from criachat.auth.errors import AccountSuspended
from criachat.conversations import access as conversations
from criachat.csat import queries
from criachat.csat.models import Survey
from criachat.kit import directory
from criachat.kit.db import Db
from criachat.kit.errors import NoSuchPage
from criachat.messages import access as messages


async def load_survey(db: Db, conversation_uuid: str) -> Survey:
    """The first survey of the conversation; the uuid is the only credential."""
    entry = await directory.find(db, conversations.UUIDS, conversation_uuid.lower())
    if entry is None:
        raise NoSuchPage
    if not await queries.is_account_active(db, entry.account_id):
        raise AccountSuspended
    conversation = await conversations.find_conversation_by_id(db, entry.account_id, entry.object_id)
    message_id = await queries.find_survey_message_id(db, entry.account_id, entry.object_id)
    if conversation is None or message_id is None:
        raise NoSuchPage
    return Survey(
        conversation=conversation,
        message=await messages.load_message_for_contact(db, conversation, message_id),
        response=await queries.find_response(db, entry.account_id, message_id),
    )
