"""What the people of the data set say: words that are common, and words that are rare."""

from __future__ import annotations

import random

SEED = 20_250
WORDS = 30_000
TEXTS = 100_000
WORDS_IN_A_TEXT = 12
# Every so-and-so-manieth message speaks of an order that no other speaks of.
ORDER_EVERY = 10
FIRST_ORDER = 1_000_000
BEGINNINGS = "b c d f g h j l m n p r s t v x z br cr tr pr ch lh nh qu".split()  # noqa: SIM905
VOWELS = "aeiou"
ENDINGS = ("", "", "", "n", "r", "s", "l", "m")


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


def order(number: int) -> str:
    """The order that the message with this number speaks of, if it is one of those that do."""
    return f"A-{FIRST_ORDER + number}"


def _syllable(chance: random.Random) -> str:
    return chance.choice(BEGINNINGS) + chance.choice(VOWELS) + chance.choice(ENDINGS)
