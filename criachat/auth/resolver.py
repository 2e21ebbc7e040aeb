"""From the header `api_access_token`, or those of a session, to an actor, in the contract's order of checks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from ipaddress import ip_address, ip_network

import msgspec

from criachat.accounts.operators import CHANGED_TOPIC as ACCOUNTS_TOPIC
from criachat.accounts.rules import is_locale
from criachat.auth import queries
from criachat.auth.credentials import api_token_of, credentials_of, session_headers, uids_of
from criachat.auth.errors import AccountSuspended, AddressNotAllowed, BotNotConnected, NotYourAccount, TokenInPage
from criachat.auth.models import Allowed, Credentials, Identity
from criachat.auth.operations import ENDED_TOPIC
from criachat.kit import clock, tokens
from criachat.kit.actors import ADMINISTRATOR, Actor, Callers
from criachat.kit.addresses import Network
from criachat.kit.db import Database, Db
from criachat.kit.errors import InvalidAccessToken, NotAuthorized, NotForBots, NotFound, Unauthenticated
from criachat.kit.http.binding import id_of
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Endpoint
from criachat.kit.limits import client_address
from criachat.kit.signals import Signals
from criachat.kit.tokens import Keyring
from criachat.users.operations import CHANGED_TOPIC

# A token that was just checked is believed this long: revocation is seen everywhere within five seconds.
BELIEVED_SECONDS = 3.0
MOST_BELIEVED = 20_000
NO_ACCOUNT = 0


class _Believed(msgspec.Struct):
    """Who a token or session belongs to, until when that is believed, and which actor it makes where it is used."""

    until: float
    identity: Identity
    person: Actor | None = None


class TokenResolver:
    """Knows callers by their access token. Remembers each for three seconds, and when each token was last used.

    Tokens that end, and owners and accounts that changed, are forgotten as soon as the signal comes; where one gets
    lost, after those three seconds.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        *,
        signals: Signals,
        our_origins: Collection[str] = (),
        trusted_proxies: Collection[Network] = (),
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._our_origins = frozenset(our_origins)
        self._trusted_proxies = tuple(trusted_proxies)
        self._believed: dict[tuple[str | Credentials, int | None], _Believed] = {}
        self._uses: dict[int, datetime] = {}
        signals.subscribe(ENDED_TOPIC, self._forget)
        signals.subscribe(CHANGED_TOPIC, self._forget_owners)
        signals.subscribe(ACCOUNTS_TOPIC, self._forget_accounts)

    async def __call__(self, request: Request, endpoint: Endpoint, path: Mapping[str, str]) -> Actor:
        """The caller, or a refusal."""
        token = _token(request)
        account_id = _account_id(path)
        if not token:
            return await self._signed_in(request, endpoint, account_id)
        believed = await self._believed_of(token, account_id)
        identity = believed.identity
        self._check_place(identity, request)
        self._uses[identity.token_id] = clock.now()
        if identity.owner_type == "user":
            kind = _kind(identity, endpoint, account_id)
            if believed.person is None:
                believed.person = _person(identity, kind, account_id, token)
            return believed.person
        if identity.owner_type == "agent_bot" and endpoint.actors.meets(Callers.BOT):
            return _bot(identity, account_id)
        raise NotForBots

    async def find_session(self, request: Request, account_id: int | None = None) -> Identity | None:
        """Who signed in and sent this request, seen from the account; None for strangers."""
        believed = await self._session(request, account_id)
        return None if believed is None else believed.identity

    async def _session(self, request: Request, account_id: int | None) -> _Believed | None:
        credentials = credentials_of(request)
        if credentials is None:
            return None
        believed = await self._remembered(credentials, account_id)
        if believed is None or believed.identity.session_expires_at is None:
            return None
        identity = believed.identity
        self._check_place(identity, request)
        self._uses[identity.token_id] = clock.now()
        shown = Credentials(credentials.access_token, credentials.client, identity.email or "")
        request.told = session_headers(shown, believed.identity.session_expires_at)
        return believed

    async def find_person(self, request: Request) -> Actor | None:
        """Who sent this request to an endpoint for everybody, with a session or an access token; None for strangers."""
        token = _token(request)
        if token:
            identity = (await self._believed_of(token, None)).identity
            self._check_place(identity, request)
            self._uses[identity.token_id] = clock.now()
        else:
            identity, credentials = await self.find_session(request), credentials_of(request)
            if identity is None or credentials is None:
                return None
            token = api_token_of(credentials, identity.token_number or 0)
        if identity.owner_type != "user":
            raise NotForBots
        if identity.account_id is not None:
            raise NotYourAccount
        return _person(identity, Callers.PERSON, None, token)

    async def _signed_in(self, request: Request, endpoint: Endpoint, account_id: int | None) -> Actor:
        believed, credentials = await self._session(request, account_id), credentials_of(request)
        if believed is None or credentials is None:
            raise Unauthenticated
        kind = _kind(believed.identity, endpoint, account_id)
        if believed.person is None:
            believed.person = _person_signed_in(believed.identity, kind, account_id, credentials)
        return believed.person

    async def platform_app(self, request: Request) -> Actor | None:
        """The operator's app that asks; None for whoever else it is."""
        token = _token(request)
        try:
            identity = (await self._believed_of(token, None)).identity
        except InvalidAccessToken:
            return None
        if identity.owner_type != "platform_app":
            return None
        self._check_place(identity, request)
        self._uses[identity.token_id] = clock.now()
        return Actor(
            type="platform_app",
            kind=Callers.PLATFORM_APP,
            id=identity.owner_id,
            name=identity.owner_name,
            token_id=identity.token_id,
            scopes=frozenset(identity.scopes),
        )

    async def flush_uses(self) -> None:
        """Write down when tokens were last used; called now and then, and before the process ends."""
        if not self._uses:
            return
        uses, self._uses = self._uses, {}
        try:
            async with self._database.transaction() as tx:
                await queries.set_last_used(tx, uses)
        except BaseException:
            self._uses = uses | self._uses
            raise

    async def _believed_of(self, token: str, account_id: int | None) -> _Believed:
        believed = await self._remembered(token, account_id)
        if believed is None:
            raise InvalidAccessToken
        return believed

    async def _remembered(self, sent: str | Credentials, account_id: int | None) -> _Believed | None:
        key = (sent, account_id)
        believed = self._believed.get(key)
        now = clock.monotonic()
        if believed is not None and believed.until > now:
            return believed
        if isinstance(sent, str) and not tokens.is_well_formed(sent):
            return None
        async with self._database.reading() as db:
            identity = await self._find(db, sent, account_id)
        if identity is None:
            self._believed.pop(key, None)
            return None
        if len(self._believed) >= MOST_BELIEVED:
            self._believed.clear()
        believed = self._believed[key] = _Believed(now + _believed_seconds(identity), identity)
        return believed

    async def _find(self, db: Db, sent: str | Credentials, account_id: int | None) -> Identity | None:
        if isinstance(sent, str):
            return await queries.find_identity(db, self._keyring.digests(sent), account_id)
        digests, uids = self._keyring.digests(sent.access_token), uids_of(sent)
        return await queries.find_session_identity(db, digests, account_id, client=sent.client, uids=uids)

    def _forget(self, ended: bytes) -> None:
        """Tokens with these ids are good no more."""
        self._forget_if(ended, lambda _, identity: str(identity.token_id))

    def _forget_owners(self, changed: bytes) -> None:
        """These are read again before they do anything: what they may do, and what they are called and look like."""
        self._forget_if(changed, lambda _, identity: f"{identity.owner_type}:{identity.owner_id}")

    def _forget_accounts(self, changed: bytes) -> None:
        """Whoever acts in these accounts is read again: an account may let nobody in any more."""
        self._forget_if(changed, lambda account_id, _: str(account_id))

    def _forget_if(self, named: bytes, name_of: Callable[[int | None, Identity], str]) -> None:
        """Forget those who are named; where nobody is, it may be any."""
        names = set(named.decode().split())
        kept = self._believed.items() if names else ()
        self._believed = {key: each for key, each in kept if name_of(key[1], each.identity) not in names}

    def _check_place(self, identity: Identity, request: Request) -> None:
        origin = request.headers.get("origin")
        if origin is not None and origin not in self._our_origins and origin not in identity.allowed_origins:
            raise TokenInPage
        if identity.allowed_addresses:
            forwarded_for = request.headers.get("x-forwarded-for")
            address, _ = client_address(request.peer, forwarded_for, self._trusted_proxies)
            if not any(_is_within(address, allowed) for allowed in identity.allowed_addresses):
                raise AddressNotAllowed


