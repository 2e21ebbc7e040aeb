"""The SQL of what is still to be sent: written by listeners, claimed and recorded by workers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString, Protocol
from uuid import UUID

import msgspec

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.webhooks.models import Lane, NewDelivery, Result, Share, ToSend, Tried

# Ids are made of event and target: what is there already is not written again, and not sent again.
INSERT_DELIVERIES = """
WITH payloads AS (
    INSERT INTO webhook_payloads (account_id, id, day, contact_id, body)
    SELECT $1, new.* FROM unnest($2::uuid[], $3::timestamptz[], $4::bigint[], $5::bytea[]) AS new
    ON CONFLICT DO NOTHING
), written AS (
    INSERT INTO webhook_deliveries (account_id, id, target, payload_id, day, event_id, event_name, sequence,
        conversation_id, message_id, contact_id, status, created_at)
    SELECT $1, new.id, new.target, new.payload_id, new.day, new.event_id, new.event_name, new.sequence,
        new.conversation_id, new.message_id, new.contact_id,
        CASE WHEN new.is_held THEN 'cancelled' ELSE 'pending' END, $17
    FROM unnest($6::uuid[], $7::text[], $8::uuid[], $9::timestamptz[], $10::bigint[], $11::text[], $12::bigint[],
        $13::bigint[], $14::bigint[], $15::bigint[], $16::boolean[])
        AS new (id, target, payload_id, day, event_id, event_name, sequence, conversation_id, message_id, contact_id,
            is_held)
    ON CONFLICT DO NOTHING
    RETURNING id, day, target, event_id, conversation_id, sequence, status
)
INSERT INTO delivery_queue (account_id, delivery_id, day, target, conversation_id, sequence, due_at)
SELECT $1, id, day, target, CASE WHEN event_id IS NOT NULL THEN conversation_id END, sequence, $17
FROM written
WHERE status = 'pending'
ON CONFLICT DO NOTHING
"""

# Across accounts: whose turn it is. Jumps from target to target in the index, however much waits for each; begins
# behind the target where the look before ended, so that all get their turn.
LIST_FRESH_LANES = """
WITH RECURSIVE lanes AS (
    (
        SELECT account_id, target FROM delivery_queue
        WHERE tries = 0 AND (account_id, target) > ($2, $3) ORDER BY account_id, target LIMIT 1
    )
    UNION ALL
    SELECT next.account_id, next.target
    FROM lanes
    CROSS JOIN LATERAL (
        SELECT account_id, target FROM delivery_queue
        WHERE tries = 0 AND (account_id, target) > (lanes.account_id, lanes.target)
        ORDER BY account_id, target LIMIT 1
    ) AS next
)
SELECT account_id, target FROM lanes
WHERE EXISTS (
    SELECT FROM delivery_queue AS queued
    WHERE queued.account_id = lanes.account_id AND queued.target = lanes.target AND queued.tries = 0
      AND (queued.leased_until IS NULL OR queued.leased_until <= $1)
)
LIMIT $4
"""
# Across accounts: the same for what is tried again.
LIST_RETRY_LANES = """
WITH RECURSIVE lanes AS (
    (
        SELECT account_id, target FROM delivery_queue
        WHERE tries > 0 AND (account_id, target) > ($2, $3) ORDER BY account_id, target LIMIT 1
    )
    UNION ALL
    SELECT next.account_id, next.target
    FROM lanes
    CROSS JOIN LATERAL (
        SELECT account_id, target FROM delivery_queue
        WHERE tries > 0 AND (account_id, target) > (lanes.account_id, lanes.target)
        ORDER BY account_id, target LIMIT 1
    ) AS next
)
SELECT account_id, target FROM lanes
WHERE EXISTS (
    SELECT FROM delivery_queue AS queued
    WHERE queued.account_id = lanes.account_id AND queued.target = lanes.target AND queued.tries > 0
      AND queued.due_at <= $1 AND (queued.leased_until IS NULL OR queued.leased_until <= $1)
)
LIMIT $4
"""
# Two workers that claim for one account at once could each take a part of one conversation. Nobody waits for the disk:
# a lease that a crash forgets is a lease that is over. Plans are made anew each time: one that was made while the queue
# or the day's partition was still empty reads all of it for every row.
LOCK_ACCOUNTS = """
SELECT account_id
FROM unnest($2::bigint[]) AS wanted (account_id), set_config('synchronous_commit', 'off', true) AS commits,
    set_config('plan_cache_mode', 'force_custom_plan', true) AS plans
