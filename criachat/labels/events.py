"""What labels tell others."""

from __future__ import annotations

from criachat.kit.events import Event, declare


@declare("label_renamed")
class LabelRenamed(Event, frozen=True, kw_only=True):
    """A label has another title now; what is tagged with the previous one is to be tagged anew."""

    label_id: int
    previous: str
    current: str
