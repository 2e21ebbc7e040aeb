"""Why a label cannot be what somebody wants."""

from __future__ import annotations

from criachat.kit.errors import Invalid


class TitleBlank(Invalid):
    """Title can't be blank"""

    attributes = ("title",)


class TitleInvalid(Invalid):
    """Title needs two letters or digits at least, and may have hyphens and underscores after the first"""

    attributes = ("title",)


class TitleTaken(Invalid):
    """Title has already been taken"""

    attributes = ("title",)


class TooManyLabels(Invalid):
    """The account has as many labels as it can have"""
