"""Opens what Xportcn or 1688's gateway sent back: any bytes in, an answer, a fault or garbage out; never an exception.

Nothing beyond the envelope is documented for most calls, so the readers search: they take a value by its name wherever
it stands, the shallowest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from worker.marketplaces.replies import Fraction, Garbage, id_of, objects, read_object, text_of, values

_ENVELOPE = ("requestId", "data", "developId", "developerId")


@dataclass(frozen=True, slots=True)
class Answer:
    """Xportcn's envelope: `{requestId, code, developId, msg, data}`. `msg` is "" where there is none.

    `document`: the whole reply, of every kind of it, for ids are believed wherever they stand.
    """

    code: str
    msg: str
    data: Any
    request_id: str | None
    document: Any = None


@dataclass(frozen=True, slots=True)
class Fault:
    """1688's gateway answered in the API's place: `{"error_code": "gw.…", "error_message": "…"}` (xportcn.md, 2)."""

    code: str
    text: str
    document: Any = None


def open_body(body: bytes) -> Answer | Fault | Garbage:
    """Read one reply body."""
    document = read_object(body)
    if isinstance(document, str):
        return Garbage(document)
    gateway = text_of(document.get("error_code"))
    if gateway:
        return Fault(gateway, text_of(document.get("error_message")), document)
    code = document.get("code")
    code = "" if isinstance(code, Fraction) else text_of(code)
    if not code or not any(name in document for name in _ENVELOPE):
        return Garbage("the reply is not Xportcn's envelope", document)
    request_id = text_of(document.get("requestId"))[:100] or None
    msg = document.get("msg")
    words = msg.strip() if isinstance(msg, str) and not isinstance(msg, Fraction) else ""
    return Answer(code, words, document.get("data"), request_id, document)


def shown_ids(document: object) -> tuple[str, ...]:
    """Return the ids in a create's answer, each once and in its order: `orderIds` (page), `orderId` (1688's own)."""
    found = (_flat(value) for value in values(document, "orderIds", "orderId"))
    return tuple(dict.fromkeys(filter(None, (id_of(value) for inner in found for value in inner))))


def _flat(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What 1688 says inside Xportcn's `data`: its own success, code and words; None and "" where it says none."""

    success: bool | None = None
    code: str = ""
    text: str = ""


_FLAGS = ("success", "isSuccess", "is_success")
_CODES = ("code", "errorCode", "error_code", "resultCode", "errCode")
_TEXTS = ("message", "msg", "errorMessage", "error_message", "errorMsg", "resultMsg", "errMsg")
_TRUTH = {"true": True, "false": False}
_DEEPEST = 4


def verdict(data: object) -> Verdict:
    """Return 1688's own answer to a create (xportcn.md, 2, createCrossOrder), in `data` or in an object inside it.

    Lists are passed over: what stands in them is said of a line or of one order, not of the create.
    """
    nodes = list(_nested(data, _DEEPEST))
    said = [Verdict(_flag(node), _first(node, _CODES), _first(node, _TEXTS)) for node in nodes]
    flagged = [one for one in said if one.success is not None]
    if any(one.success for one in flagged) and not all(one.success for one in flagged):
        return Verdict(None, *next((one.code, one.text) for one in flagged if not one.success))  # it contradicts itself
    return next(iter(flagged), None) or next((one for one in said if one.code), Verdict())


def _nested(data: object, depth: int) -> list[dict[str, Any]]:
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if not isinstance(data, dict) or not depth:
        return []
    return [data, *(node for inner in data.values() if isinstance(inner, dict) for node in _nested(inner, depth - 1))]


def _flag(node: dict[str, Any]) -> bool | None:
    for name in _FLAGS:
        value = node.get(name)
        found = value if isinstance(value, bool) else _TRUTH.get(text_of(value).lower())
        if found is not None:
            return found
    return None


def _first(node: dict[str, Any], names: tuple[str, ...]) -> str:
    return next(filter(None, (text_of(node.get(name)) for name in names)), "")
