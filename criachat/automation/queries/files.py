"""The SQL of the files that rules and macros send."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.kit.db import Db

LIST_NAMED = """
SELECT DISTINCT (action -> 'action_params' ->> 0)::bigint
FROM (
    SELECT actions FROM automation_rules WHERE account_id = $1
    UNION ALL
    SELECT actions FROM macros WHERE account_id = $1
) AS saved, jsonb_array_elements(saved.actions) AS action
WHERE action ->> 'action_name' = 'send_attachment'
  AND (action -> 'action_params' ->> 0)::bigint = ANY($2::bigint[])
"""


async def list_named(db: Db, account_id: int, upload_ids: Sequence[int]) -> list[int]:
    """Those of these files that some rule or macro sends."""
    return await db.fetch_values(LIST_NAMED, account_id, upload_ids)
