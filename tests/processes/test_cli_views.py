"""What a person sees through the command line: lists in pipes, one order, rehearsals, waits, what was rejected."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Shop, job

CLOSED_REDIS = "redis://127.0.0.1:1/0"
MANY = 450


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with many queued orders; nothing runs, and Redis is away."""
    with Shop(tmp_path_factory.mktemp("views"), accounts=("main", "other"), redis_url=CLOSED_REDIS) as shop:
        shop.submit([job(f"SO-{n}") for n in range(MANY)])
        yield shop


def lines(*jobs: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(one) for one in jobs).encode()


def sheet(shop: Shop, *rows: dict[str, str]) -> str:
    """Return a sheet of orders; each row changes some cells of a good one."""
    header = next(csv.reader(io.StringIO(shop.cli("template", "aliexpress").out)))
    good = {name: str(value) for name, value in job("")["order"]["logistics_address"].items()}
    good |= {"account": "main", "product_id": "1005004638293060", "product_count": "1", "sku_attr": "14:365458#Brown"}
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="")
    writer.writeheader()
    writer.writerows(good | row for row in rows)
    return text.getvalue()


def test_a_long_list_in_a_pipe_has_its_header_once_and_every_order_in_natural_order(shop: Shop) -> None:
    answer = shop.cli("list")
    assert answer.out.count("marketplace ids") == 1
    told = [line.split()[0] for line in answer.out.splitlines() if line.startswith("SO-")]
    assert told == [f"SO-{n}" for n in range(MANY)]


def test_a_list_is_cut_and_sorted_as_asked_and_its_json_is_one_document(shop: Shop) -> None:
    answer = shop.cli("list", "--json", "--sort", "id", "--reverse", "--limit", "3")
    assert [one["order_id"] for one in answer.json()] == ["SO-449", "SO-448", "SO-447"]
    assert shop.cli("list", "--json", "--text", "nothing like it").json() == []


@pytest.mark.parametrize(
    "asked", ["--batch B-none", "--account nobody", "--state nowhere", "--sort colour", "--limit 0", "--since soon"]
)
def test_what_nobody_knows_is_an_error(shop: Shop, asked: str) -> None:
    answer = shop.cli("list", *asked.split())
    assert (answer.code, answer.out) == (2, "")
    assert answer.err


def test_one_order_is_shown_with_its_goods_times_and_what_people_did(shop: Shop) -> None:
    shop.cli("cancel", "SO-7", "--note", "no longer wanted")
    told = shop.cli("show", "SO-7").out
    assert "item: 1 × product 1005004638293060, sku 14:365458#Brown" in told
    assert "account: main (aliexpress)" in told
    assert "no longer wanted" in told
    assert time.strftime("%Y-%m-%dT", time.gmtime()) in told
    assert "Quillfeather" not in told
    acts = shop.cli("audit", "--order", "SO-7", "--json").json()
    assert [(act["what"], act["door"], act["note"]) for act in acts] == [
        ("submit", "cli", "-"),
        ("cancel", "cli", "no longer wanted"),
    ]
    assert "no longer wanted" in shop.cli("audit", "--limit", "1").out


def test_a_rehearsal_takes_nothing_in_and_makes_no_ledger(tmp_path: Path) -> None:
    with Shop(tmp_path, accounts=("main",), redis_url=CLOSED_REDIS) as shop:
        given = lines(job("SO-1"), job("SO-1"), job("SO-1", city="Dayton"), job("SO-2", "nobody"))
        answer = shop.cli("submit", "--dry-run", "-", "--json", stdin=given)
        told = answer.json()
        assert (answer.code, told["accepted"], told["duplicates"], told["rejected_number"]) == (1, 1, 1, 2)
        assert told["accounts"] == {"main": {"marketplace": "aliexpress", "orders": 1, "items": 1, "pieces": 1}}
        assert [(one["line"], one["field"]) for one in told["rejected"]] == [(3, "order_id"), (4, "account")]
        assert not list(shop.home.rglob("ledger*"))
        good = shop.cli("submit", "--dry-run", "-", stdin=lines(job("SO-1")))
        assert (good.code, "nothing was taken in" in good.out) == (0, True)
        assert shop.cli("submit", "--dry-run", "gone.jsonl").code == 2
        assert shop.cli("submit", "--dry-run", "--wait", "-").code == 2


def test_a_rehearsal_knows_the_orders_of_the_ledger(shop: Shop) -> None:
    before = shop.cli("list", "--json", "--sort", "id").out
    answer = shop.cli("submit", "--dry-run", "-", "--json", stdin=lines(job("SO-1"), job("SO-2", city="Dayton")))
    told = answer.json()
    assert (told["duplicate_orders"], told["rejected_number"]) == ([{"order_id": "SO-1", "state": "queued"}], 1)
    assert "fulfil show SO-2" in told["rejected"][0]["reason"]
    assert shop.cli("list", "--json", "--sort", "id").out == before


