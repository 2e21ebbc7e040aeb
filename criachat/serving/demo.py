"""`criachat demo`: a sample account in which something goes on.

Everything is done by the same operations that a request calls, two weeks ago at first and then later and later, so that
times, counters and events are what they would be.
"""

from __future__ import annotations

import random
import unicodedata
from datetime import timedelta
from typing import Any, Final

import msgspec

from criachat.accounts import operations as accounts
from criachat.agent_bots import operations as agent_bots
from criachat.agent_bots.schemas import BotParams
from criachat.auth import operations as auth
from criachat.contacts import operations as contacts
from criachat.contacts.models import Contact
from criachat.contacts.schemas import ContactParams
from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation
from criachat.conversations.operations import assigning, describing, status
from criachat.inboxes import operations as inboxes
from criachat.inboxes.models import Inbox
from criachat.inboxes.schemas import InboxParams
from criachat.kit import clock
from criachat.kit.actors import ADMINISTRATOR, Actor, Callers
from criachat.kit.db import Database
from criachat.kit.settings import Settings
from criachat.kit.tokens import Keyring
from criachat.labels import operations as labels
from criachat.labels.schemas import LabelParams
from criachat.messages.operations.opening import add_message, open_with_message
from criachat.messages.schemas import MessageParams, OpeningParams
from criachat.messages.uploading import KeptFiles
from criachat.serving.operating import workshop
from criachat.serving.progress import progress
from criachat.serving.scenes import AGENTS, BOT, CONTACTS, INBOXES, LABELS, SCENES, TEAMS, Scene
from criachat.teams import operations as teams
from criachat.teams.models import Team
from criachat.teams.schemas import TeamParams
from criachat.users import access as people
from criachat.users import operations as users
from criachat.users import passwords
from criachat.users.models import User

