"""The one door to PostgreSQL: `Database` is the pool, `Db` reads, `Tx` reads and writes.

What a function may do stands in the type of its first parameter. Rows become frozen structs by column name;
`jsonb` columns arrive decoded, `json` columns as `msgspec.Raw` (kept as they were written).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Any, LiteralString, Protocol

import asyncpg

from criachat.kit.connecting import session_settings, set_codecs
from criachat.kit.errors import Unavailable
from criachat.kit.pool import Pool
from criachat.kit.rows import Row, shape_of

# What PostgreSQL, the socket or asyncpg say while the server is away, restarting or cutting us off.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    ConnectionError,
    FileNotFoundError,
    TimeoutError,
)
# Who connects meets the network as well: no route to the host, a name that does not resolve.
UNREACHABLE = (OSError, *LOST)
# Lost to others who change the same rows at the same moment, however often it is tried.
CROWDED_OUT = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
# A transaction that failed so changed nothing, and has another outcome when it runs again: of two that create the same
# thing at once, the second finds it then; what it hangs on, removed at the same moment, it misses then.
TRY_AGAIN = (*CROWDED_OUT, asyncpg.ForeignKeyViolationError, asyncpg.UniqueViolationError)

LOCKS = ("FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "FOR KEY SHARE", "_XACT_LOCK")


@lru_cache(maxsize=4096)
def _is_read(sql: str) -> bool:
    """Whether a statement may stand outside the transaction: a plain SELECT that takes no lock."""
    text = sql.upper()
    return text.lstrip().startswith("SELECT") and not any(word in text for word in LOCKS)


class Db:
    """A borrowed connection that reads."""

    def __init__(self, connection: Connection, statements: Statements) -> None:
        self.connection = connection
        self.statements = statements

    async def fetch_one(self, kind: type[Row], sql: LiteralString, *values: object) -> Row:
        """The one row there must be."""
        row = await self.fetch_one_or_none(kind, sql, *values)
        if row is None:
            raise LookupError("a row that must exist was not found")
        return row

    async def fetch_one_or_none(self, kind: type[Row], sql: LiteralString, *values: object) -> Row | None:
        """The first row, or None."""
        await self._ready(sql)
        record = await self.connection.fetchrow(sql, *values)
        return None if record is None else shape_of(kind, sql).make(record)

    async def fetch_all(self, kind: type[Row], sql: LiteralString, *values: object) -> list[Row]:
        """All rows, in the order of the statement."""
        await self._ready(sql)
        records = await self.connection.fetch(sql, *values)
        shape = shape_of(kind, sql)
        return [shape.make(record) for record in records]

    async def fetch_value(self, sql: LiteralString, *values: object) -> Any:
        """The first column of the first row, or None."""
        await self._ready(sql)
        return await self.connection.fetchval(sql, *values)

    async def fetch_values(self, sql: LiteralString, *values: object) -> list[Any]:
        """The first column of every row."""
        await self._ready(sql)
        return [record[0] for record in await self.connection.fetch(sql, *values)]

    async def _ready(self, sql: str) -> None:
        self.statements.count += 1


class Tx(Db):
    """One transaction. It begins with its first write or lock, and ends when the request or job does.

    PostgreSQL's READ COMMITTED gives every statement a snapshot of its own, so reads that come first need no BEGIN.
    """

    def __init__(self, connection: Connection, statements: Statements) -> None:
        super().__init__(connection, statements)
        self.wakes: set[tuple[str, str]] = set()
        self.told: dict[str, int] = {}
        self._has_begun = False
        self._is_closed = False
        self._must_begin = False

    async def execute(self, sql: LiteralString, *values: object) -> int:
        """Run a statement; how many rows it touched."""
        await self._ready(sql)
        status = await self.connection.execute(sql, *values)
        count = status.rsplit(" ", 1)[-1]
        return int(count) if count.isdigit() else 0

    async def execute_many(self, sql: LiteralString, rows: list[tuple[object, ...]]) -> None:
        """Run a statement once for each row of values, in one trip."""
        await self._ready(sql)
        await self.connection.executemany(sql, rows)

    async def fetch_one_and_close(self, kind: type[Row], sql: LiteralString, *values: object) -> Row | None:
        """The last statement of this transaction.

        When it is also the first, it is sent alone and PostgreSQL commits it by itself: one trip instead of three.
        Nothing may follow it.
        """
        if self._has_begun or self._must_begin:
            return await self.fetch_one_or_none(kind, sql, *values)
        self.statements.count += 1
        self._is_closed = True
        record = await self.connection.fetchrow(sql, *values)
        return None if record is None else shape_of(kind, sql).make(record)

    def reopen(self) -> None:
        """Take back a close whose statement changed nothing, so that another way can be tried."""
        self._is_closed = False

    def wake(self, topic: str, part: str = "") -> None:
        """Have the sleepers of a topic woken after commit; the part says what the news is about."""
        self.wakes.add((topic, part))

    async def begin(self) -> None:
        """Begin now, for callers that need the transaction to hold more than their next statement."""
        self._must_begin = True
        if not self._has_begun:
            self._has_begun = True
            self.statements.count += 1
            await self.connection.execute("BEGIN")

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        """What happens inside is undone alone when it fails."""
        await self.begin()
        self.statements.count += 2
        await self.connection.execute("SAVEPOINT inner_work")
        try:
            yield
            await self.connection.execute("RELEASE SAVEPOINT inner_work")
        except BaseException:
            # Released as well: it would hide an outer one, whose rollback has to reach further back.
            with suppress(*LOST, asyncpg.PostgresError):
                await self.connection.execute("ROLLBACK TO SAVEPOINT inner_work; RELEASE SAVEPOINT inner_work")
            raise

    async def commit(self) -> None:
        """Make it last. The kit calls this; operations never do."""
        if self._has_begun:
            self._has_begun = False
            self.statements.count += 1
            await self.connection.execute("COMMIT")

    async def roll_back(self) -> None:
        """Undo all of it."""
        self.wakes.clear()
        if self._has_begun:
            self._has_begun = False
            with suppress(*LOST):
                await self.connection.execute("ROLLBACK")

    async def _ready(self, sql: str) -> None:
        if self._is_closed:
            raise RuntimeError("the transaction was closed by its last statement")
        if not self._has_begun and not _is_read(sql):
            await self.begin()
        self.statements.count += 1


class Statements:
    """How many statements were sent; tests and `/metrics` read it."""

    def __init__(self) -> None:
        self.count = 0


class Connection(asyncpg.Connection):  # pyright: ignore[reportMissingTypeArgument, reportUntypedBaseClass]
    """An asyncpg connection. It needs no cleaning between borrowers: nothing here sets session state."""


class Wake(Protocol):
    """Tells sleepers of a topic that there is news; called after commit, never inside."""

    def __call__(self, topic: str, part: str = "", /) -> None: ...


def _wake_nobody(_topic: str, _part: str = "", /) -> None:
    """For processes in which nobody sleeps, such as the command line's."""


