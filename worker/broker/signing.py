"""Signed messages: with FULFIL_MESSAGE_KEY set, a message that somebody without the key put into Redis does nothing.

The header `signature` is `v1,<unix seconds>,<hex>`: HMAC-SHA256, under the key, of the task, the id, eta, expires and
the time, a line each (empty where there is none), and the body as it is sent. Celery's own commands to workers
(`inspect`, `control`) and its events are not signed.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from celery import signals
from celery.worker import state
from kombu.serialization import dumps

from config.settings import Settings

log = logging.getLogger(__name__)

HEADER = "signature"
VERSION = "v1"
WORD_SECONDS = 3600.0
"""How old a command of a person (`admin.*`) may be: one that was recorded and put in again later does nothing.

What the other tasks say may come late and twice: the ledger decides what is due.
"""
DROPPED = "messages dropped, their signature is missing or wrong"
"""Under this name `celery inspect stats` counts them."""
_OURS = ("orders.", "admin.")
_SIGNED = ("task", "id", "eta", "expires")


def signature(key: str, headers: Mapping[str, Any], body: bytes, at: int) -> str:
    """Return the signature of a message made at a time (unix seconds)."""
    lines = [*(str(headers.get(name) or "") for name in _SIGNED), str(at)]
    signed = "".join(f"{line}\n" for line in lines).encode() + body
    return f"{VERSION},{at},{hmac.new(key.encode(), signed, 'sha256').hexdigest()}"


def sign_what_is_sent(settings: Settings) -> None:
    """Have every message of this process signed from now on, if there is a key."""
    key = settings.message_key
    signals.before_task_publish.disconnect(dispatch_uid=HEADER)
    if key is None:
        return

    def sign(headers: dict[str, Any], body: Any, **_: Any) -> None:
        if not headers["task"].startswith(_OURS):
            return  # of another application in this process
        _, _, payload = dumps(body, serializer="json")
        headers[HEADER] = signature(key, headers, _bytes(payload), int(time.time()))

    signals.before_task_publish.connect(sign, weak=False, dispatch_uid=HEADER)


class Seals:
    """Tells whether a message may be acted on. Without a key every message may."""

    def __init__(self, settings: Settings) -> None:
        self._keys = [key for key in (settings.message_key, settings.message_key_also) if settings.message_key and key]
        self._told = False

    def admits(self, message: Any) -> bool:
        """Tell whether a message from a queue carries a good signature; count what does not, and log the first."""
        if not self._keys or _is_signed(message.headers, message.body, self._keys, time.time()):
            return True
        state.total_count.update({DROPPED: 1})
        if not self._told:
            self._told = True
            log.error("a message whose signature is missing or wrong was dropped; more are counted, not logged")
        return False


def _is_signed(headers: Any, body: Any, keys: Sequence[str], now: float) -> bool:
    if not isinstance(headers, Mapping) or not isinstance(headers.get("task"), str):
        return False  # an older protocol names the task in the body; nobody of ours speaks it
    version, _, rest = str(headers.get(HEADER) or "").partition(",")
    written = rest.partition(",")[0]
    if version != VERSION or not written.isascii() or not written.isdecimal() or len(written) > 12:
        return False
    if any("\n" in str(headers.get(name) or "") for name in _SIGNED):
        return False  # each is one line of what was signed
    if headers["task"].startswith("admin.") and now - int(written) > WORD_SECONDS:
        return False
    found = str(headers[HEADER]).encode()
    good = [signature(key, headers, _bytes(body), int(written)).encode() for key in keys]
    return any(hmac.compare_digest(found, one) for one in good)


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else str(body).encode("utf-8", "surrogatepass")