WHERE pg_try_advisory_xact_lock($1, hashint8(account_id))
"""
# In the order of events. An earlier one of the same conversation that is being sent, or waits for its next try and may
# hold others up, keeps this one back; one that is free stands before it in the same order. It looks at so many at once:
# for a receiver that is dead tens of thousands may be kept back, and everybody else's claims wait behind this one. The
# offset has each of them looked up by its conversation, instead of all being joined with all.
FRESH_HEAD: LiteralString = """
WITH found AS MATERIALIZED (
    SELECT free.delivery_id
    FROM unnest($2::text[], $3::integer[], $7::bigint[]) AS wanted (target, most, after)
    CROSS JOIN LATERAL (
        SELECT seen.delivery_id
        FROM (
            SELECT delivery_id, conversation_id, sequence
            FROM delivery_queue
            WHERE account_id = $1 AND target = wanted.target AND tries = 0 AND sequence > wanted.after
              AND (leased_until IS NULL OR leased_until <= $4)
            ORDER BY sequence
            LIMIT $8
        ) AS seen
        WHERE NOT EXISTS (
            SELECT FROM delivery_queue AS earlier
            WHERE earlier.account_id = $1 AND earlier.target = wanted.target
              AND earlier.conversation_id = seen.conversation_id AND earlier.sequence < seen.sequence
              AND CASE WHEN earlier.tries > 0 THEN earlier.hold_until > $4 ELSE earlier.leased_until > $4 END
            OFFSET 0
        )
        ORDER BY seen.sequence
        LIMIT wanted.most
    ) AS free
)"""
# Across accounts: where looks like that ended; null when one saw everything.
LIST_VIEW_ENDS = """
SELECT wanted.account_id, wanted.target, (
    SELECT sequence FROM (
        SELECT sequence FROM delivery_queue
        WHERE account_id = wanted.account_id AND target = wanted.target AND tries = 0 AND sequence > wanted.after
          AND (leased_until IS NULL OR leased_until <= $4)
        ORDER BY sequence
        LIMIT $5
    ) AS seen
    ORDER BY sequence
    OFFSET $5 - 1
) AS until
FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS wanted (account_id, target, after)
"""
# What failed before keeps nobody's place: when its followers may go, it is overtaken.
RETRIES_HEAD: LiteralString = """
WITH found AS MATERIALIZED (
    SELECT free.delivery_id
    FROM unnest($2::text[], $3::integer[]) AS wanted (target, most)
    CROSS JOIN LATERAL (
        SELECT queued.delivery_id
        FROM delivery_queue AS queued
        WHERE queued.account_id = $1 AND queued.target = wanted.target AND queued.tries > 0 AND queued.due_at <= $4
          AND (queued.leased_until IS NULL OR queued.leased_until <= $4)
        ORDER BY queued.due_at
        LIMIT wanted.most
    ) AS free
)"""
LEASED: LiteralString = """, leased AS (
    UPDATE delivery_queue AS queued
    SET leased_until = $5, leased_by = $6
    FROM found
    WHERE queued.account_id = $1 AND queued.delivery_id = found.delivery_id
      AND (queued.leased_until IS NULL OR queued.leased_until <= $4)
    RETURNING queued.delivery_id, queued.day, queued.target, queued.sequence, queued.tries, queued.is_told_failed,
        split_part(queued.target, ':', 1) AS kind, split_part(queued.target, ':', 2)::bigint AS target_id
)
SELECT $1::bigint AS account_id, leased.delivery_id, leased.day, leased.target, leased.sequence, leased.tries,
    leased.is_told_failed, deliveries.event_id, deliveries.event_name, deliveries.conversation_id,
    deliveries.message_id, deliveries.contact_id, deliveries.tries AS tries_ever, payloads.body,
    coalesce(webhooks.url, nullif(api_channels.webhook_url, ''), system_bots.outgoing_url, agent_bots.outgoing_url,
        told_addresses.url) AS url, api_channels.id AS channel_id, webhooks.id AS webhook_id,
    coalesce(webhooks.secret, api_channels.secret, system_bots.secret, agent_bots.secret) AS secret,
    CASE WHEN webhooks.previous_secret_until > $4 THEN webhooks.previous_secret END AS previous_secret,
    webhooks.timeout_seconds, webhooks.failing_since IS NOT NULL AS is_failing
FROM leased
JOIN webhook_deliveries AS deliveries ON deliveries.account_id = $1 AND deliveries.id = leased.delivery_id
    AND deliveries.day = leased.day
LEFT JOIN webhook_payloads AS payloads ON payloads.account_id = $1 AND payloads.id = deliveries.payload_id
    AND payloads.day = leased.day
LEFT JOIN told_addresses ON told_addresses.account_id = $1 AND leased.kind = 'address'
    AND told_addresses.id = leased.target_id
LEFT JOIN webhooks ON webhooks.account_id = $1
    AND webhooks.id = CASE leased.kind
        WHEN 'webhook' THEN leased.target_id
        WHEN 'address' THEN (SELECT id FROM webhooks AS same WHERE account_id = $1 AND url = told_addresses.url)
    END
