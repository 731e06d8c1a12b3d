"""Bad input of any kind: one clear sentence, an exit code other than 0, never a traceback, and nothing lost."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Answer, Shop, job

CLOSED_REDIS = "redis://127.0.0.1:1/0"
CLOSED_POSTGRES = "postgresql://shop:hush-hush@127.0.0.1:1/shop"
MEGABYTE = 1_000_000


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path) as shop:
        yield shop


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def sentence(answer: Answer, code: int, *words: str) -> str:
    """Check that a command failed with exactly one sentence that holds these words, and return it."""
    assert answer.code == code, answer
    assert "Traceback" not in answer.out + answer.err, answer
    (said,) = answer.err.splitlines()
    assert said.startswith("fulfil: "), answer
    assert [word for word in words if word not in said] == [], answer
    return said


def lines(*jobs: dict[str, Any] | bytes) -> bytes:
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in jobs)


# Files that cannot be read as a whole: nothing of them is taken.


def utf_16(path: Path) -> None:
    path.write_text(json.dumps(job("SO-1")), encoding="utf-16")


def latin_1(path: Path) -> None:
    path.write_bytes(json.dumps(job("SO-1", city="Orléans"), ensure_ascii=False).encode("latin-1"))


def broken_json(path: Path) -> None:
    path.write_text(json.dumps([job("SO-1")])[:-10])


def no_columns(path: Path) -> None:
    path.write_text("name,street\nsome,thing\n")


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("gone.jsonl", lambda path: None, ["gone.jsonl", "there is no such file"]),
        ("folder", Path.mkdir, ["folder is a directory"]),
        ("empty.jsonl", Path.touch, ["empty.jsonl is empty"]),
        ("utf16.jsonl", utf_16, ["utf16.jsonl is not UTF-8 text", "save it as UTF-8"]),
        ("latin1.jsonl", latin_1, ["latin1.jsonl is not UTF-8 text", "line 1", "save it as UTF-8"]),
        ("broken.json", broken_json, ["broken.json is not JSON", "line 1 column"]),
        ("sheet.csv", no_columns, ["sheet.csv has no column order_id"]),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_nothing_is_taken(
    shop: Shop, name: str, make: Callable[[Path], None], words: list[str]
) -> None:
    make(shop.folder / name)
    sentence(shop.cli("submit", name), 2, *words)
    assert shop.cli("list", "--json").json() == []


def test_a_file_that_is_missing_does_not_stop_the_others(shop: Shop) -> None:
    (shop.folder / "good.jsonl").write_bytes(lines(job("SO-1")))
    answer = shop.cli("submit", "gone.jsonl", "good.jsonl", "--json")
    sentence(answer, 2, "gone.jsonl", "there is no such file")
    assert [batch["accepted"] for batch in answer.json()] == [1]


def test_standard_input_that_is_closed_is_told(shop: Shop) -> None:
    command = f"exec {sys.executable} -m worker.cli submit - <&-"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=shop.folder, env=shop.environment, capture_output=True, text=True, check=False
    )
    sentence(Answer(done.returncode, done.stdout, done.stderr), 2, "standard input is closed")


# Lines that cannot be taken: the others are.


@pytest.mark.parametrize(
    ("bad", "field", "words"),
    [
        (b"this is no JSON", "job", "not JSON"),
        (b'{"order_id": "SO-2", "account": "main"', "job", "not JSON"),
        (b'"a text"', "job", "must be a JSON object"),
        (json.dumps(job("SO-2", city="Orléans"), ensure_ascii=False).encode("latin-1"), "job", "not UTF-8 text"),
        (
            b'{"order_id": "SO-2", "account": "main", "order": "' + b"x" * 50 * MEGABYTE + b'"}',
            "job",
            "longer than 1 MiB",
        ),
        (b"[" * 100_000, "job", "nested too deeply"),
        (json.dumps(job("SO-2", account="mian")).encode(), "account", "nearest known account: main"),
        (json.dumps(job("SO-2", account="elsewhere")).encode(), "account", "known accounts here: main"),
        (json.dumps(job("")).encode(), "order_id", "1 to 64 characters"),
        (json.dumps(job("SO-2") | {"ordre": {}}).encode(), "ordre", "nearest known name: order"),
    ],
    ids=["text", "half", "no-object", "latin-1", "50-MB", "deep", "misspelt", "elsewhere", "no-id", "extra-key"],
)
def test_a_bad_line_is_rejected_and_the_lines_around_it_are_taken(
    shop: Shop, bad: bytes, field: str, words: str
) -> None:
    answer = shop.cli("submit", "-", "--json", stdin=lines(job("SO-1"), bad, job("SO-3")))
    assert (answer.code, answer.err) == (1, ""), answer
    assert answer.json()["accepted"] == 2
    (rejected,) = answer.json()["rejected"]
    assert (rejected["line"], rejected["field"]) == (2, field)
    assert words in rejected["reason"]


def test_people_are_told_of_a_bad_line_in_a_table(shop: Shop) -> None:
    answer = shop.cli("submit", "-", stdin=lines(job("SO-1"), b"this is no JSON"))
    assert answer.code == 1
    assert "1 accepted, 0 duplicates, 1 rejected" in answer.out
    assert "not JSON" in answer.out


# Things that are away


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_without_redis_the_orders_are_kept_and_the_sweep_rings_later(shop: Shop, form: list[str]) -> None:
    answer = shop.cli("submit", "-", *form, stdin=lines(job("SO-1")), redis_url=CLOSED_REDIS)
    sentence(answer, 3, "the orders are kept", "Redis does not answer")
    assert shop.show("SO-1")["state"] == "queued"


def test_without_redis_a_person_can_still_look_and_act(shop: Shop) -> None:
    shop.cli("submit", "-", stdin=lines(job("SO-1")), redis_url=CLOSED_REDIS)
    for command in ("show SO-1", "why SO-1", "list", "status", "export", "retry SO-1", "pause main", "cancel SO-1"):
        answer = shop.cli(*command.split(), redis_url=CLOSED_REDIS)
        assert (answer.code, answer.err) == (3 if command == "status" else 0, ""), (command, answer)
    assert shop.show("SO-1")["state"] == "cancelled"


@pytest.mark.parametrize("command", ["submit -", "list", "show SO-1", "retry SO-1", "status", "export", "up"])
def test_without_its_database_no_command_pretends(shop: Shop, command: str) -> None:
    answer = shop.cli(*command.split(), stdin=lines(job("SO-1")), database_url=CLOSED_POSTGRES)
    said = sentence(answer, 3, "the ledger at", "127.0.0.1:1", "does not answer")
    assert "hush-hush" not in said
    assert answer.out == ""


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://shop:hush-hush@127.0.0.1/shop", "FULFIL_DATABASE_URL"),
        ("nonsense", "FULFIL_DATABASE_URL"),
        ("postgresql://shop:hush-hush@127.0.0.1:notaport/shop", "FULFIL_DATABASE_URL"),
        ("sqlite:///:memory:", "must be a file"),
    ],
)
def test_a_database_address_that_is_none_is_told(shop: Shop, url: str, words: str) -> None:
    assert "hush-hush" not in sentence(shop.cli("list", database_url=url), 2, words)


def test_a_ledger_file_that_is_no_database_is_told_and_left_as_it_is(shop: Shop) -> None:
    path = shop.folder / "ledger.sqlite3"
    path.write_bytes(b"not a database at all" * 100)
    sentence(shop.cli("list", database_url=f"sqlite:///{path}"), 3, "the ledger at", "not a database")
    assert path.read_bytes() == b"not a database at all" * 100


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://shop:hush@hush/w1@127.0.0.1:5432/fulfil",
        "postgresql://shop:hush@hush@127.0.0.1:5432/fulfil",
        "postgresql://shop:hu?sh@hush@127.0.0.1:5432/fulfil",
        "postgresql://shop:12#hush@127.0.0.1:5432/fulfil",
        "postgresql://shop:12/hush@127.0.0.1:5432/fulfil@x",
        "postgresql://shop:pw@127.0.0.1:5432/fulfil?hush=true",
    ],
)
def test_nothing_of_a_password_is_told_whatever_it_holds(shop: Shop, url: str) -> None:
    for command in ("list", "doctor", "migrate", "up"):
        answer = shop.cli(command, database_url=url)
        assert (answer.code, "hush" in answer.out + answer.err, "Traceback" in answer.err) == (2, False, False), answer


@pytest.mark.parametrize("option", ["password=hush", "sslpassword=hush", "passfile=/hush"])
def test_a_ledger_that_is_away_is_named_without_its_options(shop: Shop, option: str, closed_port: int) -> None:
    url = f"postgresql://anna:hush@127.0.0.1:{closed_port}/fulfil?{option}"
    assert "hush" not in sentence(shop.cli("list", database_url=url), 3, f"anna@127.0.0.1:{closed_port}/fulfil")


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hush@cr/hush#9@127.0.0.1:6379/0",
        "redis://:hush/hush@127.0.0.1:6379/0",
        "redis://:12#hush@127.0.0.1:6379/0",
        "redis://:12?hush@127.0.0.1:6379/0",
        "redis://127.0.0.1:6379/0?password=hush",
        "redis://127.0.0.1:6379/0?hush=3",
    ],
)
def test_nothing_of_a_redis_password_is_told_and_nothing_is_taken(shop: Shop, url: str) -> None:
    said = sentence(shop.cli("submit", "-", stdin=lines(job("SO-1")), redis_url=url), 2, "FULFIL_REDIS_URL")
    assert "hush" not in said
    assert not (shop.home / "ledger.sqlite3").exists()


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1/", "redis://127.0.0.1:notaport/0"])
def test_a_redis_address_that_is_none_is_told(shop: Shop, url: str) -> None:
    sentence(shop.cli("submit", "-", stdin=lines(job("SO-1")), redis_url=url), 2, "FULFIL_REDIS_URL")


@pytest.mark.parametrize(("command", "code"), [("submit -", 3), ("list", 2)])
def test_a_home_that_cannot_be_written_is_told(shop: Shop, command: str, code: int) -> None:
    answer = shop.cli(*command.split(), stdin=lines(job("SO-1")), home="/dev/null/home")
    sentence(answer, code, "/dev/null/home")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to fill an output with")
def test_an_output_that_is_full_is_told(shop: Shop) -> None:
    shop.make_ledger()
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "worker.cli", "status", "--json"]
        done = subprocess.run(
            command, cwd=shop.folder, env=shop.environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    sentence(Answer(done.returncode, "", done.stderr), 1, "No space left")


# Settings and credentials


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"confirm_delay_seconds": 5}, ["FULFIL_CONFIRM_DELAY_SECONDS", "greater than or equal to 10"]),
        ({"confirm_delay_seconds": "soon"}, ["FULFIL_CONFIRM_DELAY_SECONDS", "number"]),
        ({"chunk": 0}, ["FULFIL_CHUNK"]),
        ({"log_level": "LOUD"}, ["FULFIL_LOG_LEVEL"]),
        ({"accounts": "nonsense"}, ["FULFIL_ACCOUNTS"]),
        ({"accounts__main__rate_per_second": "fast"}, ["FULFIL_ACCOUNTS__MAIN__RATE_PER_SECOND"]),
    ],
)
def test_a_setting_that_is_wrong_is_named(shop: Shop, settings: dict[str, Any], words: list[str]) -> None:
    sentence(shop.cli("list", **settings), 2, *words)


def test_a_confirm_delay_below_ten_seconds_stops_the_worker_too(shop: Shop) -> None:
    shop.environment["FULFIL_CONFIRM_DELAY_SECONDS"] = "9.99"
    shop.start("confirm")
    process = shop.processes["confirm"]
    shop.until("the worker to end", lambda: process.poll() is not None)
    assert process.returncode == 2
    assert "fulfil: FULFIL_CONFIRM_DELAY_SECONDS: Input should be greater than or equal to 10" in shop.log("confirm")
    assert "Traceback" not in shop.log("confirm")


def test_a_marketplace_nobody_knows_is_told(shop: Shop) -> None:
    answer = shop.cli("submit", "-", stdin=lines(job("SO-1")), accounts__main__marketplace="ebay")
    sentence(answer, 2, "FULFIL_ACCOUNTS__MAIN__MARKETPLACE", "'ebay'", "aliexpress")


@pytest.mark.parametrize("missing", ["APP_KEY", "APP_SECRET", "ACCESS_TOKEN"])
def test_credentials_that_are_incomplete_stop_what_would_use_them(shop: Shop, missing: str) -> None:
    del shop.environment[f"FULFIL_ACCOUNTS__MAIN__{missing}"]
    sentence(shop.cli("up"), 2, "the account main", f"FULFIL_ACCOUNTS__MAIN__{missing}")


def test_a_worker_with_incomplete_credentials_does_not_start(shop: Shop) -> None:
    del shop.environment["FULFIL_ACCOUNTS__MAIN__APP_SECRET"]
    shop.start("place")
    process = shop.processes["place"]
    shop.until("the worker to end", lambda: process.poll() is not None)
    assert process.returncode == 2
    assert "fulfil: the account main (AliExpress DS) is not complete" in shop.log("place")
    assert "Traceback" not in shop.log("place")


def test_doctor_names_what_is_wrong(shop: Shop) -> None:
    shop.make_ledger()
    del shop.environment["FULFIL_ACCOUNTS__MAIN__APP_SECRET"]
    answer = shop.cli("doctor", "--json")
    checks = {check["name"]: check for check in answer.json()}
    assert (answer.code, answer.err) == (2, "")
    assert not checks["accounts"]["ok"]
    assert "FULFIL_ACCOUNTS__MAIN__APP_SECRET" in checks["accounts"]["said"]
    assert checks["ledger"]["ok"]


def test_without_any_account_nothing_is_started(tmp_path: Path) -> None:
    with Shop(tmp_path, accounts=()) as shop:
        sentence(shop.cli("up"), 2, "no account is configured", "FULFIL_ACCOUNTS__<NAME>__MARKETPLACE")
        answer = shop.cli("submit", "-", "--json", stdin=lines(job("SO-1")))
        assert answer.json()["rejected"][0]["reason"] == "unknown account; no account is configured"


# Ports


def test_flowers_port_that_is_taken_is_told_and_nothing_is_left_running(shop: Shop, taken_port: int) -> None:
    sentence(shop.cli("up", flower_port=taken_port), 2, "Flower", str(taken_port), "FULFIL_FLOWER_PORT")


def test_the_sandboxs_port_that_is_taken_is_told(shop: Shop, taken_port: int) -> None:
    sentence(shop.cli("sandbox", "--port", str(taken_port)), 2, f"Port {taken_port} on 127.0.0.1 is taken")


# Commands about what is not there


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("show SO-9", "no order SO-9 in the ledger"),
        ("why SO-9", "no order SO-9 in the ledger"),
        ("retry SO-9", "no order SO-9 in the ledger"),
        ("cancel SO-9", "no order SO-9 in the ledger"),
        ("reconcile SO-9", "no order SO-9 in the ledger"),
        ("adopt SO-9 --reference 1", "no order SO-9 in the ledger"),
        ("status B-9", "no batch B-9 in the ledger"),
        ("list --state done", "no state 'done'; there are queued, placing"),
        ("pause mian", "no account 'mian'; nearest: main"),
        ("resume other", "no account 'other'; configured: main"),
    ],
)
def test_a_command_about_what_is_not_there_says_so(shop: Shop, command: str, words: str) -> None:
    shop.make_ledger()
    sentence(shop.cli(*command.split()), 2, words)


@pytest.mark.parametrize(
    "command", ["", "nonsense", "submit", "show", "submit - --timeout soon", "sandbox --port 99999"]
)
def test_a_command_that_is_used_wrongly_shows_its_usage(shop: Shop, command: str) -> None:
    answer = shop.cli(*command.split())
    assert answer.code == 2, answer
    assert "Usage: fulfil" in answer.out + answer.err
    assert "Traceback" not in answer.err
