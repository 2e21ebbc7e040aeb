"""What notifications are about, as it is now."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.conversations import access as conversations
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.messages import access as messages
from criachat.notifications.models import Notification, Subject
from criachat.users import access as people


async def find_subjects(db: Db, actor: Actor, notifications: Sequence[Notification]) -> dict[int, Subject]:
    """The subject of each of these notifications, by its id; without those whose conversation is gone."""
    if not notifications:
        return {}
    account_id = actor.account_id
    known = await conversations.list_conversations_by_id(
        db, account_id, sorted({each.conversation_id for each in notifications})
    )
    said = await messages.list_messages_by_id(
        db, account_id, sorted({each.message_id for each in notifications if each.message_id is not None})
    )
    acted = sorted({each.person_id for each in notifications if each.person_id is not None})
    persons = {each.id: each.snapshot() for each in await people.list_colleagues(db, actor, acted)} if acted else {}
    subjects: dict[int, Subject] = {}
    for each in notifications:
        conversation = known.get(each.conversation_id)
        if conversation is not None:
            message = said.get(each.message_id or 0)
            subjects[each.id] = Subject(
                conversation=conversation.snapshot(),
                message=None if message is None else message.snapshot(conversation),
                person=persons.get(each.person_id or 0),
            )
    return subjects
