"""Opens what Xportcn or 1688's gateway sent back: any bytes in, an answer, a fault or garbage out; never an exception.

Nothing beyond the envelope is documented for most calls, so the readers search: the finders here take a value by its
name wherever it stands, the shallowest first.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters no database text takes; JSON can spell them, and a reply must never fail on its way into the ledger."""
_ID = re.compile(r"(?=[0A-Za-z_-]*[1-9])[0-9A-Za-z_-]{1,64}", re.ASCII)
"""An order id: 1688's are digits; a word without a digit ("null") or a zero is none."""
_ENVELOPE = ("requestId", "data", "developId", "developerId")
MAX_NODES = 200_000


class Fraction(str):
    """A number with a point or an exponent, as the text it was written in: an amount perhaps, never an id."""

    __slots__ = ()


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
    if not body.strip():
        return Garbage("empty reply")
    try:
        document = parse(body)
    except (ValueError, RecursionError):
        return Garbage("the reply is not JSON")
    if not isinstance(document, dict):
        return Garbage("the reply is not a JSON object")
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


def parse(body: bytes) -> Any:
    """Parse JSON so that nothing changes on the way: integers exact, fractions as the text they were written in.

    Raises ValueError or RecursionError.
    """
    text = body.decode("utf-8-sig", "replace")
    document = json.loads(text, parse_float=Fraction, parse_constant=Fraction)
    return _storable(document) if "\\u" in text else document


def text_of(value: object) -> str:
    """Return a scalar of a reply as text, anything else as nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def id_of(value: object) -> str:
    """Return an order id as text, or nothing: no float (it may have lost digits), no zero, no bare word."""
    text = "" if isinstance(value, Fraction) else text_of(value)
    return text if _ID.fullmatch(text) else ""


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


def _storable(value: Any) -> Any:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, str):
        return _UNSTORABLE.sub("�", value)
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(inner) for name, inner in value.items()}
    return value
