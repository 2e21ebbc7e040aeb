"""The SQL of searches.

What is common is found among the newest rows, which are read in order until the page is full. What is rare has an index
of trigrams, which would be slow for what is common: it gives all there is, and the page would be sorted out of that. So
each statement first walks a bounded part of the newest rows, and asks the index only when that did not fill the page.
"""

from __future__ import annotations

from typing import LiteralString

from criachat.kit.db import Db
from criachat.kit.http.binding import id_of
from criachat.kit.paging import containing
from criachat.search.models import FoundArticle, FoundContact, FoundConversation, Wanted
from criachat.search.queries.words import oldest

# $1 is the account, $2 the pattern, $3 and $4 the page, $5 whether the index can be asked; $7 is the agent whose
# inboxes bound it; they are looked up once, not for every row.
VISIBLE: LiteralString = "ARRAY(SELECT inbox_id FROM inbox_members WHERE account_id = $1 AND user_id = $7)"
IN_INBOXES: LiteralString = "  AND inbox_id = ANY (" + VISIBLE + ")\n"
# Where their role shows only a part of those: what they have themselves and, if $8, what nobody has.
OF_SHARE: tuple[LiteralString, LiteralString] = (
    "  AND EXISTS (SELECT FROM conversations AS place WHERE place.account_id = $1 AND place.id = ",
    " AND (place.assignee_id = $7 OR ($8::boolean AND place.assignee_id IS NULL)))\n",
)

# What was said since the words were last kept is read from the messages themselves.
FRESH: LiteralString = """
    SELECT id AS message_id, inbox_id, created_at, search_words(content) AS words
    FROM messages
    WHERE account_id = $1
      AND id > coalesce((SELECT kept_id FROM message_words_progress WHERE account_id = $1), 0)
    ORDER BY id DESC
    LIMIT 2000
"""
MESSAGES: tuple[LiteralString, LiteralString, LiteralString] = (
    """
WITH pattern AS MATERIALIZED (
    SELECT search_words($2) AS words
), walked AS MATERIALIZED (
    SELECT message_id
    FROM (
        (
"""
    + FRESH
    + """
        )
        UNION ALL
        (
            SELECT message_id, inbox_id, created_at, words
            FROM message_words
            WHERE account_id = $1
            ORDER BY message_id DESC
            LIMIT 20000
        )
    ) AS newest
    WHERE words LIKE (SELECT words FROM pattern) AND created_at >= $6
""",
    """    ORDER BY message_id DESC
    LIMIT $3 OFFSET $4
), looked_up AS MATERIALIZED (
    SELECT message_id
    FROM message_words
    WHERE account_id = $1 AND words LIKE (SELECT words FROM pattern) AND created_at >= $6
      AND $5 AND (SELECT count(*) FROM walked) < $3
""",
    """), fresh AS MATERIALIZED (
    SELECT message_id
    FROM ("""
    + FRESH
    + """) AS newest
    WHERE words LIKE (SELECT words FROM pattern) AND created_at >= $6
      AND $5 AND (SELECT count(*) FROM walked) < $3
""",
)
MESSAGES_TAIL: LiteralString = """), every AS (
    SELECT message_id FROM looked_up UNION SELECT message_id FROM fresh
)
SELECT message_id FROM walked WHERE NOT $5 OR (SELECT count(*) FROM walked) = $3
UNION ALL
(SELECT message_id FROM every ORDER BY message_id DESC LIMIT $3 OFFSET $4)
"""
LIST_MESSAGES: LiteralString = MESSAGES[0] + MESSAGES[1] + MESSAGES[2] + MESSAGES_TAIL
LIST_SEEN_MESSAGES: LiteralString = (
    MESSAGES[0] + IN_INBOXES + MESSAGES[1] + IN_INBOXES + MESSAGES[2] + IN_INBOXES + MESSAGES_TAIL
)
MESSAGES_OF_SHARE: LiteralString = (
    IN_INBOXES
    + OF_SHARE[0]
    + "(SELECT said.conversation_id FROM messages AS said WHERE said.account_id = $1 AND said.id = message_id)"
    + OF_SHARE[1]
)
LIST_SHARED_MESSAGES: LiteralString = (
    MESSAGES[0] + MESSAGES_OF_SHARE + MESSAGES[1] + MESSAGES_OF_SHARE + MESSAGES[2] + MESSAGES_OF_SHARE + MESSAGES_TAIL
)

