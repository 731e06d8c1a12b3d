"""Situations in which a part is away: the first line says which, and the command beside it mends it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.harness import Shop, job
from tests.operator.stranger import Stranger
from tests.running import free_port


def test_01_orders_wait_and_no_worker_runs(shop: Shop, stranger: Stranger) -> None:
    shop.start_redis()
    shop.start_sandbox()
    shop.submit([job(f"SO-{n}") for n in range(20)])
    assert stranger.looks("status").code == 3
    assert stranger.said.startswith("something is away (workers)")
    assert "→ fulfil up" in stranger.said
    shop.start("place", "confirm", "beat")  # what `fulfil up` starts; the shop has its Redis already
    stranger.waits_until_well()


def test_02_nothing_runs_at_all(shop: Shop, stranger: Stranger) -> None:
    shop.start_sandbox()
    shop.submit([job("SO-1")])
    assert stranger.looks("status").code == 3
    assert "→ fulfil up" in stranger.said
    shop.start_program("up", [sys.executable, "-m", "worker.cli", "up"])
    shop.wait_for("SO-1", "confirmed", seconds=120)
    stranger.waits_until_well()


def test_03_the_marketplace_is_not_reached(tmp_path: Path) -> None:
    port = free_port()
    with Shop(tmp_path, addresses={"main": f"http://127.0.0.1:{port}/sync"}) as shop:
        stranger = Stranger(shop)
        shop.start_redis()
        shop.start("place", "confirm", "beat")
        shop.submit([job("SO-1")])
        shop.until("it to be told", lambda: "was not reached" in stranger.looks("status").out, 90)
        told = stranger.follows("fulfil doctor")
        assert told.code == 3
        assert f"127.0.0.1:{port}" in told.out
        shop.wait_for("SO-1", "dead", seconds=150)  # it never arrived, in every attempt it has
        shop.start_program("sandbox", [sys.executable, "-m", "worker.sandbox", "--port", str(port)])
        shop.until("the sandbox to listen", lambda: "listening on" in shop.log("sandbox"), 30)
        stranger.looks("why", "SO-1")
        assert stranger.follows("fulfil retry SO-1").code == 0
        shop.wait_for("SO-1", "confirmed", seconds=150)
        stranger.waits_until_well()


def test_04_a_command_in_the_wrong_folder(shop: Shop, tmp_path: Path) -> None:
    shop.make_ledger()
    elsewhere = {**shop.environment, "FULFIL_HOME": str(tmp_path / "elsewhere")}
    command = [sys.executable, "-m", "worker.cli", "status"]
    done = subprocess.run(command, cwd=tmp_path, env=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no ledger at" in done.stderr
    assert "go to the folder of your .env" in done.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_05_a_misspelt_setting(shop: Shop, stranger: Stranger) -> None:
    shop.environment["FULFIL_ACOUNTS__MAIN__RATE_PER_SECOND"] = "5"
    assert stranger.looks("submit", "-").code == 2
    assert "nearest: FULFIL_ACCOUNTS__MAIN__RATE_PER_SECOND" in stranger.said


def test_06_the_terminal_was_closed_in_the_middle_of_waiting(shop: Shop, stranger: Stranger) -> None:
    shop.start_redis()
    shop.start_sandbox()
    (shop.folder / "jobs.jsonl").write_text(json.dumps(job("SO-1")) + "\n")
    command = [sys.executable, "-m", "worker.cli", "submit", "jobs.jsonl", "--wait"]
    waiting = subprocess.Popen(
        command, cwd=shop.folder, env=shop.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    shop.until("the order to be there", lambda: shop.cli("show", "SO-1").code == 0, 60)
    waiting.send_signal(signal.SIGINT)
    stranger.said += "".join(waiting.communicate(timeout=60))
    assert waiting.returncode == 130
    shop.start("place", "confirm", "beat")
    assert stranger.follows(stranger.printed(r"fulfil wait B-[\w-]+")).code == 0
    assert shop.show("SO-1")["state"] == "confirmed"
