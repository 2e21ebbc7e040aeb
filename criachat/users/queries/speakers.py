"""The SQL of who speaks for a team."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.kit.db import Db
from criachat.users.models import Speaker

# Whoever left the account is known by name as before.
LIST_SPEAKERS = """
SELECT users.id, users.name, coalesce(nullif(users.display_name, ''), users.name) AS available_name, users.avatar_key,
    coalesce(account_users.availability, 'offline') AS availability,
    coalesce(account_users.auto_offline, true) AS auto_offline,
    account_users.user_id IS NOT NULL AS is_member, false AS is_bot
FROM users
LEFT JOIN account_users ON account_users.account_id = $1 AND account_users.user_id = users.id
WHERE users.id = ANY($2::bigint[])
UNION ALL
SELECT id, name, name, avatar_key, 'online', false, true, true
FROM agent_bots
WHERE account_id = $1 AND id = ANY($3::bigint[])
"""


async def list_speakers(db: Db, account_id: int, user_ids: Sequence[int], bot_ids: Sequence[int]) -> list[Speaker]:
    """These people and these bots, those that there are."""
    return await db.fetch_all(Speaker, LIST_SPEAKERS, account_id, user_ids, bot_ids)
