"""What can be done with definitions of extra fields. Values that are stored already are never touched."""

from __future__ import annotations

from criachat.accounts.operations import forget_required_attribute, take_turn
from criachat.custom_attributes import queries
from criachat.custom_attributes.errors import KeyTaken, TooManyDefinitions
from criachat.custom_attributes.events import AttributeDefinitionChanged
from criachat.custom_attributes.models import MOST_DEFINITIONS, Definition
from criachat.custom_attributes.rules import changed_definition, new_definition
from criachat.custom_attributes.schemas import DefinitionParams
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.events import by, emit


async def create_definition(tx: Tx, account_id: int, params: DefinitionParams) -> Definition:
    """A new extra field; contacts or conversations may carry its key already."""
    wanted = new_definition(account_id, params)
    await take_turn(tx, account_id)
    if await queries.count_definitions(tx, account_id) >= MOST_DEFINITIONS:
        raise TooManyDefinitions
    definition = await queries.insert_definition(tx, wanted)
    if definition is None:
        raise KeyTaken
    return definition


async def change_definition(tx: Tx, definition: Definition, params: DefinitionParams, *, actor: Actor) -> Definition:
    """Change what was sent. Forms that ask for the field follow a moment later."""
    wanted = changed_definition(definition, params)
    if wanted == definition:
        return definition
    changed = await queries.save_definition(tx, wanted)
    if changed is None:
        raise KeyTaken
    await _tell(tx, definition, actor)
    return changed


async def delete_definition(tx: Tx, definition: Definition, *, actor: Actor) -> None:
    """Remove the field; nobody has to fill it in before they resolve a conversation, or is asked for it, any more."""
    await queries.delete_definition(tx, definition)
    if definition.attribute_model == "conversation_attribute":
        await forget_required_attribute(tx, definition.account_id, definition.attribute_key)
    await _tell(tx, definition, actor)


async def _tell(tx: Tx, before: Definition, actor: Actor) -> None:
    event = AttributeDefinitionChanged(
        account_id=before.account_id,
        definition_id=before.id,
        attribute_model=before.attribute_model,
        attribute_key=before.attribute_key,
        attribute_display_name=before.attribute_display_name,
        **by(actor),
    )
    await emit(tx, event)
