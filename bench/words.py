"""The words of what was loaded, kept at once as the job of searches would keep them in an hour."""

from __future__ import annotations

from typing import Final

from criachat.kit.db import Connection
from criachat.kit.migrate import LIFT_LIMITS

# From so many on, the index is made anew in one go: that is quicker than to add to it word by word.
MANY: Final = 200_000
DEFINITION = "SELECT pg_get_indexdef('message_words_anywhere'::regclass)"
DROP_INDEX = "DROP INDEX message_words_anywhere"
INSERT_WORDS = """
INSERT INTO message_words (account_id, message_id, inbox_id, created_at, words)
SELECT account_id, id, inbox_id, created_at, left(search_words(content), 20000)
FROM messages
WHERE account_id = $1 AND content <> ''
ORDER BY id
ON CONFLICT DO NOTHING
"""
INSERT_PROGRESS = """
INSERT INTO message_words_progress AS progress (account_id, kept_id, settled_id)
SELECT $1, max(id), max(id) FROM messages WHERE account_id = $1
ON CONFLICT (account_id) DO UPDATE SET kept_id = excluded.kept_id, settled_id = excluded.settled_id
"""


async def keep_words(connection: Connection, account_id: int, *, messages: int) -> None:
    """Have searches find everything that was said in the account."""
    await connection.execute(LIFT_LIMITS)
    async with connection.transaction():
        definition = await connection.fetchval(DEFINITION)
        if messages >= MANY:
            await connection.execute(DROP_INDEX)
        # In the order of the job, which may run at this moment: first how far it is, then the words.
        await connection.execute(INSERT_PROGRESS, account_id)
        await connection.execute(INSERT_WORDS, account_id)
        if messages >= MANY:
            await connection.execute("SET LOCAL maintenance_work_mem = '1GB'")
            await connection.execute(definition)
    await connection.execute("VACUUM (ANALYZE) message_words")
