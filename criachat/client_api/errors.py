"""Refusals in the words and the form of the client API."""

from __future__ import annotations

from criachat.kit.errors import Invalid, NotAuthorized


class ProofInvalid(NotAuthorized):
    """HMAC failed: Invalid Identifier Hash Provided"""


class SourceTooShort(Invalid):
    """Source is too short (minimum is 16 characters)"""

    attributes = ("source_id",)


class SourceUnusable(Invalid):
    """Source must not contain a slash"""

    attributes = ("source_id",)


class Empty(Invalid):
    """Content can't be blank"""

    attributes = ("content",)


class AttachmentsInvalid(Invalid):
    """Attachments must be a list of files"""

    attributes = ("attachments",)


class ClientMessageIdTaken(Invalid):
    """Client message has already been taken"""

    attributes = ("client_message_id",)


class NotAQuestion(Invalid):
    """Submitted values are taken by messages that ask for them only"""

    attributes = ("submitted_values",)


class AnswerInvalid(Invalid):
    """Submitted values must be a list of objects with name, title and value"""

    attributes = ("submitted_values",)


class AnswerTooLarge(Invalid):
    """Submitted values are too large (maximum is 100 kB)"""

    attributes = ("submitted_values",)
