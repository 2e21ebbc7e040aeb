"""The file store, and the addresses under which its files are shown.

Keys are ours: nothing a caller says becomes a path. Addresses carry a signed id that expires; who has one needs no
other right, so that receivers of webhooks and apps without a session can fetch what they were told of.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import hmac
import os
import re
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

import msgspec
import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from criachat.kit import clock, tokens
from criachat.kit.errors import NotFound, Refused, TooLarge
from criachat.kit.media import extension, safe_filename

if TYPE_CHECKING:
    from obstore import GetOptions

Purpose = Literal["blob", "upload", "arrival", "avatar", "export", "rejects"]

HEAD_BYTES: Final = 256 * 1024
CHUNK_BYTES: Final = 256 * 1024
KEY: Final = re.compile(r"[0-9]{1,19}/[0-9a-z]{2}/[0-9A-Za-z]{28}(\.[a-z0-9]{1,8})?")
KEY_LENGTH: Final = 28

# Deliveries can be replayed for thirty days, and what they point at must still be there.
SHOWN_FOR: Final = timedelta(days=30)
# Addresses stay the same for a while, so that caches and comparisons of bodies keep working.
STEADY_FOR: Final = timedelta(days=7)
THUMBNAIL: Final = "w250"

FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
SYSTEM_ERROR: Final = re.compile(r"\(os error (\d+)\)")
PAYLOAD: Final = struct.Struct(">QQQ")


class FileStoreFull(Refused):
    """There is no room left for files"""

    status = 507


class FileTooLarge(TooLarge):
    """The file is too large"""


class ContentDiffers(Refused):
    """The file is not the one that was announced: its type, its size or its checksum differs"""


class Stored(msgspec.Struct, frozen=True):
    """What was written: its size, its MD5 in base64, and its first bytes for `media.sniff` and `media.image_size`."""

    byte_size: int
    checksum: str
    head: bytes


class Blob(NamedTuple):
    """A stored file, as a signed address names it."""

    account_id: int
    id: int


def new_key(account_id: int, filename: str) -> str:
    """A key nobody guesses; of the file's name only a plain extension remains."""
    token = tokens.random_token(KEY_LENGTH)
    return f"{account_id}/{token[:2].lower()}/{token}{extension(filename)}"


