"""Every ledger test runs on SQLite and on a real PostgreSQL, and after each the ledger's invariants must hold."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from tests.ledger.ledger_kit import Place, assert_invariants
from tests.postgres import NoPostgresError, PostgresServer, postgres_server
from worker.ledger.engine import Ledger
from worker.ledger.tables import metadata

_missing: list[str] = []


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    try:
        with postgres_server() as server:
            yield server
    except NoPostgresError as error:
        _missing.append(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty ledger: to copy it is faster than to migrate."""
    path = tmp_path_factory.mktemp("template") / "ledger.sqlite3"
    opened = Ledger(f"sqlite:///{path}")
    opened.migrate()
    opened.engine.dispose()
    return path


@pytest.fixture(scope="module")
def postgres_ledger(postgres: PostgresServer) -> Iterator[Ledger]:
    """A migrated ledger of one module's tests; each empties it when it is over."""
    url = postgres.database()
    opened = Ledger(_psycopg(url))
    opened.migrate()
    yield opened
    opened.engine.dispose()
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Make empty databases without a schema."""
    if request.param == "sqlite":
        numbers = iter(range(100))
        yield Place("sqlite", lambda: f"sqlite:///{tmp_path}/empty{next(numbers)}.sqlite3")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    made: list[str] = []

    def url() -> str:
        made.append(server.database())
        return _psycopg(made[-1])

    yield Place("postgresql", url)
    for one in made:
        server.drop(one)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """Open a migrated, empty ledger; check its invariants when the test is over."""
    if request.param == "sqlite":
        path = tmp_path / "ledger.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        opened = Ledger(f"sqlite:///{path}")
    else:
        opened = request.getfixturevalue("postgres_ledger")
    yield opened
    try:
        assert_invariants(opened)
    finally:
        if not opened.sqlite:
            with opened.writing() as connection:
                connection.execute(text("; ".join(f"DELETE FROM {table.name}" for table in metadata.sorted_tables)))
        opened.engine.dispose()


def _psycopg(url: str) -> str:
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in _missing:
        terminalreporter.write_line(f"NOT TESTED ON POSTGRESQL: {reason}", red=True, bold=True)
