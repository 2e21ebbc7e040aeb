"""Canned responses, over HTTP."""

from __future__ import annotations

from criachat.canned_responses import access, operations, queries
from criachat.canned_responses.schemas import (
    CannedResponseOut,
    CannedResponseParams,
    SearchParams,
    canned_response_out,
)
from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes

routes = Routes("/api/v1/accounts/{account_id}/canned_responses", tag="Canned responses", scope="canned_responses")


@routes.get(actors=AGENT)
async def list_canned_responses(db: Db, actor: Actor, params: SearchParams) -> list[CannedResponseOut]:
    """All canned responses by short code; with `search` those with these words, in their short code first."""
    found = await queries.list_canned_responses(db, actor.account_id, (params.search or "").strip())
    return [canned_response_out(each) for each in found]


@routes.post(actors=AGENT, wrapper="canned_response")
async def create_canned_response(tx: Tx, actor: Actor, params: CannedResponseParams) -> CannedResponseOut:
    """Keep an answer under a short code that no other has. Variables in it are filled in when it is sent."""
    return canned_response_out(await operations.create_canned_response(tx, actor.account_id, params))


@routes.update("/{canned_response_id}", actors=AGENT, wrapper="canned_response")
async def change_canned_response(
    tx: Tx, actor: Actor, canned_response_id: int, params: CannedResponseParams
) -> CannedResponseOut:
    """Change a canned response."""
    canned_response = await access.load_canned_response_to_change(tx, actor, canned_response_id)
    return canned_response_out(await operations.change_canned_response(tx, canned_response, params))


@routes.delete("/{canned_response_id}", actors=AGENT)
async def delete_canned_response(tx: Tx, actor: Actor, canned_response_id: int) -> None:
    """Remove a canned response."""
    canned_response = await access.load_canned_response_to_change(tx, actor, canned_response_id)
    await operations.delete_canned_response(tx, canned_response)
