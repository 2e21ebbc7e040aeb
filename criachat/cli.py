"""The command line: the front door for operators.

What a script wants goes to standard output, all else to standard error. Commands that make a secret print just that.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from criachat import VERSION
from criachat.kit.errors import Refused
from criachat.kit.installation import AnotherKey
from criachat.kit.logs import configure_logs
from criachat.kit.postgres import ServerDidNotStart
from criachat.kit.reach import DatabaseUnusable
from criachat.kit.settings import SettingInvalid, Settings, read_settings
from criachat.serving import demo, doctor, documents, operating, running
from criachat.serving.foundation import CannotStart
from criachat.serving.process import run

# What the operator can put right; everything else is our mistake and shows where it happened.
FOR_OPERATORS: Final = (CannotStart, DatabaseUnusable, AnotherKey, SettingInvalid, ServerDidNotStart, Refused)

app = typer.Typer(
    name="criachat",
    help="CriaChat: the system of record for conversations between a business and its customers.",
    epilog="Every setting can also come from the environment: docs/settings.md lists them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
accounts = typer.Typer(help="Accounts of this installation.", no_args_is_help=True)
access_tokens = typer.Typer(help="Access tokens.", no_args_is_help=True)
platform_apps = typer.Typer(help="Platform apps, which manage accounts and people.", no_args_is_help=True)
app.add_typer(accounts, name="account")
app.add_typer(access_tokens, name="token")
app.add_typer(platform_apps, name="platform-app")

Host = Annotated[str | None, typer.Option(help="Address to listen on. [CRIACHAT_HOST]")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one. [CRIACHAT_PORT]")]
DataDir = Annotated[
    Path | None, typer.Option(help="Where database, files and key are kept. [CRIACHAT_DATA_DIR]", show_default=False)
]
Workers = Annotated[int | None, typer.Option(help="Web processes; 1 runs everything in one. [CRIACHAT_WORKERS]")]
Leashed = Annotated[bool, typer.Option("--leashed", hidden=True)]


@app.command()
def serve(host: Host = None, port: Port = None, data_dir: DataDir = None, workers: Workers = None) -> None:
    """Start CriaChat: web, deliveries, jobs and, without CRIACHAT_DATABASE_URL, its own PostgreSQL.

    The first start makes the installation's key, the schema and an administrator, whose password and access token
    are shown once.
    """
    settings = _settings(host=host, port=port, data_dir=data_dir, workers=workers)
    _run(running.serve, settings)


@app.command()
def web(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    listening_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
    leashed: Leashed = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Answer requests only: any number of these behind a balancer, with `criachat worker` beside them."""
    settings = _settings(host=host, port=port, data_dir=data_dir)
    _run(running.web, settings, is_leashed=leashed, listening_fd=listening_fd)


@app.command()
def worker(data_dir: DataDir = None, leashed: Leashed = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Do the work behind requests only: listeners, webhook deliveries, jobs. Any number of these share it."""
    settings = _settings(data_dir=data_dir)
    _run(running.worker, settings, is_leashed=leashed)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to what this version needs. `serve` does so by itself."""
    done = _do(operating.migrate, _settings(data_dir=data_dir))
    for name in done:
        _say(f"applied {name}")
    _say("The database is up to date.")


@app.command(name="doctor")
def examine(data_dir: DataDir = None) -> None:
    """Check settings, database, migrations, clock, file store and the relay's lag, and say what to do."""
    findings = _do(doctor.examine, _settings(data_dir=data_dir))
    for finding in findings:
        typer.echo(finding.line())
    if not all(finding.is_good for finding in findings):
        raise typer.Exit(1)


@app.command(name="demo")
def fill_demo(data_dir: DataDir = None) -> None:
    """Fill a sample account with people, inboxes and conversations, and print its administrator's access token.

    Where there is one already, it stays as it is, and only a new token is made.
    """
    filled = _do(demo.fill, _settings(data_dir=data_dir))
    if filled.password is None:
        _say(f"The sample account {filled.account_id} is there already.")
    else:
        _say(f"Account {filled.account_id}: {filled.conversations} conversations. Sign in as {filled.email}")
        _say(f"with the password {filled.password}")
    typer.echo(filled.token)


@app.command(name="docs")
def write_docs(folder: Annotated[Path, typer.Argument(help="The docs folder of a checkout.")] = Path("docs")) -> None:
    """Write the parts of the documentation that are made from the code."""
    for path in documents.write(folder):
        _say(f"wrote {path}")


@accounts.command(name="create")
def create_account(
    name: Annotated[str, typer.Option(help="The account's name.")],
    email: Annotated[str, typer.Option(help="Its first administrator; a new person, or one who is known already.")],
    password: Annotated[str | None, typer.Option(help="Their password; one is made when none is given.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Open an account with an administrator, and print the administrator's password.

    For somebody who is known already nothing is printed: they keep the password they have.
    """
    opened = _do(operating.open_account, _settings(data_dir=data_dir), name=name, email=email, password=password)
    _say(f"Account {opened.account_id} ({name}), administrator {opened.email}")
    if opened.password is None:
        _say("They have a password already; it stays as it is.")
    else:
        typer.echo(opened.password)


@access_tokens.command(name="create")
def create_token(
    email: Annotated[str, typer.Option(help="Whose token it is.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="Only this, such as conversations:read; may be repeated. All without it.")
    ] = None,
    name: Annotated[str, typer.Option(help="What it is for.")] = "Command line",
    days: Annotated[
        int | None, typer.Option(help="For how many days it is good; for ever without it.", min=1, max=3653)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make an access token for somebody, and print it. It cannot be read again."""
    settings = _settings(data_dir=data_dir)
    token = _do(operating.make_token, settings, email=email, scopes=scope or [], name=name, days=days)
    _say(f"Token for {email}; keep it secret")
    typer.echo(token)


@platform_apps.command(name="create")
def create_platform_app(name: str, data_dir: DataDir = None) -> None:
    """Register a platform app, and print its access token. It cannot be read again."""
    token = _do(operating.make_platform_app, _settings(data_dir=data_dir), name=name)
    _say(f"Platform app {name}; keep its token secret")
    typer.echo(token)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(VERSION)


def main() -> None:
    """Where the `criachat` command begins."""
    app()


def _settings(**chosen: object) -> Settings:
    try:
        return read_settings(os.environ, **chosen)
    except SettingInvalid as failure:
        _fail(failure, status=2)


def _run(
    work: Callable[..., Coroutine[Any, Any, None]], settings: Settings, *, is_leashed: bool = False, **values: Any
) -> None:
    try:
        configure_logs(settings.log_level)
        run(work(settings, **values), leash=sys.stdin.fileno() if is_leashed else None)
    except FOR_OPERATORS as failure:
        _fail(failure)
    except BaseExceptionGroup as failures:
        known = failures.subgroup(FOR_OPERATORS)
        if known is None:
            raise
        _fail(_first(known))


def _do(work: Any, settings: Settings, **values: Any) -> Any:
    configure_logs("warning")
    try:
        return asyncio.run(work(settings, **values))
    except FOR_OPERATORS as failure:
        _fail(failure)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    for failure in failures.exceptions:
        return _first(failure) if isinstance(failure, BaseExceptionGroup) else failure  # pyright: ignore[reportUnknownArgumentType]
    return failures


def _fail(failure: BaseException, *, status: int = 1) -> NoReturn:
    _say(f"criachat: {failure}")
    raise typer.Exit(status)


def _say(text: str) -> None:
    typer.echo(text, err=True)
