"""The SQL of contacts and contact inboxes; that of lists stands in `lists`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from criachat.contacts.models import Contact, ContactInbox, Details, Holders, Retagged, Session
from criachat.kit import clock, tokens
from criachat.kit.db import Db, Tx

COLUMNS: LiteralString = """
    contacts.account_id, contacts.id, contacts.name, contacts.middle_name, contacts.last_name, contacts.email,
    contacts.phone_number, contacts.identifier, contacts.contact_type, contacts.blocked, contacts.avatar_key,
    contacts.location,
    contacts.country_code, contacts.additional_attributes, contacts.custom_attributes, contacts.labels,
    contacts.company_id, contacts.last_activity_at, contacts.version, contacts.created_at, contacts.updated_at,
    (SELECT accounts.name FROM accounts WHERE accounts.id = contacts.account_id) AS account_name
"""
FIND_CONTACT: LiteralString = "SELECT " + COLUMNS + "FROM contacts WHERE account_id = $1 AND id = $2"
# Others may still open conversations for the contact meanwhile: they only need the row to stay.
LOCK_CONTACT: LiteralString = FIND_CONTACT + " FOR NO KEY UPDATE OF contacts"
LOCK_CONTACT_TO_DELETE: LiteralString = FIND_CONTACT + " FOR UPDATE OF contacts"
# Whoever writes locks the conversation, then the session, then the contact. A contact takes all of theirs along when
# deleted, so those are locked first; the other way round, who writes and who deletes would wait for each other.
# Of whom has more than go along, nothing goes along.
LOCK_CONVERSATIONS = """
SELECT id FROM conversations WHERE account_id = $1 AND contact_id = $2 ORDER BY id LIMIT 501 FOR UPDATE
"""
LOCK_CONTACT_INBOXES = """
SELECT id FROM contact_inboxes WHERE account_id = $1 AND contact_id = $2 ORDER BY id LIMIT 501 FOR UPDATE
"""
# Whoever creates the same contact at once waits for the first here, and then is told what is taken.
INSERT_CONTACT: LiteralString = (
    """
