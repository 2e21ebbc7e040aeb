"""The rules of the house that no linter knows, read from the source and asked of the database."""

from __future__ import annotations

import ast
import importlib
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import ModuleType, NoneType
from typing import Any, NamedTuple, get_args

import asyncpg
import msgspec
import pytest

import criachat
from criachat.kit import postgres
from criachat.kit.db import Connection, Database
from criachat.kit.jobs.store import install as install_jobs
from criachat.kit.migrate import migrate, migrations

ROOT = Path(criachat.__file__).parent
PRIVATE = {"queries", "routes", "listeners", "jobs"}
NO_SLICES = {"kit", "migrations"}
# The composition root lists what every slice declares.
LISTED = {"routes", "listeners", "jobs"}

# What a hot statement does in a CTE of its own: appends its events, lists what is found by a key, takes a number.
EVERYBODY_WRITES = {"events": {"INSERT"}, "directory": {"INSERT", "DELETE"}, "account_counters": {"UPDATE"}}

# A message is stored in one trip with what it does to its conversation and its contact (docs/decisions/0006).
ONE_TRIP = {"messages": {"conversations", "contacts"}}

# Rows that belong to no account, or are found before one is known. Nothing else is exempt.
GLOBAL_TABLES = {
    "access_tokens",
    "accounts",
    "backup_codes",
    "directory",
    "event_epoch",
    "event_listeners",
    "event_sweep",
    "idempotency_keys",
    "installation",
    "limited_requests",
    "notification_subscriptions",
    "one_time_tokens",
    "permissible_objects",
    "platform_apps",
    "platform_user_tokens",
    "schema_migrations",
    "second_factors",
    "sessions",
    "system_bots",
    "users",
}
# Keys that find a row before its account is known, where no directory row does it yet.
GLOBAL_KEYS: set[str] = set()
# The beginning of a statement that a function puts together; the tests of that function run it whole.
BEGINNING = "_HEAD"
# A statement that looks across accounts says why, in a comment right above it that begins like this.
ACROSS_ACCOUNTS = "# Across accounts: "

STATEMENT = re.compile(r"\s*(SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|WITH|MERGE\s+INTO)\s+\S+\s", re.ASCII)
WRITTEN = re.compile(
    r"\b(?:(INSERT)\s+INTO|(?<!DO )(?<!FOR )(?<!KEY )(UPDATE)(?!\s+SET\b)|(DELETE)\s+FROM|(MERGE)\s+INTO)"
    r"\s+(?:ONLY\s+)?(?:\w+\.)?([a-z_]+)"
)
READ = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|USING)\s+(?:ONLY\s+)?([a-z_]+)\b(?!\s*\()")
BOUND = re.compile(
    r"\baccount_id\s*=\s*(?:ANY\s*\(|\$\d|\w+\.account_id\b)"
    r"|\(\s*(?:\w+\.)?account_id\b[^()]*\)\s*(?:=|IN\b|SELECT\b|VALUES\b|OVERRIDING\b)"
    r"|\baccount_id\s+IN\b"
    r"|\$\d+(?:::\w+)?\s+AS\s+account_id\b"
)
FETCHES = {"fetch_one", "fetch_one_or_none", "fetch_all", "fetch_one_and_close"}
DECORATORS = {"get", "post", "put", "patch", "update", "delete"}

# What asyncpg makes of a type, where a field could be annotated with something else by mistake.
PYTHON_TYPES: dict[str, type] = {
    "bool": bool,
    "bytea": bytes,
    "date": date,
    "float8": float,
    "int2": int,
    "int4": int,
    "int8": int,
    "text": str,
    "timestamptz": datetime,
    "varchar": str,
}


class Source(NamedTuple):
    """One module of ours."""

    name: str
    slice: str
    file: str
    text: str
    tree: ast.Module


class Statement(NamedTuple):
    """One constant that holds SQL."""

    name: str
    slice: str
    sql: str
    comment: str


class Fetch(NamedTuple):
    """One place where rows of a statement become structs."""

    place: str
    kind: Any
    sql: str


@cache
def sources() -> list[Source]:
    found = [_source(path) for path in sorted(ROOT.rglob("*.py"))]
    assert len(found) > 20
    return found


def _source(path: Path) -> Source:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    text = path.read_text()
    file = parts[1] if len(parts) > 1 else ""
    return Source(".".join(("criachat", *parts)), parts[0] if parts else "", file, text, ast.parse(text))


@cache
def slices() -> set[str]:
    return {source.slice for source in sources() if (ROOT / source.slice / "__init__.py").is_file()} - NO_SLICES - {""}


@cache
def statements() -> list[Statement]:
    """Every constant of a place for SQL that begins like a statement, as it is when its module is loaded."""
    found: list[Statement] = []
    for source in sources():
        if source.slice != "kit" and source.file != "queries":
            continue
        module = importlib.import_module(source.name)
        for node in source.tree.body:
            for name in _constants(node):
                value = getattr(module, name, None)
                if isinstance(value, str) and STATEMENT.match(value):
                    comment = _comment_above(source.text.splitlines(), node.lineno)
                    found.append(Statement(f"{source.name}.{name}", source.slice, value, comment))
    assert len(found) > 20
    return found


def _constants(node: ast.stmt) -> list[str]:
    match node:
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name) and target.id.isupper()]
        case ast.AnnAssign(target=ast.Name(id=name)) if name.isupper():
            return [name]
        case _:
            return []


