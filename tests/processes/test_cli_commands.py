"""What each command answers, in the JSON other programs are written against: orders in every kind of state."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest

from tests.harness import Shop, job
from worker.cli.main import main
from worker.ledger.claims import Claims, Terms
from worker.ledger.records import Records
from worker.rules.confirm import decide_read
from worker.rules.decision import Policy
from worker.rules.outcomes import Accepted, Found, Money, NotSent, OrderRecord, PlaceOutcome, Refused
from worker.rules.place import decide
from worker.rules.states import State
from worker.rules.values import Sent, Settled

POLICY = Policy(max_attempts=1, base_seconds=1, cap_seconds=1, confirm_delay_seconds=10)
CLOSED_REDIS = "redis://127.0.0.1:1/0"
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LIST_KEYS = {"order_id", "account", "marketplace", "state", "references", "attempts", "code", "reason", "due_at"}
OUTCOMES: dict[str, PlaceOutcome] = {
    "SO-confirmed": Accepted(("8190000000000001", "8190000000000002"), request_id="r-1"),
    "SO-refused": Refused("DELIVERY_METHOD_NOT_EXIST", "Delivery method is not exist", "choose another method"),
    "SO-unmatched": Accepted((), "REPEATED_ORDER_ERROR", "repeated placed order"),
    "SO-dead": NotSent("no connection"),
}
QUEUED = ["SO-queued", "SO-cancel", "SO-retry"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose ledger holds an order of each kind; nothing runs, and Redis is away."""
    with Shop(tmp_path_factory.mktemp("desk"), accounts=("main", "other"), redis_url=CLOSED_REDIS) as shop:
        shop.submit([job(order_id) for order_id in (*OUTCOMES, *QUEUED)])
        shop.submit([job("SO-other", "other")])
        records, taken = Records(shop.ledger), Claims(shop.ledger)
        claims = taken.claim("main", list(OUTCOMES), Terms(90, None))
        now = time.time()
        outcomes = [(claim, OUTCOMES[claim.order_id]) for claim in claims]
        records.record([Sent(claim, out, decide(out, claim, POLICY), now, now + 0.25) for claim, out in outcomes])
        (placed,) = taken.claim_waiting(["SO-confirmed"], State.PLACED, 90, now=now + 20)
        found = Found(tuple(record(reference) for reference in placed.references))
        records.settle([Settled(placed, found, decide_read(found, placed, POLICY))])
        yield shop


def record(reference: str) -> OrderRecord:
    amount = Money(Decimal("12.30"), "USD")
    return OrderRecord(reference, "PLACE_ORDER_SUCCESS", "NO_LOGISTICS", amount, None, {"gmt_create": "then"})


def listed(shop: Shop, *selection: str) -> dict[str, dict[str, Any]]:
    answer = shop.cli("list", "--json", *selection)
    assert (answer.code, answer.err) == (0, ""), answer
    return {order["order_id"]: order for order in answer.json()}


def test_submit_answers_with_the_batch_and_its_counts(shop: Shop) -> None:
    lines = [json.dumps(job("SO-queued")), json.dumps(job("SO-queued", city="Dayton")), "no JSON"]
    answer = shop.cli("submit", "-", "--json", stdin="\n".join(lines).encode())
    told = answer.json()
    assert {"batch", "accepted", "duplicates", "rejected"} <= told.keys()
    assert (answer.code, told["accepted"], told["duplicates"]) == (1, 0, 1)
    assert [sorted(entry) for entry in told["rejected"]] == [["field", "line", "reason"]] * 2
    assert [entry["line"] for entry in told["rejected"]] == [3, 2]


def test_submit_of_several_files_answers_with_a_list(shop: Shop) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (shop.folder / name).write_text(json.dumps(job("SO-queued")))
    told = shop.cli("submit", "a.jsonl", "b.jsonl", "--json").json()
    assert [batch["duplicates"] for batch in told] == [1, 1]


def test_list_answers_with_every_documented_key(shop: Shop) -> None:
    orders = listed(shop)
    assert orders.keys() == {*OUTCOMES, *QUEUED, "SO-other"}
    for order in orders.values():
        assert order.keys() >= LIST_KEYS
        assert order["marketplace"] == "aliexpress"
        assert order["due_at"] is None or UTC.fullmatch(order["due_at"])
    assert orders["SO-confirmed"]["references"] == ["8190000000000001", "8190000000000002"]
    assert (orders["SO-confirmed"]["attempts"], orders["SO-queued"]["attempts"]) == (1, 0)
    assert orders["SO-refused"]["code"] == "DELIVERY_METHOD_NOT_EXIST"
    assert orders["SO-refused"]["reason"] == "Delivery method is not exist"


