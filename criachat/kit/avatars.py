"""Pictures of people and inboxes: what may be one, and where everybody finds it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from criachat.kit.actors import ANYONE
from criachat.kit.errors import Invalid, NoSuchPage
from criachat.kit.files import Files, new_key
from criachat.kit.http.answers import Stream
from criachat.kit.http.routes import Routes
from criachat.kit.http.uploads import Upload
from criachat.kit.media import serving_headers, sniff

LARGEST_BYTES: Final = 15 * 1024 * 1024
EXTENSIONS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif"}
CONTENT_TYPES: Final = {extension: content_type for content_type, extension in EXTENSIONS.items()}
FOR_EVER: Final = "public, max-age=31536000, immutable"


class AvatarInvalid(Invalid):
    """Avatar must be a JPEG, PNG or GIF of 15 MB at most"""

    attributes = ("avatar",)


async def keep_avatar(files: Files, sent: object, *, account_id: int) -> str:
    """The key under which a sent picture is kept from now on; what it is, its bytes tell."""
    if not isinstance(sent, Upload) or sent.size_bytes > LARGEST_BYTES:
        raise AvatarInvalid
    extension = EXTENSIONS.get(sniff(await sent.head(), sent.declared_type, sent.filename))
    if extension is None:
        raise AvatarInvalid
    key = new_key(account_id, f"avatar{extension}")
    await files.put(key, sent.chunks(), max_bytes=LARGEST_BYTES)
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
