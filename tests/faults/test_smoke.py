"""The smallest fault campaign: 500 orders, a short storm, every promise checked; the rest is `make chaos`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(420)
def test_a_small_storm_breaks_no_promise(tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.campaign", "--smoke", "--seed", "7", "--json-file", str(table)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-12000:]}\n{done.stderr[-4000:]}"
