"""The log format: one line an entry, UTC, to standard error; ids and codes only, never an order's content."""

from __future__ import annotations

import logging
import time

_NOISY = ("httpx", "httpcore", "aiohttp", "asyncio", "alembic", "celery.worker.strategy", "celery.app.trace")


def configure_logs(level: str) -> None:
    """Send our log lines at `level` and above, and the libraries' warnings, to standard error."""
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