INSERT INTO contacts (account_id, name, email, phone_number, identifier, contact_type, blocked, location, country_code,
    additional_attributes, custom_attributes, avatar_key, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
ON CONFLICT DO NOTHING
RETURNING """
    + COLUMNS
)
# Small letters are PostgreSQL's here, as in the unique index: it knows some that Python does not.
FIND_HOLDERS = """
SELECT (SELECT id FROM contacts WHERE account_id = $1 AND lower(email) = lower($3) AND id <> $2) AS email,
    (SELECT id FROM contacts WHERE account_id = $1 AND phone_number = $4 AND id <> $2) AS phone_number,
    (SELECT id FROM contacts WHERE account_id = $1 AND identifier = $5 AND id <> $2) AS identifier
"""
SAVE_CONTACT: LiteralString = (
    """
UPDATE contacts
SET name = $3, email = $4, phone_number = $5, identifier = $6, contact_type = $7, blocked = $8, location = $9,
    country_code = $10, additional_attributes = $11, custom_attributes = $12, avatar_key = $13, labels = $14,
    version = version + 1, updated_at = greatest($15, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
RETURNING """
    + COLUMNS
)
# As many as have about so many conversations and messages together: deleting takes as long as there are, and meanwhile
# nobody reads on in the log. One that has as many alone is left until its conversations are fewer.
DELETE_SESSIONS = """
DELETE FROM contact_inboxes
WHERE account_id = $1 AND id = ANY(ARRAY(
    SELECT weighed.id
    FROM (
        SELECT counted.id, sum(counted.weight) OVER (ORDER BY counted.source_id) - counted.weight AS before
        FROM (
            SELECT session.id, session.source_id, (
                SELECT count(*) FROM (
                    SELECT FROM conversations
                    LEFT JOIN messages ON messages.account_id = $1 AND messages.conversation_id = conversations.id
                    WHERE conversations.account_id = $1 AND conversations.contact_inbox_id = session.id
                    LIMIT $4
                ) AS said
            ) AS weight
            FROM contact_inboxes AS session
            WHERE session.account_id = $1 AND session.inbox_id = $2
            ORDER BY session.source_id
            LIMIT $3
        ) AS counted
        WHERE counted.weight < $4
    ) AS weighed
    WHERE weighed.before < $4
))
"""
HAS_SESSIONS = "SELECT EXISTS (SELECT FROM contact_inboxes WHERE account_id = $1 AND inbox_id = $2)"
# As many as have about so many messages together, and the first in any case.
DELETE_SOME = """
DELETE FROM contacts
WHERE account_id = $1 AND id IN (
    SELECT weighed.id
    FROM (
        SELECT counted.id, sum(counted.messages) OVER (ORDER BY counted.id) - counted.messages AS before
        FROM (
            SELECT contact.id, (
                SELECT count(*) FROM (
                    SELECT FROM conversations
                    JOIN messages ON messages.account_id = $1 AND messages.conversation_id = conversations.id
                    WHERE conversations.account_id = $1 AND conversations.contact_id = contact.id
                    LIMIT $3
                ) AS said
            ) AS messages
            FROM contacts AS contact
            WHERE contact.account_id = $1
            ORDER BY contact.id
            LIMIT $2
        ) AS counted
    ) AS weighed
    WHERE weighed.before < $3
)
"""
DELETE_CONTACT = "DELETE FROM contacts WHERE account_id = $1 AND id = $2"

# A label under its new title, once: a batch of those who have it, with what they had before.
RETAG: LiteralString = (
    """
WITH tagged AS (
    SELECT contacts.id, contacts.labels, contacts.updated_at
    FROM contacts
    WHERE contacts.account_id = $1 AND contacts.labels @> ARRAY[$2::text]
    ORDER BY contacts.id
    LIMIT $4
    FOR NO KEY UPDATE
)
UPDATE contacts
SET labels = CASE WHEN contacts.labels @> ARRAY[$3::text] THEN array_remove(contacts.labels, $2::text)
        ELSE array_replace(contacts.labels, $2::text, $3::text) END,
    version = version + 1, updated_at = greatest($5, contacts.updated_at + interval '1 millisecond')
FROM tagged
WHERE contacts.account_id = $1 AND contacts.id = tagged.id
RETURNING tagged.labels AS previous_labels, tagged.updated_at AS previously_updated_at, """
    + COLUMNS
)

CONTACT_INBOX_COLUMNS: LiteralString = (
    "account_id, id, contact_id, inbox_id, source_id, hmac_verified, pubsub_token, created_at, updated_at"
)
# The token finds its session without an account in hand, so it is listed in the directory in the same breath.
INSERT_CONTACT_INBOX: LiteralString = (
    """
WITH session AS (
    INSERT INTO contact_inboxes (account_id, contact_id, inbox_id, source_id, hmac_verified, pubsub_token, created_at,
        updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
    ON CONFLICT (account_id, inbox_id, source_id) DO NOTHING
    RETURNING """
    + CONTACT_INBOX_COLUMNS
    + """
), entry AS (
    INSERT INTO directory (kind, key, account_id, object_id)
    SELECT 'contact_pubsub_token', pubsub_token, account_id, id FROM session
)
SELECT """
    + CONTACT_INBOX_COLUMNS
    + " FROM session"
)
FIND_CONTACT_INBOX: LiteralString = (
    "SELECT "
    + CONTACT_INBOX_COLUMNS
    + " FROM contact_inboxes WHERE account_id = $1 AND inbox_id = $2 AND source_id = $3"
)
FIND_CONTACT_INBOX_BY_ID: LiteralString = (
    "SELECT " + CONTACT_INBOX_COLUMNS + " FROM contact_inboxes WHERE account_id = $1 AND id = $2"
)
FIND_NEWEST_BY_SOURCE_ID: LiteralString = (
    "SELECT "
    + CONTACT_INBOX_COLUMNS
    + " FROM contact_inboxes WHERE account_id = $1 AND source_id = $2 ORDER BY id DESC LIMIT 1"
)
FIND_NEWEST_OF_CONTACT: LiteralString = (
    "SELECT "
    + CONTACT_INBOX_COLUMNS
    + """ FROM contact_inboxes
WHERE account_id = $1 AND contact_id = $2 AND inbox_id = $3
ORDER BY id DESC
LIMIT 1"""
)
SET_VERIFIED: LiteralString = (
    """
UPDATE contact_inboxes
SET hmac_verified = true, updated_at = greatest($3, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
RETURNING """
    + CONTACT_INBOX_COLUMNS
)
RENAME_CONTACT_INBOX = """
UPDATE contact_inboxes SET source_id = $4, updated_at = greatest($5, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2 AND source_id = $3
"""
# Where nothing was said yet.
LIST_UNUSED_SESSIONS: LiteralString = (
    "SELECT "
    + CONTACT_INBOX_COLUMNS
    + """
FROM contact_inboxes
WHERE account_id = $1 AND contact_id = $2
  AND NOT EXISTS (
      SELECT FROM conversations
      WHERE conversations.account_id = $1 AND conversations.contact_inbox_id = contact_inboxes.id
  )
ORDER BY id DESC
LIMIT 100
"""
)
MOVE_CONTACT_INBOXES = """
UPDATE contact_inboxes SET contact_id = $3, updated_at = greatest($4, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND contact_id = $2
"""
# The hundred newest of each contact, oldest first.
LIST_SESSIONS = """
SELECT session.contact_id, session.source_id, session.inbox_id, session.channel_id, session.inbox_name,
    session.inbox_avatar_key, session.channel_type, channels.settings ->> 'provider' AS provider
FROM unnest($2::bigint[]) AS here (id)
CROSS JOIN LATERAL (
    SELECT contact_inboxes.id, contact_inboxes.contact_id, contact_inboxes.source_id, contact_inboxes.inbox_id,
        inboxes.channel_id, inboxes.name AS inbox_name, inboxes.avatar_key AS inbox_avatar_key, inboxes.channel_type
    FROM contact_inboxes
    JOIN inboxes ON inboxes.account_id = contact_inboxes.account_id AND inboxes.id = contact_inboxes.inbox_id
        AND inboxes.deleted_at IS NULL
    WHERE contact_inboxes.account_id = $1 AND contact_inboxes.contact_id = here.id
    ORDER BY contact_inboxes.id DESC
    LIMIT 100
) AS session
LEFT JOIN channels ON session.channel_type <> 'Channel::Api' AND channels.account_id = $1
    AND channels.id = session.channel_id
ORDER BY session.id
"""


async def find_contact(db: Db, account_id: int, contact_id: int) -> Contact | None:
    """The contact, or None."""
    return await db.fetch_one_or_none(Contact, FIND_CONTACT, account_id, contact_id)


async def lock_contact(tx: Tx, account_id: int, contact_id: int) -> Contact | None:
    """The contact as it is now; nobody else changes it until the transaction ends."""
    return await tx.fetch_one_or_none(Contact, LOCK_CONTACT, account_id, contact_id)


async def lock_contact_to_delete(tx: Tx, account_id: int, contact_id: int) -> Contact | None:
    """The same, and nobody adds to it, its sessions or its conversations either."""
    await tx.fetch_values(LOCK_CONVERSATIONS, account_id, contact_id)
    await tx.fetch_values(LOCK_CONTACT_INBOXES, account_id, contact_id)
    return await tx.fetch_one_or_none(Contact, LOCK_CONTACT_TO_DELETE, account_id, contact_id)


async def insert_contact(tx: Tx, account_id: int, details: Details) -> Contact | None:
    """A new contact; None when something of it is taken."""
    return await tx.fetch_one_or_none(Contact, INSERT_CONTACT, account_id, *_values(details), clock.now())


async def find_holders(db: Db, account_id: int, details: Details, *, except_for: int = 0) -> Holders:
    """Who has these details, apart from one contact."""
    unique = (details.email, details.phone_number, details.identifier)
    return await db.fetch_one(Holders, FIND_HOLDERS, account_id, except_for, *unique)


async def save_contact(tx: Tx, contact: Contact, details: Details, labels: Sequence[str]) -> Contact:
    """Write what a contact became; the contact as it is then."""
    key = (contact.account_id, contact.id)
    return await tx.fetch_one(Contact, SAVE_CONTACT, *key, *_values(details), labels, clock.now())


async def delete_contact(tx: Tx, contact: Contact) -> None:
    """Remove a contact with everything that is theirs."""
    await tx.execute(DELETE_CONTACT, contact.account_id, contact.id)


async def retag(tx: Tx, account_id: int, *, previous: str, current: str, limit: int) -> list[Retagged]:
    """Give a batch of contacts the new title for the previous one; those it was done to."""
    return await tx.fetch_all(Retagged, RETAG, account_id, previous, current, limit, clock.now())


async def insert_contact_inbox(
    tx: Tx, contact: Contact, inbox_id: int, *, source_id: str, hmac_verified: bool
) -> ContactInbox | None:
    """A new identity of the contact; None when the inbox knows this source id."""
    values = (contact.account_id, contact.id, inbox_id, source_id, hmac_verified, tokens.random_token(), clock.now())
    return await tx.fetch_one_or_none(ContactInbox, INSERT_CONTACT_INBOX, *values)


async def find_contact_inbox(db: Db, account_id: int, inbox_id: int, source_id: str) -> ContactInbox | None:
    """Whoever the inbox knows by this source id, or None."""
    return await db.fetch_one_or_none(ContactInbox, FIND_CONTACT_INBOX, account_id, inbox_id, source_id)


async def find_contact_inbox_by_id(db: Db, account_id: int, contact_inbox_id: int) -> ContactInbox | None:
    """The identity with this id, or None."""
    return await db.fetch_one_or_none(ContactInbox, FIND_CONTACT_INBOX_BY_ID, account_id, contact_inbox_id)


async def find_newest_by_source_id(db: Db, account_id: int, source_id: str) -> ContactInbox | None:
    """Whoever any inbox of the account knows by this source id, the newest of them, or None."""
    return await db.fetch_one_or_none(ContactInbox, FIND_NEWEST_BY_SOURCE_ID, account_id, source_id)


async def find_newest_of_contact(db: Db, contact: Contact, inbox_id: int) -> ContactInbox | None:
    """The contact's newest identity in this inbox, or None."""
    return await db.fetch_one_or_none(ContactInbox, FIND_NEWEST_OF_CONTACT, contact.account_id, contact.id, inbox_id)


async def set_verified(tx: Tx, contact_inbox: ContactInbox) -> ContactInbox:
    """Note that whoever is behind it proved who they are."""
    key = (contact_inbox.account_id, contact_inbox.id)
    return await tx.fetch_one(ContactInbox, SET_VERIFIED, *key, clock.now())


async def rename_contact_inbox(tx: Tx, contact_inbox: ContactInbox, source_id: str) -> bool:
    """Have an identity go by another source id; False when it does already."""
    key = (contact_inbox.account_id, contact_inbox.id, contact_inbox.source_id)
    return await tx.execute(RENAME_CONTACT_INBOX, *key, source_id, clock.now()) > 0


async def list_unused_sessions(db: Db, contact: Contact) -> list[ContactInbox]:
    """The hundred newest identities of a contact without a conversation, newest first."""
    return await db.fetch_all(ContactInbox, LIST_UNUSED_SESSIONS, contact.account_id, contact.id)


async def move_contact_inboxes(tx: Tx, contact: Contact, to: Contact) -> None:
    """Have the identities of one contact be another's."""
    await tx.execute(MOVE_CONTACT_INBOXES, contact.account_id, contact.id, to.id, clock.now())


async def delete_sessions(tx: Tx, account_id: int, inbox_id: int, *, limit: int, messages: int) -> int:
    """Remove so many sessions of an inbox, or fewer in which so much was said; how many there were."""
    return await tx.execute(DELETE_SESSIONS, account_id, inbox_id, limit, messages)


async def has_sessions(db: Db, account_id: int, inbox_id: int) -> bool:
    """Whether an inbox has sessions."""
    return await db.fetch_value(HAS_SESSIONS, account_id, inbox_id)


async def delete_some(tx: Tx, account_id: int, *, limit: int, messages: int) -> int:
    """Remove so many contacts of an account, or fewer with whom so much was said; how many there were."""
    return await tx.execute(DELETE_SOME, account_id, limit, messages)


async def list_sessions(db: Db, account_id: int, contact_ids: Sequence[int]) -> list[Session]:
    """The identities of these contacts, oldest first."""
    return await db.fetch_all(Session, LIST_SESSIONS, account_id, contact_ids)


def _values(details: Details) -> tuple[object, ...]:
    return (
        details.name,
        details.email,
        details.phone_number,
        details.identifier,
        details.contact_type,
        details.blocked,
        details.location,
        details.country_code,
        details.additional_attributes,
        details.custom_attributes,
        details.avatar_key,
    )