class _Loan:
    """A connection of the pool for the length of a block.

    A class, because a generator costs several times as much to enter and leave, and each request does it.
    """

    __slots__ = ("_connection", "_pool", "_statements")

    _connection: Connection

    def __init__(self, pool: Pool, statements: Statements) -> None:
        self._pool = pool
        self._statements = statements

    async def _borrow(self) -> Connection:
        try:
            self._connection = await self._pool.borrow()
        except UNREACHABLE as failure:
            raise Unavailable from failure
        return self._connection

    def _give_back(self, failure: BaseException | None) -> None:
        """Let go of it after a block that failed so, or that ended well."""
        # asyncpg files a value it cannot encode under the errors of the connection; it is ours, and stays one.
        is_lost = isinstance(failure, LOST) and not isinstance(failure, ValueError)
        # A statement may still be under way when its borrower is cancelled.
        is_usable = not (is_lost or isinstance(failure, asyncio.CancelledError))
        self._pool.give_back(self._connection, is_usable=is_usable)
        if is_lost:
            raise Unavailable from failure


class Reading(_Loan):
    """A block that reads."""

    __slots__ = ()

    async def __aenter__(self) -> Db:
        return Db(await self._borrow(), self._statements)

    async def __aexit__(self, _kind: object, failure: BaseException | None, _traceback: object) -> None:
        self._give_back(failure)


