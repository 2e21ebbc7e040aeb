"""The SQL that keeps the words of what was said, beside the messages, for as long as searches find them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.search.models import Behind

KEPT_FOR = timedelta(days=92)
# Messages younger than this may have older ids than some that were committed before them.
SETTLED_AFTER = timedelta(minutes=5)
# As long as a batch is written, nobody on the server reads the log of events any further.
BATCH = 100
FORGOTTEN_BATCH = 1000

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
