"""Texts as callers send them: how long they may be."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Short = Annotated[str, Meta(max_length=255)]
Long = Annotated[str, Meta(max_length=20_000)]
