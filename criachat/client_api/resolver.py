"""From the identifiers in the path to a contact: there is no other credential here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from criachat.accounts.operators import CHANGED_TOPIC as ACCOUNTS_TOPIC
from criachat.auth.errors import AccountSuspended
from criachat.client_api import queries
from criachat.client_api.errors import ProofInvalid
from criachat.client_api.models import KnownInbox
from criachat.client_api.paths import CONTACT, MESSAGES
from criachat.contacts import access as contacts
from criachat.conversations import access as conversations
from criachat.inboxes.operations import CHANGED_TOPIC as INBOXES_TOPIC
from criachat.kit import clock
from criachat.kit.actors import Actor, Callers
from criachat.kit.db import Database
from criachat.kit.errors import NoSuchPage
from criachat.kit.http.binding import id_of
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Endpoint
from criachat.kit.signals import Signals
from criachat.messages.operations.saying import SEQUENCE

# What an inbox's identifier leads to changes seldom, and is asked for with every request.
BELIEVED_SECONDS = 3.0
MOST_BELIEVED = 20_000


class ContactResolver:
    """Knows contacts by an inbox's identifier and their source id; where the path names no contact, the inbox only.

    A conversation says whose it is. So where one is asked for, it is what is looked for first, and a caller who may
    have it is known by it: it is left with the request, and costs the handler no second look.
    """

    def __init__(self, database: Database, *, signals: Signals) -> None:
        self._database = database
        self._believed: dict[str, tuple[float, KnownInbox]] = {}
        signals.subscribe(INBOXES_TOPIC, self._forget_inboxes)
        signals.subscribe(ACCOUNTS_TOPIC, self._forget_accounts)

    async def __call__(self, request: Request, endpoint: Endpoint, path: Mapping[str, str]) -> Actor:
        """The caller, or a refusal."""
        inbox = await self._inbox(path["inbox_identifier"])
        if inbox.account_status != "active":
            raise AccountSuspended
        source_id = path.get("contact_identifier")
        if source_id is None:
            return _caller(inbox)
        caller = await self._contact(inbox, source_id, request, endpoint, path)
        # Where the contact is shown or changed, the caller proves who they are: it cannot be asked for before.
        if inbox.hmac_mandatory and not caller.is_verified and endpoint.path != CONTACT:
            raise ProofInvalid
        return caller

    async def _inbox(self, identifier: str) -> KnownInbox:
        believed = self._believed.get(identifier)
        now = clock.monotonic()
        if believed is not None and believed[0] > now:
            return believed[1]
        async with self._database.reading() as db:
            inbox = await queries.find_inbox(db, identifier)
        if inbox is None:
            self._believed.pop(identifier, None)
            raise NoSuchPage
        if len(self._believed) >= MOST_BELIEVED:
            self._believed.clear()
        self._believed[identifier] = (now + BELIEVED_SECONDS, inbox)
        return inbox

    def _forget_inboxes(self, changed: bytes) -> None:
        """Where these are asked for, they are looked for again: they may be gone, or demand proofs now."""
        self._forget_if(changed, lambda inbox: inbox.inbox_id)

    def _forget_accounts(self, changed: bytes) -> None:
        """The same of all inboxes of these accounts, which may let nobody in any more."""
        self._forget_if(changed, lambda inbox: inbox.account_id)

    def _forget_if(self, named: bytes, number_of: Callable[[KnownInbox], int]) -> None:
        """Forget those that are named; where none is, it may be any."""
        ids = set(named.decode().split())
        kept = self._believed.items() if ids else ()
        self._believed = {key: each for key, each in kept if str(number_of(each[1])) not in ids}

    async def _contact(
        self, inbox: KnownInbox, source_id: str, request: Request, endpoint: Endpoint, path: Mapping[str, str]
    ) -> Actor:
        display_id = id_of(path.get("conversation_id", ""))
        is_message = endpoint.path == MESSAGES and request.method == "POST"
        async with self._database.reading() as db:
            if display_id is not None:
                found = await conversations.find_conversation(
                    db, inbox.account_id, display_id, sequence=SEQUENCE if is_message else None
                )
                if found is not None and (found.inbox_id, found.source_id) == (inbox.inbox_id, source_id):
                    request.found = found
                    return _caller(inbox, found.contact_id, found.contact_inbox_id, is_verified=found.hmac_verified)
            session = await contacts.find_contact_inbox(db, inbox.account_id, inbox.inbox_id, source_id)
        if session is None:
            raise NoSuchPage
        return _caller(inbox, session.contact_id, session.id, is_verified=session.hmac_verified)


def _caller(
    inbox: KnownInbox, contact_id: int | None = None, contact_inbox_id: int | None = None, *, is_verified: bool = False
) -> Actor:
    return Actor(
        type="contact",
        kind=Callers.CONTACT,
        id=contact_id,
        account_id=inbox.account_id,
        inbox_id=inbox.inbox_id,
        contact_inbox_id=contact_inbox_id,
        is_verified=is_verified,
        locale=inbox.account_locale,
    )
