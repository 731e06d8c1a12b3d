"""The ledger under attack, and plain SQL to look at it: SQLite in a file or a real PostgreSQL."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from tests.postgres import PostgresServer, postgres_server
from worker.ledger.engine import Ledger

Wait = Callable[[float], object]
HELD_SECONDS = 0.5
"""Few transactions of a program that runs take so long."""


class LedgerUnderTest:
    """What checkers ask and what faults do. `url` is what FULFIL_DATABASE_URL is set to."""

    url: str
    faults: tuple[str, ...] = ()

    def open(self) -> None:
        """Make the schema, and an engine of our own for reading."""
        ledger = Ledger(self.url.replace("postgresql://", "postgresql+psycopg://", 1))
        ledger.migrate()
        ledger.engine.dispose()
        self._engine = create_engine(ledger.url, pool_size=4, pool_pre_ping=True)

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Return the rows of one query; [] while the database is away."""
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(text(query), values))
        except DBAPIError:
            return []

    def facts(self, query: str) -> list[Any]:
        """Return the rows of one query; the database must answer."""
        with self._engine.connect() as connection:
            return list(connection.execute(text(query)))

    def lock(self, seconds: float, wait: Wait) -> None:
        """Keep every writer out for a while."""
        raise NotImplementedError

    def is_held(self) -> bool:
        """Tell whether somebody keeps every writer out just now."""
        return False

    def cut(self) -> None:
        """End every connection."""
        raise NotImplementedError

    def refuse(self, seconds: float, wait: Wait) -> None:
        """Refuse every answer for a while, with words that hold the row."""
        raise NotImplementedError

    def be_read_only(self, seconds: float, wait: Wait) -> None:
        """Answer and take no writes for a while."""
        raise NotImplementedError

    def restart(self, seconds: float, wait: Wait) -> None:
        """End the server without a word and start it after a while."""
        raise NotImplementedError

    def away(self, seconds: float, wait: Wait) -> None:
        """Be away for longer than a worker's patience."""
        raise NotImplementedError


class Sqlite(LedgerUnderTest):
    """One file, WAL."""

    faults = ("ledger_lock", "ledger_away_long", "ledger_refuses")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"

    def lock(self, seconds: float, wait: Wait) -> None:
        """Hold the one place a writer can have, from outside."""
        connection = sqlite3.connect(self.path, timeout=20, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            wait(seconds)
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    away = lock

    def refuse(self, seconds: float, wait: Wait) -> None:
        """Let a trigger refuse."""
        with contextlib.closing(sqlite3.connect(self.path, timeout=20, isolation_level=None)) as connection:
            connection.execute(
                "CREATE TRIGGER refuses BEFORE INSERT ON order_references BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
            try:
                wait(seconds)
            finally:
                connection.execute("DROP TRIGGER refuses")

    def is_held(self) -> bool:
        """Try to take the one place a writer can have."""
        with contextlib.closing(sqlite3.connect(self.path, timeout=HELD_SECONDS, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            except sqlite3.OperationalError:
                return True
        return False


_LEFT_OPEN = """
SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'
AND state_change < clock_timestamp() - make_interval(secs => :seconds)
"""


_REFUSING = """
CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no: %%', NEW USING DETAIL = (SELECT body FROM orders WHERE order_id = NEW.order_id); END $$;
CREATE TRIGGER refuses BEFORE INSERT ON order_references FOR EACH ROW EXECUTE FUNCTION refuses()
"""


class Postgres(LedgerUnderTest):
    """A database of a server that only this campaign uses."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.url = server.database()
        self.faults = (
            "ledger_lock",
            "ledger_cut",
            "ledger_refuses",
            "ledger_read_only",
            *(("ledger_restart", "ledger_away_long") if server.may_be_stopped else ()),
        )

    def lock(self, seconds: float, wait: Wait) -> None:
        """Hold the table of orders, from outside."""
        with contextlib.suppress(DBAPIError), self._engine.begin() as connection:
            connection.execute(text("LOCK TABLE orders IN EXCLUSIVE MODE"))
            wait(seconds)

    def refuse(self, seconds: float, wait: Wait) -> None:
        """Let a trigger refuse, and tell the row as an error's text and detail."""
        self._execute(_REFUSING)
        try:
            wait(seconds)
        finally:
            self._execute("DROP FUNCTION refuses CASCADE")

    def be_read_only(self, seconds: float, wait: Wait) -> None:
        """Let every new transaction be one that only reads, and end the connections, as a failover does."""
        database = self._engine.url.database
        self._server.execute(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
        self.cut()
        try:
            wait(seconds)
        finally:
            self._server.execute(f'ALTER DATABASE "{database}" RESET default_transaction_read_only')
            self.cut()

    def _execute(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def is_held(self) -> bool:
        """Look for a transaction that nobody goes on with: a stopped program's, whose rows then are locked."""
        time.sleep(HELD_SECONDS)  # real time is the subject: who goes on within it does not count
        return bool(self.rows(_LEFT_OPEN, seconds=HELD_SECONDS * 0.8))

    def cut(self) -> None:
        """End every connection, whatever it was doing."""
        self._server.cut(self.url)

    def restart(self, seconds: float, wait: Wait) -> None:
        """End the server as a power cut would, and start it after a while."""
        self._server.halt("immediate")
        wait(seconds)
        for attempt in range(3):
            try:
                self._server.start()
                break
            except Exception:
                if attempt == 2:
                    raise
                time.sleep(1)

    def away(self, seconds: float, wait: Wait) -> None:
        """Be down for some seconds: workers notice at once."""
        self.restart(6.0, wait)


@contextlib.contextmanager
def ledger_under_test(kind: str, folder: Path) -> Iterator[LedgerUnderTest]:
    """Yield the ledger of one campaign, its schema made."""
    with contextlib.ExitStack() as stack:
        found: LedgerUnderTest
        if kind == "postgres":
            found = Postgres(stack.enter_context(postgres_server()))
        else:
            found = Sqlite(folder / "ledger.sqlite3")
        found.open()
        stack.callback(found._engine.dispose)
        yield found
