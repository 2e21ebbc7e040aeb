"""The composition root: every slice's routes, listeners and jobs, and the parts of a running CriaChat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog

from criachat.accounts.routes import routes as accounts_routes
from criachat.agent_bots.listeners import listeners as agent_bots_listeners
from criachat.agent_bots.pictures import jobs as agent_bots_jobs
from criachat.agent_bots.routes import inbox_routes as inbox_bot_routes
from criachat.agent_bots.routes import routes as agent_bots_routes
from criachat.agent_bots.schemas import ShownBots
from criachat.audit.jobs import jobs as audit_jobs
from criachat.audit.listeners import listeners as audit_listeners
from criachat.audit.routes import routes as audit_routes
from criachat.auth.entrance import Entrance
from criachat.auth.jobs import jobs as auth_jobs
from criachat.auth.listeners import listeners as auth_listeners
from criachat.auth.resolver import TokenResolver
from criachat.auth.routes.passwords import routes as password_routes
from criachat.auth.routes.profile import routes as own_profile_routes
from criachat.auth.routes.second_factor import routes as second_factor_routes
from criachat.auth.routes.sessions import routes as sessions_routes
from criachat.auth.routes.sign_up import routes as sign_up_routes
from criachat.auth.routes.tokens import account_routes as account_token_routes
from criachat.auth.routes.tokens import leak_routes as leaked_token_routes
from criachat.auth.routes.tokens import reset_routes as reset_token_routes
from criachat.auth.routes.tokens import routes as token_routes
from criachat.automation.jobs import jobs as automation_jobs
from criachat.automation.routes import macro_routes
from criachat.automation.routes import routes as automation_routes
from criachat.campaigns.routes import inbox_routes as inbox_campaigns_routes
from criachat.campaigns.routes import routes as campaigns_routes
from criachat.canned_responses.routes import routes as canned_responses_routes
from criachat.channels.listeners import listeners as channels_listeners
from criachat.client_api.contacts import routes as client_contacts_routes
from criachat.client_api.conversations import routes as client_conversations_routes
from criachat.client_api.csat import routes as client_csat_routes
from criachat.client_api.inboxes import routes as client_inboxes_routes
from criachat.client_api.messages import routes as client_messages_routes
from criachat.client_api.resolver import ContactResolver
from criachat.contacts.jobs import jobs as contacts_jobs
from criachat.contacts.listeners import listeners as contacts_listeners
from criachat.contacts.receiving import KeptImport, keep_import
from criachat.contacts.routes import routes as contacts_routes
from criachat.contacts.routes import session_routes
from criachat.contacts.routes.notes import routes as notes_routes
from criachat.contacts.routes.transfers import file_routes as contact_file_routes
from criachat.contacts.routes.transfers import routes as contact_transfers_routes
from criachat.conversations.jobs import jobs as conversations_jobs
from criachat.conversations.listeners import listeners as conversations_listeners
from criachat.conversations.routes import ROUTES as CONVERSATIONS_ROUTES
from criachat.csat.listeners import listeners as csat_listeners
from criachat.csat.routes import routes as csat_routes
from criachat.custom_attributes.routes import routes as custom_attributes_routes
from criachat.feed.reading import Feed
from criachat.feed.routes import routes as feed_routes
from criachat.help_center.jobs import jobs as help_center_jobs
from criachat.help_center.routes import routes as help_center_routes
from criachat.inboxes.jobs import jobs as inboxes_jobs
from criachat.inboxes.limits import limit_routes
from criachat.inboxes.listeners import listeners as inboxes_listeners
from criachat.inboxes.routes import routes as inboxes_routes
from criachat.inboxes.shown import ShownInboxes
from criachat.integrations.routes import dashboard_app_routes
from criachat.integrations.routes import routes as integrations_routes
from criachat.kit import installation, upkeep
from criachat.kit.actors import AGENT, BOT, CONTACT, PERSON, PLATFORM_APP, Callers
from criachat.kit.addresses import read_networks
from criachat.kit.avatars import KeptAvatar, store_avatar
from criachat.kit.avatars import routes as avatar_routes
from criachat.kit.db import Database
from criachat.kit.epochs import check_epoch
from criachat.kit.events import EVENTS_TOPIC, Listeners
from criachat.kit.files import Files
from criachat.kit.http.app import Application, HttpApp, Resolver
from criachat.kit.http.guard import RateGuard
from criachat.kit.http.reference import Reference
from criachat.kit.http.reference import routes as reference_routes
from criachat.kit.http.request import Receive, Scope, Send
from criachat.kit.http.routes import KnownScopes, Routes
from criachat.kit.idempotency import Idempotency
from criachat.kit.jobs import JobContext, Jobs
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
from criachat.kit.status import routes as status_routes
from criachat.kit.tokens import Keyring
from criachat.labels.routes import routes as labels_routes
from criachat.messages.direct_uploads import announcing_routes, arrival_routes
from criachat.messages.files import file_routes
from criachat.messages.jobs import jobs as messages_jobs
from criachat.messages.listeners import listeners as messages_listeners
from criachat.messages.routes import merging_routes, opening_routes, upload_routes
from criachat.messages.routes import routes as messages_routes
from criachat.messages.threads import thread_routes
from criachat.messages.translating import Translator
from criachat.messages.uploading import KeptFiles, keep_files
from criachat.notifications.jobs import jobs as notifications_jobs
from criachat.notifications.listeners import listeners as notifications_listeners
from criachat.notifications.routes import routes as notifications_routes
from criachat.notifications.routes import settings_routes as notification_settings_routes
from criachat.notifications.routes import subscription_routes as notification_subscription_routes
from criachat.platform_api.jobs import jobs as platform_jobs
from criachat.platform_api.listeners import listeners as platform_listeners
from criachat.platform_api.models import LoginPage
from criachat.platform_api.passwords import HashedPassword, hash_given_password
from criachat.platform_api.resolver import PlatformResolver
from criachat.platform_api.routes.accounts import routes as platform_accounts_routes
from criachat.platform_api.routes.agent_bots import routes as platform_bots_routes
from criachat.platform_api.routes.users import routes as platform_users_routes
from criachat.realtime.cable import Cable
from criachat.reports.listeners import listeners as reports_listeners
from criachat.reports.routes import conversation_routes as reporting_routes_of_conversations
from criachat.reports.routes import routes as reporting_routes
from criachat.saved_filters.routes import routes as saved_filters_routes
from criachat.search.jobs import jobs as search_jobs
from criachat.search.routes import routes as search_routes
from criachat.teams.routes import routes as teams_routes
from criachat.users.preparing import NewPassword, hash_password
from criachat.users.presence import Presence
from criachat.users.routes import activity_routes, agent_routes, profile_routes, role_routes
from criachat.users.shown import Shown
from criachat.webhooks.deliveries import DeliveryWorker
from criachat.webhooks.listeners import make_listeners as make_webhooks_listeners
from criachat.webhooks.operations import TOPIC as DELIVERIES_TOPIC
from criachat.webhooks.payloads import Links
from criachat.webhooks.routes import delivery_routes as deliveries_routes
from criachat.webhooks.routes import inbox_routes as inbox_webhook_routes
from criachat.webhooks.routes import routes as webhooks_routes
from criachat.webhooks.typing import TypingTeller

log = structlog.get_logger()

ROUTES: tuple[Routes, ...] = (
    status_routes,
    reference_routes,
    accounts_routes,
    agent_routes,
    role_routes,
    activity_routes,
    profile_routes,
    own_profile_routes,
    sessions_routes,
    password_routes,
    second_factor_routes,
    sign_up_routes,
    token_routes,
    reset_token_routes,
    account_token_routes,
    leaked_token_routes,
    labels_routes,
    teams_routes,
    custom_attributes_routes,
    inboxes_routes,
    contacts_routes,
    session_routes,
    notes_routes,
    contact_transfers_routes,
    contact_file_routes,
    *CONVERSATIONS_ROUTES,
    opening_routes,
    merging_routes,
    messages_routes,
    thread_routes,
    upload_routes,
    search_routes,
    file_routes,
    arrival_routes,
    announcing_routes,
    avatar_routes,
    canned_responses_routes,
    csat_routes,
    reporting_routes,
    reporting_routes_of_conversations,
    agent_bots_routes,
    inbox_bot_routes,
    help_center_routes,
    client_inboxes_routes,
    client_contacts_routes,
    client_conversations_routes,
    client_messages_routes,
    client_csat_routes,
    platform_users_routes,
    platform_accounts_routes,
    platform_bots_routes,
    limit_routes,
    audit_routes,
    automation_routes,
    macro_routes,
    integrations_routes,
    dashboard_app_routes,
    campaigns_routes,
    inbox_campaigns_routes,
    notifications_routes,
    notification_settings_routes,
    notification_subscription_routes,
    webhooks_routes,
    inbox_webhook_routes,
    deliveries_routes,
    feed_routes,
    saved_filters_routes,
)
LISTENERS: tuple[Listeners, ...] = (
    auth_listeners,
    platform_listeners,
    inboxes_listeners,
    contacts_listeners,
    conversations_listeners,
    messages_listeners,
    csat_listeners,
    reports_listeners,
    channels_listeners,
    notifications_listeners,
    audit_listeners,
    agent_bots_listeners,
)
JOBS: tuple[Jobs, ...] = (
    upkeep.jobs,
    auth_jobs,
    agent_bots_jobs,
    platform_jobs,
    inboxes_jobs,
    contacts_jobs,
    conversations_jobs,
    messages_jobs,
    help_center_jobs,
    notifications_jobs,
    audit_jobs,
    search_jobs,
    automation_jobs,
)

FLUSH_SECONDS = 20.0

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
        if scope["path"].rstrip("/") == "/cable":
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
            settings.file_store_url or Path(settings.data_directory()) / "files", keyring.key_for("files"), base_url
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
    shown = Shown(presence, ground.files, tells_presence=False)
    links = Links(shown, ground.base_url)
    webhooks_listeners = make_webhooks_listeners(links, tells_of_inboxes=settings.enable_inbox_events)
    relay = Relay(database, (*LISTENERS, webhooks_listeners))
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
    feed = Feed(database, ground.news, shown, kept_days=settings.event_retention_days)
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
        http=_http(ground, presence, resolver, feed),
    )


def _http(ground: Ground, presence: Presence, resolver: TokenResolver, feed: Feed) -> HttpApp:
    settings, database = ground.settings, ground.database
    limits = adjusted(LIMITS, read_changes(settings.changed_limits))
    proxies = read_networks(settings.trusted_proxies)
    tally, reference = Tally(), Reference()
    endpoints = [endpoint for routes in ROUTES for endpoint in routes.endpoints]
    counted = SharedLimiter(database, ground.keyring, limits, trusted_proxies=proxies, is_on=settings.rate_limits)
    provides: dict[type[Any], Any] = {
        Pulse: Pulse(database),
        Metrics: Metrics(database, tally),
        Settings: settings,
        Keyring: ground.keyring,
        TokenResolver: resolver,
        Entrance: Entrance(
            database=database,
            keyring=ground.keyring,
            limits=counted,
            shown=Shown(presence, ground.files),
        ),
        Signals: ground.signals,
        Outside: ground.outside,
        Files: ground.files,
        Presence: presence,
        Database: database,
        Shown: Shown(presence, ground.files),
        Feed: feed,
        LoginPage: LoginPage(ground.base_url),
        ShownBots: ShownBots(ground.keyring, ground.files),
        Links: Links(Shown(presence, ground.files, tells_presence=False), ground.base_url),
        Translator: Translator(ground.outside, settings),
        ShownInboxes: ShownInboxes(ground.keyring, ground.files, ground.base_url, settings.inbound_email_domain),
        Reference: reference,
        KnownScopes: KnownScopes(frozenset(endpoint.scope for endpoint in endpoints if endpoint.scope)),
    }
    resolvers: dict[Callers, Resolver] = {
        AGENT | BOT | PERSON: resolver,
        CONTACT: ContactResolver(database),
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
                HashedPassword: hash_given_password,
                KeptAvatar: partial(store_avatar, database, ground.files),
                NewPassword: partial(hash_password, database, counted),
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
