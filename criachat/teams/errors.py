"""Why a team cannot be what somebody wants."""

from __future__ import annotations

from criachat.kit.errors import Invalid, NotAuthorized


class NameBlank(Invalid):
    """Name can't be blank"""

    attributes = ("name",)


class NameTaken(Invalid):
    """Name has already been taken"""

    attributes = ("name",)


class TooManyTeams(Invalid):
    """The account has as many teams as it can have: 2,000"""


class NotColleagues(NotAuthorized):
    """Invalid User IDs"""
