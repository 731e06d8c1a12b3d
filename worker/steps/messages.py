"""What a message asks for: anybody who reaches Redis may have written it."""

from __future__ import annotations

from typing import Any

MOST_IDS = 1000
MOST_CHARACTERS = 64


def order_ids(message: Any) -> list[str]:
    """Return the order ids of a message, each once; what is no id is passed over."""
    if not isinstance(message, list | tuple):
        return []
    return list(dict.fromkeys(i for i in message[:MOST_IDS] if isinstance(i, str) and 0 < len(i) <= MOST_CHARACTERS))
