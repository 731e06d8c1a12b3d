"""Celery's consumer, made safe against messages that are none: one of them must not take every worker down in turn."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer

from config.settings import settings
from worker.broker.dropped import dropped
from worker.broker.signing import Seals

log = logging.getLogger(__name__)


class Consumer(CeleryConsumer):  # type: ignore[misc]
    """Drops what cannot be read. Celery would end the worker and put the message back, for the next one to read."""

    def create_task_handler(self, *args: Any, **options: Any) -> Callable[[Any], Any]:
        """Return what handles each message that arrives."""
        handle = super().create_task_handler(*args, **options)
        # Celery counts KeyError among a connection's failures; here it is what a forged message causes.
        outages = tuple({*self.connection_errors, *self.channel_errors} - {KeyError})

        seals = Seals(settings())

        def handle_or_drop(message: Any) -> Any:
            if not seals.admits(message):
                return message.reject_log_error(log, self.connection_errors)
            try:
                return handle(message) if _is_sound(message) else self._drop(message, "its form")
            except outages:
                raise
            except Exception as error:
                return self._drop(message, type(error).__name__)

        return handle_or_drop

    def _drop(self, message: Any, why: str) -> None:
        dropped.add(why)
        message.reject_log_error(log, self.connection_errors)


def _is_sound(message: Any) -> bool:
    """Tell whether a message for a task has the form every Celery client gives it; others are Celery's to drop."""
    headers = message.headers
    if not isinstance(headers, dict) or "task" not in headers:
        return True
    try:
        payload = message.payload
    except Exception:  # not JSON, or of a kind we do not accept
        return False
    if not isinstance(payload, list) or len(payload) != 3:
        return False
    kinds = zip(payload, (list, dict, dict), strict=True)
    return isinstance(headers.get("id"), str) and all(isinstance(part, kind) for part, kind in kinds)
