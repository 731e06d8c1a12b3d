"""The log format: one line an entry, UTC, to standard error; ids and codes only, never an order's content."""

from __future__ import annotations

import logging
import time

_NOISY = ("httpx", "httpcore", "aiohttp", "asyncio", "alembic", "celery.worker.strategy", "celery.app.trace")
_TELL_CONTENT = ("celery.pool", "amqp", "kombu")
"""Loggers that write whole messages at DEBUG; `orders.submit` carries whole orders."""


def configure_logs(level: str) -> None:
    """Send our log lines at `level` and above, and the libraries' warnings, to standard error."""
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    handler.addFilter(_without_content)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _TELL_CONTENT:
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))


def _without_content(record: logging.LogRecord) -> bool:
    """Take the content out of what Celery says of a message it cannot use: it may hold whole orders."""
    if record.name.startswith("celery.worker.consumer") and "body" in str(record.msg):
        kind = f": {record.args[0]}" if isinstance(record.args, tuple) and "unregistered" in record.msg else ""
        record.msg, record.args = f"a message no task takes was dropped, its content is not logged{kind}", ()
        record.exc_info = record.exc_text = None
    return True
