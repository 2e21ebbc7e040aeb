"""Why an answer cannot be kept."""

from __future__ import annotations

from criachat.kit.errors import Invalid


class ShortCodeBlank(Invalid):
    """Short code can't be blank"""

    attributes = ("short_code",)


class ShortCodeTaken(Invalid):
    """Short code has already been taken"""

    attributes = ("short_code",)


class ContentBlank(Invalid):
    """Content can't be blank"""

    attributes = ("content",)


class TooManyCannedResponses(Invalid):
    """An account keeps 5000 canned responses at most"""
