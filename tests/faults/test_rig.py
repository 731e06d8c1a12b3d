"""Parts of the campaign's rig by themselves: a host's clock, the freezer, and the person who settles parked orders."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults.campaign.checks import NOT_FOUND
from tests.faults.campaign.hosts import Freezer, HostClock, let_go_on
from tests.faults.campaign.kinds import KINDS
from tests.faults.campaign.makers import MARKETS, accounts, make, use
from tests.faults.campaign.options import SMOKE, Options
from tests.faults.campaign.parked import Person, until_nothing_comes_late
from tests.faults.campaign.plan import make_plan
from worker.rules.codes import Code

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
TELL_THE_TIME = """
import sys
from time import time
import worker.ledger.records as store
for _ in sys.stdin:
    print(time(), store.time.time(), flush=True)
"""
SEND = """
import sys
from worker.crashpoints import CrashPoint, reached
for address in sys.stdin:
    reached(CrashPoint.SENDING, address.strip())
    print("sent", flush=True)
"""


@pytest.fixture
def start() -> Iterator[Any]:
    started: list[subprocess.Popen[str]] = []

    def start(code: str, environment: dict[str, str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ask(process: subprocess.Popen[str], line: str = "") -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline()


def test_the_clock_of_a_host_is_put_wrong_and_right_under_a_program_that_runs(tmp_path: Path, start: Any) -> None:
    clock = HostClock(tmp_path / "clock")
    program = start(TELL_THE_TIME, PLAIN | clock.environment(PLAIN))
    for hours in (0, 3, -2, 0):
        clock.put_off(hours * 3600.0)
        for told in ask(program).split():
            assert float(told) == pytest.approx(time.time() + hours * 3600, abs=5)


def test_the_freezer_stops_the_first_program_that_sends_there_and_no_other(tmp_path: Path, start: Any) -> None:
    freezer = Freezer(tmp_path / "freezer")
    program = start(SEND, PLAIN | freezer.environment)
    stopped: list[int | None] = []
    stopping = threading.Thread(target=lambda: stopped.append(freezer.stop_one("/orders", time.sleep, 20.0)))
    stopping.start()
    while not list((tmp_path / "freezer").iterdir()):
        time.sleep(0.01)
    assert ask(program, "http://127.0.0.1/orders/preview") == "sent\n"
    assert program.stdin is not None
    program.stdin.write("http://127.0.0.1/orders\n")
    program.stdin.flush()
    stopping.join(30)
    assert stopped == [program.pid]
    assert Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    assert let_go_on(program.pid)
    assert program.stdout is not None
    assert program.stdout.readline() == "sent\n"
    assert ask(program, "http://127.0.0.1/orders") == "sent\n", "an order to stop is for one program, once"


def test_a_freezer_that_meets_nobody_takes_its_order_back(tmp_path: Path) -> None:
    freezer = Freezer(tmp_path / "freezer")
    assert freezer.stop_one("/orders", lambda _: None, 0.3) is None
    assert list((tmp_path / "freezer").iterdir()) == []


def test_a_program_that_is_gone_does_not_go_on(start: Any) -> None:
    program = start("", PLAIN)
    program.wait(30)
    assert not let_go_on(program.pid)


def row(order_id: str, state: str, code: str, marketplace: str = "shoplazza") -> Any:
    return SimpleNamespace(
        order_id=order_id, state=state, code=code, attention=True, marketplace=marketplace, account="sho1"
    )


def made(order_id: str, *references: str) -> dict[str, Any]:
    return {"account": "sho1", "key": order_id, "references": list(references)}


def test_a_person_adopts_what_the_order_list_shows_and_says_of_the_rest_that_it_does_not_exist() -> None:
    asked: list[tuple[str, Any]] = []

    def ask(do: str, **what: Any) -> dict[str, Any]:
        asked.append((do, next(iter(what.values()))))
        return {"refused": []} if do == "adopt" else {"done": len(what["ids"])}

    orders = [made("SO-1", "R-1"), made("SO-3", "R-3"), made("SO-5", "R-5"), made("SO-6", "R-6")]
    oracle = SimpleNamespace(orders=lambda: orders)
    person = Person(SimpleNamespace(oracle=oracle, desk=SimpleNamespace(ask=ask)))  # type: ignore[arg-type]
    person.settle(
        [
            row("SO-1", "unknown", NOT_FOUND),
            row("SO-2", "unknown", NOT_FOUND),
            row("SO-3", "unmatched", "NO_ID"),
            row("SO-4", "unknown", "CANNOT_TELL", "aliexpress"),
            row("SO-5", "placed", Code.FOREIGN_ORDER),
            row("SO-6", "placed", "NOT_SHOWN_YET"),
        ]
    )
    assert asked == [
        ("adopt", [("SO-5", "R-5")]),
        ("adopt", [("SO-3", "R-3")]),
        ("adopt", [("SO-1", "R-1")]),
        ("absent", ["SO-2"]),
    ]
    assert (person.adopted, person.told_absent, person.refused) == (3, 1, [])


def test_nobody_says_that_an_order_does_not_exist_while_it_may_still_come() -> None:
    answers = iter([[{"key": "SO-1"}], [{"key": "SO-1"}], []])
    waited: list[float] = []
    oracle = SimpleNamespace(late=lambda: next(answers))
    until_nothing_comes_late(SimpleNamespace(options=Options(), oracle=oracle, wait=waited.append))  # type: ignore[arg-type]
    assert len(waited) == 2


@pytest.fixture
def markets() -> Iterator[None]:
    yield
    use(tuple(MARKETS))


@pytest.mark.usefixtures("markets")
def test_faults_that_need_marketplaces_without_a_key_are_planned_where_there_are_some() -> None:
    keyless = {name for name, kind in KINDS.items() if kind.keyless}
    for options, wanted in ((Options(orders=300, faults=40), keyless), (SMOKE, set())):
        use(options.markets)
        planned = {one.kind.name for one in make_plan(options, ("ledger_lock",)).injections}
        assert planned & keyless == wanted


@pytest.mark.usefixtures("markets")
def test_one_shop_has_its_orders_looked_up_by_time() -> None:
    use(("shoplazza",))
    versions = {MARKETS["shoplazza"].keys(account)["api_version"] for account in accounts()}
    assert versions == {"2022-01", "2026-01"}
    assert make(1, 1, "sho2").job["order"]["discount"] == "0", "that version asks for one"
