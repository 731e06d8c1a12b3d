"""The demo: the whole main job on embedded parts, and nothing of it left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from tests.running import alive, start, stop, until
from worker.demo.story import REFUSED, REJECTED, SAMPLES, surprises, witness
from worker.marketplaces import REGISTRY
from worker.rules.troubles import RejectionView
from worker.sandbox.fakes import ACCOUNTS

FULFIL = Path(sys.executable).with_name("fulfil")
STOP_SECONDS = 60
PROGRESS = re.compile(r"^ *\d+\.\d s  \d+/53  ", re.MULTILINE)
"""How far the orders are, as the demo says it without a terminal."""
SOMEBODY_ELSES = {
    "FULFIL_HOME": "real-home",
    "FULFIL_CONFIRM_DELAY_SECONDS": "not a number",
    "FULFIL_DATABASE_URL": "postgresql://real.example/orders",
    "fulfil_accounts__main__base_url": "http://real.example",
    "CELERY_BROKER_URL": "redis://real.example:1/0",
    "BROKER_URL": "redis://real.example:1/0",
}


class Demo:
    """A demo, begun; `finish` waits for its end."""

    def __init__(self, folder: Path, *options: str, name: str = "first") -> None:
        self.folder, self.started = folder, time.monotonic()
        self._log, self._errors = (folder.parent / f"{folder.name}-{name}.{kind}" for kind in ("out", "err"))
        environment = {k: v for k, v in {**os.environ, **SOMEBODY_ELSES}.items() if k != "COLUMNS"}
        self.process = start(
            [FULFIL, "demo", *options], folder=folder, environment=environment, log=self._log, errors=self._errors
        )

    @property
    def out(self) -> str:
        return self._log.read_text("utf-8", errors="replace")  # it may be in the middle of a word

    @property
    def err(self) -> str:
        return self._errors.read_text("utf-8", errors="replace")

    def until_under_way(self) -> Self:
        until("orders to be under way", lambda: PROGRESS.search(self.out) or self.process.poll() is not None, 110)
        assert self.process.poll() is None, self.out + self.err
        return self

    def finish(self) -> Self:
        self.exit_code = self.process.wait(110)
        self.seconds = time.monotonic() - self.started
        return self

    @property
    def pids(self) -> dict[str, int]:
        line = " ".join(self.out.split()).partition("Started:")[2].partition("and a sandbox")[0]
        return {name: int(pid) for name, pid in re.findall(r"(\w+) (\d+)", line)}

    def row(self, order_id: str) -> str:
        """The order's line of the table and those that belong to it."""
        table = self.out.partition("marketplace ids")[2].partition("not taken")[0]
        found = re.search(rf"^{re.escape(order_id)} .*\n(?: .*\n)*", table, re.MULTILINE)
        assert found, f"{order_id} has no row in\n{self.out}"
        return " ".join(found[0].split())


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Demo, Demo]]:
    """Two demos side by side in folders of somebody with real accounts: one for the eye, one for programs."""
    folders = [tmp_path_factory.mktemp("demo") for _ in range(2)]
    for folder in folders:
        (folder / ".env").write_text("FULFIL_ACCOUNTS__MAIN__ACCESS_TOKEN=real-token\nFULFIL_CHUNK=not a number\n")
    demos = Demo(folders[0], "--svg", "end.svg"), Demo(folders[1], "--json", "--keep")
    try:
        yield demos[0].finish(), demos[1].finish()
    finally:
        stop({str(one.folder): one.process for one in demos}, STOP_SECONDS)


@pytest.fixture(scope="module")
def demo(both: tuple[Demo, Demo]) -> Demo:
    return both[0]


def samples(*accounts: str) -> list[dict[str, Any]]:
    """Return the sample jobs, of these accounts or of all."""
    jobs = [json.loads(line) for path in SAMPLES for line in path.read_text("utf-8").splitlines()]
    return [job for job in jobs if job["account"] in accounts or not accounts]


