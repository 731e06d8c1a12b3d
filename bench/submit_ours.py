"""Hands orders to ours: many from a file, as `fulfil submit` does; few through the Python door."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from bench.job import ORDER, order_id
from tasks.submit import submit as submit_jobs
from worker.parts import parts

parts().check()
FEW = 100


def submit(count: int, first: int = 0) -> None:
    """Submit orders and make sure that each was accepted."""
    jobs = ({"order_id": order_id(first + n), "account": "main", "order": ORDER} for n in range(count))
    if count <= FEW:
        batch = submit_jobs(jobs)
    else:
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as file:
            file.writelines(json.dumps(job) + "\n" for job in jobs)
        batch = parts().intake.submit_file(file.name)
        Path(file.name).unlink()
    if batch.accepted != count:
        raise SystemExit(f"only {batch.accepted} of {count} were accepted")
