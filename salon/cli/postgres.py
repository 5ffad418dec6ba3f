"""A private PostgreSQL cluster from the system's binaries: nothing to set up by hand, nothing shared with other clusters.

It listens on a Unix socket only, trusts whoever can reach that socket (the folder is 0700), and keeps everything in one folder.
PostgreSQL refuses to run as root, so under root its programs run as the user `postgres` that Debian's package makes.
"""

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg

from salon.cli.children import Program
from salon.config.environment import private_database_url, socket_folder

DATABASE = "salon"


class PostgresMissing(Exception):
    """No PostgreSQL server binaries on this machine; the message says how to install them."""


class PostgresFailed(Exception):
    """A PostgreSQL program failed; the message carries the end of its log."""


def find_binaries() -> Path:
    """The folder of the newest PostgreSQL server on this machine. Raises PostgresMissing."""
    candidates = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]  # Debian, Ubuntu
    candidates += [path.parent for path in Path("/usr").glob("pgsql-*/bin/initdb")]  # PostgreSQL's own RPMs
    if on_path := shutil.which("initdb"):
        candidates.append(Path(on_path).resolve().parent)
    if not candidates:
        raise PostgresMissing("PostgreSQL is not installed. On Debian or Ubuntu: apt-get install postgresql")
    return max(candidates, key=lambda path: int("".join(filter(str.isdigit, path.parent.name)) or 0))


def database_url(cluster: Path, database: str = DATABASE) -> str:
    return private_database_url(cluster, database)


class PrivateCluster:
    """One cluster in `folder`. `start` makes it on first use (about 1.2 s) and waits until it answers (0.1 s later on)."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder.absolute()
        self.socket_folder = socket_folder(self.folder)
        self.settings = dict(settings or {})
        self.binaries = find_binaries()
        self._as_user = _unprivileged_user()

    def start(self) -> str:
        """Start and return the database URL. A cluster that already runs is used as it is. Raises PostgresFailed."""
        self.prepare()
        if not self._is_running():
            options = " ".join(f"-c {name}='{value}'" for name, value in self._options().items())
            self._run("pg_ctl", "-D", str(self.folder), "-w", "-t", "60", "-l", str(self.folder / "log"), "-o", options, "start")
        self.make_database()
        return database_url(self.folder)

    def prepare(self) -> None:
        """Make folders and, on first use, the cluster. Raises PostgresFailed."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._as_user:
            shutil.chown(self.folder, self._as_user, self._as_user)
        _make_private(self.socket_folder, self._as_user)
        if self._as_user:
            _let_through(self.folder.parent)
        if not (self.folder / "PG_VERSION").exists():
            self._run("initdb", "-D", str(self.folder), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")

    def program(self) -> Program:
        """The server in the foreground, for a supervisor; call `prepare` first.

        SIGINT is PostgreSQL's fast shutdown: it ends sessions and loses nothing.
        """
        if self._is_running():  # left over from a supervisor that was killed a moment ago
            self.stop()
        options = [argument for name, value in self._options().items() for argument in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=[str(self.binaries / "postgres"), "-D", str(self.folder), *options],
            environ={"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", "")},
            user=self._as_user,
            stop_signal=signal.SIGINT,
            folder="/",
        )

    def make_database(self) -> None:
        """The one database, if it is not there yet."""
        try:
            with psycopg.connect(database_url(self.folder, "postgres"), autocommit=True) as connection:
                connection.execute(f"create database {DATABASE}")
        except psycopg.errors.DuplicateDatabase:
            pass
        except psycopg.Error as error:
            raise PostgresFailed(f"PostgreSQL does not answer: {error}") from error

    def answers(self) -> bool:
        try:
            psycopg.connect(database_url(self.folder, "postgres")).close()
        except psycopg.Error:
            return False
        return True

    def _options(self) -> dict[str, str]:
        own = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
        }
        return own | self.settings

    def _is_running(self) -> bool:
        return self._run("pg_ctl", "-D", str(self.folder), "status", check=False) == 0

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder), "-w", "-m", "fast", "stop", check=False)

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        user = {"user": self._as_user, "group": self._as_user, "extra_groups": []} if self._as_user else {}
        # A process group of its own: Ctrl-C at the terminal must reach the supervisor, which stops PostgreSQL last.
        # Output goes to a file, not a pipe: the server that pg_ctl leaves behind inherits it, and a pipe would never close.
        with tempfile.TemporaryFile() as output:
            result = subprocess.run(
                [str(self.binaries / program), *arguments],
                cwd="/",
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                check=False,
                **user,  # type: ignore[call-overload]
            )
            if check and result.returncode != 0:
                output.seek(0)
                said = output.read().decode(errors="replace")[-2000:]
                raise PostgresFailed(f"{program} failed: {said.strip()}")
        return int(result.returncode)


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise PostgresMissing(
            "PostgreSQL does not run as root and there is no user 'postgres'. On Debian or Ubuntu: apt-get install postgresql"
        ) from None


def _make_private(folder: Path, user: str | None) -> None:
    """A folder that only `user` (default: who runs this) and root can enter.

    It may lie in the temporary folder under a name that can be guessed: what somebody else put there is not taken. Raises
    PostgresFailed.
    """
    with contextlib.suppress(FileExistsError):  # a link to nothing, or a file: refused below
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    owners = {os.geteuid(), pwd.getpwnam(user).pw_uid if user else os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise PostgresFailed(f"{folder} is not a folder of our own, and PostgreSQL's socket would not be safe there. Remove it.")
    if user:
        shutil.chown(folder, user, user)
    folder.chmod(0o700)


def _let_through(folder: Path) -> None:
    """Let the unprivileged user walk through the data folder, which is ours; `private_cluster_folder` chose one that it can reach."""
    folder.chmod(folder.stat().st_mode | 0o011)