OF_CONTACT: LiteralString = (
    "concat_ws(E'\\n', contacts.name, contacts.email, contacts.phone_number, contacts.identifier)"
)
# Each contact is looked up by itself: joined as a whole, all contacts would be read.
WITH_CONTACT: LiteralString = (
    """CROSS JOIN LATERAL (
        SELECT """
    + OF_CONTACT
    + """ AS words
        FROM contacts
        WHERE contacts.account_id = $1 AND contacts.id = newest.contact_id
        OFFSET 0
    ) AS contact"""
)
NEWEST: LiteralString = """
        SELECT id, display_id, contact_id, inbox_id
        FROM conversations
        WHERE account_id = $1
        ORDER BY display_id DESC
        LIMIT 5000
"""
CONVERSATIONS: tuple[LiteralString, LiteralString, LiteralString] = (
    """
WITH walked AS MATERIALIZED (
    SELECT newest.id, newest.display_id
    FROM ("""
    + NEWEST
    + """    ) AS newest
    """
    + WITH_CONTACT
    + """
    WHERE (newest.display_id::text LIKE $2 OR contact.words ILIKE $2)
""",
    """    ORDER BY newest.display_id DESC
    LIMIT $3 OFFSET $4
), known AS MATERIALIZED (
    SELECT contact_words.contact_id
    FROM contact_words
    WHERE contact_words.account_id = $1
      AND (contact_words.words ILIKE $2 OR contact_words.identifier ILIKE $2)
      AND $5 AND (SELECT count(*) FROM walked) < $3
), looked_up AS MATERIALIZED (
    SELECT conversations.id, conversations.display_id, conversations.inbox_id
    FROM known
    JOIN contacts ON contacts.account_id = $1 AND contacts.id = known.contact_id
    JOIN conversations ON conversations.account_id = $1 AND conversations.contact_id = contacts.id
    WHERE """
    + OF_CONTACT
    + """ ILIKE $2
    UNION
    SELECT numbered.id, numbered.display_id, numbered.inbox_id
    FROM (SELECT id, display_id, inbox_id FROM conversations WHERE account_id = $1 AND display_id = $6) AS numbered
    WHERE (SELECT count(*) FROM walked) < $3
    UNION
    SELECT newest.id, newest.display_id, newest.inbox_id
    FROM ("""
    + NEWEST
    + """    ) AS newest
    WHERE newest.display_id::text LIKE $2 AND $6::bigint IS NOT NULL AND (SELECT count(*) FROM walked) < $3
), page AS (
    SELECT id, display_id FROM walked WHERE NOT $5 OR (SELECT count(*) FROM walked) = $3
    UNION ALL
    (
        SELECT id, display_id
        FROM looked_up
        WHERE $5
""",
    """        ORDER BY display_id DESC
        LIMIT $3 OFFSET $4
    )
)
SELECT page.id, inboxes.channel_id, (
    SELECT messages.id FROM messages
    WHERE messages.account_id = $1 AND messages.conversation_id = page.id
    ORDER BY messages.id
    LIMIT 1
) AS first_message_id
FROM page
JOIN conversations ON conversations.account_id = $1 AND conversations.id = page.id
JOIN inboxes ON inboxes.account_id = $1 AND inboxes.id = conversations.inbox_id
ORDER BY page.display_id DESC
""",
)
NEWEST_IN_INBOXES: LiteralString = "  AND newest.inbox_id = ANY (" + VISIBLE + ")\n"
LIST_CONVERSATIONS: LiteralString = CONVERSATIONS[0] + CONVERSATIONS[1] + CONVERSATIONS[2]
LIST_SEEN_CONVERSATIONS: LiteralString = (
    CONVERSATIONS[0] + NEWEST_IN_INBOXES + CONVERSATIONS[1] + IN_INBOXES + CONVERSATIONS[2]
)
LIST_SHARED_CONVERSATIONS: LiteralString = (
    CONVERSATIONS[0]
    + NEWEST_IN_INBOXES
    + (OF_SHARE[0] + "newest.id" + OF_SHARE[1])
    + CONVERSATIONS[1]
    + IN_INBOXES
    + (OF_SHARE[0] + "looked_up.id" + OF_SHARE[1])
    + CONVERSATIONS[2]
)

