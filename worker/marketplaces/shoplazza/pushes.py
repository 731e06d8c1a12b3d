"""Shoplazza's webhooks about orders: whether one is genuine, and which order it is about."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from worker.marketplaces.base import Push
from worker.marketplaces.replies import id_of, read_object

TOPIC, SIGNATURE = "x-shoplazza-topic", "x-shoplazza-hmac-sha256"


def is_genuine(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Tell whether a message was signed with the app's client secret, over the bytes as they came."""
    wanted = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256))
    return bool(secret) and hmac.compare_digest(wanted, headers.get(SIGNATURE, "").encode())


def read_push(headers: Mapping[str, str], body: bytes) -> Push | None:
    """Read a message by its topic, `orders/…` of any spelling; its body is the order, bare or as `{"order": …}`."""
    topic, document = headers.get(TOPIC, ""), read_object(body)
    if not topic.startswith("orders/") or not isinstance(document, dict):
        return None
    order = document.get("order")
    reference = id_of((order if isinstance(order, dict) else document).get("id"))
    if not reference or not topic.isprintable():
        return None
    return Push(reference, topic[:60], None)