def _token(request: Request) -> str:
    return request.headers.get("api_access_token") or request.headers.get("api-access-token") or ""


def _is_within(address: str, allowed: Allowed) -> bool:
    try:
        return ip_address(address) in ip_network(str(allowed), strict=False)
    except ValueError:
        return False


def _believed_seconds(identity: Identity) -> float:
    """Never longer than the token is good."""
    if identity.expires_at is None:
        return BELIEVED_SECONDS
    return min(BELIEVED_SECONDS, (identity.expires_at - clock.now()).total_seconds())


def _account_id(path: Mapping[str, str]) -> int | None:
    """The account that the path names; what cannot be an id is that of no account."""
    text = path.get("account_id")
    return None if text is None else id_of(text) or NO_ACCOUNT


def _kind(identity: Identity, endpoint: Endpoint, account_id: int | None) -> Callers:
    """What the person is where they want to go, or why they may not."""
    if identity.account_id not in (None, account_id):
        raise NotYourAccount
    if account_id is None:
        return Callers.PERSON
    _check_account(identity)
    if identity.role is None:
        raise NotFound if endpoint.is_hidden else NotYourAccount
    kind = ADMINISTRATOR if identity.role == "administrator" else Callers.AGENT_ONLY
    if not kind.meets(endpoint.actors) and endpoint.permission not in (identity.permissions or ()):
        raise NotAuthorized
    return kind


