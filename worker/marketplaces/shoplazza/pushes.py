"""Shoplazza's webhooks about orders: whether one is genuine, and which order it is about."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from worker.marketplaces.base import Push
from worker.marketplaces.calls import Lost, NotRead, Reply, Webhook
from worker.marketplaces.replies import Garbage, id_of, lost, read_object, text_of
from worker.marketplaces.shoplazza.create import Context
from worker.marketplaces.shoplazza.envelope import open_body
from worker.marketplaces.shoplazza.read import declined
from worker.rules.outcomes import Unknown

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


def read_webhooks(came: Reply | Lost, context: Context) -> tuple[Webhook, ...] | NotRead:
    """Return the shop's webhooks, bare or under their name; what is no list of them is an answer nobody understands."""
    if isinstance(came, Lost):
        return lost(came)
    turned_away = declined(came, context)
    if turned_away is not None:
        return turned_away
    opened = open_body(came.body)
    rows = None if isinstance(opened, Garbage) else opened.data.get("webhooks")
    if not isinstance(rows, list) or not 200 <= came.status < 300:
        return Unknown(f"HTTP {came.status}: the shop's webhooks could not be read", f"HTTP_{came.status}")
    texts = ((text_of(row.get("topic")), text_of(row.get("address"))) for row in rows if isinstance(row, dict))
    return tuple(Webhook(topic, address) for topic, address in texts if topic and address)
