"""Opens the ledger's database, brings its schema up to date, and tells a person when it cannot."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from worker.errors import ConfigError, NoLedger
from worker.ledger.address import parsed, shown
from worker.ledger.faults import Kind, as_ours, kind_of
from worker.ledger.file import FIRST_MADE_BY, LedgerFile

SCHEMA = "0008"
"""The newest migration; a test holds it true."""
POOL_SIZE = 40
"""Connections a process may hold. A task needs one for moments only; where all are in use, it waits."""
SQLITE_BUSY_MS = 30_000
SQLITE_LOOK_MS = 2


class Ledger:
    """One database: `writing()` for the store, `reading()` for reports."""

    def __init__(self, url: str) -> None:
        self.url = parsed(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.file = LedgerFile.of(self.url.database) if self.sqlite else None
        self.engine = _postgres_engine(self.url) if self.file is None else _sqlite_engine(self.file)
        self._driver_errors = (SQLAlchemyError, self.engine.dialect.loaded_dbapi.Error, UnicodeError)
        # SQLite lets one writer in; its own waiting sleeps in steps of up to 100 ms, a lock does not.
        self._writer = threading.Lock() if self.sqlite else None

    @property
    def place(self) -> str:
        """Return the database's address without anything that may be secret."""
        return shown(self.url)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open one transaction that may write; commits at the end. Raises LedgerAway, LedgerRefused."""
        if self._writer is None:
            with self._guard(), self.engine.begin() as connection:
                yield connection
            return
        with self._writer, self._guard(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that only reads. Raises LedgerAway, LedgerRefused."""
        with self._guard(), self.engine.connect() as connection:
            yield connection.execution_options(reads=True)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Raise our own error for the driver's, and leave nothing of the driver's on it: its text holds rows."""
        try:
            yield
            return
        except self._driver_errors as error:
            ours = as_ours(error, self.place)
            if kind_of(error) is Kind.READ_ONLY:
                self.engine.dispose()  # the next connections may lead to the server that took over
        try:
            raise ours
        finally:
            ours.__context__ = None  # also set by the `with` we are in; `from None` would only hide it

    def takes_writes(self) -> bool:
        """Tell whether it can be written now, which a standby or a write-protected file cannot. Raises LedgerAway."""
        if self.file is not None:
            return os.access(self.file.path, os.W_OK) and os.access(self.file.path.parent, os.W_OK)
        with self.reading() as connection:
            return connection.execute(text("SHOW transaction_read_only")).scalar() == "off"

    def require(self) -> None:
        """Raise NoLedger where there is none yet, and make nothing; LedgerAway where it does not answer."""
        if self.file is not None:
            self.file.require()
        if self.version() is None:
            raise NoLedger(f"the database at {self.place} holds no ledger yet; {FIRST_MADE_BY}")

    def migrate(self) -> None:
        """Make the ledger where there is none, and bring its schema up to date; several processes may try, one does."""
        if self.file is not None:
            self.file.make()
        if self.version() == SCHEMA:
            return
        with self._guard(), self._migrating() as connection:
            found = _version(connection)
            if found is not None and found > SCHEMA:
                raise ConfigError(
                    f"the ledger at {self.place} belongs to a newer version of this program"
                    f" (its schema is {found}, this one knows {SCHEMA})"
                )
            if found != SCHEMA:
                _run_migrations(connection)

    def version(self) -> str | None:
        """Return the schema's version, None for an empty database or no file. Raises LedgerAway."""
        if self.file is not None and not self.file.is_there():
            return None
        with self.reading() as connection:
            return _version(connection)

    @contextmanager
    def _migrating(self) -> Iterator[Connection]:
        """Open the one connection that may migrate; the others wait until its transaction ends.

        The lock and the work share it: behind a pooler the connections of those who wait may be all there are.
        """
        if self.file is not None:
            with Path(f"{self.file.path}.migrating").open("w") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX)
                with self.engine.connect() as connection:
                    yield connection
            return
        with self.engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(7205310)"))
            yield connection


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _sqlite_engine(file: LedgerFile) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(file.path)),  # as a text, a % in it would be read as an escape
        creator=lambda: file.connect(SQLITE_BUSY_MS / 1000),
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_use_lifo=True,  # few connections, each with a warm cache, rather than all of them in turn
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=-512")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        file.check()
        if connection.get_execution_options().get("reads"):
            connection.exec_driver_sql("BEGIN")
        else:
            _begin_to_write(connection)

    return engine


def _begin_to_write(connection: Connection) -> None:
    """Begin as a writer at once: one that starts as a reader can be refused half-way.

    SQLite's own waiting for another process sleeps for up to 100 ms at a time, in which a busy ledger is free many
    times over. Here a waiting process looks every two milliseconds.
    """
    plain: Any = connection.connection.driver_connection
    end = time.monotonic() + SQLITE_BUSY_MS / 1000
    plain.execute(f"PRAGMA busy_timeout={SQLITE_LOOK_MS}")
    try:
        while time.monotonic() < end:
            try:
                plain.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        plain.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MS}")


def _postgres_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_use_lifo=True,  # few connections, each with a warm cache, rather than all of them in turn
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "application_name": "fulfil"},
    )
    event.listen(engine, "connect", _prepare_nothing_behind_a_pooler)
    return engine


def _prepare_nothing_behind_a_pooler(connection: Any, _record: Any) -> None:
    """Prepare no statements where PgBouncer or the like stands between us and PostgreSQL.

    One that shares its connections by the transaction hands the next statement to a server that never saw it prepared.
    It is known by its own process id, which it tells in the place of the server's.
    """
    with connection.cursor() as cursor:
        (served_by,) = cursor.execute("SELECT pg_backend_pid()").fetchone()
    connection.rollback()
    if served_by != connection.info.backend_pid:
        connection.prepare_threshold = None


def _run_migrations(connection: Connection) -> None:
    from alembic import command  # a third of a second to import, needed once in a database's life
    from alembic.config import Config

    config = Config()
    # The settings of alembic are a text in which a % begins a name.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
