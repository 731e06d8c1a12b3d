"""Opens what the gateway sent back: any bytes in, an answer, an error or garbage out; never an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.marketplaces.replies import read_object, text_of

MARKS = frozenset({"is_success", "order_list", "error_code", "error_msg", "order_status", "child_order_list"})
"""Fields that tell a bare result from its wrapper (facts: with simplify there may be no wrapper)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The API itself answered. `result` is empty where the envelope came without one."""

    result: Mapping[str, Any]
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """The gateway answered in the API's place."""

    code: str
    sub_code: str
    text: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Garbage:
    """Nothing that can be read."""

    cause: str


def open_body(body: bytes) -> Answer | Fault | Garbage:
    """Read one reply body, in every form the vendor's page, demo and the field know (facts: sections 2 and 3)."""
    document = read_object(body)
    if isinstance(document, str):
        return Garbage(document)
    if "error_response" in document:
        error = document["error_response"]
        return _fault(error if isinstance(error, dict) else {}, document)
    wrapper = next((document[name] for name in document if name.endswith("_response")), None)
    if wrapper is not None:
        return Answer(_result(wrapper), _request_id(wrapper) or _request_id(document))
    result = _result(document)
    if not result and text_of(document.get("code")).strip("0"):
        return _fault(document, document)
    return Answer(result, _request_id(document))


def _result(wrapper: object) -> Mapping[str, Any]:
    if not isinstance(wrapper, dict):
        return {}
    result = wrapper.get("result")
    if isinstance(result, dict):
        return result
    return wrapper if MARKS & wrapper.keys() else {}


def _fault(error: Mapping[str, Any], document: Mapping[str, Any]) -> Fault:
    texts = [text_of(error.get(name)) for name in ("msg", "message", "sub_msg")]
    return Fault(
        code=text_of(error.get("code")),
        sub_code=text_of(error.get("sub_code")),
        text=": ".join(dict.fromkeys(filter(None, texts))),
        request_id=_request_id(error) or _request_id(document),
    )


def _request_id(holder: object) -> str | None:
    return (text_of(holder.get("request_id"))[:100] or None) if isinstance(holder, dict) else None