class Transaction(_Loan):
    """A block that is committed at its end, or undone as a whole when it fails."""

    __slots__ = ("_tx", "_wake")

    _tx: Tx

    def __init__(self, pool: Pool, statements: Statements, wake: Wake) -> None:
        super().__init__(pool, statements)
        self._wake = wake

    async def __aenter__(self) -> Tx:
        self._tx = Tx(await self._borrow(), self._statements)
        return self._tx

    async def __aexit__(self, _kind: object, failure: BaseException | None, _traceback: object) -> None:
        try:
            await self._end(failure)
        except BaseException as found:
            self._give_back(found)
            raise
        self._give_back(None)
        for topic, part in self._tx.wakes:
            self._wake(topic, part)

    async def _end(self, failure: BaseException | None) -> None:
        try:
            if failure is not None:
                raise failure
            await self._tx.commit()
        except BaseException:
            await self._tx.roll_back()
            raise


class Database:
    """The pool of connections of one process."""

    def __init__(self, url: str, *, size: int = 12) -> None:
        self._url = url
        self._size = size
        self._pool: Pool | None = None
        self._on_connect: list[Callable[[Connection], Awaitable[None]]] = []
        self.statements = Statements()
        self.wake: Wake = _wake_nobody

    @property
    def url(self) -> str:
        """Where it is; carries the password, so it is never logged."""
        return self._url

    def on_connect(self, prepare: Callable[[Connection], Awaitable[None]]) -> None:
        """Have every new connection prepared by this too. Call it before `open`."""
        self._on_connect.append(prepare)

    async def open(self) -> None:
        """Connect; raises `Unavailable` when PostgreSQL cannot be reached."""
        pool = Pool(self._make, size=self._size)
        try:
            pool.give_back(await pool.borrow())
        except UNREACHABLE as failure:
            raise Unavailable from failure
        self._pool = pool

    async def close(self) -> None:
        """Finish what runs, then disconnect."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.close()

    def reading(self) -> Reading:
        """Borrow a connection to read."""
        return Reading(self._lender(), self.statements)

    def transaction(self) -> Transaction:
        """Borrow a connection and commit at the end, or undo everything when the block fails."""
        return Transaction(self._lender(), self.statements, self.wake)

    def _lender(self) -> Pool:
        if self._pool is None:
            raise Unavailable
        return self._pool

    async def connect(self) -> Connection:
        """A connection of its own, outside the pool, for listening and for locks of a session."""
        return await self._open("own")

    async def _make(self) -> Connection:
        return await self._open("web", command_timeout=30)

    async def _open(self, part: str, *, command_timeout: float | None = None) -> Connection:
        connection = await asyncpg.connect(
            self._url,
            connection_class=Connection,
            timeout=5,
            command_timeout=command_timeout,
            server_settings=session_settings(part),
        )
        try:
            await self._prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _prepare(self, connection: Connection) -> None:
        await set_codecs(connection)
        if connection.get_server_version().major >= 17:
            await connection.execute("SET transaction_timeout = '60s'")
        for prepare in self._on_connect:
            await prepare(connection)


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, list[object]]:
    """What differs between two views of one object: attribute → [old, new]."""
    return {key: [before.get(key), value] for key, value in after.items() if before.get(key) != value}
