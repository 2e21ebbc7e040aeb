"""Pictures of people and inboxes: what may be one, and where everybody finds it."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Any, Final, Protocol

import msgspec

from criachat.kit.actors import ANYONE, Actor
from criachat.kit.db import Database, Tx
from criachat.kit.errors import Invalid, NoSuchPage, Refused
from criachat.kit.files import Files, new_key
from criachat.kit.http.answers import Stream
from criachat.kit.http.routes import Routes
from criachat.kit.http.uploads import Upload
from criachat.kit.jobs import GiveUp
from criachat.kit.media import serving_headers, sniff
from criachat.kit.outside import Outside, OutsideFailed
from criachat.kit.upkeep import keep_file, remove_file_later

LARGEST_BYTES: Final = 15 * 1024 * 1024
FETCH_SECONDS: Final = 30
EXTENSIONS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif"}
CONTENT_TYPES: Final = {extension: content_type for content_type, extension in EXTENSIONS.items()}
# By then the request has ended, and something names the picture or nothing does.
UNCLAIMED_FOR: Final = timedelta(hours=1)
FOR_EVER: Final = "public, max-age=31536000, immutable"


class AvatarInvalid(Invalid):
    """Avatar must be a JPEG, PNG or GIF of 15 MB at most"""

    attributes = ("avatar",)


class BringsAvatar(Protocol):
    """Parameters that may bring a picture."""

    @property
    def avatar(self) -> Any: ...


class KeptAvatar(msgspec.Struct, frozen=True):
    """The picture that came with a request, stored already, or why it is not taken.

    Handlers ask for it by its type. Storing may take long, and no connection to the database waits for it.
    """

    key: str | None = None
    refusal: Refused | None = None

    async def taken(self, tx: Tx) -> str | None:
        """The key of the picture, kept from now on; or the refusal: when it is its turn."""
        if self.refusal is not None:
            raise self.refusal
        if self.key is not None:
            await keep_file(tx, self.key)
        return self.key


async def store_avatar(database: Database, files: Files, actor: Actor, params: BringsAvatar) -> KeptAvatar:
    """Store the picture that came with a request.

    It is written down first that it is to be removed, and what names it takes that back. So a process that dies in
    between leaves nothing behind.
    """
    if not params.avatar:
        return KeptAvatar()
    try:
        upload, extension = await _picture(params.avatar)
        key = new_key(actor.account_id, f"avatar{extension}")
        async with database.transaction() as tx:
            await remove_file_later(tx, key, unless_kept_for=UNCLAIMED_FOR)
        await files.put(key, upload.chunks(), max_bytes=LARGEST_BYTES)
    except Refused as refusal:
        return KeptAvatar(refusal=refusal)
    return KeptAvatar(key)


async def _picture(sent: object) -> tuple[Upload, str]:
    if not isinstance(sent, Upload) or sent.size_bytes > LARGEST_BYTES:
        raise AvatarInvalid
    extension = EXTENSIONS.get(sniff(await sent.head(), sent.declared_type, sent.filename))
    if extension is None:
        raise AvatarInvalid
    return sent, extension


async def fetch_avatar(database: Database, outside: Outside, files: Files, url: str, *, account_id: int) -> str:
    """The key under which the picture at this address is stored; a job that cannot get it gives up.

    As when it comes with a request, it is to be removed unless what names it keeps the file.
    """
    try:
        answer = await outside.get(url, headers={}, timeout_seconds=FETCH_SECONDS, max_bytes=LARGEST_BYTES)
    except OutsideFailed as failure:
        raise GiveUp(f"no picture: {failure.kind}") from failure
    extension = EXTENSIONS.get(sniff(answer.body, "", ""))
    if answer.status != HTTPStatus.OK or extension is None:
        raise GiveUp(f"no picture: status {answer.status}")
    key = new_key(account_id, f"avatar{extension}")
    async with database.transaction() as tx:
        await remove_file_later(tx, key, unless_kept_for=UNCLAIMED_FOR)
    await files.put(key, answer.body, max_bytes=LARGEST_BYTES)
    return key


routes = Routes("/avatars", tag="Files")


@routes.get("/{signature}/{account_id}/{shard}/{name}", actors=ANYONE)
async def show_avatar(files: Files, signature: str, account_id: str, shard: str, name: str) -> Stream:
    """A picture behind its signed address, which stays the same for as long as the picture does."""
    key = f"{account_id}/{shard}/{name}"
    content_type = CONTENT_TYPES.get(PurePosixPath(name).suffix)
    if content_type is None or not files.is_avatar(key, signature):
        raise NoSuchPage
    headers = {**serving_headers(content_type, name), "Cache-Control": FOR_EVER}
    headers.pop("Content-Type")
    return Stream(await files.open(key), content_type=content_type, headers=headers.items())
