"""Why a question about what was measured is refused."""

from __future__ import annotations

from criachat.kit.errors import Unprocessable


class PeriodInvalid(Unprocessable):
    """since and until must be unix seconds"""
