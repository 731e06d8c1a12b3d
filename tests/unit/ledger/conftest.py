"""Every ledger test runs on SQLite and on a real PostgreSQL, and after each the ledger's invariants must hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_kit import Place, assert_invariants
from postgres import NoPostgresError, PostgresServer, postgres_server
from sqlalchemy import make_url

from worker.ledger.engine import Ledger

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
def migrated_template(postgres: PostgresServer) -> str:
    """The name of a migrated, empty database: a copy of it is made in a tenth of the time."""
    opened = Ledger(_psycopg(postgres.database()))
    opened.migrate()
    opened.engine.dispose()
    return opened.url.database or ""


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
        opened = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")
        opened.migrate()
        yield opened
        assert_invariants(opened)
        opened.engine.dispose()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.database(template=request.getfixturevalue("migrated_template"))
    opened = Ledger(_psycopg(url))
    yield opened
    assert_invariants(opened)
    opened.engine.dispose()
    server.drop(url)


def _psycopg(url: str) -> str:
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in _missing:
        terminalreporter.write_line(f"NOT TESTED ON POSTGRESQL: {reason}", red=True, bold=True)
