"""`criachat`, with faults: `process.py web …` and `process.py worker …` take the words of the command line.

`CRIACHAT_AHEAD_SECONDS` puts its clock ahead. `CRIACHAT_TRAP` is `<point>:<file>`: while the file exists, the process
takes it away and kills itself at that point, which is `before_commit`, `after_commit` or `while_answering`.
"""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

from criachat.cli import main
from criachat.kit import clock, db
from criachat.kit.http import app


def die_at(point: str) -> None:
    """End here, if this is where the trap is, and it is set."""
    where, _, file = os.environ.get("CRIACHAT_TRAP", "").partition(":")
    if where == point and Path(file).exists():
        Path(file).unlink()
        os.kill(os.getpid(), signal.SIGKILL)


class TrappedTx(db.Tx):
    """A transaction that knows the points at which a process may die."""

    async def commit(self) -> None:
        if self._has_begun:
            die_at("before_commit")
        await super().commit()
        die_at("after_commit")

    async def fetch_one_and_close(self, kind: Any, sql: Any, *values: object) -> Any:
        if not self._has_begun:
            die_at("before_commit")
        return await super().fetch_one_and_close(kind, sql, *values)


async def send_and_die(request: Any, send: Any, answer: Any, headers: Any) -> None:
    """Answer, but no further than the first line."""

    async def half(message: Any) -> None:
        await send(message)
        die_at("while_answering")

    await whole_send(request, half, answer, headers)


whole_send = app._send
if __name__ == "__main__":
    clock.travel(timedelta(seconds=float(os.environ.pop("CRIACHAT_AHEAD_SECONDS", "0"))))
    if "CRIACHAT_TRAP" in os.environ:
        db.Tx = TrappedTx
        app._send = send_and_die
    main()
