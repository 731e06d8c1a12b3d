"""The ledger behind a PgBouncer that shares its connections by the transaction."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.harness import Shop, job
from tests.pgbouncer import pgbouncer
from tests.postgres import NoPostgresError, PostgresServer, postgres_server
from worker.ledger.engine import SCHEMA, Ledger
from worker.ledger.queries import Queries

ORDERS = 40


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    try:
        with postgres_server() as found:
            yield found
    except NoPostgresError as error:
        pytest.skip(str(error))


@pytest.fixture
def address(server: PostgresServer) -> Iterator[str]:
    database = server.database()
    try:
        with pgbouncer(database) as found:
            yield found
    except NoPostgresError as error:
        pytest.skip(str(error))


def psycopg(address: str) -> str:
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


def test_many_programs_that_start_at_once_bring_the_schema_up_and_no_statement_is_lost(address: str) -> None:
    ledgers = [Ledger(psycopg(address)) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(Ledger.migrate, ledgers))
        assert ledgers[0].version() == SCHEMA

        def ask(number: int) -> int:
            with ledgers[number % 8].writing() as connection:
                return int(connection.execute(text("SELECT count(*) + :n FROM orders"), {"n": number}).scalar_one())

        assert list(pool.map(ask, range(800))) == list(range(800))
    for ledger in ledgers:
        ledger.engine.dispose()


def test_straight_to_the_server_statements_are_still_prepared(server: PostgresServer) -> None:
    ledger = Ledger(psycopg(server.database()))
    with ledger.reading() as connection:
        assert connection.connection.driver_connection.prepare_threshold is not None  # type: ignore[union-attr]
    ledger.engine.dispose()


def test_orders_go_their_whole_way(address: str, tmp_path: Path) -> None:
    with Shop(tmp_path, database_url=address) as shop:
        shop.start_redis()
        shop.start_sandbox()
        shop.start("place", "confirm", "beat")
        answer = shop.submit([job(f"SO-{number}", memo=str(number)) for number in range(ORDERS)])
        assert answer["accepted"] == ORDERS
        queries = Queries(Ledger(psycopg(address)))
        shop.until("every order to be confirmed", lambda: queries.counts().get("confirmed") == ORDERS, 120)
        for name in ("place", "confirm"):
            assert "prepared statement" not in shop.log(name)
            assert "Traceback" not in shop.log(name)
