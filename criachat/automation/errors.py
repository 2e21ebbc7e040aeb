"""What rules and macros cannot be."""

from __future__ import annotations

from criachat.kit.errors import Refused, Unprocessable


class ActionsInvalid(Refused):
    """Actions must be a list of objects with action_name and action_params"""

    def body(self) -> object:
        return {"error": {"actions": [self.text]}}


class AttachmentInvalid(Unprocessable):
    """Invalid attachment"""
