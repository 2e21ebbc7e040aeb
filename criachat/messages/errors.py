"""Why a message is not taken."""

from __future__ import annotations

from typing import ClassVar

from criachat.kit.errors import Forbidden, Invalid, Refused, Unprocessable


class MessageInvalid(Unprocessable):
    """Validation failed: Message is invalid"""

    attribute: ClassVar[str] = "base"

    def of_record(self) -> Invalid:
        """The same where a record is refused: beside its sentence, the attribute that is wrong."""
        return Invalid(self.text.removeprefix("Validation failed: "), attributes=[self.attribute])


class Empty(MessageInvalid):
    """Validation failed: Content can't be blank"""

    attribute = "content"


class ContentTooLong(MessageInvalid):
    """Validation failed: Content is too long (maximum is 150000 characters)"""

    attribute = "content"


class SourceIdTooLong(MessageInvalid):
    """Validation failed: Source is too long (maximum is 20000 characters)"""

    attribute = "source_id"


class EchoIdTooLong(MessageInvalid):
    """Validation failed: Echo is too long (maximum is 20000 characters)"""

    attribute = "echo_id"


class AttributesTooLarge(MessageInvalid):
    """Validation failed: Content attributes are too large (maximum is 1 MB)"""

    attribute = "content_attributes"


class SourceIdTaken(MessageInvalid):
    """Validation failed: Source has already been taken"""

    attribute = "source_id"


class ClientMessageIdTooLong(MessageInvalid):
    """Validation failed: Client message is too long (maximum is 255 characters)"""

    attribute = "client_message_id"


class ClientMessageIdReserved(MessageInvalid):
    """Validation failed: Client message must not begin with criachat:"""

    attribute = "client_message_id"


class TooManyMessages(MessageInvalid):
    """Validation failed: Too many messages"""


class TooManyAttachments(MessageInvalid):
    """Validation failed: A message takes 15 attachments at most"""

    attribute = "attachments"


class AttachmentTypeNotAllowed(MessageInvalid):
    """Validation failed: Attachments of this type are not sent to websites"""

    attribute = "attachments"


class AttachmentsNotAList(Unprocessable):
    """Attachments must be a list of files"""


class UnknownSignedId(Unprocessable):
    """Attachments must be files; this signed id is not known"""


class UnknownMessageType(Unprocessable):
    """message_type must be incoming, outgoing, activity or template"""


class UnknownContentType(Unprocessable):
    """content_type is not one of those there are, such as text or input_select"""


class IncomingNotAllowed(Unprocessable):
    """Incoming messages are only allowed in API inboxes"""


class ContentAttributesInvalid(MessageInvalid):
    """Validation failed: Content attributes are invalid"""

    attribute = "content_attributes"


class MailAddressInvalid(Unprocessable):
    """Validation failed: Invalid email address"""


class HistoryLineInvalid(MessageInvalid):
    """Validation failed: The line is no message"""


class HistoryMissing(Unprocessable):
    """import_file is missing: a file with one message as JSON on each line"""


class HistoryNotAllowed(Unprocessable):
    """History can only be imported into API inboxes"""


class NothingUploaded(Unprocessable):
    """attachment or external_url is missing"""


class FilenameMissing(Unprocessable):
    """filename is missing"""


class ByteSizeInvalid(Unprocessable):
    """byte_size must be the number of the file's bytes"""


class ChecksumInvalid(Unprocessable):
    """checksum must be the MD5 of the file in base64"""


class MediaTypeInvalid(Unprocessable):
    """content_type must name a media type, such as image/png"""


class DownloadFailed(Unprocessable):
    """The file could not be fetched from external_url"""


class CannotRetry(Unprocessable):
    """This message cannot be sent again"""


class TargetLanguageInvalid(Unprocessable):
    """target_language must name a language, such as pt_BR"""


class NothingToTranslate(Unprocessable):
    """This message has no text to translate"""


class TranslationFailed(Unprocessable):
    """The translation service gave no translation; try again later"""


class StatusUpdateNotAllowed(Forbidden):
    """Message status update is only allowed for API inboxes"""


class NoSuchPart(Refused):
    """The file has no such part"""

    status = 416


class TranscriptAddressInvalid(Unprocessable):
    """E-mail must be an address"""