LEFT JOIN inboxes ON inboxes.account_id = $1 AND leased.kind = 'api_inbox' AND inboxes.id = leased.target_id
    AND inboxes.channel_type = 'Channel::Api' AND inboxes.deleted_at IS NULL
LEFT JOIN api_channels ON api_channels.account_id = $1 AND api_channels.id = inboxes.channel_id
LEFT JOIN agent_bots ON agent_bots.account_id = $1 AND leased.kind = 'agent_bot' AND agent_bots.id = leased.target_id
LEFT JOIN system_bots ON system_bots.id = agent_bots.system_bot_id
ORDER BY leased.target, leased.sequence
"""
CLAIM_FRESH: LiteralString = FRESH_HEAD + LEASED
CLAIM_RETRIES: LiteralString = RETRIES_HEAD + LEASED
RENEW_LEASES = """
UPDATE delivery_queue AS queued
SET leased_until = $4
FROM unnest($1::bigint[], $2::uuid[]) AS held (account_id, delivery_id)
WHERE queued.account_id = held.account_id AND queued.delivery_id = held.delivery_id AND queued.leased_by = $3
"""
# Many results in one trip, and all of it or nothing. What was settled meanwhile (cancelled, or delivered by another
# worker after our lease was over) stays so, unless this is the success.
RECORD_RESULTS = """
WITH results AS (
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::timestamptz[], $4::text[], $5::smallint[], $6::smallint[],
        $7::text[], $8::text[], $9::bytea[], $10::integer[], $11::integer[], $12::timestamptz[], $13::bigint[],
        $14::timestamptz[], $15::timestamptz[], $16::boolean[])
        AS result (account_id, delivery_id, day, outcome, number, status, error, headers, answer, duration_ms,
            first_byte_ms, started_at, contact_id, due_at, hold_until, is_told_failed)
), attempts AS (
    INSERT INTO delivery_attempts (account_id, delivery_id, number, day, status, error, headers, answer, duration_ms,
        first_byte_ms, contact_id, started_at)
    SELECT account_id, delivery_id, number, day, status, error, headers::jsonb, answer, duration_ms, first_byte_ms,
        contact_id, started_at
    FROM results
    WHERE number IS NOT NULL
    ON CONFLICT DO NOTHING
), deliveries AS (
    UPDATE webhook_deliveries AS delivery
    SET status = CASE WHEN delivery.status = 'pending' OR results.outcome = 'delivered' THEN results.outcome
            ELSE delivery.status END,
        tries = greatest(delivery.tries, results.number),
        last_status = CASE WHEN results.number IS NULL THEN delivery.last_status ELSE results.status END,
        last_error = CASE WHEN results.number IS NULL THEN delivery.last_error ELSE results.error END,
        delivered_at = CASE WHEN results.outcome = 'delivered' THEN $18 ELSE delivery.delivered_at END
    FROM results
    WHERE delivery.account_id = results.account_id AND delivery.id = results.delivery_id
      AND delivery.day = results.day AND (results.number IS NOT NULL OR results.outcome <> 'pending')
), settled AS (
    DELETE FROM delivery_queue AS queued
    USING results
    WHERE queued.account_id = results.account_id AND queued.delivery_id = results.delivery_id
      AND results.outcome <> 'pending'
)
UPDATE delivery_queue AS queued
SET tries = queued.tries + (results.number IS NOT NULL)::integer, due_at = coalesce(results.due_at, queued.due_at),
    hold_until = coalesce(queued.hold_until, results.hold_until), is_told_failed = results.is_told_failed,
    leased_until = NULL, leased_by = NULL
FROM results
WHERE queued.account_id = results.account_id AND queued.delivery_id = results.delivery_id
  AND results.outcome = 'pending' AND queued.leased_by = $17
