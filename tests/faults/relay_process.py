"""A relay in a process of its own, for tests that kill it: `relay_process.py <database url> <where to stop>`.

Its listener writes down what it hears. At the word "trap" it says so on standard output and stays there, between two
statements (`idle`) or in one (`statement`), for as long as nobody cuts it off; with `nowhere` it goes on.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from criachat.kit import handover
from criachat.kit.db import Database, Tx
from criachat.kit.epochs import check_epoch
from criachat.kit.events import Event, Listeners, declare
from criachat.kit.relay import Relay

CREATE_DIARY = "CREATE TABLE diary (number bigserial, account_id bigint, sequence bigint, words text)"
WRITE_DIARY = "INSERT INTO diary (account_id, sequence, words) VALUES ($1, $2, $3)"

listeners = Listeners("diary")


@declare("relay_process_said")
class Said(Event, frozen=True, kw_only=True):
    """Somebody of these tests said something."""

    words: str


@listeners.on(Said)
async def write(tx: Tx, events: Sequence[Said]) -> None:
    """Write it down, and perhaps stay there."""
    await tx.execute_many(WRITE_DIARY, [(event.account_id, event.sequence, event.words) for event in events])
    stop = sys.argv[2] if __name__ == "__main__" else "nowhere"
    if stop != "nowhere" and any(event.words == "trap" for event in events):
        tell("in mid-batch")
        if stop == "statement":
            await tx.execute("SELECT pg_sleep(600)")
        await asyncio.Event().wait()
    if __name__ == "__main__":
        tell("heard")


def tell(what: str) -> None:
    """Say it to the test."""
    sys.stdout.write(what + "\n")
    sys.stdout.flush()


async def main() -> None:
    """Walk until killed."""
    handover.LISTENER_SECONDS = 600.0  # pyright: ignore[reportConstantRedefinition, reportAttributeAccessIssue]
    database = Database(sys.argv[1])
    database.on_connect(check_epoch)
    await database.open()
    relay = Relay(database, [listeners])
    await relay.start_listeners()
    tell("running")
    await relay.run()


if __name__ == "__main__":
    asyncio.run(main())
