"""Transcripts: what was said in a thread, as a mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Final

import msgspec

from criachat.conversations.models import Conversation
from criachat.conversations.snapshots import MessageSnapshot
from criachat.kit.languages import Language, language_of
from criachat.kit.mail import PAGE, Mail


class Sentences(msgspec.Struct, frozen=True, kw_only=True):
    """What a transcript says of itself in one language."""

    subject: str
    title: str
    nobody: str
    cut: str


SENTENCES: Final[Mapping[Language, Sentences]] = {
    "en": Sentences(
        subject="[#{number}] Transcript of your conversation with {inbox}",
        title="Conversation #{number} of {contact} with {inbox}",
        nobody="Nobody",
        cut="The conversation is longer; this is its beginning.",
    ),
    "pt_BR": Sentences(
        subject="[#{number}] Transcrição da sua conversa com {inbox}",
        title="Conversa #{number} de {contact} com {inbox}",
        nobody="Ninguém",
        cut="A conversa é mais longa; este é o seu início.",
    ),
}


def transcript(conversation: Conversation, said: Sequence[MessageSnapshot], *, to: str, is_cut: bool) -> Mail:
    """What was said, in the account's language, oldest first; `is_cut` when that is not all of it."""
    sentences = SENTENCES[language_of(conversation.account_locale)]
    names = {
        "number": str(conversation.display_id),
        "inbox": conversation.inbox_name,
        "contact": conversation.contact_name or sentences.nobody,
    }
    title = sentences.title.format(**names)
    lines = [(_head(message, sentences), _body(message)) for message in said]
    ends = [sentences.cut] if is_cut else []
    texts = [title, *(f"{head}\n{body}" for head, body in lines), *ends]
    blocks = [
        f"<h3>{escape(title)}</h3>",
        *(
            f'<p><b>{escape(head)}</b><br><span style="white-space:pre-wrap">{escape(body)}</span></p>'
            for head, body in lines
        ),
        *(f"<p>{escape(end)}</p>" for end in ends),
    ]
    return Mail(
        to=to,
        subject=sentences.subject.format(**names),
        text="\n\n".join(texts) + "\n",
        html=PAGE.format(paragraphs="\n".join(blocks)),
    )


def _head(message: MessageSnapshot, sentences: Sentences) -> str:
    return f"{_name(message) or sentences.nobody}, {_moment(message.created_at)}"


def _name(message: MessageSnapshot) -> str | None:
    return None if message.sender is None else message.sender.name


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _body(message: MessageSnapshot) -> str:
    """The text, and the names of files: their addresses would let whoever reads this mail in."""
    files = [f"[{each.filename or each.file_type}]" for each in message.attachments]
    return "\n".join([*([message.content] if message.content else []), *files])
