"""Why a contact cannot be what somebody wants."""

from __future__ import annotations

from criachat.kit.errors import Invalid, Refused, Unprocessable


class DetailsInvalid(Invalid):
    """Contact is invalid"""


class DetailsTaken(Invalid):
    """Email has already been taken"""

    attributes = ("email",)


class LabelsInvalid(Invalid):
    """Labels are invalid"""

    attributes = ("label_list",)


class SourceTaken(Invalid):
    """Source has already been taken"""

    attributes = ("source_id",)


class DetailMissing(Unprocessable):
    """param is missing or the value is empty: contact phone number"""


class NotContactable(Unprocessable):
    """Nobody can be written to first in this inbox: give the source_id of somebody who wrote"""


class FilterInvalid(Unprocessable):
    """The filter is invalid"""


class ContactOnline(Refused):
    """The contact is Online, please try again later"""

    def __init__(self, name: str | None) -> None:
        super().__init__(f"{name or 'The contact'} is Online, please try again later")

    def body(self) -> object:
        return {"message": self.text}