KNOWN: LiteralString = (
    "(contacts.email IS NOT NULL OR contacts.phone_number IS NOT NULL OR contacts.identifier IS NOT NULL)"
)
LIST_CONTACTS: LiteralString = (
    """
WITH walked AS MATERIALIZED (
    SELECT contacts.id, contacts.last_activity_at
    FROM (
        SELECT id, name, email, phone_number, identifier, last_activity_at
        FROM contacts
        WHERE account_id = $1
        ORDER BY last_activity_at DESC NULLS LAST, id
        LIMIT 5000
    ) AS contacts
    WHERE """
    + KNOWN
    + " AND "
    + OF_CONTACT
    + """ ILIKE $2
    ORDER BY last_activity_at DESC NULLS LAST, id
    LIMIT $3 OFFSET $4
), looked_up AS MATERIALIZED (
    SELECT contacts.id, contacts.last_activity_at
    FROM contact_words
    JOIN contacts ON contacts.account_id = $1 AND contacts.id = contact_words.contact_id
    WHERE contact_words.account_id = $1
      AND (contact_words.words ILIKE $2 OR contact_words.identifier ILIKE $2)
      AND $5 AND (SELECT count(*) FROM walked) < $3
      AND """
    + KNOWN
    + " AND "
    + OF_CONTACT
    + """ ILIKE $2
), page AS (
    SELECT id FROM walked WHERE NOT $5 OR (SELECT count(*) FROM walked) = $3
    UNION ALL
    (SELECT id FROM looked_up ORDER BY last_activity_at DESC NULLS LAST, id LIMIT $3 OFFSET $4)
)
SELECT contacts.id, contacts.email, contacts.name, contacts.phone_number, contacts.identifier,
    contacts.additional_attributes, contacts.last_activity_at
FROM page
JOIN contacts ON contacts.account_id = $1 AND contacts.id = page.id
ORDER BY contacts.last_activity_at DESC NULLS LAST, contacts.id
"""
)

# What fits best first; without words, what was changed last.
LIST_ARTICLES = """
SELECT articles.id, articles.title, articles.locale, articles.content, articles.slug, portals.slug AS portal_slug,
    articles.account_id, categories.name AS category_name, articles.status, articles.updated_at
FROM articles
JOIN portals ON portals.account_id = $1 AND portals.id = articles.portal_id
LEFT JOIN categories ON categories.account_id = $1 AND categories.id = articles.category_id
WHERE articles.account_id = $1 AND ($2::text IS NULL OR articles.words @@ to_tsquery('simple', $2))
ORDER BY ts_rank(articles.words, to_tsquery('simple', coalesce($2, ''))) DESC,
    articles.updated_at DESC, articles.id DESC
LIMIT $3 OFFSET $4
"""


async def list_messages(db: Db, wanted: Wanted, *, is_indexed: bool) -> list[int]:
    """The ids of a page of messages."""
    values = (*_page(wanted), is_indexed, oldest())
    if wanted.limited_to is None:
        return await db.fetch_values(LIST_MESSAGES, *values)
    if wanted.listed == "all":
        return await db.fetch_values(LIST_SEEN_MESSAGES, *values, wanted.limited_to)
    return await db.fetch_values(LIST_SHARED_MESSAGES, *values, *_share(wanted))


async def list_conversations(db: Db, wanted: Wanted, *, is_indexed: bool) -> list[FoundConversation]:
    """A page of conversations."""
    number = id_of(wanted.words)
    values = (*_page(wanted), is_indexed or number is not None, number)
    if wanted.limited_to is None:
        return await db.fetch_all(FoundConversation, LIST_CONVERSATIONS, *values)
    if wanted.listed == "all":
        return await db.fetch_all(FoundConversation, LIST_SEEN_CONVERSATIONS, *values, wanted.limited_to)
    return await db.fetch_all(FoundConversation, LIST_SHARED_CONVERSATIONS, *values, *_share(wanted))


async def list_contacts(db: Db, wanted: Wanted, *, is_indexed: bool) -> list[FoundContact]:
    """A page of contacts."""
    return await db.fetch_all(FoundContact, LIST_CONTACTS, *_page(wanted), is_indexed)


async def list_articles(db: Db, wanted: Wanted, *, words: str | None) -> list[FoundArticle]:
    """A page of articles with these words, as PostgreSQL writes them down, or of all."""
    values = (words, wanted.limit, wanted.offset)
    return await db.fetch_all(FoundArticle, LIST_ARTICLES, wanted.account_id, *values)


def _page(wanted: Wanted) -> tuple[object, ...]:
    return wanted.account_id, containing(wanted.words), wanted.limit, wanted.offset


def _share(wanted: Wanted) -> tuple[object, ...]:
    return wanted.limited_to, wanted.listed == "mine_and_unassigned"
