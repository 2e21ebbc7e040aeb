from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from commands import Started, started
from harness import open_folder


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Where a data directory may be made."""
    with open_folder() as folder:
        yield folder / "data"


@pytest.fixture
def spoilt_data_dir() -> Iterator[Path]:
    """A data directory in which a file stands where the folder of files should be."""
    with open_folder() as folder:
        (folder / "files").write_text("where a folder should be")
        yield folder


@pytest.fixture(scope="session")
async def first_start() -> AsyncIterator[Started]:
    """`criachat serve` on an empty folder, running."""
    with open_folder() as folder:
        async with started(folder / "data") as server:
            yield server
