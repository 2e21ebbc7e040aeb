"""A large account, loaded by COPY: what the promises about lists and writes are measured on.

Every constraint and trigger of the schema stays on while it is loaded, so what is there could have been made through
the API. The same seed makes the same data, but for the ids the database gives.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import msgspec

from bench.speech import ORDER_EVERY, SEED, order, texts
from bench.words import keep_words
from criachat.contacts.snapshots import ContactSnapshot
from criachat.conversations.queries.writes import FOLD_COUNTS, FOLD_MARKED_COUNTS
from criachat.conversations.snapshots import ACTIVITY, INCOMING, OUTGOING, LastMessages, MessageSnapshot
from criachat.kit.db import Connection
from criachat.kit.tokens import BASE58
from criachat.users.snapshots import UserSnapshot

# What the slices that keep them call these keys in the directory.
CONVERSATION_UUIDS = "conversation_uuid"
PUBSUB_TOKENS = "contact_pubsub_token"
BATCH = 5_000
DAYS = 90
LABELS = ("billing", "shipping", "urgent", "vip")
TEAMS = ("support", "sales", "logistics")
BUSY_MESSAGES = 40
CONVERSATIONS_PER_CONTACT = 2
ACTIVITY_TEXT = "Conversation was reopened by Agent 0"

INSERT_USER = """
INSERT INTO users (name, email, confirmed_at, pubsub_token, created_at, updated_at) VALUES ($1, $2, $3, $4, $3, $3)
RETURNING id
"""
INSERT_MEMBERSHIP = """
INSERT INTO account_users (account_id, user_id, role, created_at, updated_at) VALUES ($1, $2, 'agent', $3, $3)
"""
INSERT_INBOX_MEMBER = """
INSERT INTO inbox_members (account_id, inbox_id, user_id, created_at) VALUES ($1, $2, $3, $4)
"""
INSERT_TEAM = "INSERT INTO teams (account_id, name, created_at, updated_at) VALUES ($1, $2, $3, $3) RETURNING id"
INSERT_LABEL = "INSERT INTO labels (account_id, title, created_at, updated_at) VALUES ($1, $2, $3, $3)"
TAKE_IDS = "SELECT setval($1::regclass, nextval($1::regclass) + $2 - 1) - $2 + 1"
TAKE_NUMBERS = """
UPDATE account_counters SET conversations = conversations + $2 WHERE account_id = $1
RETURNING conversations - $2 + 1
"""
TABLES = ("contacts", "contact_inboxes", "conversations", "messages", "directory")
# Filled by triggers.
BESIDE = ("contact_attributes", "conversation_attributes", "conversation_counts", "marked_counts")

Row = dict[str, object]
Progress = Callable[[int, int], None]


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is. The busy conversations come first and have 40 messages each; the others share the rest."""

    conversations: int = 250_000
    messages: int = 5_000_000
    agents: int = 20
    busy: int = 2_000

    def messages_of(self, number: int) -> int:
        """How many messages the conversation has that is the so-and-so-manieth, counted from zero."""
        if number < self.busy:
            return BUSY_MESSAGES
        rest, others = self.messages - self.busy * BUSY_MESSAGES, self.conversations - self.busy
        place = number - self.busy
        return max(1, rest * (place + 1) // others - rest * place // others)


class Session(msgspec.Struct, frozen=True):
    """A contact in an inbox, with one of their conversations: what a client of the client API knows."""

    inbox_id: int
    source_id: str
    pubsub_token: str
    display_id: int
    is_open: bool


class DataSet(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to ask for. `busy` are numbers of conversations with a full page of messages."""

    account_id: int
    conversations: int
    messages: int
    first_display_id: int
    agent_ids: list[int]
    busy: int
    sessions: list[Session]

    def __str__(self) -> str:
        return f"{self.conversations:,} conversations, {self.messages:,} messages"


async def fill(
    connection: Connection,
    account_id: int,
    inbox_ids: Sequence[int],
    *,
    size: Size,
    progress: Progress = lambda _done, _of: None,
) -> DataSet:
    """Load so much into these inboxes of the account, and have PostgreSQL learn about it."""
    await connection.execute("SET statement_timeout = 0")
    await connection.execute("SET work_mem = '64MB'")
    # COPY wants the binary format of everything.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
    )
    maker = await _prepare(connection, account_id, inbox_ids, size)
    messages = 0
    for start in range(0, size.conversations, BATCH):
        rows = maker.rows(range(start, min(start + BATCH, size.conversations)))
        async with connection.transaction():
            for table in TABLES:
                records = [tuple(row.values()) for row in rows[table]]
                if records:
                    await connection.copy_records_to_table(table, records=records, columns=list(rows[table][0]))
        messages += len(rows["messages"])
        progress(min(start + BATCH, size.conversations), size.conversations)
    await connection.execute(FOLD_COUNTS, account_id)
    await connection.execute(FOLD_MARKED_COUNTS, account_id)
    await keep_words(connection, account_id, messages=messages)
    for table in (*TABLES, *BESIDE):
        await connection.execute(f"VACUUM (ANALYZE) {table}")
    await connection.execute("RESET statement_timeout")
    await connection.execute("RESET work_mem")
    return DataSet(
        account_id=account_id,
        conversations=size.conversations,
        messages=messages,
        first_display_id=maker.first_display_id,
        agent_ids=[agent.id for agent in maker.agents],
        busy=size.busy,
        sessions=maker.sessions,
    )


async def _prepare(connection: Connection, account_id: int, inbox_ids: Sequence[int], size: Size) -> _Maker:
    """The agents, teams and labels, and numbers enough for the rest."""
    now = datetime.now(UTC)
    chance = random.Random(SEED + account_id)  # noqa: S311 - the same data each time
    maker = _Maker(account_id, list(inbox_ids), size, now, chance)
    async with connection.transaction():
        for number in range(size.agents):
            name, email = f"Agent {number}", f"agent{number}@account{account_id}.example"
            user_id = await connection.fetchval(INSERT_USER, name, email, now, maker.token())
            await connection.execute(INSERT_MEMBERSHIP, account_id, user_id, now)
            maker.agents.append(UserSnapshot(id=user_id, name=name, available_name=name, email=email))
            for inbox_id in inbox_ids:
                await connection.execute(INSERT_INBOX_MEMBER, account_id, inbox_id, user_id, now)
        maker.team_ids = [await connection.fetchval(INSERT_TEAM, account_id, name, now) for name in TEAMS]
        await connection.executemany(INSERT_LABEL, [(account_id, title, now) for title in LABELS])
        maker.first_display_id = await connection.fetchval(TAKE_NUMBERS, account_id, size.conversations)
    contacts = -(-size.conversations // CONVERSATIONS_PER_CONTACT)
    messages = sum(size.messages_of(number) for number in range(size.conversations))
    maker.first_contact_id = await _take(connection, "contacts_id_seq", contacts)
    maker.first_contact_inbox_id = await _take(connection, "contact_inboxes_id_seq", contacts)
    maker.first_conversation_id = await _take(connection, "conversations_id_seq", size.conversations)
    maker.next_message_id = await _take(connection, "messages_id_seq", messages)
    return maker


async def _take(connection: Connection, sequence: LiteralString, count: int) -> int:
    """The first of so many numbers that nobody else gets."""
    return await connection.fetchval(TAKE_IDS, sequence, count)


class _Person(msgspec.Struct, frozen=True):
    """A contact with their one session."""

    contact: ContactSnapshot
    contact_inbox_id: int
    inbox_id: int
    source_id: str
    pubsub_token: str


class _Maker:
    """Makes the rows, batch by batch."""

    def __init__(self, account_id: int, inbox_ids: list[int], size: Size, now: datetime, chance: random.Random) -> None:
        self.account_id = account_id
        self.inbox_ids = inbox_ids
        self.size = size
        self.now = now
        self.chance = chance
        self.agents: list[UserSnapshot] = []
        self.team_ids: list[int] = []
        self.sessions: list[Session] = []
        self.first_display_id = 0
        self.first_contact_id = 0
        self.first_contact_inbox_id = 0
        self.first_conversation_id = 0
        self.next_message_id = 0
        self._person: _Person | None = None
        self._texts = texts()

    def token(self) -> str:
        """A token like those of the kit, but repeatable and quickly made."""
        return "".join(self.chance.choices(BASE58, k=24))

    def rows(self, numbers: range) -> dict[str, list[Row]]:
        """The rows of these conversations, by table."""
        rows: dict[str, list[Row]] = {table: [] for table in TABLES}
        for number in numbers:
            self._add(rows, number)
        return rows

    def _add(self, rows: dict[str, list[Row]], number: int) -> None:
        if number % CONVERSATIONS_PER_CONTACT == 0 or self._person is None:
            self._person = self._add_person(rows, number // CONVERSATIONS_PER_CONTACT)
        self._add_conversation(rows, number, self._person)

    def _add_person(self, rows: dict[str, list[Row]], number: int) -> _Person:
        chance = self.chance
        born = self.now - timedelta(days=DAYS + chance.random())
        contact_id = self.first_contact_id + number
        contact = ContactSnapshot(
            id=contact_id,
            name=f"Rosa Lind {number}",
            email=f"rosa{contact_id}@example.net" if number % 3 else None,
            phone_number=f"+5511{900_000_000 + contact_id}" if number % 2 else None,
            identifier=f"crm-{contact_id}" if number % 5 == 0 else None,
            additional_attributes=_told_of_contact(number),
            custom_attributes={"plan": chance.choice(("free", "gold")), "customer": f"C-{contact_id}"},
            last_activity_at=self.now - timedelta(days=DAYS * chance.random()),
            created_at=born,
        )
        person = _Person(
            contact=contact,
            contact_inbox_id=self.first_contact_inbox_id + number,
            inbox_id=self.inbox_ids[number % len(self.inbox_ids)],
            source_id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            pubsub_token=self.token(),
        )
        rows["contacts"].append(
            {
                "account_id": self.account_id,
                "id": contact_id,
                "name": contact.name,
                "email": contact.email,
                "phone_number": contact.phone_number,
                "identifier": contact.identifier,
                "contact_type": "lead" if contact.email or contact.phone_number else "visitor",
                "country_code": "BR",
                "additional_attributes": contact.additional_attributes,
                "custom_attributes": contact.custom_attributes,
                "labels": ["vip"] if number % 20 == 0 else [],
                "blocked": number % 200 == 7,
                "last_activity_at": contact.last_activity_at,
                "created_at": born,
                "updated_at": born,
            }
        )
        rows["contact_inboxes"].append(
            {
                "account_id": self.account_id,
                "id": person.contact_inbox_id,
                "contact_id": contact_id,
                "inbox_id": person.inbox_id,
                "source_id": person.source_id,
                "pubsub_token": person.pubsub_token,
                "created_at": born,
                "updated_at": born,
            }
        )
        rows["directory"].append(self._entry(PUBSUB_TOKENS, person.pubsub_token, person.contact_inbox_id))
        return person

    def _add_conversation(self, rows: dict[str, list[Row]], number: int, person: _Person) -> None:
        chance = self.chance
        conversation_id = self.first_conversation_id + number
        display_id = self.first_display_id + number
        ended = self.now - timedelta(seconds=DAYS * 86_400 * chance.random() + 1)
        began = ended - timedelta(hours=48 * chance.random() + 0.1)
        status = chance.choices(("open", "resolved", "pending", "snoozed"), (40, 45, 10, 5))[0]
        assignee = chance.choice(self.agents) if chance.random() < 0.6 else None
        agent = assignee or self.agents[0]
        messages = list(self._messages(number, display_id, person, agent, began=began, ended=ended))
        newest = messages[-1]
        replies = [
            message.created_at for message in messages if message.message_type == OUTGOING and not message.private
        ]
        incoming = [message.created_at for message in messages if message.message_type == INCOMING]
        is_waiting = newest.message_type == INCOMING
        conversation_uuid = uuid.UUID(int=chance.getrandbits(128), version=4)
        rows["conversations"].append(
            {
                "account_id": self.account_id,
                "id": conversation_id,
                "display_id": display_id,
                "uuid": conversation_uuid,
                "inbox_id": person.inbox_id,
                "contact_id": person.contact.id,
                "contact_inbox_id": person.contact_inbox_id,
                "status": status,
                "priority": chance.choice((0, 1, 2, 3)) if chance.random() < 0.2 else None,
                "assignee_id": assignee.id if assignee else None,
                "team_id": chance.choice(self.team_ids) if chance.random() < 0.5 else None,
                "labels": sorted(chance.sample(LABELS, k=chance.choices((0, 1, 2), (60, 30, 10))[0])),
                "snoozed_until": self.now + timedelta(days=1) if status == "snoozed" else None,
                "additional_attributes": _told_by_channel(number),
                "custom_attributes": _told_by_shop(number, conversation_id),
                "unread_count": chance.randint(1, 3) if is_waiting else 0,
                "agent_last_seen_at": None if is_waiting else ended,
                "last_activity_at": ended,
                "last_incoming_at": incoming[-1] if incoming else None,
                "first_reply_created_at": replies[0] if replies else None,
                "waiting_since": ended if is_waiting else None,
                "last_messages": LastMessages(newest=newest),
                "created_at": began,
                "updated_at": ended,
            }
        )
        if number % CONVERSATIONS_PER_CONTACT == 0:
            key = (person.inbox_id, person.source_id, person.pubsub_token, display_id)
            self.sessions.append(Session(*key, is_open=status == "open"))
        rows["messages"] += [_message_row(message, conversation_id) for message in messages]
        rows["directory"].append(self._entry(CONVERSATION_UUIDS, str(conversation_uuid), conversation_id))

    def _entry(self, kind: str, key: str, object_id: int) -> Row:
        return {"kind": kind, "key": key, "account_id": self.account_id, "object_id": object_id}

    def _messages(
        self, number: int, display_id: int, person: _Person, agent: UserSnapshot, *, began: datetime, ended: datetime
    ) -> Iterator[MessageSnapshot]:
        """A talk that swings to and fro, with a note or an activity in between; the last word is always public."""
        chance = self.chance
        count = self.size.messages_of(number)
        step = (ended - began) / count
        for place in range(count):
            is_last = place == count - 1
            kind = ACTIVITY if place % 9 == 8 and not is_last else (INCOMING, OUTGOING)[(place + number) % 2]
            at = ended if is_last else began + step * place
            sender = {INCOMING: person.contact, OUTGOING: agent, ACTIVITY: None}[kind]
            yield MessageSnapshot(
                id=self.next_message_id,
                account_id=self.account_id,
                inbox_id=person.inbox_id,
                conversation_id=display_id,
                message_type=kind,
                content_type="text",
                content=ACTIVITY_TEXT if kind == ACTIVITY else self._text(),
                content_attributes={},
                additional_attributes={},
                private=kind == OUTGOING and not is_last and chance.random() < 0.05,
                status="sent",
                source_id=None,
                sender_type={INCOMING: "Contact", OUTGOING: "User", ACTIVITY: None}[kind],
                sender_id=sender.id if sender else None,
                sender=sender,
                created_at=at,
                updated_at=at,
            )
            self.next_message_id += 1

    def _text(self) -> str:
        number = self.next_message_id
        text = self.chance.choice(self._texts)
        return f"{text} {order(number)}" if number % ORDER_EVERY == 0 else text


def _told_of_contact(number: int) -> dict[str, object]:
    """What else is known of a contact: of one in forty another city, of one in ten their company."""
    city: dict[str, object] = {"city": "Olinda" if number % 40 == 0 else "Recife", "country_code": "BR"}
    company = f"Loja {number % 500}"
    return {**city, "company": company, "company_name": company} if number % 10 == 0 else city


def _told_by_channel(number: int) -> dict[str, object]:
    """What a conversation came with: a quarter by mail, with subjects, the others from a page of the shop."""
    if number % 4 == 0:
        return {"mail_subject": f"{'Invoice' if number % 400 == 0 else 'Order'} {number}"}
    language = "pt" if number % 50 == 1 else "en"
    return {"browser": "Firefox", "browser_language": language, "referer": "https://shop.example/cart"}


def _told_by_shop(number: int, conversation_id: int) -> dict[str, object]:
    """The custom attributes of a conversation: an order of its own, and of one in ten its tier and amount."""
    order: dict[str, object] = {"order": f"A-{conversation_id}"}
    tier = "gold" if number % 200 == 0 else "silver"
    return {**order, "tier": tier, "amount": number % 1_000} if number % 10 == 0 else order


def _message_row(message: MessageSnapshot, conversation_id: int) -> Row:
    return {
        "account_id": message.account_id,
        "id": message.id,
        "conversation_id": conversation_id,
        "inbox_id": message.inbox_id,
        "message_type": message.message_type,
        "content": message.content,
        "private": message.private,
        "sender_type": message.sender_type,
        "sender_id": message.sender_id,
        "created_at": message.created_at,
        "updated_at": message.updated_at,
    }