def _comment_above(lines: list[str], number: int) -> str:
    first = number - 1
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first : number - 1])


@cache
def fetches() -> list[Fetch]:
    found: list[Fetch] = []
    for source in sources():
        calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call) and len(node.args) >= 2]
        for call in calls:
            if not isinstance(call.func, ast.Attribute) or call.func.attr not in FETCHES:
                continue
            module = importlib.import_module(source.name)
            kind, sql = (_value(module, node) for node in call.args[:2])
            if isinstance(kind, type) and isinstance(sql, str):
                found.append(Fetch(f"{source.name}:{call.lineno}", kind, sql))
    assert len(found) > 5
    return found


def _value(module: ModuleType, node: ast.expr) -> object:
    match node:
        case ast.Name(id=name):
            return getattr(module, name, None)
        case ast.Attribute(value=owner, attr=name):
            return getattr(_value(module, owner), name, None)
        case _:
            return None


@cache
def owners() -> dict[str, str]:
    """Table → the slice that alone writes it, from the `-- owner:` line above its CREATE TABLE.

    A table changes hands by such a line above an ALTER TABLE.
    """
    found = {"schema_migrations": "kit"}
    for migration in migrations():
        for line, following in zip(migration.sql.splitlines(), migration.sql.splitlines()[1:], strict=False):
            table = re.match(r"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+)(?! PARTITION)", following)
            owner = re.match(r"-- owner: (\w+)$", line)
            taken_over = re.match(r"ALTER TABLE (\w+)", following)
            if owner and taken_over:
                found[taken_over[1]] = owner[1]
            if table and "PARTITION OF" not in following:
                assert owner, f"{migration.name}: say `-- owner: <slice>` in the line above CREATE TABLE {table[1]}"
                found[table[1]] = owner[1]
    return found


