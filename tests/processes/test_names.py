"""The home and the checkout may have any name a folder can have: everything that is started in them works."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import ROOT, Shop, job

NAMES = ["with spaces", "100% of it", "%2Fhome%s", "a#b?c&d=e", "订单 中文", 'it\'s "quoted"', "-dash;$HOME"]


@pytest.mark.parametrize("name", NAMES)
def test_a_home_of_any_name_takes_orders_in_and_shows_them(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with Shop(folder) as shop:
        answer = shop.submit([job("SO-1")])
        assert answer["accepted"] == 1
        assert shop.cli("show", "SO-1").code == 0
        assert (shop.home / "ledger.sqlite3").exists()
        assert sorted(path.name for path in folder.iterdir()) == ["home", "logs"], "nothing is written beside it"


def test_everything_of_up_works_in_a_checkout_and_a_home_of_an_unusual_name(tmp_path: Path) -> None:
    unusual = tmp_path / "100% 订单 #1 %2F %s"
    checkout = unusual / "the code"
    for part in ("config", "worker", "tasks"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    with Shop(unusual / "run") as shop:
        shop.environment["PYTHONPATH"] = str(checkout)
        where = subprocess.run(
            [sys.executable, "-c", "import worker; print(worker.__file__)"],
            cwd=shop.folder,
            env=shop.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert str(checkout) in where.stdout
        shop.start_redis()
        shop.start_sandbox()
        shop.start_program("up", [sys.executable, "-m", "worker.cli", "up"])
        shop.submit([job("SO-1")])
        shop.wait_for("SO-1", "confirmed", seconds=120)
        shop.until("Flower to listen", lambda: shop.flower(auth=None).get("/healthcheck").is_success, 60)
        assert "Traceback" not in shop.log("up")
        assert "starting it again" not in shop.log("up")
        assert list(shop.home.glob("beat-schedule*")), "beat keeps its schedule there"


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here; install Debian's make to run this test")
def test_the_makefile_works_in_a_checkout_of_an_unusual_name(tmp_path: Path) -> None:
    """Its environment is one of links, for it would take minutes to install."""
    checkout = tmp_path / "100% 订单 #1 %2F"
    for part in ("config", "worker", "tasks"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("Makefile", "pyproject.toml", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / file, checkout / file)
    scripts = checkout / ".venv" / "bin"
    scripts.mkdir(parents=True)
    script = scripts / "fulfil"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m worker.cli --version\n')
    script.chmod(0o755)
    for stamp in (".runtime", ".development"):
        (checkout / ".venv" / stamp).touch()
    for target, words in (("help", "demo"), ("demo", "version")):
        done = subprocess.run(["make", target], cwd=checkout, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert words in done.stdout