ACCOUNT: Final = "Loja Aurora"
ADMINISTRATOR_EMAIL: Final = "demo@example.com"
CONVERSATIONS: Final = 60
LOOK_BACK: Final = timedelta(days=14)
# Between one conversation and the next; what is said takes the last day of the two weeks.
PAUSE: Final = timedelta(days=13) / CONVERSATIONS
# The same account each time.
SEED: Final = 2026
NO_LIMIT: Final = 1_000
STATUSES: Final = ("open", "open", "open", "resolved", "resolved", "pending", "snoozed")


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """The sample account, and how to get in. There is a password only for an account that was made just now."""

    account_id: int
    email: str
    password: str | None
    token: str
    conversations: int


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Who and what is there before the first word is said."""

    administrator: Actor
    agents: list[Actor]
    inboxes: list[Inbox]
    teams: list[Team]
    contacts: list[Contact]


async def fill(settings: Settings) -> Filled:
    """Make the sample account, or find the one that was made before; a new token either way."""
    async with workshop(settings) as tools:
        return await _fill(tools.database, tools.keyring)


async def _fill(database: Database, keyring: Keyring) -> Filled:
    async with database.transaction() as tx:
        known = await people.find_user_by_email(tx, ADMINISTRATOR_EMAIL)
        if known is not None:
            memberships = await people.list_memberships(tx, known.id)
            token = await auth.create_user_token(tx, keyring, known, name="Demo")
            account_id = memberships[0].account_id if memberships else 0
            return Filled(account_id=account_id, email=known.email, password=None, token=token, conversations=0)
    chance = random.Random(SEED)  # noqa: S311 - nothing secret
    clock.travel(-LOOK_BACK)
    try:
        password = passwords.random_password()
        stage = await _set_up(database, keyring, password)
        for number in progress(range(CONVERSATIONS), "conversations"):
            await _play(database, stage, SCENES[number % len(SCENES)], number, chance)
            clock.travel(PAUSE)
    finally:
        clock.stand_by()
    async with database.transaction() as tx:
        administrator = await people.load_user(tx, stage.administrator)
        token = await auth.create_user_token(tx, keyring, administrator, name="Demo")
    return Filled(
        account_id=stage.administrator.account_id,
        email=administrator.email,
        password=password,
        token=token,
        conversations=CONVERSATIONS,
    )


async def _set_up(database: Database, keyring: Keyring, password: str) -> Stage:
    async with database.transaction() as tx:
        account = await accounts.create_account(tx, name=ACCOUNT, locale="pt_BR")
        boss = await users.create_user(tx, name="Aurora Lima", email=ADMINISTRATOR_EMAIL, password=password)
        await users.add_member(tx, account_id=account.id, user=boss, role="administrator")
        administrator = _actor(boss, account.id, ADMINISTRATOR)
        members: list[User] = []
        for name in AGENTS:
            member = await users.create_user(tx, name=name, email=_email(name), password=None)
            await users.add_member(tx, account_id=account.id, user=member, role="agent")
            members.append(member)
        await agent_bots.create_bot(tx, keyring, BotParams(name=BOT), account_id=account.id)
        for title, description, color in LABELS:
            params = LabelParams(title=title, description=description, color=color, show_on_sidebar=True)
            await labels.create_label(tx, account.id, params)
        member_ids = [member.id for member in members]
        made_teams: list[Team] = []
        for name, description in TEAMS:
            team = await teams.create_team(tx, TeamParams(name=name, description=description), actor=administrator)
            await teams.add_members(tx, team, member_ids, actor=administrator)
            made_teams.append(team)
        made_inboxes: list[Inbox] = []
        for name in INBOXES:
            params = InboxParams(name=name, channel={"type": "api"}, timezone="America/Sao_Paulo")
            inbox = await inboxes.create_inbox(tx, keyring, params, actor=administrator)
            await inboxes.add_members(tx, inbox, member_ids, actor=administrator)
            made_inboxes.append(inbox)
        made_contacts = [
            await contacts.create_contact(tx, _contact(name, number), actor=administrator)
            for number, name in enumerate(CONTACTS)
        ]
    return Stage(
        administrator=administrator,
        agents=[_actor(member, account.id, Callers.AGENT_ONLY) for member in members],
        inboxes=made_inboxes,
        teams=made_teams,
        contacts=made_contacts,
    )


async def _play(database: Database, stage: Stage, scene: Scene, number: int, chance: random.Random) -> None:
    """One conversation from its first line to how it stands now."""
    agent = stage.agents[number % len(stage.agents)]
    conversation = await _open(database, stage, number)
    for line in scene.lines:
        clock.travel(timedelta(seconds=chance.randint(20, 400)))
        who, params = _said(line, stage, agent)
        async with database.transaction() as tx:
            await add_message(tx, conversation, params, actor=who, limit_per_minute=NO_LIMIT)
    has_answer = any(line.startswith(">") for line in scene.lines)
    wanted = chance.choice(STATUSES) if has_answer else "open"
    async with database.transaction() as tx:
        now = await conversations.load_again(tx, conversation, actor=stage.administrator)
        if scene.labels:
            now = await describing.set_labels(tx, now, scene.labels, actor=agent)
        if scene.priority is not None:
            now = await status.change_priority(tx, now, scene.priority, actor=agent)
        if has_answer:
            team = stage.teams[number % len(stage.teams)]
            now = await assigning.assign_team(tx, now, team, actor=stage.administrator)
            colleague = await people.find_colleague(tx, stage.administrator, agent.id)
            now = await assigning.assign(tx, now, colleague, actor=stage.administrator)
        if wanted != "open":
            until = clock.now() + LOOK_BACK + timedelta(days=1) if wanted == "snoozed" else None
            await status.change_status(tx, now, wanted, snoozed_until=until, actor=agent)


async def _open(database: Database, stage: Stage, number: int) -> Conversation:
    contact = stage.contacts[number % len(stage.contacts)]
    inbox = stage.inboxes[number % len(stage.inboxes)]
    params = OpeningParams(inbox_id=inbox.id, contact_id=contact.id, custom_attributes={"pedido": 48_000 + number})
    async with database.transaction() as tx:
        conversation, _ = await open_with_message(
            tx, params, KeptFiles(), actor=stage.administrator, limit_per_minute=NO_LIMIT
        )
        return conversation


def _said(line: str, stage: Stage, agent: Actor) -> tuple[Actor, MessageParams]:
    text = line[1:].strip()
    match line[0]:
        case ">":
            return agent, MessageParams(content=text)
        case "#":
            return agent, MessageParams(content=text, private=True)
        case _:
            return stage.administrator, MessageParams(content=line, message_type="incoming")


def _actor(user: User, account_id: int, kind: Callers) -> Actor:
    return Actor(type="user", account_id=account_id, id=user.id, name=user.name, email=user.email, kind=kind)


def _contact(name: str, number: int) -> ContactParams:
    is_brazilian = number % 2 == 0
    details: dict[str, Any] = (
        {"city": "Recife", "country": "Brazil", "country_code": "BR"}
        if is_brazilian
        else {"city": "Lisbon", "country": "Portugal", "country_code": "PT"}
    )
    return ContactParams(
        name=name,
        email=_email(name),
        phone_number=f"+55819{number:08d}" if is_brazilian else f"+35191{number:07d}",
        additional_attributes=details,
        custom_attributes={"plano": ("básico", "ouro")[number % 2]},
    )


def _email(name: str) -> str:
    plain = "".join(letter for letter in _without_accents(name.lower()) if letter.isalnum() or letter == " ")
    return f"{'.'.join(plain.split())}@example.com"


def _without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
