"""Ours on SQLite, handed orders by `fulfil submit`: what every measured promise starts from."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import OURS, contenders
from bench.job import ORDER
from bench.rig import Rig
from tests.running import start

FULFIL = str(Path(OURS).parent / "fulfil")
DELAY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Reached:
    """One promise: what was measured, what it has to be, and whether it is."""

    what: str
    figure: str
    wanted: str
    kept: bool


@contextlib.contextmanager
def shop(
    accounts: Mapping[str, float] | None = None, workers: int = 1, in_flight: int = 200, **settings: object
) -> Iterator[Rig]:
    """Run ours on SQLite, with accounts and their rates, more than one worker for sends, and settings."""
    ours = next(one for one in contenders(lambda: "") if one.ours and one.ledger is None)
    rig = Rig(ours, in_flight, DELAY_SECONDS, accounts=accounts or {"main": 100_000}, place_workers=workers)
    rig.settings = {f"FULFIL_{name.upper()}": str(value) for name, value in settings.items()}
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()


def submit(rig: Rig, orders: Mapping[str, range]) -> tuple[float, float]:
    """Hand in a file with these orders of each account by `fulfil submit`; return its seconds and MiB at most."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.jsonl"
        with path.open("w") as file:
            for account, numbers in orders.items():
                for number in numbers:
                    job = {"order_id": f"{account}-{number}", "account": account, "order": ORDER}
                    file.write(json.dumps(job) + "\n")
        started = time.monotonic()
        command = [FULFIL, "submit", str(path)]
        process = start(command, folder=Path(folder), environment=rig.environment(), stderr=None)
        _, process.returncode, used = os.wait4(process.pid, 0)
        if process.returncode:
            raise RuntimeError(f"fulfil submit ended with {process.returncode}")
        return time.monotonic() - started, used.ru_maxrss / 1024
