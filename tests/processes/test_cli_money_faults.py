"""Files and words that would cost money: what the command answers, and that nothing of them is in the ledger."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Answer, Shop, job

COLUMNS = (
    "order_id,account,order_memo,contact_person,full_name,phone_country,mobile_no,address,city,province,zip,country,"
    "product_id,product_count,sku_attr"
)
CLOSED_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    # Nobody rings: what was taken is kept, and the exit code says that Redis is away.
    with Shop(tmp_path, redis_url=CLOSED_REDIS) as shop:
        yield shop


def row(order_id: str, product: str = "1005004638293060", memo: str = "", street: str = "7 Quay") -> str:
    address = f"Ida Vale,Ida Vale,+1,4155550134,{street},San Francisco,California,94103,US"
    return f"{order_id},main,{memo},{address},{product},2,14:1#Red"


def submit(shop: Shop, name: str, *rows: str, stdin: bool = False) -> Answer:
    text = "".join(f"{line}\n" for line in (COLUMNS, *rows))
    data = (text.replace(",", "\t") if name.endswith(".tsv") else text).encode()
    (shop.folder / name).write_bytes(data)
    return shop.cli("submit", "-" if stdin else name, "--json", stdin=data if stdin else b"")


def held(shop: Shop) -> set[str]:
    return {order["order_id"] for order in shop.cli("list", "--json").json()}


@pytest.mark.parametrize("stdin", [False, True])
def test_a_stray_quote_sends_none_of_the_rows_behind_it(shop: Shop, stdin: bool) -> None:
    rows = (row("Q-1", memo='"a gift'), row("Q-2", memo='fits 15"', street="8 Other Road"), row("Q-3"))
    answer = submit(shop, "stray.tsv", *rows, stdin=stdin)
    (rejected,) = answer.json()["rejected"]
    assert (answer.code, rejected["line"], rejected["field"]) == (1, 2, "file")
    assert "on line 2 a quote opens in column order_memo and does not close there" in rejected["reason"]
    assert "JSON lines" in rejected["reason"]
    assert held(shop) == set()
    assert "Quay" not in answer.out + answer.err


@pytest.mark.parametrize("stdin", [False, True])
def test_an_order_whose_rows_lie_apart_is_not_sent_in_part(shop: Shop, stdin: bool) -> None:
    answer = submit(shop, "apart.csv", row("A-1"), row("A-2"), row("A-1", "1005004638293061"), stdin=stdin)
    (rejected,) = answer.json()["rejected"]
    assert (answer.code, rejected["line"], rejected["field"]) == (3, 2, "order_id")
    assert "lines 2 and 4" in rejected["reason"]
    assert held(shop) == {"A-2"}
    again = submit(shop, "apart.csv", row("A-1"), row("A-1", "1005004638293061"), row("A-2"))
    assert (again.json()["accepted"], again.json()["duplicates"], again.json()["rejected"]) == (1, 1, [])


def test_two_orders_whose_ids_were_rounded_are_not_one_order(shop: Shop) -> None:
    answer = submit(shop, "rounded.csv", row("5.61954E+12"), row("5.61954E+12", "1005004638293061"))
    (rejected,) = answer.json()["rejected"]
    assert (answer.code, rejected["field"]) == (1, "order_id")
    assert "a spreadsheet rounded it; format the column as text and export again" in rejected["reason"]
    assert held(shop) == set()


def test_a_damaged_product_id_is_told_and_a_whole_one_is_read(shop: Shop) -> None:
    cells = ("1.005E+15", "1005004638293060.0", '"=""1005004638293060"""')
    answer = submit(shop, "damaged.csv", *(row(f"N-{n}", cell) for n, cell in enumerate(cells, 1)))
    (rejected,) = answer.json()["rejected"]
    assert (answer.code, rejected["field"]) == (3, "order.product_items[0].product_id")
    assert "a spreadsheet rounded it" in rejected["reason"]
    assert held(shop) == {"N-2", "N-3"}


@pytest.mark.parametrize("command", ["show", "why", "retry", "cancel", "reconcile", "adopt --reference 1"])
@pytest.mark.parametrize("order_id", ["5.61954E+12", "5,61954e12", "1001.0"])
def test_a_rounded_order_id_is_told_as_such(shop: Shop, command: str, order_id: str) -> None:
    shop.make_ledger()
    answer = shop.cli(*command.split(), order_id)
    (said,) = answer.err.splitlines()
    assert answer.code == 2
    assert said.startswith("fulfil: order_id: a number ")
    assert said.endswith("; format the column as text and export again")


