"""Labels as rows."""

from __future__ import annotations

import msgspec

DEFAULT_COLOR = "#1f93ff"
# Lists show all of them.
MOST_LABELS_OF_ACCOUNT = 5_000


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """One coloured title for sorting conversations and contacts."""

    id: int
    account_id: int
    title: str
    description: str | None
    color: str
    show_on_sidebar: bool | None
