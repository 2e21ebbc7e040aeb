"""Why a contact cannot be what somebody wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from criachat.kit.errors import Invalid, Refused, Unprocessable


class DetailsInvalid(Invalid):
    """Contact is invalid"""


class DetailsTaken(Invalid):
    """Email has already been taken"""

    attributes = ("email",)

    def __init__(
        self,
        text: str | None = None,
        *,
        attributes: Sequence[str] | None = None,
        taken_by: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(text, attributes=attributes)
        self.taken_by = taken_by or {}
        """Whose it is, for each attribute; told to the team only."""

    def body(self) -> object:
        told = {"message": self.text, "attributes": self.invalid_attributes}
        return {**told, "taken_by": self.taken_by} if self.taken_by else told


class LabelsInvalid(Invalid):
    """Labels are invalid"""

    attributes = ("label_list",)


class NoteBlank(Invalid):
    """Content can't be blank"""

    attributes = ("content",)


class SourceInvalid(Invalid):
    """Source must be one that this inbox can write to"""

    attributes = ("source_id",)


class SourceTaken(Invalid):
    """Source has already been taken"""

    attributes = ("source_id",)


class DetailMissing(Unprocessable):
    """param is missing or the value is empty: contact phone number"""


class NotContactable(Unprocessable):
    """Nobody can be written to first in this inbox: give the source_id of somebody who wrote"""


class ImportFileMissing(Unprocessable):
    """The file to import is missing: it comes as import_file of a multipart request"""


class ImportFileUnreadable(Unprocessable):
    """The file is not text in UTF-8"""


class FilterInvalid(Unprocessable):
    """The filter is invalid"""


class ContactOnline(Refused):
    """The contact is Online, please try again later"""

    def __init__(self, name: str | None) -> None:
        super().__init__(f"{name or 'The contact'} is Online, please try again later")

    def body(self) -> object:
        return {"message": self.text}