def test_list_selects_by_state_account_batch_and_attention(shop: Shop) -> None:
    assert listed(shop, "--state", "confirmed").keys() == {"SO-confirmed"}
    assert listed(shop, "--account", "other").keys() == {"SO-other"}
    batch = shop.show("SO-other")["batch"]
    assert listed(shop, "--batch", batch).keys() == {"SO-other"}
    assert listed(shop, "--attention").keys() == {"SO-refused", "SO-unmatched", "SO-dead"}
    assert listed(shop, "--attention", "--state", "dead").keys() == {"SO-dead"}


def test_show_adds_attempts_events_and_the_result(shop: Shop) -> None:
    order = shop.cli("show", "SO-confirmed", "--json").json()
    life = order.pop("life")
    assert (life["stands"], len(life["supplier_orders"])) == ("unclear", len(order["references"]))
    assert order == shop.show("SO-confirmed")
    assert order.keys() >= LIST_KEYS
    (attempt,) = order["attempts"]
    assert {"number", "sent_at", "outcome", "code", "request_id", "duration_ms"} <= attempt.keys()
    assert (attempt["number"], attempt["outcome"], attempt["request_id"]) == (1, "Accepted", "r-1")
    assert 200 <= attempt["duration_ms"] <= 300
    assert [event["to"] for event in order["events"]] == ["placing", "placed", "confirmed"]
    assert all(UTC.fullmatch(event["at"]) for event in order["events"])
    assert [entry["reference"] for entry in order["result"]] == order["references"]
    assert {entry["amount"] for entry in order["result"]} == {"12.30"}


def test_show_of_an_order_nobody_sent_yet_has_nothing_to_show(shop: Shop) -> None:
    order = shop.cli("show", "SO-queued", "--json").json()
    assert (order["attempts"], order["result"]) == ([], None)


@pytest.mark.parametrize(
    ("order_id", "words"),
    [
        ("SO-confirmed", ["is confirmed", "read back"]),
        ("SO-refused", ["is refused", "DELIVERY_METHOD_NOT_EXIST", "choose another method"]),
        ("SO-unmatched", ["is unmatched", "never sent again", "fulfil adopt"]),
        ("SO-dead", ["is dead", "never arrived", "fulfil retry"]),
    ],
)
def test_why_says_how_it_stands_and_what_to_do(shop: Shop, order_id: str, words: list[str]) -> None:
    told = shop.cli("why", order_id, "--json").json()
    assert told["order_id"] == order_id
    assert [word for word in words if word not in told["why"]] == []


def test_status_counts_by_state_and_says_by_its_exit_code_what_is_wrong(shop: Shop) -> None:
    answer = shop.cli("status", "--json")
    told = answer.json()
    assert (answer.code, answer.err, told["exit_code"]) == (3, "", 3), "what is away wins"
    assert [trouble["kind"] for trouble in told["troubles"]] == ["redis-away", "needs-person"]
    assert told["verdict"] == "something is away (Redis); a person is needed (orders)"
    assert told["attention"] == 3
    assert {state: told["states"][state] for state in ("confirmed", "refused", "unmatched", "dead")} == {
        "confirmed": 1,
        "refused": 1,
        "unmatched": 1,
        "dead": 1,
    }
    quiet = shop.cli("status", shop.show("SO-other")["batch"], "--json")
    assert (quiet.code, quiet.json()["states"]) == (3, {"queued": 1}), "its order waits for Redis"
    assert [trouble["kind"] for trouble in quiet.json()["troubles"]] == ["redis-away"]
    first = shop.cli("status").out.splitlines()[0]
    assert first == told["verdict"], "what is wrong stands in the first line"


def test_export_as_json_has_a_row_for_each_marketplace_id(shop: Shop) -> None:
    for form in (["--json"], ["--format", "json"]):
        rows = shop.cli("export", "--state", "confirmed", *form).json()
        assert [(row["order_id"], row["reference"]) for row in rows] == [
            ("SO-confirmed", "8190000000000001"),
            ("SO-confirmed", "8190000000000002"),
        ]
        assert {(row["status"], row["amount"], row["currency"]) for row in rows} == {
            ("PLACE_ORDER_SUCCESS", "12.30", "USD")
        }


