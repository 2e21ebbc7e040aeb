"""Files that were sent ahead of what is to carry them: kept for a while, or held for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from criachat.kit import clock
from criachat.kit.db import Tx
from criachat.kit.errors import NoSuchPage
from criachat.kit.files import new_key
from criachat.messages.models import Announcement, Reservation, StoredFile, Upload
from criachat.messages.queries import uploads as queries

# How long at least a signed id is good; at most it is twice as long, and the file must still be there then.
NAMED_FOR = timedelta(days=1)
KEPT_FOR = timedelta(days=3)
# How long a file that was announced may take to come, from the announcement to its last byte.
RESERVED_FOR = timedelta(hours=1)
# Later than that: by then no request that still stores the file can be under way.
UNTAKEN_FOR = timedelta(hours=2)
BATCH = 500


async def keep_upload(tx: Tx, account_id: int, file: StoredFile) -> Upload:
    """Keep a stored file for some days, under a number of its own."""
    return await queries.insert_upload(tx, account_id, file, clock.now() + KEPT_FOR)


async def reserve_upload(tx: Tx, account_id: int, announced: Announcement) -> Reservation:
    """Keep a place for a file that comes in a second step."""
    now, key = clock.now(), new_key(account_id, announced.filename)
    return await queries.insert_reservation(
        tx, account_id, key, announced, expires_at=now + RESERVED_FOR, remove_at=now + UNTAKEN_FOR
    )


async def keep_arrived(tx: Tx, reservation: Reservation, file: StoredFile) -> Upload:
    """Keep the file that was announced for some days; refused when it had come before, or its time is over."""
    upload = await queries.insert_arrived(tx, reservation, file, expires_at=clock.now() + KEPT_FOR)
    if upload is None:
        raise NoSuchPage
    return upload


async def hold_uploads(tx: Tx, account_id: int, upload_ids: Sequence[int]) -> bool:
    """Keep these files for good, for something that sends them again and again; False when one is gone already."""
    wanted = set(upload_ids)
    return not wanted or await queries.set_expiry(tx, account_id, sorted(wanted), None) == len(wanted)


async def release_uploads(tx: Tx, account_id: int, upload_ids: Sequence[int]) -> None:
    """Let these files go, after some days in which what was just begun can still send them."""
    if upload_ids:
        await queries.set_expiry(tx, account_id, sorted(set(upload_ids)), clock.now() + KEPT_FOR)


async def remove_expired(tx: Tx, account_id: int) -> bool:
    """Remove a batch of those whose time is over, come or only announced; whether there may be more."""
    reserved = await queries.delete_expired_reservations(tx, account_id, limit=BATCH)
    return BATCH in (reserved, await queries.delete_expired(tx, account_id, limit=BATCH))