"""

CLAIM_LOCK = 7_413
SEEN_AT_ONCE = 500


class ListLanes(Protocol):
    """Finds targets with something due, behind one in their order."""

    async def __call__(self, db: Db, /, *, after: Lane, limit: int) -> list[Lane]: ...


class Claim(Protocol):
    """Leases what is due, so much for each target."""

    async def __call__(
        self, tx: Tx, account_id: int, shares: Sequence[Share], /, *, worker_id: UUID, leased_until: datetime
    ) -> list[ToSend]: ...


async def insert_deliveries(tx: Tx, account_id: int, deliveries: Sequence[NewDelivery]) -> None:
    """Write deliveries with their payloads, and queue those that are not held; what is there already stays."""
    payloads = list({delivery.payload.id: delivery.payload for delivery in deliveries}.values())
    await tx.execute(
        INSERT_DELIVERIES,
        account_id,
        [payload.id for payload in payloads],
        [payload.day for payload in payloads],
        [payload.contact_id for payload in payloads],
        [payload.body for payload in payloads],
        [delivery.id for delivery in deliveries],
        [delivery.target for delivery in deliveries],
        [delivery.payload.id for delivery in deliveries],
        [delivery.payload.day for delivery in deliveries],
        [delivery.payload.event_id for delivery in deliveries],
        [delivery.payload.event_name for delivery in deliveries],
        [delivery.payload.sequence for delivery in deliveries],
        [delivery.payload.conversation_id for delivery in deliveries],
        [delivery.payload.message_id for delivery in deliveries],
        [delivery.payload.contact_id for delivery in deliveries],
        [delivery.is_held for delivery in deliveries],
        clock.now(),
    )


async def list_fresh_lanes(db: Db, *, after: Lane, limit: int) -> list[Lane]:
    """Targets with something that was never tried and nobody works on, in a fixed order."""
    return await db.fetch_all(Lane, LIST_FRESH_LANES, clock.now(), after.account_id, after.target, limit)


async def list_retry_lanes(db: Db, *, after: Lane, limit: int) -> list[Lane]:
    """Targets with something whose next try is due, in the same order."""
    return await db.fetch_all(Lane, LIST_RETRY_LANES, clock.now(), after.account_id, after.target, limit)


async def lock_accounts(tx: Tx, account_ids: Sequence[int]) -> list[int]:
    """Those of the accounts that nobody else claims for right now; they are ours until the transaction ends."""
    await tx.begin()
    return await tx.fetch_values(LOCK_ACCOUNTS, CLAIM_LOCK, account_ids)


async def claim_fresh(
    tx: Tx, account_id: int, shares: Sequence[Share], *, worker_id: UUID, leased_until: datetime
) -> list[ToSend]:
    """Lease what was never tried, so much for each target."""
    targets, most = [share.target for share in shares], [share.most for share in shares]
    after = [share.after for share in shares]
    return await tx.fetch_all(
        ToSend, CLAIM_FRESH, account_id, targets, most, clock.now(), leased_until, worker_id, after, SEEN_AT_ONCE
    )


async def claim_retries(
    tx: Tx, account_id: int, shares: Sequence[Share], *, worker_id: UUID, leased_until: datetime
) -> list[ToSend]:
    """Lease what is due again, so much for each target."""
    targets, most = [share.target for share in shares], [share.most for share in shares]
    return await tx.fetch_all(ToSend, CLAIM_RETRIES, account_id, targets, most, clock.now(), leased_until, worker_id)


class ViewEnd(msgspec.Struct, frozen=True):
    """Up to which sequence a claim of fresh deliveries has looked in a lane; None when it saw all of them."""

    account_id: int
    target: str
    until: int | None


async def list_view_ends(db: Db, places: Sequence[tuple[Lane, int]]) -> list[ViewEnd]:
    """Where claims ended that looked through these lanes, each behind its sequence."""
    account_ids, targets = [lane.account_id for lane, _ in places], [lane.target for lane, _ in places]
    values = account_ids, targets, [after for _, after in places], clock.now(), SEEN_AT_ONCE
    return await db.fetch_all(ViewEnd, LIST_VIEW_ENDS, *values)


async def renew_leases(tx: Tx, held: Sequence[ToSend], *, worker_id: UUID, leased_until: datetime) -> None:
    """Go on holding these."""
    accounts, ids = [each.account_id for each in held], [each.delivery_id for each in held]
    await tx.execute(RENEW_LEASES, accounts, ids, worker_id, leased_until)


async def record_results(tx: Tx, results: Sequence[Result], *, worker_id: UUID) -> None:
    """Write down what became of claimed deliveries."""
    tries = [result.tried for result in results]
    await tx.execute(
        RECORD_RESULTS,
        [result.sent.account_id for result in results],
        [result.sent.delivery_id for result in results],
        [result.sent.day for result in results],
        [result.status for result in results],
        [result.sent.tries_ever + 1 if result.tried else None for result in results],
        [tried.status if tried else None for tried in tries],
        [tried.error.replace("\0", "") if tried and tried.error else None for tried in tries],
        [_headers_text(tried) if tried else None for tried in tries],
        [tried.answer if tried and tried.status is not None else None for tried in tries],
        [tried.duration_ms if tried else 0 for tried in tries],
        [tried.first_byte_ms if tried else None for tried in tries],
        [tried.started_at if tried else None for tried in tries],
        [result.sent.contact_id for result in results],
        [result.due_at for result in results],
        [result.hold_until for result in results],
        [result.is_told_failed for result in results],
        worker_id,
        clock.now(),
    )


def _headers_text(tried: Tried) -> str:
    # The driver would take lists of lists for one array of more dimensions. PostgreSQL keeps no NUL.
    return msgspec.json.encode(tried.headers).decode().replace("\\u0000", "")
