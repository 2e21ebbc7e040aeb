"""The command line: the front door for operators.

What a script wants goes to standard output, all else to standard error. Commands that make a secret print just that.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import msgspec
import typer

from criachat import VERSION
from criachat.kit.errors import Refused
from criachat.kit.installation import AnotherKey
from criachat.kit.logs import configure_logs
from criachat.kit.postgres import ServerDidNotStart
from criachat.kit.reach import DatabaseUnusable
from criachat.kit.settings import SettingInvalid, Settings, read_settings
from criachat.serving import demo, doctor, documents, listening, mending, operating, running
from criachat.serving.foundation import CannotStart
from criachat.serving.process import run
from criachat.serving.tables import moment, table

# What the operator can put right; everything else is our mistake and shows where it happened.
FOR_OPERATORS: Final = (
    CannotStart,
    DatabaseUnusable,
    AnotherKey,
    SettingInvalid,
    ServerDidNotStart,
    Refused,
)

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
failures = typer.Typer(
    help="Events that a part of CriaChat could not take. They are tried again by themselves for three days.",
    no_args_is_help=True,
)
jobs = typer.Typer(help="Jobs that failed for good: work done later or outside.", no_args_is_help=True)
app.add_typer(accounts, name="account")
app.add_typer(access_tokens, name="token")
app.add_typer(platform_apps, name="platform-app")
app.add_typer(failures, name="failures")
app.add_typer(jobs, name="jobs")

Host = Annotated[str | None, typer.Option(help="Address to listen on. [CRIACHAT_HOST]")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one. [CRIACHAT_PORT]")]
DataDir = Annotated[
    Path | None, typer.Option(help="Where database, files and key are kept. [CRIACHAT_DATA_DIR]", show_default=False)
]
Workers = Annotated[int | None, typer.Option(help="Web processes; 1 runs everything in one. [CRIACHAT_WORKERS]")]
Failures = Annotated[list[str] | None, typer.Argument(help="Which, as `criachat failures list` names them: 3:17.")]
OfAccount = Annotated[int | None, typer.Option("--account", help="Those of this account.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
Json = Annotated[bool, typer.Option("--json", help="For programs: one JSON object a line, with everything known.")]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)]
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
    try:
        for path in documents.write(folder):
            _say(f"wrote {path}")
    except documents.NoPlace as failure:
        _fail(failure)


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
        _say("They are known here already: a password they have stays as it is.")
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
def listen(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 4000,
    secret: Annotated[
        str | None, typer.Option(help="The webhook's secret, in either form; without it nothing is verified.")
    ] = None,
    forward_to: Annotated[
        str | None, typer.Option(help="Pass what is ours on to this URL, and answer what it answers.")
    ] = None,
    brief: Annotated[bool, typer.Option("--brief", help="One line for each delivery, without its body.")] = False,  # noqa: FBT002 - a flag of the command line
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Receive webhooks while you write a receiver: verify each delivery, and show it.

    Point a webhook at the address it prints (hosts of your own network need CRIACHAT_ALLOWED_PRIVATE_HOSTS at the
    server), and have it send something: POST …/webhooks/{id}/test, or any message. What is not signed with the secret,
    or too long ago, is shown and answered 401. It needs no database and no settings.
    """

    def tell(heard: listening.Heard) -> None:
        typer.echo(msgspec.json.encode(heard).decode() if as_json else listening.shown(heard, is_brief=brief))

    def announce(address: str) -> None:
        _say(f"Listening on {address}. Press Ctrl+C to stop.")

    _do(listening.serve, tell, announce, host=host, port=port, secret=secret, forward_to=forward_to)


@failures.command(name="list")
def list_failures(
    account: OfAccount = None,
    limit: Limit = 100,
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
    data_dir: DataDir = None,
) -> None:
    """Show which events wait for which listener, since when, and the last line of why; --json has all of why."""
    found = _do(mending.find_failures, _settings(data_dir=data_dir), account=account, limit=limit)
    if as_json:
        _print_json(found)
    elif not found:
        _say("No event is set aside.")
    else:
        head = ("FAILURE", "EVENT", "LISTENER", "TRIES", "NEXT TRY", "SINCE", "WHY")
        rows = (
            (
                mending.name_of(each),
                each.event_name,
                each.listener,
                str(each.tries),
                moment(each.due_at),
                moment(each.created_at),
                (each.error.strip().splitlines() or [""])[-1],
            )
            for each in found
        )
        typer.echo(table(head, rows))


@failures.command(name="replay")
def replay_failures(
    names: Failures = None,
    account: OfAccount = None,
    everything: All = False,  # noqa: FBT002 - a flag of the command line
    data_dir: DataDir = None,
) -> None:
    """Hand events to their listeners again now, also those that are not tried any more by themselves.

    A running server or worker does so within a second. What fails again is set aside again.
    """
    settings = _settings(data_dir=data_dir)
    count = _do(mending.replay_failures, settings, names=names or [], account=account, everything=everything)
    _say(f"{count} handed over again.")


@failures.command(name="discard")
def discard_failures(
    names: Failures = None,
    account: OfAccount = None,
    everything: All = False,  # noqa: FBT002 - a flag of the command line
    data_dir: DataDir = None,
) -> None:
    """Never hand these events to their listeners again. The events themselves stay in the log."""
    settings = _settings(data_dir=data_dir)
    count = _do(mending.discard_failures, settings, names=names or [], account=account, everything=everything)
    _say(f"{count} given up.")


@jobs.command(name="list")
def list_jobs(
    limit: Limit = 100,
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
    data_dir: DataDir = None,
) -> None:
    """Show which jobs failed for good, how often they were tried, and why the last time."""
    found = _do(mending.find_jobs, _settings(data_dir=data_dir), limit=limit)
    if as_json:
        _print_json(found)
    elif not found:
        _say("No job failed for good.")
    else:
        rows = (
            (str(job.id), job.name, str(job.attempts), moment(job.created_at), moment(job.failed_at), job.error or "")
            for job in found
        )
        typer.echo(table(("JOB", "NAME", "TRIES", "CREATED", "FAILED", "WHY"), rows))


@jobs.command(name="requeue")
def requeue_jobs(
    ids: Annotated[list[int] | None, typer.Argument(help="Which, by the numbers of `criachat jobs list`.")] = None,
    everything: All = False,  # noqa: FBT002 - a flag of the command line
    data_dir: DataDir = None,
) -> None:
    """Run failed jobs again, as if for the first time."""
    count = _do(mending.requeue_jobs, _settings(data_dir=data_dir), ids=ids or [], everything=everything)
    _say(f"{count} queued again.")


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


def _do(work: Any, *given: Any, **values: Any) -> Any:
    configure_logs("warning")
    try:
        return asyncio.run(work(*given, **values))
    except FOR_OPERATORS as failure:
        _fail(failure)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    for failure in failures.exceptions:
        return _first(failure) if isinstance(failure, BaseExceptionGroup) else failure  # pyright: ignore[reportUnknownArgumentType]
    return failures


def _fail(failure: BaseException, *, status: int = 1) -> NoReturn:
    _say(f"criachat: {failure}")
    raise typer.Exit(status)


def _print_json(found: Sequence[msgspec.Struct]) -> None:
    for each in found:
        typer.echo(msgspec.json.encode(each).decode())


def _say(text: str) -> None:
    typer.echo(text, err=True)
