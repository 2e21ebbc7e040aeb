"""The SQL of turns."""

from __future__ import annotations

from criachat.assignment.models import Candidate
from criachat.conversations.models import Conversation
from criachat.kit.db import Db, Tx

# Whoever had a turn longest ago comes first, and before them whoever never had one.
LIST_CANDIDATES = """
SELECT members.account_id, members.user_id, people.availability, people.auto_offline
FROM inbox_members AS members
JOIN account_users AS people ON people.account_id = $1 AND people.user_id = members.user_id
LEFT JOIN assignment_turns AS turns
    ON turns.account_id = $1 AND turns.inbox_id = $2 AND turns.user_id = members.user_id
WHERE members.account_id = $1 AND members.inbox_id = $2
  AND ($3::bigint IS NULL OR EXISTS (
      SELECT FROM team_members AS team
      WHERE team.account_id = $1 AND team.team_id = $3 AND team.user_id = members.user_id))
  AND ($4::bigint IS NULL OR $4 > (
      SELECT coalesce(sum(difference), 0) FROM conversation_counts AS counts
      WHERE counts.account_id = $1 AND counts.status = 'open' AND counts.inbox_id = $2
        AND counts.assignee_id = members.user_id))
ORDER BY turns.number NULLS FIRST, members.user_id
LIMIT 2000
"""
# Nobody is taken out of the inbox before they have what it is their turn for.
TAKE_TURN = """
INSERT INTO assignment_turns (account_id, inbox_id, user_id)
SELECT account_id, inbox_id, user_id FROM inbox_members
WHERE account_id = $1 AND inbox_id = $2 AND user_id = $3
FOR KEY SHARE
ON CONFLICT (account_id, inbox_id, user_id) DO UPDATE SET number = DEFAULT
RETURNING user_id
"""


async def list_candidates(
    db: Db, conversation: Conversation, *, team_id: int | None, most_open: int | None
) -> list[Candidate]:
    """Members of the inbox, and of the team if one is named, who have fewer open conversations there than `most_open`.

    Whose turn it is comes first.
    """
    key = conversation.account_id, conversation.inbox_id
    return await db.fetch_all(Candidate, LIST_CANDIDATES, *key, team_id, most_open)


async def take_turn(tx: Tx, conversation: Conversation, user_id: int) -> bool:
    """Have everybody else's turn come before theirs again; whether they are still in the inbox."""
    key = conversation.account_id, conversation.inbox_id
    return await tx.fetch_value(TAKE_TURN, *key, user_id) is not None
