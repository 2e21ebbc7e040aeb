"""The SQL of searches.

What is common is found among the newest rows, which are read in order until the page is full. What is rare has an index
of trigrams, which would be slow for what is common: it gives all there is, and the page would be sorted out of that. So
each statement first walks a bounded part of the newest rows, and asks the index only when that did not fill the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import LiteralString

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.kit.http.binding import id_of
from criachat.kit.paging import containing
from criachat.search.models import Behind, FoundArticle, FoundContact, FoundConversation, Wanted

KEPT_FOR = timedelta(days=92)
# Messages younger than this may have older ids than some that were committed before them.
SETTLED_AFTER = timedelta(minutes=5)
# As long as a batch is written, nobody on the server reads the log of events any further.
BATCH = 100
FORGOTTEN_BATCH = 1000

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

# Across accounts: where something was said that is not looked through yet, and from where on. Each is looked up by
# itself and in order: asked with EXISTS, or for any one of them, PostgreSQL reads the messages of everybody.
LIST_BEHIND = """
SELECT accounts.id AS account_id, coalesce(progress.settled_id, 0) AS after_id
FROM accounts
LEFT JOIN message_words_progress AS progress ON progress.account_id = accounts.id
CROSS JOIN LATERAL (
    SELECT FROM messages
    WHERE messages.account_id = accounts.id AND messages.id > coalesce(progress.settled_id, 0)
    ORDER BY messages.id
    LIMIT 1
) AS said
ORDER BY accounts.id
"""
# The next messages. Those that are not settled yet are looked through again the next time, when one with an older id
# may have been committed beside them; the mark of what is settled passes none of them.
KEEP_WORDS = """
WITH next AS MATERIALIZED (
    SELECT id, inbox_id, content, created_at, updated_at
    FROM messages
    WHERE account_id = $1 AND id > $2
    ORDER BY id
    LIMIT $5
), kept AS (
    INSERT INTO message_words (account_id, message_id, inbox_id, created_at, words)
    SELECT $1, id, inbox_id, created_at, left(search_words(content), 20000)
    FROM next
    WHERE content <> '' AND created_at >= $3
      AND NOT EXISTS (SELECT FROM message_words AS there WHERE there.account_id = $1 AND there.message_id = next.id)
    ON CONFLICT DO NOTHING
), seen AS (
    SELECT count(*) AS count, max(id) AS kept_id, min(id) FILTER (WHERE updated_at > $4) AS unsettled_id FROM next
), settled AS (
    SELECT max(id) AS settled_id FROM next, seen WHERE unsettled_id IS NULL OR id < unsettled_id
), moved AS (
    INSERT INTO message_words_progress AS progress (account_id, settled_id, kept_id)
    SELECT $1, coalesce(settled_id, 0), kept_id FROM seen, settled WHERE kept_id IS NOT NULL
    ON CONFLICT (account_id) DO UPDATE
    SET kept_id = greatest(progress.kept_id, excluded.kept_id),
        settled_id = CASE WHEN progress.settled_id < $2 THEN progress.settled_id
            ELSE greatest(progress.settled_id, excluded.settled_id) END
)
SELECT CASE WHEN count = $5 THEN kept_id END FROM seen
"""
# Across accounts. Without the extension there is no index, and nothing to file.
FILE_WORDS = "SELECT gin_clean_pending_list(to_regclass('message_words_anywhere'))"
# Across accounts: of whom words are kept that are too old. Each is looked up by itself, by the first row there is.
LIST_TOO_OLD = """
SELECT accounts.id
FROM accounts
CROSS JOIN LATERAL (
    SELECT created_at FROM message_words WHERE account_id = accounts.id ORDER BY message_id LIMIT 1
) AS first
WHERE first.created_at < $1
ORDER BY accounts.id
"""
# Across accounts: from several in one transaction, account by account; where it ended, when that is not the end.
FORGET_WORDS = """
WITH old AS MATERIALIZED (
    SELECT wanted.account_id, first.message_id
    FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (account_id, place)
    CROSS JOIN LATERAL (
        SELECT message_id, created_at FROM message_words
        WHERE account_id = wanted.account_id ORDER BY message_id LIMIT $3
    ) AS first
    WHERE first.created_at < $2
    ORDER BY wanted.place, first.message_id
    LIMIT $3
), forgotten AS (
    DELETE FROM message_words USING old
    WHERE message_words.account_id = old.account_id AND message_words.message_id = old.message_id
)
SELECT CASE WHEN count(*) = $3 THEN max(account_id) END FROM old
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


async def list_behind(db: Db) -> list[Behind]:
    """The accounts in which something was said that is not looked through yet."""
    return await db.fetch_all(Behind, LIST_BEHIND)


async def keep_words(tx: Tx, behind: Behind) -> Behind | None:
    """Keep the words of the account's next messages; where to go on when there are more."""
    settled = clock.now() - SETTLED_AFTER
    reached = await tx.fetch_value(KEEP_WORDS, behind.account_id, behind.after_id, oldest(), settled, BATCH)
    return None if reached is None else Behind(behind.account_id, reached)


async def file_words(db: Db) -> None:
    """Bring what was added to the index to its place in it. It takes no transaction id, so nobody waits for its end."""
    await db.fetch_value(FILE_WORDS)


async def list_too_old(db: Db) -> list[int]:
    """The accounts of which words of messages are kept that are too old to be found, in order."""
    return await db.fetch_values(LIST_TOO_OLD, oldest())


async def forget_words(tx: Tx, account_ids: Sequence[int]) -> int | None:
    """Forget words of these accounts, in order, that are too old; from which account on there may be more."""
    return await tx.fetch_value(FORGET_WORDS, account_ids, oldest(), FORGOTTEN_BATCH)


def oldest() -> datetime:
    """Before that, messages are not found."""
    return clock.now() - KEPT_FOR


def _page(wanted: Wanted) -> tuple[object, ...]:
    return wanted.account_id, containing(wanted.words), wanted.limit, wanted.offset


def _share(wanted: Wanted) -> tuple[object, ...]:
    return wanted.limited_to, wanted.listed == "mine_and_unassigned"
