"""What definitions of extra fields tell others."""

from __future__ import annotations

from criachat.kit.events import Event, declare


@declare("attribute_definition_changed")
class AttributeDefinitionChanged(Event, frozen=True, kw_only=True):
    """An extra field was changed or removed; this is what it was called until then."""

    definition_id: int
    attribute_model: str
    attribute_key: str
    attribute_display_name: str