class Files:
    """Where files are kept: a folder, or a bucket named by an `s3://`, `gs://` or `az://` URL."""

    def __init__(self, url: str | Path, signing_key: bytes, base_url: str, *, older_keys: Sequence[bytes] = ()) -> None:
        if len(signing_key) < 32:
            raise ValueError("The signing key needs 32 bytes")
        self._folder = _local_folder(url)
        self._store = _make_store(str(url), self._folder)
        self.service = "local" if self._folder is not None else urlsplit(str(url)).scheme
        """What kind of store it is: `local`, or the scheme of its URL."""
        # What was signed before the installation's key was rotated stays good, as long as that key is kept.
        self._signing_keys = (signing_key, *older_keys)
        self._base_url = base_url.rstrip("/")

    async def put(
        self,
        key: str,
        content: AsyncIterator[bytes] | bytes,
        *,
        max_bytes: int | None = None,
        checksum: str | None = None,
    ) -> Stored:
        """Store the whole content under this key, or nothing of it.

        The content is counted as it arrives; past `max_bytes` it is refused without reading the rest. With `checksum`,
        its MD5 in base64, any other content is refused too.
        """
        _check_key(key)
        meter = _Meter(max_bytes, checksum)
        try:
            if isinstance(content, bytes):
                meter.count(content)
                meter.check()
                await obstore.put_async(self._store, key, content)
            else:
                await obstore.put_async(self._store, key, meter.watch(content))
            if self._folder is not None:
                await asyncio.to_thread(_flush, self._folder, key)
        except (BaseError, OSError) as error:
            if not _is_full(error):
                raise
            await self.delete(key)
            raise FileStoreFull from error
        return meter.stored()

    async def open(self, key: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The content, or `length` bytes of it from `start` on; refused before the first byte when there is none."""
        _check_key(key)
        options: GetOptions = {}
        if length is not None:
            options["range"] = (start, start + length)
        elif start:
            options["range"] = {"offset": start}
        try:
            found = await obstore.get_async(self._store, key, options=options)
        except FileNotFoundError as error:
            raise NotFound from error
        return _chunks(found)

    async def copy(self, key: str, to_key: str) -> None:
        """Have the same content under another key as well."""
        _check_key(key)
        _check_key(to_key)
        try:
            await obstore.copy_async(self._store, key, to_key)
            if self._folder is not None:
                await asyncio.to_thread(_flush, self._folder, to_key)
        except FileNotFoundError as error:
            raise NotFound from error
        except (BaseError, OSError) as error:
            if not _is_full(error):
                raise
            await self.delete(to_key)
            raise FileStoreFull from error

    async def delete(self, key: str) -> None:
        """Make sure there is nothing under this key."""
        _check_key(key)
        with suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    def signed_id(self, blob: Blob, *, purpose: Purpose = "blob", valid_for: timedelta = SHOWN_FOR) -> str:
        """An id that stands for this blob for at least `valid_for` (and at most twice as long)."""
        step = min(STEADY_FOR, valid_for).total_seconds()
        expires_at = -(-(clock.unix() + valid_for.total_seconds()) // step) * step
        payload = base64.urlsafe_b64encode(PAYLOAD.pack(*blob, int(expires_at))).rstrip(b"=").decode()
        return f"{payload}--{self._signature(purpose, payload)}"

    def verify(self, signed_id: str, *, purpose: Purpose = "blob") -> Blob | None:
        """The blob that a signed id stands for; None when it is forged, for another purpose, or expired."""
        payload, _, signature = signed_id.partition("--")
        if not self._is_signed(purpose, payload, signature):
            return None
        account_id, blob_id, expires_at = PAYLOAD.unpack(base64.urlsafe_b64decode(payload + "=="))
        return Blob(account_id, blob_id) if clock.unix() < expires_at else None

    def blob_url(self, blob: Blob, filename: str) -> str:
        """The address of the file; it ends in the file's name."""
        return self._url("blobs/redirect", self.signed_id(blob), filename)

    def upload_url(self, signed_id: str, filename: str) -> str:
        """The address of a file that no message carries yet, by its signed id."""
        return self._url("blobs/redirect", signed_id, filename)

    def arrival_url(self, blob: Blob, *, valid_for: timedelta) -> str:
        """Where a file that was announced is put."""
        signed = self.signed_id(blob, purpose="arrival", valid_for=valid_for)
        return f"{self._base_url}/rails/active_storage/disk/{signed}"

    def thumbnail_url(self, blob: Blob, filename: str) -> str:
        """The address of a picture of the file, 250 pixels wide."""
        return self._url("representations/redirect", f"{self.signed_id(blob)}/{THUMBNAIL}", filename)

    def temporary_url(self, place: str, blob: Blob, filename: str, *, purpose: Purpose, valid_for: timedelta) -> str:
        """The address below this place of a file that is kept for a while."""
        signed = self.signed_id(blob, purpose=purpose, valid_for=valid_for)
        return f"{self._base_url}/{place}/{signed}/{quote(safe_filename(filename), safe='')}"

    def avatar_url(self, key: str | None) -> str:
        """The address of a picture that everybody may see, for as long as it is there; empty when there is none."""
        return "" if key is None else f"{self._base_url}/avatars/{self._signature('avatar', key)}/{key}"

    def is_avatar(self, key: str, signature: str) -> bool:
        """Whether this is the signature that an avatar's address carries."""
        return self._is_signed("avatar", key, signature)

    def _url(self, kind: str, signed: str, filename: str) -> str:
        return f"{self._base_url}/rails/active_storage/{kind}/{signed}/{quote(safe_filename(filename), safe='')}"

    def _signature(self, purpose: Purpose, payload: str) -> str:
        return _signature_under(self._signing_keys[0], purpose, payload)

    def _is_signed(self, purpose: Purpose, payload: str, signature: str) -> bool:
        given = signature.encode("utf-8", "replace")
        return any(
            hmac.compare_digest(_signature_under(key, purpose, payload).encode(), given) for key in self._signing_keys
        )


class _Meter:
    """Counts, hashes and keeps the beginning of what passes."""

    def __init__(self, max_bytes: int | None, checksum: str | None) -> None:
        self._max_bytes = max_bytes
        self._expected = checksum
        self._byte_size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._head = bytearray()

    def count(self, chunk: bytes) -> None:
        self._byte_size += len(chunk)
        if self._max_bytes is not None and self._byte_size > self._max_bytes:
            raise FileTooLarge
        self._md5.update(chunk)
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[: HEAD_BYTES - len(self._head)]

    async def watch(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in content:
            self.count(chunk)
            yield chunk
        # Here the store has not been told yet that this is all of it.
        self.check()

    def check(self) -> None:
        if self._expected not in (None, self._checksum()):
            raise ContentDiffers

    def stored(self) -> Stored:
        return Stored(self._byte_size, self._checksum(), bytes(self._head))

    def _checksum(self) -> str:
        return base64.b64encode(self._md5.digest()).decode()


def _signature_under(key: bytes, purpose: Purpose, payload: str) -> str:
    message = f"{purpose}\n{payload}".encode("utf-8", "replace")
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _local_folder(url: str | Path) -> Path | None:
    if isinstance(url, Path):
        return url.absolute()
    if url.startswith("file://"):
        return Path(url2pathname(urlsplit(url).path)).absolute()
    return None if "://" in url else Path(url).absolute()


def _make_store(url: str, folder: Path | None) -> ObjectStore:
    if folder is None:
        return from_url(
            url,
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
            client_options={"connect_timeout": "5s", "timeout": "60s"},
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LocalStore(prefix=folder)


def _check_key(key: str) -> None:
    if not KEY.fullmatch(key):
        raise NotFound


def _flush(folder: Path, key: str) -> None:
    # The row that names the file is committed next; after a power cut it must not point at nothing.
    file = folder / key
    for path in (file, file.parent, file.parent.parent, folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in FULL
    return any(int(number) in FULL for number in SYSTEM_ERROR.findall(str(error)))


async def _chunks(found: obstore.GetResult) -> AsyncIterator[bytes]:
    async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
        yield bytes(chunk)
