"""Why a message is not taken."""

from __future__ import annotations

from criachat.kit.errors import Forbidden, Refused, Unprocessable


class Empty(Unprocessable):
    """Validation failed: Content can't be blank"""


class ContentTooLong(Unprocessable):
    """Validation failed: Content is too long (maximum is 150000 characters)"""


class SourceIdTooLong(Unprocessable):
    """Validation failed: Source is too long (maximum is 20000 characters)"""


class EchoIdTooLong(Unprocessable):
    """Validation failed: Echo is too long (maximum is 20000 characters)"""


class AttributesTooLarge(Unprocessable):
    """Validation failed: Content attributes are too large (maximum is 1 MB)"""


class SourceIdTaken(Unprocessable):
    """Validation failed: Source has already been taken"""


class ClientMessageIdTooLong(Unprocessable):
    """Validation failed: Client message is too long (maximum is 255 characters)"""


class ClientMessageIdReserved(Unprocessable):
    """Validation failed: Client message must not begin with criachat:"""


class TooManyMessages(Unprocessable):
    """Validation failed: Too many messages"""


class TooManyAttachments(Unprocessable):
    """Validation failed: A message takes 15 attachments at most"""


class AttachmentsNotAList(Unprocessable):
    """Attachments must be a list of files"""


class UnknownSignedId(Unprocessable):
    """Attachments must be files; this signed id is not known"""


class UnknownMessageType(Unprocessable):
    """message_type must be incoming, outgoing, activity or template"""


class UnknownContentType(Unprocessable):
    """content_type is not one of those the contract names"""


class IncomingNotAllowed(Unprocessable):
    """Incoming messages are only allowed in API inboxes"""


class ContentAttributesInvalid(Unprocessable):
    """Validation failed: Content attributes are invalid"""


class StatusUpdateNotAllowed(Forbidden):
    """Message status update is only allowed for API inboxes"""


class NoSuchPart(Refused):
    """The file has no such part"""

    status = 416
