"""The SQL by which callers of the client API are found."""

from __future__ import annotations

from criachat.client_api.models import KnownInbox
from criachat.kit.db import Db

FIND_INBOX = """
SELECT accounts.id AS account_id, accounts.status AS account_status, accounts.locale AS account_locale,
    inboxes.id AS inbox_id, api_channels.hmac_mandatory
FROM directory
JOIN accounts ON accounts.id = directory.account_id
JOIN inboxes ON inboxes.account_id = directory.account_id AND inboxes.id = directory.object_id
    AND inboxes.deleted_at IS NULL
JOIN api_channels ON api_channels.account_id = directory.account_id AND api_channels.id = inboxes.channel_id
WHERE directory.kind = 'inbox_identifier' AND directory.key = $1
"""
# Whoever carries the identifier; else somebody without one whose e-mail or phone number it is.
FIND_PROVED_CONTACT_ID = """
SELECT id FROM contacts
WHERE account_id = $1 AND id <> $3
  AND (identifier = $2 OR (identifier IS NULL AND (lower(email) = $2 OR phone_number = $2)))
ORDER BY identifier IS NULL, id
LIMIT 1
"""


async def find_inbox(db: Db, inbox_identifier: str) -> KnownInbox | None:
    """The API inbox this identifier leads to, or None."""
    return await db.fetch_one_or_none(KnownInbox, FIND_INBOX, inbox_identifier)


async def find_proved_contact_id(db: Db, account_id: int, identifier: str, *, except_for: int = 0) -> int | None:
    """Whom somebody has proved to be who proved this identifier; None for nobody we know."""
    return await db.fetch_value(FIND_PROVED_CONTACT_ID, account_id, identifier, except_for)
