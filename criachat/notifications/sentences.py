"""What notifications say, in the language of the account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from criachat.conversations.snapshots import MessageSnapshot
from criachat.kit.languages import Language
from criachat.notifications.models import NotificationType, Subject

MOST_WORDS: Final = 10
LONGEST_START: Final = 2_000
LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
MARKS: Final = re.compile(r"[*_~`]+|^\s*(?:>|#{1,6}\s|[-+]\s)", re.MULTILINE)

NEW_MESSAGE: Final[Mapping[Language, str]] = {
    "en": "A new message in conversation (#{id})",
    "pt_BR": "Nova mensagem na conversa (#{id})",
}
TITLES: Final[Mapping[NotificationType, Mapping[Language, str]]] = {
    "conversation_creation": {
        "en": "A conversation (#{id}) has been created in {inbox}",
        "pt_BR": "Uma conversa (#{id}) foi criada em {inbox}",
    },
    "conversation_assignment": {
        "en": "A conversation (#{id}) has been assigned to you",
        "pt_BR": "Uma conversa (#{id}) foi atribuída a você",
    },
    "assigned_conversation_new_message": NEW_MESSAGE,
    "conversation_mention": {
        "en": "You have been mentioned in conversation (#{id})",
        "pt_BR": "Você foi mencionado na conversa (#{id})",
    },
    "participating_conversation_new_message": NEW_MESSAGE,
    "sla_missed_first_response": {
        "en": "Conversation (#{id}) missed the promised first response",
        "pt_BR": "A conversa (#{id}) passou do prazo da primeira resposta",
    },
    "sla_missed_next_response": {
        "en": "Conversation (#{id}) missed the promised next response",
        "pt_BR": "A conversa (#{id}) passou do prazo da próxima resposta",
    },
    "sla_missed_resolution": {
        "en": "Conversation (#{id}) missed the promised resolution",
        "pt_BR": "A conversa (#{id}) passou do prazo de resolução",
    },
}
ATTACHMENT: Final[Mapping[Language, str]] = {"en": "Attachment", "pt_BR": "Anexo"}
NO_CONTENT: Final[Mapping[Language, str]] = {"en": "No content", "pt_BR": "Sem conteúdo"}


def title_of(kind: NotificationType, subject: Subject, language: Language) -> str:
    """What happened."""
    return TITLES[kind][language].format(id=subject.conversation.id, inbox=subject.conversation.inbox.name)


def body_of(subject: Subject, language: Language) -> str:
    """Who said what: the message it is about, or the newest one."""
    message = subject.message or subject.conversation.last_message
    if message is None:
        return NO_CONTENT[language]
    name = message.sender.name if message.sender is not None else None
    words = _words(message, language)
    return f"{name}: {words}" if name else words


def _words(message: MessageSnapshot, language: Language) -> str:
    """The first words of its text, without what only makes it look well."""
    start = (message.content or "")[:LONGEST_START]
    words = MARKS.sub("", LINK.sub(r"\1", start)).split()
    if words:
        return " ".join(words[:MOST_WORDS]) + ("…" if len(words) > MOST_WORDS else "")
    return ATTACHMENT[language] if message.attachments else NO_CONTENT[language]
