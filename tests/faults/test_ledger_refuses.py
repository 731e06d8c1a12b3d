"""A ledger that refuses or is read-only under running programs: no order's value in any log, none lost, none twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url

from tests.harness import Shop, job
from tests.personal import personal
from tests.postgres import NoPostgresError, postgres_server

TELL = {
    "sqlite": "CREATE TRIGGER tell BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'Philippa Quillfeather'); END",
    "postgresql": "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " RAISE EXCEPTION 'no: %%', NEW USING DETAIL = NEW::text; END $$;"
    "CREATE TRIGGER tell BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION tell()",
}
QUIET = {"sqlite": "DROP TRIGGER tell", "postgresql": "DROP FUNCTION tell CASCADE"}


class Harm:
    """Harms the ledger of a shop, as an administrator or a failover would."""

    def __init__(self, shop: Shop, address: str) -> None:
        self.shop = shop
        self._url = make_url(address)
        self._engine: Engine | None = None

    def execute(self, statement: str) -> None:
        if self._engine is None:
            self._engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with self._engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def tell(self, table: str) -> None:
        self.execute(TELL[self._url.get_backend_name()].format(table=table))

    def be_quiet(self) -> None:
        self.execute(QUIET[self._url.get_backend_name()])

    def read_only(self, on: bool) -> None:
        self.execute("SET default_transaction_read_only = off")
        self.execute(
            f'ALTER DATABASE "{self._url.database}" SET default_transaction_read_only = {"on" if on else "off"}'
        )
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fulfil'")

    def wait_confirmed(self, orders: int) -> None:
        """Wait until so many orders are confirmed and there is no other."""
        self.shop.until(
            f"{orders} orders to be confirmed",
            lambda: self.shop.cli("status", "--json").json()["states"] == {"confirmed": orders},
            180,
        )

    def end(self) -> None:
        if self._engine is not None:
            self._engine.dispose()


pytestmark = pytest.mark.timeout(400)


@pytest.fixture(params=["sqlite", "postgresql"])
def harm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harm]:
    if request.param == "sqlite":
        with Shop(tmp_path, log_level="DEBUG") as shop:
            yield _running(shop, f"sqlite:///{shop.home}/ledger.sqlite3")
        return
    try:
        with postgres_server() as server:
            address = server.database()
            with Shop(tmp_path, log_level="DEBUG", database_url=address) as shop:
                yield _running(shop, address.replace("postgresql://", "postgresql+psycopg://"))
            server.drop(address)
    except NoPostgresError as error:
        pytest.skip(str(error))


def _running(shop: Shop, address: str) -> Harm:
    shop.cli("migrate")
    shop.start_redis()
    shop.start_sandbox()
    shop.start("place", "confirm", "beat", "flower")
    shop.until("Flower to answer", shop.flower_answers, 60)
    return Harm(shop, address)


def everything_told(shop: Shop) -> dict[str, str]:
    with shop.flower() as flower:
        told = {"flower": flower.get("/api/tasks").text, "flower's workers": flower.get("/api/workers").text}
    return told | {path.name: path.read_text(errors="replace") for path in shop.logs.glob("*.log")}


def test_no_log_shows_an_order_the_database_refuses_and_it_goes_on_when_it_can(harm: Harm) -> None:
    shop = harm.shop
    harm.tell("order_references")
    shop.submit([job("SO-1")])
    shop.until("the ledger to refuse the answer", lambda: "is offered again" in shop.log("place"), 60)
    harm.be_quiet()
    harm.wait_confirmed(1)
    harm.tell("orders")
    refused = shop.cli("submit", "-", stdin=json.dumps(job("SO-2")).encode(), log_level="DEBUG")
    harm.be_quiet()
    assert refused.code == 1
    assert "refused a statement" in refused.err
    assert "Traceback" not in refused.err
    assert len(shop.sandbox_orders()) == 1
    told: dict[str, Any] = everything_told(shop) | {"the terminal": refused.out + refused.err}
    assert personal(told) == {}


def test_a_ledger_that_is_read_only_for_a_while_loses_nothing(harm: Harm) -> None:
    shop = harm.shop
    if "database_url" not in {name.removeprefix("FULFIL_").lower() for name in shop.environment}:
        return  # SQLite has no failover; its read-only form is tried at the ledger itself
    shop.submit([job(f"SO-{number}") for number in range(5)])
    harm.read_only(True)
    shop.until("a worker to find it so", lambda: "is read-only" in shop.log("place") + shop.log("confirm"), 60)
    refused = shop.cli("submit", "-", stdin=json.dumps(job("SO-9")).encode())
    assert refused.code == 3
    assert "is read-only" in refused.err
    harm.read_only(False)
    harm.wait_confirmed(5)
    assert sorted(order["key"] for order in shop.sandbox_orders()) == [f"SO-{number}" for number in range(5)]
    assert personal(everything_told(shop) | {"the terminal": refused.out + refused.err}) == {}
