"""What can be done with definitions of extra fields. Values that are stored already are never touched."""

from __future__ import annotations

from criachat.accounts.operations import forget_required_attribute
from criachat.custom_attributes import queries
from criachat.custom_attributes.errors import KeyTaken
from criachat.custom_attributes.models import Definition
from criachat.custom_attributes.rules import changed_definition, new_definition
from criachat.custom_attributes.schemas import DefinitionParams
from criachat.kit.db import Tx


async def create_definition(tx: Tx, account_id: int, params: DefinitionParams) -> Definition:
    """A new extra field; contacts or conversations may carry its key already."""
    definition = await queries.insert_definition(tx, new_definition(account_id, params))
    if definition is None:
        raise KeyTaken
    return definition


async def change_definition(tx: Tx, definition: Definition, params: DefinitionParams) -> Definition:
    """Change what was sent."""
    wanted = changed_definition(definition, params)
    if wanted == definition:
        return definition
    changed = await queries.save_definition(tx, wanted)
    if changed is None:
        raise KeyTaken
    return changed


async def delete_definition(tx: Tx, definition: Definition) -> None:
    """Remove the field; nobody has to fill it in before they resolve a conversation any more."""
    await queries.delete_definition(tx, definition)
    if definition.attribute_model == "conversation_attribute":
        await forget_required_attribute(tx, definition.account_id, definition.attribute_key)
