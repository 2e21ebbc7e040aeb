"""Messages to search in: many, of words that are common, and of words that are rare."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.dataset import DAYS, SEED
from criachat.kit.db import Connection
from criachat.kit.migrate import LIFT_LIMITS

WORDS = 30_000
TEXTS = 100_000
WORDS_IN_A_TEXT = 12
BATCH = 100_000
BEGINNINGS = "b c d f g h j l m n p r s t v x z br cr tr pr ch lh nh qu".split()  # noqa: SIM905
VOWELS = "aeiou"
ENDINGS = ("", "", "", "n", "r", "s", "l", "m")

CREATE_TEXTS = "CREATE TEMPORARY TABLE texts (id integer PRIMARY KEY, content text NOT NULL)"
FIND_FIRST = "SELECT min(id) FROM conversations WHERE account_id = $1"
COUNT = "SELECT count(*) FROM messages WHERE account_id = $1"
# Spread over conversations and over time; every tenth speaks of an order that no other speaks of.
INSERT = """
INSERT INTO messages (account_id, conversation_id, inbox_id, message_type, content, sender_type, created_at, updated_at)
SELECT $1, conversations.id, conversations.inbox_id, 0,
    texts.content || CASE WHEN number % 10 = 0 THEN ' A-' || 1000000 + number ELSE '' END, 'Contact',
    $5::timestamptz + number * $6::interval, $5::timestamptz + number * $6::interval
FROM generate_series($2::bigint, $3::bigint) AS number
JOIN texts ON texts.id = number * 7919 % $7
JOIN conversations ON conversations.account_id = $1 AND conversations.id = $4 + number * 104729 % $8
ORDER BY number
"""


def vocabulary() -> list[str]:
    """Words of two to five syllables, each once; the first are those that are said most."""
    chance = random.Random(SEED)  # noqa: S311 - the same words each time
    words: dict[str, None] = {}
    while len(words) < WORDS:
        words["".join(_syllable(chance) for _ in range(chance.randint(2, 5)))] = None
    return list(words)


def texts() -> list[str]:
    """Texts of these words: a few words are in most of them, most words in a few."""
    chance = random.Random(SEED)  # noqa: S311 - the same texts each time
    words = vocabulary()
    weights = [1 / (place + 3) for place in range(len(words))]
    drawn = chance.choices(words, weights=weights, k=TEXTS * WORDS_IN_A_TEXT)
    return [" ".join(drawn[at : at + WORDS_IN_A_TEXT]) for at in range(0, len(drawn), WORDS_IN_A_TEXT)]


def _syllable(chance: random.Random) -> str:
    return chance.choice(BEGINNINGS) + chance.choice(VOWELS) + chance.choice(ENDINGS)


async def add_speech(
    connection: Connection,
    account_id: int,
    *,
    conversations: int,
    messages: int,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> int:
    """Have the account hold so many messages, spread over so many conversations; how many were added."""
    await connection.execute(LIFT_LIMITS)
    there = await connection.fetchval(COUNT, account_id)
    missing = max(0, messages - there)
    if missing:
        await connection.execute(CREATE_TEXTS)
        await connection.copy_records_to_table("texts", records=enumerate(texts()), columns=["id", "content"])
        first_id = await connection.fetchval(FIND_FIRST, account_id)
        began = datetime.now(UTC) - timedelta(days=DAYS - 2)
        step = timedelta(days=DAYS - 2) / (missing + 1)
        for start in range(1, missing + 1, BATCH):
            end = min(start + BATCH - 1, missing)
            await connection.execute(INSERT, account_id, start, end, first_id, began, step, TEXTS, conversations)
            progress(end, missing)
        await connection.execute("VACUUM (ANALYZE) messages")
    return missing
