"""A file that came with a request."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from starlette.datastructures import UploadFile

CHUNK_BYTES = 256 * 1024


class Upload:
    """One file of a multipart request, spooled to disk past a megabyte; closed when the request ends."""

    def __init__(self, file: UploadFile) -> None:
        self._file = file
        self.filename = file.filename or "file"
        self.declared_type = file.content_type or "application/octet-stream"
        self.size_bytes = file.size or 0

    async def head(self, size: int = 4096) -> bytes:
        """Its first bytes, for telling what it is."""
        await self._file.seek(0)
        return await self._file.read(size)

    async def chunks(self) -> AsyncIterator[bytes]:
        """All of it, piece by piece."""
        await self._file.seek(0)
        while chunk := await self._file.read(CHUNK_BYTES):
            yield chunk

    async def digest(self) -> bytes:
        """SHA-256 of the whole file."""
        digest = hashlib.sha256()
        async for chunk in self.chunks():
            digest.update(chunk)
        return digest.digest()

    def close(self) -> None:
        """Let go of the temporary file."""
        self._file.file.close()
