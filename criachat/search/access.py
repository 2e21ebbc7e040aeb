"""What a caller may find: contacts of the whole account, conversations and messages of those they could list."""

from __future__ import annotations

import re

from criachat.conversations import access as conversations
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.search import queries
from criachat.search.models import FoundArticle, FoundContact, FoundConversation, Wanted

PAGE = 15
LONGEST_WORDS = 500
WORD = re.compile(r"\w+")
MOST_WORDS = 20
# What an index of trigrams can find something by.
INDEXED = re.compile(r"\w{3}")


def wanted(actor: Actor, words: str | None, page: int) -> Wanted:
    """What the caller looks for. Words that no text can have in one piece are cut off."""
    return Wanted(
        account_id=actor.account_id,
        words=(words or "").strip()[:LONGEST_WORDS],
        limited_to=actor.limited_to_user,
        listed=conversations.share_shown_to(actor).listed,
        limit=PAGE,
        offset=(page - 1) * PAGE,
    )


async def list_messages(db: Db, wanted: Wanted) -> list[int]:
    """The ids of the messages of the last three months that say these words, newest first."""
    if wanted.listed == "none":
        return []
    return await queries.list_messages(db, wanted, is_indexed=_is_indexed(wanted))


async def list_conversations(db: Db, wanted: Wanted) -> list[FoundConversation]:
    """The conversations of contacts with these words, or with this number, newest first."""
    if wanted.listed == "none":
        return []
    return await queries.list_conversations(db, wanted, is_indexed=_is_indexed(wanted))


async def list_contacts(db: Db, wanted: Wanted) -> list[FoundContact]:
    """The contacts with these words, those who were active last first."""
    return await queries.list_contacts(db, wanted, is_indexed=_is_indexed(wanted))


async def list_articles(db: Db, wanted: Wanted) -> list[FoundArticle]:
    """The articles of every status with all of these words, or words that begin like them, the best first."""
    words = WORD.findall(wanted.words)[:MOST_WORDS]
    if wanted.words and not words:
        return []
    return await queries.list_articles(db, wanted, words=" & ".join(f"{word}:*" for word in words) or None)


def _is_indexed(wanted: Wanted) -> bool:
    """Whether an index can find what the newest rows do not have; one or two letters are in too many rows for that."""
    return INDEXED.search(wanted.words) is not None
