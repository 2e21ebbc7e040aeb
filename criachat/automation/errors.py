"""What rules and macros cannot be."""

from __future__ import annotations

from criachat.kit.errors import Invalid, Refused, Unprocessable


class ActionsInvalid(Refused):
    """Actions must be a list of objects with action_name and action_params"""

    def body(self) -> object:
        return {"error": {"actions": [self.text]}}


class ConditionsInvalid(Refused):
    """Conditions must be a list of objects with attribute_key, filter_operator and values"""

    def body(self) -> object:
        return {"error": {"conditions": [self.text]}}


class AttachmentInvalid(Unprocessable):
    """Invalid attachment"""


class NameBlank(Invalid):
    """Name can't be blank"""

    attributes = ("name",)


class EventNameUnknown(Invalid):
    """Event name is not one that rules can wait for"""

    attributes = ("event_name",)


class RuleTooLarge(Invalid):
    """Conditions and actions are too large (maximum is 200 kB)"""

    attributes = ("conditions", "actions")


class TooManyRules(Invalid):
    """The account has as many rules as it can have"""


class MacroNameBlank(Unprocessable):
    """Name can't be blank"""


class VisibilityUnknown(Unprocessable):
    """visibility must be personal or global"""


class TooManyMacros(Unprocessable):
    """The account has as many macros as it can have"""


class MacroTooLarge(Unprocessable):
    """The actions of a macro are too large (maximum is 200 kB)"""


class TooManyConversations(Unprocessable):
    """A macro is executed in 100 conversations at most"""


class NotDone(Unprocessable):
    """This action could not be done"""