def working_in(folder: Path) -> list[int]:
    """Every process at work below a folder, also after the folder was removed."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append(int(entry.name))
    return found


def test_it_ends_well_and_in_time(demo: Demo) -> None:
    assert demo.exit_code == 0, demo.out + demo.err
    assert demo.seconds < 90
    assert demo.err == ""


def test_it_places_at_least_forty_orders_of_many_countries() -> None:
    jobs = samples("main")
    addresses = [job["order"]["logistics_address"] for job in jobs if job["order_id"] not in REJECTED]
    assert len(jobs) >= 44
    assert len(addresses) >= 40
    assert {"US", "BR", "MX", "SA", "DE", "FR", "ES", "IT", "GB", "AU", "NZ", "KR", "IL", "CL", "JP", "PL"} <= {
        address["country"] for address in addresses
    }
    assert {len(job["order"]["product_items"]) for job in jobs} >= {1, 2, 3}


def test_every_order_that_is_not_announced_otherwise_is_confirmed_with_ids_status_and_amount(demo: Demo) -> None:
    for job in samples():
        if job["order_id"] not in REFUSED | REJECTED:
            assert re.search(r"confirmed [\w-]{14,20} \w+ \d+\.\d\d [A-Z]{3}", demo.row(job["order_id"]))


def test_it_places_orders_at_every_marketplace(demo: Demo) -> None:
    assert {path.stem for path in SAMPLES} == set(ACCOUNTS.values()) == set(REGISTRY)
    assert len(samples("wholesale")) >= 5
    assert len(samples("shop")) >= 5
    assert re.search(r"confirmed 2019\d{15} waitbuyerpay \d+\.\d\d CNY", demo.row("KA-2001"))
    assert re.search(r"confirmed \S+ placed \d+\.\d\d USD", demo.row("SL-3005"))


def test_an_order_dearer_than_its_ceiling_is_refused_before_it_is_made(demo: Demo) -> None:
    assert re.search(r"MAX_AMOUNT_EXCEEDED: the preview is \d+ fen, .*150000 fen", demo.row("KA-2005"))


def test_a_field_that_is_not_sent_is_told(demo: Demo) -> None:
    said = " ".join(demo.out.split())
    for name in ("refund_total", "order_status"):
        assert f"{name} is not sent: the vendor page lists it, but no version of Shoplazza's API takes it" in said


def test_a_lost_reply_is_settled_by_a_look_up_where_there_is_one(demo: Demo) -> None:
    for order_id in ("KA-2003~reset_after_commit", "SL-3003~timeout_after_commit"):
        assert "confirmed" in demo.row(order_id)


def test_a_refused_order_has_its_code_and_what_to_do(demo: Demo) -> None:
    assert len(set(REFUSED.values())) >= 3
    for order_id, code in REFUSED.items():
        assert re.search(rf"refused {code}.* → \w+", demo.row(order_id))


def test_a_line_that_is_not_taken_has_its_field_and_reason(demo: Demo) -> None:
    rejected = demo.out.partition("not taken")[2]
    for order_id, field in REJECTED.items():
        assert re.search(rf"{order_id} +{re.escape(field)} +\w+", rejected)
    assert "nearest known name: mobile_no" in rejected


def test_an_order_over_two_stores_keeps_both_ids(demo: Demo) -> None:
    assert len(re.findall(r"\d{16}", demo.row("SO-1036"))) == 2


def test_a_lost_reply_is_settled_by_a_person_and_a_lost_request_by_itself(demo: Demo) -> None:
    adopted = re.search(r"fulfil adopt (\S+) --reference\s+(\d{16})", demo.out)
    assert adopted
    assert adopted[1] == "SO-1039~timeout_after_commit"
    assert adopted[2] in demo.row(adopted[1])
    assert "confirmed" in demo.row("SO-1038~timeout_before")
    assert demo.out.count("fulfil adopt") == 1


def test_the_sandboxs_own_record_agrees(demo: Demo) -> None:
    said = " ".join(demo.out.split())
    assert "46 orders under 47 ids, duplicates 0, lost 0, unaccounted 0" in said
    shortest = re.search(r"create to order-get: ([\d.]+) s", said)
    assert shortest
    assert float(shortest[1]) >= 10


def test_without_a_terminal_it_says_how_far_it_is_every_few_seconds(demo: Demo) -> None:
    assert len(PROGRESS.findall(demo.out)) >= 4


def test_nothing_is_left_behind(demo: Demo) -> None:
    assert set(demo.pids) == {"redis", "place", "confirm", "beat", "flower", "hooks"}
    assert not any(map(alive, demo.pids.values()))
    assert working_in(demo.folder) == []
    assert sorted(path.name for path in demo.folder.iterdir()) == [".env", "end.svg"]


def test_for_programs_it_prints_the_same_facts_as_one_json_document(both: tuple[Demo, Demo]) -> None:
    other = both[1]
    told = json.loads(other.out)
    assert (other.exit_code, other.err, told["good"], told["surprises"]) == (0, "", True, [])
    states = {order["order_id"]: order["state"] for order in told["orders"]}
    assert len(states) == 53
    assert {order_id for order_id, state in states.items() if state != "confirmed"} == set(REFUSED)
    assert {entry["order_id"]: entry["field"] for entry in told["rejected"]} == REJECTED
    assert all(order["results"] for order in told["orders"] if order["state"] == "confirmed")
    assert told["record"]["agrees"]
    assert list(told["adopted"]) == ["SO-1039~timeout_after_commit"]
    assert not any(map(alive, told["processes"].values()))
    assert (other.folder / ".fulfil" / "demo" / "ledger.sqlite3").exists(), "--keep"


def test_the_picture_fetches_nothing_and_names_no_machine(demo: Demo) -> None:
    picture = (demo.folder / "end.svg").read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert "confirmed" in picture
    assert "https:" not in picture
    assert "@font-face" not in picture
    assert not re.search(r"http://(?!127\.0\.0\.1)", picture)
    assert str(demo.folder) not in picture
    (height,) = re.findall(r'<svg[^>]* viewBox="0 0 \d+ ([\d.]+)"', picture)
    assert float(height) < 1200, "it fits on a page"


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Demo]:
    """A demo whose orders are on their way."""
    folder = tmp_path / "here"
    folder.mkdir()
    one = Demo(folder)
    try:
        yield one.until_under_way()
    finally:
        stop({"demo": one.process}, STOP_SECONDS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_stops_everything(begun: Demo, number: signal.Signals) -> None:
    assert all(map(alive, begun.pids.values()))
    begun.process.send_signal(number)
    begun.finish()
    assert (begun.exit_code, begun.err) == (1, "")
    assert begun.out.endswith("Told to stop.\nEverything that was started is stopped again.\n")
    assert len(begun.pids) == 6
    assert not any(map(alive, begun.pids.values()))
    assert working_in(begun.folder) == []
    assert list(begun.folder.iterdir()) == []


def test_a_second_demo_in_the_folder_is_turned_away_and_a_program_that_dies_ends_the_first(begun: Demo) -> None:
    second = Demo(begun.folder, name="second").finish()
    assert (second.exit_code, second.out) == (2, "")
    assert second.err == "fulfil: a demo is running in this folder already; wait for its end\n"
    assert begun.process.poll() is None
    os.kill(begun.pids["beat"], signal.SIGKILL)
    begun.finish()
    assert begun.exit_code == 1
    assert begun.err == "fulfil: beat ended by itself; what it said last is in .fulfil/demo/logs/beat.log\n"
    assert not any(map(alive, begun.pids.values()))
    assert working_in(begun.folder) == []


def entry(key: str, *references: str) -> dict[str, Any]:
    return {"key": key, "references": [*references], "created_at": 100.0, "creates": [100.0], "gets": [112.0]}


def order(order_id: str, state: str = "confirmed", code: str | None = None, *references: str) -> Any:
    return SimpleNamespace(order_id=order_id, state=state, code=code, references=references)


def test_the_record_finds_what_the_ledger_does_not_say() -> None:
    orders = [order("A", "confirmed", None, "1"), order("B", "confirmed", None, "2"), order("C", "refused", "X")]
    assert witness([entry("A", "1"), entry("B", "2")], orders).agrees
    assert witness([entry("A", "1"), entry("A", "3"), entry("B", "2")], orders).duplicates == ("A",)
    assert witness([entry("A", "1"), entry("B", "2", "4")], orders).lost == ("B",)
    assert witness([entry("A", "1")], orders).lost == ("B",)
    assert witness([entry("A", "1"), entry("B", "2"), entry("C", "5")], orders).unaccounted == ("C",)


def test_what_did_not_come_as_announced_is_said() -> None:
    rejected: list[Any] = [RejectionView(1, order_id, field, "why") for order_id, field in REJECTED.items()]
    refused = [order(order_id, "refused", code) for order_id, code in REFUSED.items()]
    assert surprises([order("SO-1001"), *refused], rejected) == []
    assert surprises([order("SO-1001", "unmatched"), *refused], rejected[1:]) == [
        "SO-1044 was announced to be rejected for order.logistics_address.mobileNo, it was for nothing",
        "SO-1001 was announced to be confirmed, it is unmatched",
    ]
