"""The task that takes jobs from producers that reach Redis only, and `submit` for producers in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from celery.worker.request import Request

from worker.app import app
from worker.broker.senders import sending_host
from worker.intake import Batch
from worker.parts import parts

__all__ = ["Batch", "submit"]

TOLD = 100
"""Rejections that an answer names."""


def submit(jobs: Iterable[Mapping[str, Any]], source: str = "python", *, allow_repeat: bool = False) -> Batch:
    """Take jobs (mappings as in a file's lines) and return the batch; what it accepted is kept.

    `allow_repeat`: orders that are alike but for their id are meant, so no notice tells of them. Raises ConfigError,
    LedgerAway. Redis being away is no failure: see `Batch.unrung`.
    """
    return parts().intake.submit(jobs, source, allow_repeat=allow_repeat)


class _DiscreetRequest(Request):  # type: ignore[misc]
    """Keeps the one message that carries whole orders out of Flower and the logs."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._argsrepr = self._kwargsrepr = "(jobs)"
        self._request_dict.update(argsrepr=self._argsrepr, kwargsrepr=self._kwargsrepr)

    def info(self, safe: bool = False) -> dict[str, Any]:
        """Return what `inspect` shows, and Flower with it, of a task that waits or runs."""
        told: dict[str, Any] = super().info(safe=True)
        return told


class _DiscreetTask(app.Task):  # type: ignore[misc]
    Request = _DiscreetRequest


@app.task(name="orders.submit", base=_DiscreetTask)
def submit_task(jobs: list[dict[str, Any]]) -> str:
    """Take jobs from a producer that reaches Redis only; a job submitted twice is taken once."""
    if not isinstance(jobs, list):
        return "refused: jobs must be a list"
    entries = (job if isinstance(job, Mapping) else {} for job in jobs)
    host = sending_host(app.current_task)
    batch = parts().intake.submit(entries, "redis", actor=f"task:producer@{host}" if host else "task:producer")
    told = [f"batch {batch.batch}: {batch.accepted} accepted, {batch.duplicates_number} duplicates"]
    told += [f"line {r.line} rejected: {r.field}: {r.reason}" for r in batch.rejected[:TOLD]]
    if batch.rejected_number > TOLD:
        told.append(f"{batch.rejected_number} rejected in all: fulfil rejections {batch.batch}")
    told += [f"notice: {notice}" for notice in batch.notices]
    return "\n".join(told)
