"""The ways to get a canned response on somebody's behalf."""

from __future__ import annotations

from criachat.canned_responses import queries
from criachat.canned_responses.models import CannedResponse
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import existing


async def load_canned_response_to_change(tx: Tx, actor: Actor, canned_response_id: int) -> CannedResponse:
    """The answer of the caller's account; nobody else changes it before this transaction ends."""
    return existing(await queries.lock_canned_response(tx, actor.account_id, canned_response_id))