def test_export_as_csv_has_the_same_rows_and_a_row_for_orders_without_ids(shop: Shop) -> None:
    answer = shop.cli("export", "--output", "orders.csv")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    rows = list(csv.DictReader(io.StringIO((shop.folder / "orders.csv").read_text(encoding="utf-8"))))
    assert [row["reference"] for row in rows if row["order_id"] == "SO-confirmed"] == [
        "8190000000000001",
        "8190000000000002",
    ]
    (refused,) = [row for row in rows if row["order_id"] == "SO-refused"]
    assert (refused["reference"], refused["code"]) == ("", "DELIVERY_METHOD_NOT_EXIST")
    assert shop.cli("export", "--state", "dead").out.splitlines()[1].startswith("SO-dead,main,aliexpress,dead,")


def test_retry_lets_an_order_go_again(shop: Shop) -> None:
    told = shop.cli("retry", "SO-retry", "--json")
    assert (told.code, told.json()) == (0, {"order_id": "SO-retry", "state": "queued", "references": []})
    event = shop.show("SO-retry")["events"][-1]
    assert (event["event"], event["to"]) == ("retry", "queued")
    assert event["actor"].startswith("cli")


def test_retry_of_what_is_done_or_exists_is_not_allowed(shop: Shop) -> None:
    for order_id, words in {"SO-confirmed": "nothing to retry", "SO-unmatched": "fulfil adopt SO-unmatched"}.items():
        answer = shop.cli("retry", order_id)
        assert (answer.code, answer.out) == (1, "")
        assert words in answer.err


def test_cancel_calls_a_queued_order_off_for_good(shop: Shop) -> None:
    told = shop.cli("cancel", "SO-cancel", "--json")
    assert (told.code, told.json()["state"]) == (0, "cancelled")
    again = shop.cli("cancel", "SO-cancel")
    assert (again.code, "SO-cancel is cancelled" in again.err) == (1, True)
    refused = shop.cli("cancel", "SO-confirmed")
    assert (refused.code, "only queued, refused and dead" in refused.err) == (1, True)


def test_adopt_refuses_an_id_that_belongs_to_another_order(shop: Shop) -> None:
    answer = shop.cli("adopt", "SO-unmatched", "--reference", "8190000000000001")
    assert (answer.code, "belongs to SO-confirmed already" in answer.err) == (1, True)


def test_pause_holds_an_account_and_resume_lets_it_go(shop: Shop) -> None:
    paused = shop.cli("pause", "other", "--json")
    assert (paused.code, paused.json()) == (0, {"account": "other", "said": "other paused"})
    assert shop.cli("status", "--json").json()["paused"]["other"]["code"] == "PAUSED"
    assert "paused until a person resumes it" in shop.cli("why", "SO-other").out
    resumed = shop.cli("resume", "other", "--json")
    assert (resumed.code, resumed.json()) == (0, {"account": "other", "said": "other resumed"})
    assert shop.cli("resume", "other").out.strip() == "other was not paused"
    assert shop.cli("status", "--json").json()["paused"] == {}


@pytest.mark.parametrize(
    "command", ["list", "show SO-confirmed", "why SO-refused", "status", "--help", "submit --help"]
)
def test_people_are_told_the_same_in_words(shop: Shop, command: str) -> None:
    answer = shop.cli(*command.split())
    assert answer.err == ""
    assert answer.out.strip()


def test_a_reader_that_goes_away_is_no_failure(shop: Shop) -> None:
    assert shop.pipe_to_nobody("list", "--json") == (0, "")


def test_every_command_takes_json_and_has_help() -> None:
    assert {"submit", "status", "list", "show", "why", "retry", "cancel", "adopt", "reconcile"} < main.commands.keys()
    assert {"pause", "resume", "export", "up", "sandbox", "demo", "doctor"} < main.commands.keys()
    for name, command in main.commands.items():
        assert command.help, name
        for inner in command.commands.values() if isinstance(command, click.Group) else [command]:
            assert any("--json" in parameter.opts for parameter in inner.params), name
            assert inner.help, name


def test_a_file_is_named_in_its_batch_and_never_by_its_whole_path(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "monday.jsonl"
    path.write_text(json.dumps(job("SO-queued")))
    batch = shop.cli("submit", str(path), "--json").json()["batch"]
    assert shop.cli("status", batch, "--json").json()["batches"][0]["source"] == "monday.jsonl"
