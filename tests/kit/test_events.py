"""Events as they are declared, and as readers of the log find them again."""

from __future__ import annotations

from harness import Given

from criachat.kit.events import Event, declare, emit


@declare("pen_lent")
class PenLent(Event, frozen=True, kw_only=True):
    """A pen went from somebody to somebody, or was taken from the drawer, or put there."""

    previous: int | None
    current: int | None
    color: str = "blue"
    note: str | None = None


async def test_what_was_nothing_when_it_was_told_is_nothing_when_it_is_read(given: Given) -> None:
    async with given.world.parts.database.transaction() as tx:
        await emit(
            tx,
            PenLent(account_id=given.account_id, previous=None, current=7),
            PenLent(account_id=given.account_id, previous=7, current=None, color="red", note="chewed"),
            PenLent(account_id=given.account_id, previous=None, current=None),
        )

    told = await given.emitted(PenLent)

    assert [(event.previous, event.current, event.color, event.note) for event in told] == [
        (None, 7, "blue", None),
        (7, None, "red", "chewed"),
        (None, None, "blue", None),
    ]
