"""Show how PostgreSQL finds what each key of the filter language asks for, among 250,000 conversations.

`python -m bench.plans FOLDER` keeps the account in this folder (the one an earlier run of `bench --data` left will do)
and writes docs/performance/filters.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import uvloop

from bench import contact_plans, conversation_plans
from bench.dataset import BUSY_MESSAGES, Size
from bench.explain import RUNS
from bench.running import LARGE
from bench.server import TREE, start
from bench.site import connection_to, settle_once
from criachat.kit.logs import configure_logs

PAGE: Final = TREE / "docs" / "performance" / "filters.md"
DEFINE: Final = """
INSERT INTO custom_attribute_definitions (account_id, attribute_model, attribute_key, attribute_display_name,
    attribute_display_type, created_at, updated_at)
SELECT $1, model, key, key, kind, now(), now()
FROM (VALUES ('conversation_attribute', 'tier', 'text'), ('conversation_attribute', 'order', 'text'),
    ('conversation_attribute', 'amount', 'number'), ('conversation_attribute', 'due', 'date'),
    ('contact_attribute', 'plan', 'text'), ('contact_attribute', 'customer', 'text')) AS defined (model, key, kind)
ON CONFLICT DO NOTHING
"""
HEAD: Final = """\
# How filters are found

Written by `python -m bench.plans`: what filters and lists make PostgreSQL do in an account of {conversations}
conversations and half as many contacts. *Rows* are what was read, wanted or not: conversations and contacts, the lines
that are kept of their attributes, and the lines of the sums; times are the best of {runs}, planned and run, without the
way to the client. The count is asked first: an empty page is not looked for, a short list is read whole and sorted, a
long one is read in order until the page is full (decisions 26 and 45). Sums are of this account alone, so that
PostgreSQL may read the whole table of them.

What is found by an index costs as much as is found; a count of nearly all is the sum of all, less those who are not
meant. Beyond that:

- *contains*, and unequal to a text, read the lines of all who have the attribute, 0.2 to 0.5 microseconds each. An
  index of trigrams would find them sooner, but whoever writes attributes would wait for it.
- A number that contains one or two digits is looked for in all conversations: some tenths of all numbers do.
- A text or a day that many have costs as much as is found: who it is assigned to, only the conversation knows.
- One thing *or* not another reads the account: nearly all are meant, and no sum tells how many are meant twice.
- Contacts are counted in an index of those whom somebody could write to. Who was there longest ago is sorted out of
  all, and so are those who have no e-mail or phone number, where they come first.

"""
CONVERSATIONS: Final = """\
## Conversations

A page is the first 25.

| Conditions | Found | Counts: rows | ms | by | Page: rows | ms | by |
| --- | --: | --: | --: | --- | --: | --: | --- |
"""
CONTACTS: Final = """\
## Contacts

A page is the first 15.

| List | Found | Count: rows | ms | by | Page: rows | ms | by |
| --- | --: | --: | --: | --- | --: | --: | --- |
"""


def main() -> None:
    """Fill, ask, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.plans", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--conversations", type=int, default=Size().conversations)
    chosen = parser.parse_args()
    configure_logs("warning")
    chosen.folder.mkdir(parents=True, exist_ok=True)
    busy = Size().busy
    # One message each but for the busy ones: no filter looks at more.
    size = Size(conversations=chosen.conversations, messages=chosen.conversations + busy * (BUSY_MESSAGES - 1))
    PAGE.write_text(uvloop.run(_page(chosen.folder, size)), "utf-8")


async def _page(folder: Path, size: Size) -> str:
    server = await start(folder / LARGE)
    try:
        site = await settle_once(server, size, lambda _done, _of: None)
        async with connection_to(server) as connection:
            await connection.execute("SET statement_timeout = 0")
            await connection.execute(DEFINE, site.account_id)
            conversations = await conversation_plans.lines(connection, site)
            contacts = await contact_plans.lines(connection, site)
    finally:
        await server.stop()
    head = HEAD.format(conversations=f"{site.data.conversations:,}", runs=RUNS)
    return head + CONVERSATIONS + "\n".join(conversations) + "\n\n" + CONTACTS + "\n".join(contacts) + "\n"


if __name__ == "__main__":
    main()