def test_a_rounded_reference_is_not_adopted(shop: Shop) -> None:
    shop.submit([job("SO-1")])
    answer = shop.cli("adopt", "SO-1", "--reference", "8.19842E+15")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("fulfil: reference: a number in exponent form: a spreadsheet rounded it;")


def test_both_spellings_of_a_word_are_one_order_on_the_command_line(shop: Shop) -> None:
    composed, decomposed = "Z\u00fcrich-1", "Zu\u0308rich-1"
    assert shop.submit([job(decomposed)])["accepted"] == 1
    assert shop.submit([job(composed), job(decomposed)])["duplicates"] == 2
    for typed in (composed, decomposed):
        assert shop.cli("show", typed, "--json").json()["order_id"] == composed
        assert shop.cli("why", typed, "--json").json()["order_id"] == composed
    assert shop.cli("cancel", decomposed, "--json").json() == {
        "order_id": composed,
        "state": "cancelled",
        "references": [],
    }


def test_the_words_about_a_changed_order_name_a_command_that_shows_it(shop: Shop) -> None:
    shop.submit([job("SO/ü1")])
    (rejected,) = shop.submit([job("SO/ü1", city="Dayton")])["rejected"]
    assert "new order_id" not in rejected["reason"]
    command = rejected["reason"].partition("; to see it: fulfil ")[2]
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {sys.executable} -m worker.cli {command}"],
        cwd=shop.folder, env=shop.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "SO/ü1" in done.stdout


def test_orders_that_are_alike_are_told_and_taken(shop: Shop) -> None:
    told = shop.submit([job("SO-1"), job("SO-2"), job("SO-3"), job("SO-4", city="Dayton")])
    sentence = "3 orders have the same content: SO-1, SO-2, SO-3; where that is meant: --allow-repeat"
    assert (told["accepted"], told["notices"]) == (4, {sentence: 3})
    lines = json.dumps(job("SO-5")).encode()
    assert sentence.replace("3 orders", "4 orders").replace("SO-3", "SO-3, SO-5") in " ".join(
        shop.cli("submit", "-", stdin=lines).out.split()
    )


def test_orders_that_are_meant_to_be_alike_are_not_told(shop: Shop) -> None:
    lines = "".join(json.dumps(job(f"SO-{number}")) + "\n" for number in range(3)).encode()
    told = shop.cli("submit", "-", "--allow-repeat", "--json", stdin=lines).json()
    assert (told["accepted"], told["notices"]) == (3, {})
    told = shop.submit([job(f"SO-{number}") | {"allow_repeat": True} for number in range(3, 6)])
    assert (told["accepted"], told["notices"]) == (3, {})


def test_the_ceiling_is_the_accounts(shop: Shop) -> None:
    large = job("SO-1")
    large["order"]["product_items"][0]["product_count"] = 1001
    (rejected,) = shop.submit([large])["rejected"]
    assert rejected["field"] == "order.product_items[0].product_count"
    assert rejected["reason"].startswith("more than 1000, ")
    assert "FULFIL_ACCOUNTS__MAIN__MAX_QUANTITY" in rejected["reason"]
    assert shop.submit([large], accounts__main__max_quantity=1001)["accepted"] == 1


PROGRAM = """
import json
from tasks.submit import submit, submit_task
jobs = json.loads({jobs!r})
print(json.dumps([[[r.field, r.reason] for r in submit(jobs).rejected], submit_task(jobs)]))
"""


def test_python_and_messages_have_the_same_door(shop: Shop) -> None:
    jobs = [job("5.61954E+12"), job("SO-1"), job("SO\u200b2"), job("SO-3")]
    jobs[1]["order_id"] = 5.5
    jobs[3]["order"]["product_items"][0]["product_count"] = 1001
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(jobs=json.dumps(jobs))],
        cwd=shop.folder, env=shop.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rejected, told = json.loads(done.stdout)
    assert [field for field, _ in rejected] == ["order_id"] * 3 + ["order.product_items[0].product_count"]
    for number, (field, reason) in enumerate(rejected, 1):
        assert f"line {number} rejected: {field}: {reason}" in told
    assert held(shop) == set()
