"""From the identifiers in the path to a contact: there is no other credential here."""

from __future__ import annotations

from collections.abc import Mapping

from criachat.auth.errors import AccountSuspended
from criachat.client_api import queries
from criachat.client_api.errors import ProofInvalid
from criachat.client_api.models import Caller
from criachat.client_api.paths import CONTACT
from criachat.kit.actors import Actor, Callers
from criachat.kit.db import Database
from criachat.kit.errors import NoSuchPage
from criachat.kit.http.app import Resolver
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Endpoint

# Here the caller proves who they are, so it cannot be asked for before.
TAKES_PROOF = frozenset((CONTACT,))


def contact_resolver(database: Database) -> Resolver:
    """Knows contacts by an inbox's identifier and their source id; where the path names no contact, the inbox only."""

    async def resolve(_request: Request, endpoint: Endpoint, path: Mapping[str, str]) -> Actor:
        source_id = path.get("contact_identifier")
        async with database.reading() as db:
            caller = await queries.find_caller(db, path["inbox_identifier"], source_id)
        if caller is None or (source_id is not None and caller.contact_inbox_id is None):
            raise NoSuchPage
        if caller.account_status != "active":
            raise AccountSuspended
        if caller.hmac_mandatory and source_id is not None:
            _check_proof(caller, endpoint)
        return _actor(caller)

    return resolve


def _check_proof(caller: Caller, endpoint: Endpoint) -> None:
    if not caller.is_verified and endpoint.path not in TAKES_PROOF:
        raise ProofInvalid


def _actor(caller: Caller) -> Actor:
    return Actor(
        type="contact",
        kind=Callers.CONTACT,
        id=caller.contact_id,
        account_id=caller.account_id,
        inbox_id=caller.inbox_id,
        contact_inbox_id=caller.contact_inbox_id,
        is_verified=caller.is_verified,
        locale=caller.account_locale,
    )