def imported(source: Source) -> Iterator[tuple[int, str]]:
    """Every module or name of ours that this one imports, in full."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in names)
            case _:
                pass


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


# --- read from the source


def test_no_slice_imports_the_private_files_of_another() -> None:
    offences: list[str] = []
    for source in sources():
        for line, name in imported(source):
            _, owner, file, *_ = [*name.split("."), "", "", ""]
            allowed = LISTED if source.slice in ("main", "slices") else set[str]()
            is_ours = name.startswith("criachat.") and owner in slices()
            if is_ours and owner != source.slice and file in PRIVATE - allowed:
                offences.append(f"{source.name}:{line} imports {name}")

    assert offences == []


def test_outside_the_kit_sql_stands_in_queries_only() -> None:
    offences: list[str] = []
    for source in sources():
        if source.slice in NO_SLICES or source.file == "queries":
            continue
        for node in ast.walk(source.tree):
            match node:
                case ast.Constant(value=str(text)) if STATEMENT.match(text):
                    offences.append(f"{source.name}:{node.lineno}")
                case _:
                    pass

    assert offences == []


def test_every_table_has_an_owner_that_exists() -> None:
    assert set(owners().values()) - {"kit"} <= slices() | _slices_of_the_ladder()


def _slices_of_the_ladder() -> set[str]:
    ladder = (ROOT.parent / ".importlinter").read_text().split("[importlinter:contract:anatomy]")[0]
    return set(re.findall(r"\((\w+)\)", ladder))


def test_a_slice_writes_its_own_tables_only() -> None:
    offences: list[str] = []
    for statement in statements():
        written: list[tuple[str, ...]] = WRITTEN.findall(statement.sql)
        for *verbs, table in written:
            is_own = owners().get(table, statement.slice) == statement.slice
            is_shared = set(verbs) - {""} <= EVERYBODY_WRITES.get(table, set())
            is_shared = is_shared or table in ONE_TRIP.get(statement.slice, set())
            if not is_own and not is_shared:
                offences.append(f"{statement.name} writes {table}, which belongs to {owners()[table]}")

    assert offences == []


def test_every_endpoint_names_its_actors() -> None:
    offences: list[str] = []
    count = 0
    for source in sources():
        for function in functions(source.tree):
            for decorator in function.decorator_list:
                if not _is_of_routes(decorator):
                    continue
                count += 1
                if not isinstance(decorator, ast.Call) or "actors" not in {each.arg for each in decorator.keywords}:
                    offences.append(f"{source.name}:{function.lineno} {function.name}")

    assert count > 0
    assert offences == []


def _is_of_routes(decorator: ast.expr) -> bool:
    func = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (
        isinstance(func, ast.Attribute)
        and func.attr in DECORATORS
        and isinstance(func.value, ast.Name)
        and func.value.id.endswith("routes")
    )


def test_no_function_holds_a_connection_and_the_outside_client_at_once() -> None:
    offences: list[str] = []
    for source in sources():
        for function in functions(source.tree):
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            words = {word for each in arguments if each.annotation for word in _words(each.annotation)}
            if words & {"Db", "Tx"} and "Outside" in words:
                offences.append(f"{source.name}:{function.lineno} {function.name}")

    assert offences == []


def test_every_advisory_lock_has_a_number_of_its_own() -> None:
    numbers: dict[int, list[str]] = {}
    for source in sources():
        for node in source.tree.body:
            for name in _constants(node):
                number = (
                    _value(importlib.import_module(source.name), ast.Name(name)) if name.endswith("_LOCK") else None
                )
                if isinstance(number, int):
                    numbers.setdefault(number, []).append(f"{source.name}.{name}")

    assert len(numbers) > 3
    assert [names for names in numbers.values() if len(names) > 1] == []


def _words(annotation: ast.expr) -> set[str]:
    return set(re.findall(r"\w+", ast.unparse(annotation)))


# --- asked of the database


@pytest.fixture(scope="module")
async def connection() -> AsyncIterator[Connection]:
    with tempfile.TemporaryDirectory(prefix="criachat-") as name:
        folder = Path(name)
        server = await postgres.start(folder, tuning={"fsync": "off"})
        connection = await Database(server.url).connect()
        await migrate(connection, also=(install_jobs,))
        yield connection
        await connection.close()
        await server.stop()


@pytest.fixture(scope="module")
async def tenant_tables(connection: Connection) -> set[str]:
    rows = await connection.fetch(
        """
        SELECT relname
        FROM pg_class
        JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'account_id'
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        """
    )
    return {row["relname"] for row in rows} - GLOBAL_TABLES


async def test_every_statement_prepares(connection: Connection) -> None:
    offences: list[str] = []
    for statement in statements():
        if statement.name.endswith(BEGINNING):
            continue
        try:
            await connection.prepare(statement.sql)
        except asyncpg.PostgresError as error:
            offences.append(f"{statement.name}: {error}")

    assert offences == []


async def test_every_statement_returns_the_fields_of_its_struct(connection: Connection) -> None:
    offences: list[str] = []
    for fetch in fetches():
        columns = {column.name: column.type.name for column in (await connection.prepare(fetch.sql)).get_attributes()}
        offences += [f"{fetch.place} {fetch.kind.__name__}: {problem}" for problem in _misfits(fetch.kind, columns)]

    assert offences == []


def _misfits(kind: Any, columns: dict[str, str]) -> Iterator[str]:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    yield from (f"column {name} has no field" for name in columns.keys() - fields.keys())
    yield from (f"field {name} has no column" for name, each in fields.items() if each.required and name not in columns)
    for name in columns.keys() & fields.keys():
        expected = PYTHON_TYPES.get(columns[name])
        annotated = {*get_args(fields[name].type), fields[name].type} - {NoneType}
        scalars = annotated & set(PYTHON_TYPES.values())
        if expected and scalars and expected not in scalars:
            yield f"column {name} is {columns[name]}, the field {fields[name].type}"


async def test_every_statement_on_a_tenant_table_binds_the_account(tenant_tables: set[str]) -> None:
    offences: list[str] = []
    for statement in statements():
        touched = tenant_tables & set(READ.findall(statement.sql))
        if touched and not BOUND.search(statement.sql) and ACROSS_ACCOUNTS not in statement.comment:
            offences.append(f"{statement.name} ({', '.join(sorted(touched))})")

    assert offences == [], f"bind account_id, or say why not in a comment above it: {ACROSS_ACCOUNTS}…"


async def test_every_table_is_a_tenants_or_named_as_global(connection: Connection, tenant_tables: set[str]) -> None:
    rows = await connection.fetch(
        """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        """
    )

    assert tenant_tables
    assert {row["relname"] for row in rows} - tenant_tables - GLOBAL_TABLES == set()


async def test_every_unique_key_of_a_tenant_table_leads_with_the_account(
    connection: Connection, tenant_tables: set[str]
) -> None:
    rows = await connection.fetch(
        """
        SELECT indexrelid::regclass::text AS name
        FROM pg_index
        JOIN pg_class ON pg_class.oid = indrelid
        LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE indisunique AND relnamespace = 'public'::regnamespace AND relname = ANY($1)
          AND attname IS DISTINCT FROM 'account_id'
        ORDER BY 1
        """,
        sorted(tenant_tables),
    )

    assert {row["name"] for row in rows} - GLOBAL_KEYS == set()


async def test_every_reference_between_tenant_tables_includes_the_account(
    connection: Connection, tenant_tables: set[str]
) -> None:
    rows = await connection.fetch(
        """
        SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) AS reference
        FROM pg_constraint
        WHERE contype = 'f' AND conparentid = 0
          AND conrelid::regclass::text = ANY($1) AND confrelid::regclass::text = ANY($1)
          AND NOT EXISTS (
              SELECT FROM unnest(conkey, confkey) AS pair (ours, theirs)
              JOIN pg_attribute AS o ON o.attrelid = conrelid AND o.attnum = ours AND o.attname = 'account_id'
              JOIN pg_attribute AS t ON t.attrelid = confrelid AND t.attnum = theirs AND t.attname = 'account_id'
          )
        ORDER BY 1
        """,
        sorted(tenant_tables),
    )

    assert [row["reference"] for row in rows] == []