def _person(identity: Identity, kind: Callers, account_id: int | None, token: str) -> Actor:
    return Actor(
        type="user",
        kind=kind,
        id=identity.owner_id,
        name=identity.owner_name,
        display_name=identity.display_name,
        email=identity.email or "",
        avatar_key=identity.avatar_key,
        availability=identity.availability or "online",
        auto_offline=identity.auto_offline is not False,
        account_id=account_id or 0,
        token_id=identity.token_id,
        scopes=frozenset(identity.scopes),
        permissions=frozenset(identity.permissions or ()),
        has_custom_role=identity.permissions is not None,
        locale=identity.account_locale or "en",
        access_token=token,
    )


def _person_signed_in(identity: Identity, kind: Callers, account_id: int | None, credentials: Credentials) -> Actor:
    person = _person(identity, kind, account_id, api_token_of(credentials, identity.token_number or 0))
    # Whoever signed in reads the product in a language of their own; a program has none.
    locale = identity.screen_locale if is_locale(identity.screen_locale or "") else None
    return msgspec.structs.replace(
        person, session_id=identity.session_id, screen_locale=locale, locale=locale or person.locale
    )


def _bot(identity: Identity, account_id: int | None) -> Actor:
    _check_account(identity)
    if identity.account_id != account_id and not identity.is_connected:
        raise BotNotConnected
    return Actor(
        type="agent_bot",
        kind=Callers.BOT,
        id=identity.owner_id,
        name=identity.owner_name,
        avatar_key=identity.avatar_key,
        account_id=account_id or 0,
        token_id=identity.token_id,
        scopes=frozenset(identity.scopes),
        locale=identity.account_locale or "en",
    )


def _check_account(identity: Identity) -> None:
    if identity.account_status is None:
        raise NotFound
    if identity.account_status != "active":
        raise AccountSuspended
