"""Finds what stands anywhere in a reply, the shallowest first: the vendor's own words may be wrapped in another's."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

MAX_NODES = 200_000


def objects(data: object) -> Iterator[dict[str, Any]]:
    """Yield every object in a reply, the shallowest first."""
    waiting: deque[object] = deque([data])
    for _ in range(MAX_NODES):
        if not waiting:
            return
        node = waiting.popleft()
        if isinstance(node, dict):
            yield node
            waiting.extend(inner for inner in node.values() if isinstance(inner, dict | list))
        elif isinstance(node, list):
            waiting.extend(inner for inner in node if isinstance(inner, dict | list))


def values(data: object, *names: str) -> Iterator[Any]:
    """Yield every value of these names: all of the first name, then all of the second; the shallowest first."""
    for name in names:
        for node in objects(data):
            if name in node:
                yield node[name]