def test_rejected_rows_come_out_of_their_own_file_and_go_in_again_when_mended(shop: Shop) -> None:
    (shop.folder / "monday.csv").write_text(
        sheet(
            shop,
            {"order_id": "C-1"},
            {"order_id": "C-2", "country": "QQ"},
            {"order_id": "C-2", "country": "QQ", "product_id": "32001"},
            {"order_id": "C-3", "account": "nobody"},
        )
    )
    batch = shop.cli("submit", "monday.csv", "--json").json()["batch"]
    asked = ("export", "--rejected", "--batch", batch)
    assert [(row["line"], row["order_id"]) for row in shop.cli(*asked, "--json").json()] == [(3, "C-2"), (5, "C-3")]
    assert shop.cli(*asked, "--from", "monday.csv", "--output", "mend.csv").code == 0
    text = (shop.folder / "mend.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["order_id"] for row in rows] == ["C-2", "C-2", "C-3"]
    assert "knows no such country" in rows[0]["rejected_because"]
    (shop.folder / "mend.csv").write_text(text.replace("QQ", "US").replace("nobody", "other"))
    mended = shop.cli("submit", "mend.csv", "--json").json()
    assert (mended["accepted"], mended["rejected_number"]) == (2, 0)
    assert len(shop.show("C-2")["items"]) == 2


def test_rejected_jobs_come_out_as_json_lines_and_another_file_is_told(shop: Shop) -> None:
    (shop.folder / "a.jsonl").write_bytes(lines(job("J-1")) + b"\nbroken\n" + lines(job("J-2", "nobody")))
    batch = shop.cli("submit", "a.jsonl", "--json").json()["batch"]
    answer = shop.cli("export", "--rejected", "--batch", batch, "--from", "a.jsonl")
    (one,) = map(json.loads, answer.out.splitlines())
    assert (one["order_id"], one["rejected_because"].partition(":")[0]) == ("J-2", "account")
    assert "a.jsonl, lines 2: " in answer.err
    mended = shop.cli("submit", "-", "--json", stdin=lines(one | {"account": "other"})).json()
    assert (mended["accepted"], mended["rejected_number"]) == (1, 0)
    (shop.folder / "b.jsonl").write_bytes(lines(job("J-1"), job("J-8"), job("J-9")))
    other = shop.cli("export", "--rejected", "--batch", batch, "--from", "b.jsonl")
    assert (other.code, "is not the file this batch was made of" in other.err) == (2, True)
    for wrong in (["--from", "a.jsonl"], ["--rejected", "--state", "dead"], ["--rejected", "--from", "a.jsonl"]):
        assert shop.cli("export", *wrong).code == 2


def test_the_same_reason_is_told_once_by_submit_and_status(shop: Shop) -> None:
    given = lines(*(job(f"R-{n}", "nobody") for n in range(31)))
    answer = shop.cli("submit", "-", stdin=given)
    assert answer.out.count("unknown account") == 1
    assert "1-31" in answer.out
    batch = answer.out.split()[1].rstrip(":")
    assert shop.cli("status", batch).out.count("unknown account") == 1
    assert shop.cli("rejections", batch).out.count("unknown account") == 31


def test_known_orders_are_waited_for_and_told_as_they_stand(shop: Shop) -> None:
    shop.cli("cancel", "SO-8")
    answer = shop.cli("submit", "-", "--wait", "--json", stdin=lines(job("SO-8")))
    assert (answer.code, answer.json()["duplicate_states"]) == (0, {"cancelled": 1})
    moving = shop.cli("submit", "-", "--wait", "--timeout", "1", stdin=lines(job("SO-9")))
    assert moving.code == 1
    assert "SO-9" in moving.out


def test_a_wait_ends_by_ctrl_c_with_how_to_go_on(shop: Shop) -> None:
    batch = shop.show("SO-1")["batch"]
    assert shop.cli("wait", batch, "--timeout", "1").code == 1
    assert shop.cli("wait", "B-none").code == 2
    for command in (["wait", batch], ["submit", "--wait", "again.jsonl"]):
        (shop.folder / "again.jsonl").write_bytes(lines(job("SO-1")))
        process = subprocess.Popen(
            [sys.executable, "-m", "worker.cli", *command],
            cwd=shop.folder,
            env=shop.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stderr is not None
        assert b"/" in process.stderr.readline(), "it waits, and has told how far it is"
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
        assert process.returncode == 130
        assert b"fulfil wait B-" in complaint


def test_nothing_spent_is_said_and_help_says_what_each_column_is(shop: Shop) -> None:
    assert shop.cli("spend").out.strip() == "no order was sent in that time"
    assert shop.cli("spend", "--json", "--by", "day", "--since", "2026-01-01", "--until", "2026-02-01").json() == []
    assert shop.cli("spend", "--by", "colour").code == 2
    told = " ".join(shop.cli("spend", "--help").out.split())
    assert "paid: what the marketplace says was paid" in told
