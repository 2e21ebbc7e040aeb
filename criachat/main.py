"""The composition root: the parts of a running CriaChat, built once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import structlog

from criachat.agent_bots.schemas import ShownBots
from criachat.assignment.listeners import make_listeners as make_assignment_listeners
from criachat.auth.entrance import Entrance
from criachat.auth.resolver import TokenResolver
from criachat.client_api.resolver import ContactResolver
from criachat.contacts.receiving import KeptImport, keep_import
from criachat.feed.reading import Feed
from criachat.inboxes.shown import ShownInboxes
from criachat.kit import installation
from criachat.kit.actors import AGENT, BOT, CONTACT, PERSON, PLATFORM_APP, Callers
from criachat.kit.addresses import read_networks
from criachat.kit.avatars import KeptAvatar, store_avatar
from criachat.kit.db import Database
from criachat.kit.epochs import check_epoch
from criachat.kit.events import EVENTS_TOPIC
from criachat.kit.files import Files
from criachat.kit.http.app import Application, HttpApp, Resolver
from criachat.kit.http.guard import RateGuard
from criachat.kit.http.reference import Reference
from criachat.kit.http.request import Receive, Scope, Send
from criachat.kit.http.routes import KnownScopes
from criachat.kit.idempotency import Idempotency
from criachat.kit.jobs import JobContext
from criachat.kit.jobs.runner import JobRunner
from criachat.kit.jobs.store import install as install_jobs
from criachat.kit.limits import LIMITS, Limiter, adjusted, read_changes
from criachat.kit.migrate import migrate
from criachat.kit.news import NewsReader
from criachat.kit.outside import Outside
from criachat.kit.partitions import make_partitions
from criachat.kit.relay import Relay
from criachat.kit.settings import Settings
from criachat.kit.shared_limits import SharedLimiter
from criachat.kit.signals import PostgresSignals, Signals
from criachat.kit.status import Metrics, Pulse, Tally
from criachat.kit.tokens import Keyring
from criachat.messages.translating import Translator
from criachat.messages.uploading import KeptFiles, keep_files
from criachat.platform_api.models import LoginPage
from criachat.platform_api.passwords import GivenPassword, hash_given_password
from criachat.platform_api.resolver import PlatformResolver
from criachat.realtime.cable import Cable
from criachat.slices import JOBS, LISTENERS, ROUTES
from criachat.users.preparing import Invitations, NewPassword, count_invitations, hash_password
from criachat.users.presence import Presence
from criachat.users.roster import Roster
from criachat.users.shown import Shown
from criachat.webhooks.deliveries import DeliveryWorker
from criachat.webhooks.listeners import make_listeners as make_webhooks_listeners
from criachat.webhooks.operations import TOPIC as DELIVERIES_TOPIC
from criachat.webhooks.payloads import Links
from criachat.webhooks.typing import TypingTeller

log = structlog.get_logger()

FLUSH_SECONDS = 20.0
EXAMPLES: Final = Path(__file__).with_name("examples.json")

Loop = Callable[[], Coroutine[Any, Any, None]]
"""Something that runs until it is cancelled."""


async def prepare_database(url: str, keyring: Keyring) -> list[str]:
    """Bring the schema up to date and check the installation key; the names of the migrations applied."""
    database = Database(url)
    connection = await database.connect()
    try:
        done = await migrate(connection, also=(check_epoch, make_partitions, install_jobs))
        await installation.check_key(connection, keyring)
    finally:
        await connection.close()
    return done


class Ground(msgspec.Struct, kw_only=True):
    """What the parts of a process stand on, and what has to be opened and closed."""

    settings: Settings
    keyring: Keyring
    base_url: str
    database: Database
    signals: Signals
    news: NewsReader
    outside: Outside
    files: Files


class Parts(msgspec.Struct, kw_only=True):
    """What lives as long as a process; built once, here."""

    settings: Settings
    database: Database
    keyring: Keyring
    signals: Signals
    outside: Outside
    files: Files
    presence: Presence
    resolver: TokenResolver
    relay: Relay
    deliveries: DeliveryWorker
    typing_teller: TypingTeller
    jobs: JobRunner
    cable: Cable
    feed: Feed
    http: HttpApp

    @property
    def web_loops(self) -> tuple[Loop, ...]:
        """What runs beside answering requests."""
        return (self.keep_house,)

    @property
    def worker_loops(self) -> tuple[Loop, ...]:
        """What happens behind requests: listeners, deliveries and jobs."""
        return self.relay.run, self.deliveries.run, self.typing_teller.run, self.jobs.run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or serve a websocket: the whole of it as one ASGI application."""
        if scope["path"].strip("/") == "cable":
            await self.cable(scope, receive, send)
        elif scope["type"] == "http":
            await self.http(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def say_goodbye(self) -> None:
        """Answer those who wait for news, and have sockets come back in a moment."""
        self.feed.close()
        await self.cable.close()

    async def keep_house(self) -> None:
        """Write down now and then what was only remembered, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.write_down()

    async def write_down(self) -> None:
        """Write down what was only remembered until now."""
        try:
            await self.resolver.flush_uses()
        except Exception as failure:  # noqa: BLE001 - the database may be away; the next round writes it
            log.warning("token_uses_not_written", failure=type(failure).__name__)


@asynccontextmanager
async def assembled(
    settings: Settings, *, database_url: str, keyring: Keyring, base_url: str, shares_database: bool = False
) -> AsyncGenerator[Parts]:
    """The parts of one process, connected; taken apart again at the end.

    With `shares_database`, other processes work on the same database, so signals travel through PostgreSQL.
    """
    database = Database(database_url, size=settings.database_pool_size)
    database.on_connect(check_epoch)
    signals = PostgresSignals(database.connect) if shares_database else Signals()
    database.wake = signals.wake
    signing_key, *older_keys = keyring.keys_for("files")
    ground = Ground(
        # Where nobody chose an address, ours is the one we listen on.
        settings=msgspec.structs.replace(settings, base_url=base_url),
        keyring=keyring,
        base_url=base_url,
        database=database,
        signals=signals,
        news=NewsReader(database, signals),
        outside=Outside(
            settings.allowed_private_hosts, user_agent="CriaChat", max_connections=settings.webhook_concurrency
        ),
        files=Files(
            settings.file_store_url or Path(settings.data_directory()) / "files",
            signing_key,
            base_url,
            older_keys=older_keys,
        ),
    )
    await database.open()
    await signals.open()
    try:
        parts = _parts(ground)
        try:
            yield parts
        finally:
            await parts.write_down()
    finally:
        await ground.news.close()
        await ground.outside.close()
        await signals.close()
        await database.close()


def _parts(ground: Ground) -> Parts:
    settings, database, signals = ground.settings, ground.database, ground.signals
    presence = Presence(settings, signals)
    base = urlsplit(ground.base_url)
    origins = frozenset((f"{base.scheme}://{base.netloc}", *settings.allowed_origins))
    proxies = read_networks(settings.trusted_proxies)
    resolver = TokenResolver(database, ground.keyring, signals=signals, our_origins=origins, trusted_proxies=proxies)
    shown_then = Shown(presence, ground.files, tells_presence=False)
    links = Links(shown_then, ground.base_url)
    webhooks_listeners = make_webhooks_listeners(links, tells_of_inboxes=settings.enable_inbox_events)
    relay = Relay(database, (*LISTENERS, make_assignment_listeners(presence), webhooks_listeners))
    signals.subscribe(EVENTS_TOPIC, lambda _: relay.wake())
    deliveries = DeliveryWorker(database, ground.outside, ground.keyring, settings)
    signals.subscribe(DELIVERIES_TOPIC, lambda _: deliveries.wake())
    work = JobContext(
        database=database,
        outside=ground.outside,
        files=ground.files,
        settings=settings,
        base_url=ground.base_url,
    )
    feed = Feed(database, ground.news, shown_then, kept_days=settings.event_retention_days)
    return Parts(
        settings=settings,
        database=database,
        keyring=ground.keyring,
        signals=signals,
        outside=ground.outside,
        files=ground.files,
        presence=presence,
        resolver=resolver,
        relay=relay,
        deliveries=deliveries,
        typing_teller=TypingTeller(database, signals, links),
        jobs=JobRunner(JOBS, work, signals),
        cable=Cable(database, ground.news, presence=presence, signals=signals, files=ground.files),
        feed=feed,
        http=_http(ground, presence, resolver, feed=feed, links=links),
    )


def _http(ground: Ground, presence: Presence, resolver: TokenResolver, *, feed: Feed, links: Links) -> HttpApp:
    settings, database = ground.settings, ground.database
    shown = Shown(presence, ground.files)
    limits = adjusted(LIMITS, read_changes(settings.changed_limits))
    proxies = read_networks(settings.trusted_proxies)
    tally, reference = Tally(), Reference(EXAMPLES)
    endpoints = [endpoint for routes in ROUTES for endpoint in routes.endpoints]
    counted = SharedLimiter(database, ground.keyring, limits, trusted_proxies=proxies, is_on=settings.rate_limits)
    provides: dict[type[Any], Any] = {
        Pulse: Pulse(database),
        Metrics: Metrics(database, tally),
        Settings: settings,
        Keyring: ground.keyring,
        TokenResolver: resolver,
        SharedLimiter: counted,
        Entrance: Entrance(database=database, keyring=ground.keyring, limits=counted, shown=shown),
        Signals: ground.signals,
        Outside: ground.outside,
        Files: ground.files,
        Presence: presence,
        Roster: Roster(ground.signals),
        Database: database,
        Shown: shown,
        Feed: feed,
        LoginPage: LoginPage(ground.base_url),
        ShownBots: ShownBots(ground.keyring, ground.files),
        Links: links,
        Translator: Translator(ground.outside, settings),
        ShownInboxes: ShownInboxes(ground.keyring, ground.files, ground.base_url, settings.inbound_email_domain),
        Reference: reference,
        KnownScopes: KnownScopes(frozenset(endpoint.scope for endpoint in endpoints if endpoint.scope)),
    }
    resolvers: dict[Callers, Resolver] = {
        AGENT | BOT | PERSON: resolver,
        CONTACT: ContactResolver(database, signals=ground.signals),
        PLATFORM_APP: PlatformResolver(resolver),
    }
    limiter = Limiter(limits)
    http = HttpApp(
        Application(
            database=database,
            endpoints=endpoints,
            resolvers=resolvers,
            provides=provides,
            prepares={
                KeptFiles: partial(keep_files, database, ground.files, settings, ground.outside),
                KeptImport: partial(keep_import, database, ground.files),
                GivenPassword: hash_given_password,
                KeptAvatar: partial(store_avatar, database, ground.files),
                NewPassword: partial(hash_password, database, counted),
                Invitations: partial(count_invitations, counted),
            },
            idempotency=Idempotency(database, ground.keyring),
            count=tally.count,
            guard=RateGuard(limiter, trusted_proxies=proxies, is_on=settings.rate_limits),
            maximum_request_bytes=settings.maximum_request_mb * 1024 * 1024,
            allowed_origins=frozenset(settings.allowed_origins),
        )
    )
    reference.bounds = http.bounds
    return http
