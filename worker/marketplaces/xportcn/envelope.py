"""Opens what Xportcn or 1688's gateway sent back: any bytes in, an answer, a fault or garbage out; never an exception.

Nothing beyond the envelope is documented for most calls, so the readers search: the finders here take a value by its
name wherever it stands, the shallowest first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from worker.marketplaces.replies import Fraction, read_object, text_of

_ENVELOPE = ("requestId", "data", "developId", "developerId")
MAX_NODES = 200_000


@dataclass(frozen=True, slots=True)
class Answer:
    """Xportcn's envelope: `{requestId, code, developId, msg, data}`. `msg` is "" where there is none."""

    code: str
    msg: str
    data: Any
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """1688's gateway answered in the API's place: `{"error_code": "gw.…", "error_message": "…"}` (facts: A2)."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Garbage:
    """Nothing that can be read as either."""

    cause: str


def open_body(body: bytes) -> Answer | Fault | Garbage:
    """Read one reply body."""
    document = read_object(body)
    if isinstance(document, str):
        return Garbage(document)
    gateway = text_of(document.get("error_code"))
    if gateway:
        return Fault(gateway, text_of(document.get("error_message")))
    code = document.get("code")
    code = "" if isinstance(code, Fraction) else text_of(code)
    if not code or not any(name in document for name in _ENVELOPE):
        return Garbage("the reply is not Xportcn's envelope")
    request_id = text_of(document.get("requestId"))[:100] or None
    msg = document.get("msg")
    words = msg.strip() if isinstance(msg, str) and not isinstance(msg, Fraction) else ""
    return Answer(code, words, document.get("data"), request_id)


def objects(data: object) -> Iterator[dict[str, Any]]:
    """Yield every object in a reply's data, the shallowest first."""
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


def first_text(data: object, *names: str) -> str:
    """Return the first of these values that is a text or a whole number, as text; else nothing."""
    return next(filter(None, map(text_of, values(data, *names))), "")


def first_list(data: object) -> list[Any] | None:
    """Return the shallowest list of objects, or the shallowest empty one; None where there is neither."""
    empty: list[Any] | None = None
    for node in [{"": data}, *objects(data)]:
        for value in node.values():
            if isinstance(value, list):
                if any(isinstance(row, dict) for row in value):
                    return value
                if not value and empty is None:
                    empty = value
    return empty
