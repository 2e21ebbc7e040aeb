"""Why an extra field cannot be what somebody wants."""

from __future__ import annotations

from criachat.kit.errors import Invalid, Unprocessable


class DisplayNameBlank(Invalid):
    """Attribute display name can't be blank"""

    attributes = ("attribute_display_name",)


class KeyBlank(Invalid):
    """Attribute key can't be blank"""

    attributes = ("attribute_key",)


class KeyTaken(Invalid):
    """Attribute key has already been taken"""

    attributes = ("attribute_key",)


class TooManyDefinitions(Invalid):
    """The account has as many custom attributes as it can have: 5,000"""


class KeyBuiltIn(Invalid):
    """Attribute key is that of a built-in attribute"""

    attributes = ("attribute_key",)


class DisplayTypeUnknown(Invalid):
    """Attribute display type is none of text, number, currency, percent, link, date, list and checkbox"""

    attributes = ("attribute_display_type",)


class ModelUnknown(Invalid):
    """Attribute model is neither conversation_attribute nor contact_attribute"""

    attributes = ("attribute_model",)


class ComparisonInvalid(Unprocessable):
    """The filter is invalid"""
