"""Xportcn's messages about orders: which one a message is about. None is signed, so their address holds a secret."""

from __future__ import annotations

from worker.marketplaces.base import Push
from worker.marketplaces.replies import id_of, read_object, text_of


def read_push(body: bytes) -> Push | None:
    """Read a message: its `messageBody` is a JSON text, or an object, with the order's id."""
    document = read_object(body)
    if not isinstance(document, dict):
        return None
    kind, inner = text_of(document.get("messageType")), document.get("messageBody")
    order = read_object(inner.encode()) if isinstance(inner, str) else inner
    reference = id_of(order.get("orderId")) if isinstance(order, dict) else ""
    if not kind.startswith("ORDER_") or not kind.isprintable() or not reference:
        return None
    return Push(reference, kind[:60], None)
