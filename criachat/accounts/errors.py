"""What an account cannot be."""

from __future__ import annotations

from criachat.kit.errors import Invalid


class NameBlank(Invalid):
    """Name can't be blank"""

    attributes = ("name",)


class NameTooLong(Invalid):
    """Name is too long (maximum is 255 characters)"""

    attributes = ("name",)


class LocaleUnknown(Invalid):
    """Locale is not the code of a language, such as en or pt_BR"""

    attributes = ("locale",)


class SupportEmailInvalid(Invalid):
    """Support email is invalid"""

    attributes = ("support_email",)


class AutoResolveInvalid(Invalid):
    """Auto resolve after must be greater than or equal to 10"""

    attributes = ("auto_resolve_after",)


class StatusUnknown(Invalid):
    """Status must be active or suspended"""

    attributes = ("status",)


class FeatureUnknown(Invalid):
    """Features hold one that does not exist"""

    attributes = ("features",)


class LimitsInvalid(Invalid):
    """Limits take agents, inboxes, captain_responses and captain_documents, with numbers"""

    attributes = ("limits",)


class AttributesTooLong(Invalid):
    """Custom attributes are too long (maximum is 64 kB)"""

    attributes = ("custom_attributes",)
