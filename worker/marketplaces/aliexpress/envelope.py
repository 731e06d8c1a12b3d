"""Opens what the gateway sent back: any bytes in, an answer, a fault or garbage out; never an exception."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from worker.marketplaces.replies import Fraction, Garbage, read_object, text_of, values

MARKS = frozenset({"is_success", "order_list", "error_code", "error_msg", "order_status", "child_order_list"})
"""Fields that tell a bare result from its wrapper (facts: with simplify there may be no wrapper)."""
WRAPPERS = frozenset({"aliexpress_ds_order_create_response", "aliexpress_trade_buy_placeorder_response"})
"""What an answer to a create stands in (page; the second: facts, section 2). A no that stands elsewhere is none."""
FAULT_MARKS = frozenset({"type", "request_id"})
"""What a flat gateway error has besides code and message (aliexpress.md, 2); any service may answer with those two."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The API itself answered. `result` is empty where the envelope came without one.

    `documented`: it stands where the vendor puts the answer to a create, and nothing beside it says otherwise.
    `document`: the whole reply, for its ids and its words count wherever they stand.
    """

    result: Mapping[str, Any]
    request_id: str | None
    documented: bool = False
    document: Any = None


@dataclass(frozen=True, slots=True)
class Fault:
    """The gateway answered in the API's place. `documented`: in a form the vendor is known to use."""

    code: str
    sub_code: str
    text: str
    request_id: str | None
    documented: bool = True
    document: Any = None


def open_body(body: bytes) -> Answer | Fault | Garbage:
    """Read one reply body, in every form the vendor's page, demo and the field know (aliexpress.md, 2 and 3)."""
    document = read_object(body)
    if isinstance(document, str):
        return Garbage(document)
    wrapper = next((name for name in document if name.endswith("_response") and name != "error_response"), None)
    if "error_response" in document:
        error = document["error_response"]
        return _fault(error if isinstance(error, dict) else {}, document, wrapper is None)
    if wrapper is not None:
        inner = document[wrapper]
        documented = wrapper in WRAPPERS and isinstance(inner, dict) and "result" in inner
        documented = documented and not _code(document) and not _code(inner)
        request_id = _request_id(inner) or _request_id(document)
        return Answer(_result(inner), request_id, documented, document)
    result = _result(document)
    if not result and _code(document):
        return _fault(document, document, bool(FAULT_MARKS & document.keys()))
    return Answer(result, _request_id(document), False, document)


def _code(document: Mapping[str, Any]) -> str:
    """Return the code beside an answer where it says anything: good ones come with "0" (aliexpress.md, 2)."""
    return text_of(document.get("code")).strip("0")


def _result(wrapper: object) -> Mapping[str, Any]:
    if not isinstance(wrapper, dict):
        return {}
    result = wrapper.get("result")
    if isinstance(result, dict):
        return result
    return wrapper if MARKS & wrapper.keys() else {}


def _fault(error: Mapping[str, Any], document: Mapping[str, Any], documented: bool) -> Fault:
    texts = [text_of(error.get(name)) for name in ("msg", "message", "sub_msg")]
    return Fault(
        code=text_of(error.get("code")),
        sub_code=text_of(error.get("sub_code")),
        text=": ".join(dict.fromkeys(filter(None, texts))),
        request_id=_request_id(error) or _request_id(document),
        documented=documented,
        document=document,
    )


def _request_id(holder: object) -> str | None:
    return (text_of(holder.get("request_id"))[:100] or None) if isinstance(holder, dict) else None


def shown_ids(opened: Answer | Fault | Garbage) -> tuple[str, ...]:
    """Return every id a reply shows, wherever its order_list stands."""
    found = (one for value in values(opened.document, "order_list") for one in order_ids(value))
    return tuple(dict.fromkeys(found))


def order_ids(value: object) -> tuple[str, ...]:
    """Return the ids of an `order_list` as digit strings, each once and in its order; nulls and zeros drop out.

    Forms: `{"number": [int]}` (page), strings in it, a single value, a bare list (official demo, simplify).
    """
    return tuple(dict.fromkeys(_ids(value)))


def _ids(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name in ("number", "order_id"):
            yield from _ids(value.get(name))
    elif isinstance(value, list):
        for inner in value:
            if not isinstance(inner, list):
                yield from _ids(inner)
    else:
        text = "" if isinstance(value, Fraction) else text_of(value)
        if text.isascii() and text.isdigit() and len(text) <= 32 and text.strip("0"):
            yield text
