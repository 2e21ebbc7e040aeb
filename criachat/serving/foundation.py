"""What everything stands on: a database that runs, and the keys of the installation."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from criachat.kit import postgres, tokens
from criachat.kit.reach import check_reach
from criachat.kit.settings import Settings
from criachat.kit.tokens import Keyring

KEY_FILE: Final = "installation.key"


class CannotStart(Exception):
    """Something of the machine is not as it must be; the text says what, and what to do."""


class Foundation(msgspec.Struct, frozen=True, kw_only=True):
    """Where the database is, and the installation's secret keys, the current one first."""

    database_url: str
    secret_keys: tuple[str, ...]

    @property
    def keyring(self) -> Keyring:
        """The keys, ready for use."""
        return Keyring.from_secrets(self.secret_keys)


@asynccontextmanager
async def founded(settings: Settings, *, patience_seconds: float = 0) -> AsyncGenerator[Foundation]:
    """The database and the keys. An embedded server that we started is stopped at the end, after all else.

    A server that another process of ours runs on the same data directory is shared, and left running.
    """
    if settings.database_url is None:
        folder = _ready_folder(settings.data_directory())
        server = await postgres.start(folder)
        try:
            keys = settings.secret_key or tuple(tokens.load_or_create_key(folder / KEY_FILE).split())
            yield _foundation(server.url, keys)
        finally:
            await server.stop()
    else:
        if not settings.secret_key:
            raise CannotStart(
                "With CRIACHAT_DATABASE_URL, CRIACHAT_SECRET_KEY is needed: it protects the secrets kept in that "
                "database, so it must outlive this machine. Make one with `openssl rand -base64 32`, and keep it safe."
            )
        foundation = _foundation(settings.database_url, settings.secret_key)
        await check_reach(settings.database_url, patience_seconds=patience_seconds)
        yield foundation


def _foundation(url: str, keys: tuple[str, ...]) -> Foundation:
    try:
        Keyring.from_secrets(keys)
    except ValueError as failure:
        raise CannotStart(f"The installation's key is not usable: {failure}. Put it right.") from failure
    return Foundation(database_url=url, secret_keys=keys)


def _ready_folder(folder: Path) -> Path:
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as failure:
        raise CannotStart(_no_folder(folder, failure.strerror or str(failure))) from failure
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CannotStart(_no_folder(folder, "we may not write to it"))
    return folder


def _no_folder(folder: Path, reason: str) -> str:
    return (
        f"The data directory {folder} cannot be used: {reason}. Choose another with --data-dir or CRIACHAT_DATA_DIR, "
        "or give its folder to the user who runs criachat."
    )
