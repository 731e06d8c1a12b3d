"""`fulfil status` and `doctor` with real parts: what is wrong is said first, its exit code agrees, nothing is made."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Shop, job
from worker.broker.signs import Sign, Signs

READS = (
    *("status", "list", "show SO-1", "why SO-1", "failures", "orphans", "export", "rejections B-1", "acts", "doctor"),
    *("retry SO-1", "cancel SO-1", "pause main", "resume main"),
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path) as made:
        yield made


def kinds(shop: Shop, *batch: str) -> tuple[int, list[str]]:
    answer = shop.cli("status", *batch, "--json")
    assert answer.err == "", answer
    return answer.code, [trouble["kind"] for trouble in answer.json()["troubles"]]


def marketplace(shop: Shop) -> dict[str, Any]:
    """Return what the doctor says of the account's marketplace."""
    checks = {check["name"]: check for check in shop.cli("doctor", "--json").json()}
    return dict(checks["marketplace main"])


@pytest.mark.parametrize("command", READS)
def test_a_command_that_looks_makes_no_ledger(shop: Shop, command: str) -> None:
    answer = shop.cli(*command.split())
    assert answer.code == 2, answer
    assert "there is no ledger at" in answer.out + answer.err
    assert "Traceback" not in answer.err
    assert not shop.home.exists()


@pytest.mark.parametrize("command", ["status", "submit -", "up", "migrate", "hooks"])
def test_a_misspelt_variable_is_told_before_anything_is_done(shop: Shop, command: str) -> None:
    shop.environment["FULFIL_MESAGE_KEY"] = "hush-hush"
    answer = shop.cli(*command.split())
    assert (answer.code, answer.out) == (2, ""), answer
    assert "FULFIL_MESAGE_KEY (in the environment) is no setting; nearest: FULFIL_MESSAGE_KEY" in answer.err
    assert "hush" not in answer.err
    assert not shop.home.exists()


def test_an_account_whose_token_ended_is_told_by_status_and_doctor(shop: Shop) -> None:
    shop.start_redis()
    shop.start_sandbox()
    shop.start("place", "confirm", "beat")
    shop.until("the marketplace to accept the account", lambda: marketplace(shop)["ok"], 60)
    shop.fault("token_expired", operation="any")
    batch = shop.submit([job("SO-1")])["batch"]
    shop.until("the account to be held", lambda: kinds(shop)[1] == ["declined"], 60)
    for of in ((), (batch,)):
        assert kinds(shop, *of) == (1, ["declined"])
    told = marketplace(shop)
    assert (told["ok"], "does not accept the account's access token" in told["said"]) == (False, True)


def test_orders_without_a_worker_are_told_and_then_not(shop: Shop) -> None:
    shop.start_redis()
    shop.start_sandbox()
    shop.make_ledger()
    assert kinds(shop) == (0, [])
    shop.submit([job("SO-1")])
    assert kinds(shop) == (3, ["no-worker"])
    shop.start("place", "confirm", "beat")
    shop.wait_for("SO-1", "placed", "confirmed")
    shop.until("all to be well", lambda: kinds(shop) == (0, []), 60)


def test_a_ledger_moved_away_under_workers_is_noticed_by_both_sides(shop: Shop) -> None:
    shop.start_redis()
    shop.start_sandbox()
    shop.start("place", "confirm", "beat")
    with shop.redis() as client:
        shop.until("a sweep", lambda: Sign.SWEEP in Signs(client).ages(), 60)
        path = shop.home / "ledger.sqlite3"
        away = path.rename(shop.folder / "away.sqlite3")
        shop.until("a worker to notice", lambda: Sign.LEDGER_MOVED in Signs(client).ages(), 60)
        answer = shop.cli("status")
        assert (answer.code, "was moved away while it was open" in answer.err) == (3, True), answer
        shop.until("it to say so", lambda: "moved away under this program" in shop.log("confirm"), 30)
        assert not path.exists(), "no worker makes another"
        away.rename(path)
        shop.until("all to be well", lambda: kinds(shop) == (0, []), 60)


def test_watch_prints_a_block_a_look_and_ends_with_the_last_looks_code(shop: Shop) -> None:
    shop.start_redis()
    shop.submit([job("SO-1")])
    command = [sys.executable, "-m", "worker.cli", "status", "--watch", "--every", "1"]
    watching = subprocess.Popen(command, cwd=shop.folder, env=shop.environment, stdout=subprocess.PIPE, text=True)
    try:
        assert watching.stdout is not None
        said = "".join(line for _, line in zip(range(10), watching.stdout, strict=False))  # two blocks of five lines
        watching.send_signal(signal.SIGINT)
        said += watching.stdout.read()
        assert watching.wait(30) == 3
    finally:
        watching.kill()
        watching.wait()
    blocks = [block for block in said.split("\n\n") if block.strip()]
    assert len(blocks) >= 2, said
    assert all(block.startswith("something is away (workers)") for block in blocks)
    assert "the oldest of 1 order on the way was submitted" in said
    assert "\x1b" not in said
