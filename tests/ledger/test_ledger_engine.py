"""The database itself: migrations from nothing, by many at once, clear words when it is away, and no half orders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect, text

import worker.ledger.engine as engine_module
from tests.ledger.ledger_kit import Place, assert_invariants, claim, job, submit
from tests.postgres import PostgresServer
from worker.errors import ConfigError, LedgerAway
from worker.ledger.engine import POOL_SIZE, SCHEMA, Ledger
from worker.ledger.intake import open_batch, take
from worker.ledger.queries import Queries
from worker.ledger.selection import Filter
from worker.ledger.tables import metadata

MIGRATIONS = Path(engine_module.__file__).parent / "migrations"
MIGRATE = "import sys; from worker.ledger.engine import Ledger; Ledger(sys.argv[1]).migrate()"
DIE_INSIDE = """
import os, signal, sys
import worker.ledger.{module} as module
from tests.ledger.ledger_kit import ACCOUNT, job, sent
from worker.ledger.claims import Claims, Terms
from worker.ledger.engine import Ledger
from worker.ledger.intake import open_batch, take
from worker.ledger.operators import Operator
from worker.ledger.records import Records
from worker.rules.acts import ActKind
from worker.rules.outcomes import Accepted

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

ledger = Ledger(sys.argv[1])
{prepare}
module.{dies_at} = die
{do}
print("survived")
"""


def test_an_empty_database_is_migrated_to_the_newest_schema(place: Place) -> None:
    ledger = Ledger(place.url())
    assert ledger.version() is None
    ledger.migrate()
    assert ledger.version() == SCHEMA
    ledger.migrate()
    with ledger.reading() as connection:
        assert set(metadata.tables) <= set(inspect(connection).get_table_names())


def test_the_migrated_schema_is_the_one_the_code_means(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found = compare_metadata(context, metadata)
    # A column's comment is written for who reads the code, and is not in the migrations.
    assert [one for one in found if not (isinstance(one, list) and one[0][0] == "modify_comment")] == []


def test_the_schema_the_code_asks_for_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA]


def test_many_processes_that_migrate_at_once_make_one_schema(place: Place) -> None:
    url = place.url()
    started = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, url], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    errors = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 3, errors
    ledger = Ledger(url)
    assert ledger.version() == SCHEMA
    submit(ledger, "SO-1")
    assert claim(ledger, "SO-1")


def test_a_migration_that_is_killed_half_way_is_begun_again(place: Place) -> None:
    url = place.url()
    code = (
        "import os, signal, sys, sqlalchemy as sa; from alembic import op\n"
        "import worker.ledger.engine as e\n"
        "op.create_index = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "e.Ledger(sys.argv[1]).migrate()\n"
    )
    died = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr
    ledger = Ledger(url)
    assert ledger.version() is None
    ledger.migrate()
    submit(ledger, "SO-1")


def test_every_connection_to_sqlite_has_what_it_commits_on_the_disk(tmp_path: Path) -> None:
    """Without `synchronous=FULL` a host that loses its power loses claims: a second send of what is out already.

    NORMAL, which a build of SQLite may have for its default, is not enough, and the pragma holds for one connection.
    """
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")

    @event.listens_for(ledger.engine, "do_connect")
    def _build_with_another_default(dialect: Any, _: Any, places: Any, options: Any) -> Any:
        connection = dialect.connect(*places, **options)
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    ledger.migrate()
    for opened in ("at first", "anew"):
        with ExitStack() as stack:
            taken = [stack.enter_context(ledger.reading()) for _ in range(POOL_SIZE)]
            found = {(_pragma(one, "synchronous"), _pragma(one, "journal_mode")) for one in taken}
            assert len({id(one.connection.driver_connection) for one in taken}) == POOL_SIZE
        assert found == {(2, "wal")}, opened
        ledger.engine.dispose()


def _pragma(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def test_a_ledger_of_a_newer_program_is_left_alone(place: Place) -> None:
    url = place.url()
    ledger = Ledger(url)
    ledger.migrate()
    with ledger.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer version of this program"):
        ledger.migrate()
    assert ledger.version() == "9999"


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "mysql://u:geheim@h/x", "oracle://u:geheim@h/x", "postgresql://u:geheim@h:port/x", "file:///x"],
)
def test_an_address_of_no_known_kind_is_a_setting_to_mend(url: str) -> None:
    with pytest.raises(ConfigError, match="FULFIL_DATABASE_URL") as told:
        Ledger(url)
    assert "geheim" not in str(told.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_ledger_in_memory_is_none(url: str) -> None:
    with pytest.raises(ConfigError, match="must be a file"):
        Ledger(url)


def test_a_server_that_is_not_there_is_named_without_its_password(closed_port: int) -> None:
    ledger = Ledger(f"postgresql+psycopg://anna:geheim@127.0.0.1:{closed_port}/fulfil")
    with pytest.raises(LedgerAway, match=rf"anna.*127\.0\.0\.1:{closed_port}/fulfil does not answer") as told:
        ledger.migrate()
    assert "geheim" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_database_that_is_not_there_is_named(postgres: PostgresServer) -> None:
    url = postgres.address("no_such_database").replace("postgresql://", "postgresql+psycopg://")
    with pytest.raises(LedgerAway, match="no_such_database"):
        Ledger(url).migrate()


def test_a_person_who_may_not_make_tables_is_told_so(postgres: PostgresServer) -> None:
    address = postgres.database()
    postgres.execute("CREATE ROLE powerless LOGIN")
    powerless = address.replace("postgresql://postgres", "postgresql+psycopg://powerless")
    if powerless == address:
        pytest.skip("NOT TESTED: the server of FULFIL_TEST_DATABASE_URL has no user postgres to take rights from")
    try:
        ledger = Ledger(powerless)
        with pytest.raises(LedgerAway, match="permission denied"):
            ledger.migrate()
        ledger.engine.dispose()
    finally:
        postgres.drop(address)
        postgres.execute("DROP ROLE powerless")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_text("this is a letter, not a database\n" * 100)
    with pytest.raises(LedgerAway, match="not a database"):
        Ledger(f"sqlite:///{path}").migrate()
    assert path.read_text().startswith("this is a letter")


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerAway, match="unable to open"):
        Ledger(f"sqlite:///{tmp_path}").migrate()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerAway, match="cannot be made"):
        Ledger(f"sqlite:///{tmp_path}/file/home/ledger.sqlite3").migrate()


def test_connections_the_server_cut_are_made_anew(ledger: Ledger, request: pytest.FixtureRequest) -> None:
    if ledger.sqlite:
        return  # SQLite has no connections to cut
    server: PostgresServer = request.getfixturevalue("postgres")
    submit(ledger, "SO-1")
    assert server.cut(ledger.url.set(drivername="postgresql").render_as_string(hide_password=False)) >= 1
    assert Queries(ledger).counts() == {"queued": 1}
    assert claim(ledger, "SO-1")


def test_a_connection_that_is_cut_inside_a_transaction_writes_nothing(
    ledger: Ledger, request: pytest.FixtureRequest
) -> None:
    if ledger.sqlite:
        return  # SQLite has no connections to cut
    server: PostgresServer = request.getfixturevalue("postgres")
    submit(ledger, "SO-1")
    with pytest.raises(LedgerAway, match="does not answer"), ledger.writing() as connection:  # noqa: PT012
        connection.execute(text("UPDATE orders SET state = 'confirmed'"))
        server.cut(ledger.url.set(drivername="postgresql").render_as_string(hide_password=False))
        connection.execute(text("SELECT 1"))
    assert Queries(ledger).counts() == {"queued": 1}


def test_a_transaction_that_raises_writes_nothing(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    with pytest.raises(ZeroDivisionError), ledger.writing() as connection:  # noqa: PT012
        connection.execute(text("UPDATE orders SET state = 'confirmed'"))
        raise ZeroDivisionError
    assert Queries(ledger).counts() == {"queued": 1}


def test_a_reader_is_not_held_up_by_a_writer(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    with ledger.writing() as connection:
        connection.execute(text("UPDATE orders SET line = 2"))
        assert Queries(ledger).counts() == {"queued": 1}


CLAIMED = "claimed = Claims(ledger).claim(ACCOUNT, ['SO-1', 'SO-2'], Terms(90.0, None))"
DEATHS = {
    "taking orders in": ("intake", "_count", "", "take(ledger, open_batch(ledger, 'f'), [job('SO-8')], [])"),
    "claiming, before the event": ("claims", "event_row", "", CLAIMED),
    "recording, before the attempt is closed": (
        "records",
        "pause_accounts",
        CLAIMED,
        "Records(ledger).record([sent(c, Accepted(('4711',))) for c in claimed])",
    ),
    "taking leases back, before the attempt is closed": (
        "records",
        "lost_attempt",
        CLAIMED,
        "Records(ledger).expire_leases(9e9)",
    ),
    "a person's cancel": (
        "moves",
        "_moved",
        "",
        "Operator(ledger, 'cli').act(ActKind.CANCEL, 'SO-1', lambda _: None, lambda _: False)",
    ),
}


@pytest.mark.parametrize("where", DEATHS)
def test_a_process_killed_inside_a_transaction_leaves_no_half_written_order(ledger: Ledger, where: str) -> None:
    module, dies_at, prepare, do = DEATHS[where]
    submit(ledger, "SO-1", "SO-2")
    code = DIE_INSIDE.format(module=module, dies_at=dies_at, prepare=prepare, do=do)
    url = ledger.url.render_as_string(hide_password=False)
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    died = subprocess.run(
        [sys.executable, "-c", code, url],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert died.returncode == -signal.SIGKILL, died.stdout + died.stderr
    assert_invariants(ledger)
    assert Queries(ledger).counts() == ({"placing": 2} if prepare else {"queued": 2})
    assert [o["references"] for o in (o.as_json() for o in Queries(ledger).orders(Filter()))] == [[], []]
    taken = take(ledger, open_batch(ledger, "after"), [job("SO-8")], [])
    assert len(taken.new) == 1, "nothing stays locked"
