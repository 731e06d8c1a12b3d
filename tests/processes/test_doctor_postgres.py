"""A PostgreSQL that takes no writes is told by the doctor as that, and a wrong password as that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.harness import Shop
from tests.postgres import NoPostgresError, PostgresServer, postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    try:
        with postgres_server() as found:
            yield found
    except NoPostgresError as error:
        pytest.skip(str(error))


def ledger_of(shop: Shop) -> tuple[int, bool, str]:
    answer = shop.cli("doctor", "--json")
    assert answer.err == "", answer
    found = {check["name"]: check for check in answer.json()}["ledger"]
    return answer.code, found["ok"], found["said"]


def test_a_database_that_takes_no_writes_is_told(server: PostgresServer, tmp_path: Path) -> None:
    address = server.database()
    with Shop(tmp_path, database_url=address) as shop:
        assert shop.cli("migrate").code == 0
        assert ledger_of(shop)[1]
        server.execute(f'ALTER DATABASE "{make_url(address).database}" SET default_transaction_read_only = on')
        code, well, said = ledger_of(shop)
        assert (code, well) == (3, False)
        assert "read-only" in said
        assert "FULFIL_DATABASE_URL" in said


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with Shop(tmp_path, database_url="postgresql://shop:hush-hush@127.0.0.1:1/shop") as shop:
        code, well, said = ledger_of(shop)
        assert (code, well) == (3, False)
        assert "does not answer" in said
        assert "hush-hush" not in said
