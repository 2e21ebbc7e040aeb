"""Definitions of custom attributes, over HTTP."""

from __future__ import annotations

from criachat.custom_attributes import access, operations
from criachat.custom_attributes.rules import model_of
from criachat.custom_attributes.schemas import DefinitionOut, DefinitionParams, ListParams, definition_out
from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.answers import Answer
from criachat.kit.http.routes import Routes

WRAPPER = "custom_attribute_definition"

routes = Routes(
    "/api/v1/accounts/{account_id}/custom_attribute_definitions", tag="Custom attributes", scope="custom_attributes"
)


@routes.get(actors=AGENT)
async def list_definitions(db: Db, actor: Actor, params: ListParams) -> list[DefinitionOut]:
    """The extra fields of contacts (`attribute_model=contact_attribute`), of conversations, or of both."""
    said = params.attribute_model
    model = None if said is None or str(said).strip() == "" else model_of(said)
    return [definition_out(each) for each in await access.list_definitions(db, actor.account_id, model)]


@routes.get("/{definition_id}", actors=AGENT)
async def show_definition(db: Db, actor: Actor, definition_id: int) -> DefinitionOut:
    """One extra field."""
    return definition_out(await access.load_definition(db, actor, definition_id))


@routes.post(actors=AGENT, wrapper=WRAPPER)
async def create_definition(tx: Tx, actor: Actor, params: DefinitionParams) -> DefinitionOut:
    """A new extra field; its key is taken once for contacts and once for conversations."""
    return definition_out(await operations.create_definition(tx, actor.account_id, params))


@routes.update("/{definition_id}", actors=AGENT, wrapper=WRAPPER)
async def change_definition(tx: Tx, actor: Actor, definition_id: int, params: DefinitionParams) -> DefinitionOut:
    """Change an extra field. Values that are stored already stay as they are."""
    definition = await access.load_definition_to_change(tx, actor, definition_id)
    return definition_out(await operations.change_definition(tx, definition, params, actor=actor))


@routes.delete("/{definition_id}", actors=AGENT)
async def delete_definition(tx: Tx, actor: Actor, definition_id: int) -> Answer:
    """Remove an extra field. Values that are stored already stay as they are."""
    definition = await access.load_definition_to_change(tx, actor, definition_id)
    await operations.delete_definition(tx, definition, actor=actor)
    return Answer(status=204)
