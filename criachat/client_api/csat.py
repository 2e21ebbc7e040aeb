"""The survey page's API: whoever holds a conversation's uuid may read and answer its survey."""

from __future__ import annotations

from criachat.client_api.schemas import AnswerParams, SurveyOut, survey_out
from criachat.csat.access import load_survey
from criachat.csat.models import Survey
from criachat.csat.operations import answer_survey
from criachat.inboxes import access as inboxes
from criachat.kit.actors import ANYONE, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.files import Files
from criachat.kit.http.routes import Routes

routes = Routes("/public/api/v1/csat_survey", tag="Client API")


@routes.get("/{conversation_uuid}", actors=ANYONE)
async def show_survey(db: Db, files: Files, conversation_uuid: str) -> SurveyOut:
    """The first survey of the conversation, and what was answered to it."""
    return await _shown(db, files, await load_survey(db, conversation_uuid))


@routes.update("/{conversation_uuid}", actors=ANYONE, wrapper="message")
async def answer_conversation_survey(tx: Tx, files: Files, conversation_uuid: str, params: AnswerParams) -> SurveyOut:
    """Rate the conversation from 1 to 5; again within two weeks to change one's mind."""
    survey = await load_survey(tx, conversation_uuid)
    conversation = survey.conversation
    contact = Actor(
        type="contact",
        account_id=conversation.account_id,
        id=conversation.contact_id,
        inbox_id=conversation.inbox_id,
        contact_inbox_id=conversation.contact_inbox_id,
    )
    answered = await answer_survey(tx, conversation, survey.message, params.submitted_values, actor=contact)
    return await _shown(tx, files, answered)


async def _shown(db: Db, files: Files, survey: Survey) -> SurveyOut:
    inbox = await inboxes.find_inbox(db, survey.conversation.account_id, survey.conversation.inbox_id)
    return survey_out(survey, files.avatar_url(inbox.avatar_key if inbox else None))
