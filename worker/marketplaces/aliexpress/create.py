"""What is sent to aliexpress.ds.order.create, and what its answer means: every known form of it becomes one outcome.

A no is believed only from a documented code in its documented place: in the result of the create's own envelope, or in
one of the gateway's two error forms, with HTTP 200 (aliexpress.md, 2), and while its words do not speak against it.
Everything else may have been executed, and is sent again under the same key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from worker.marketplaces.aliexpress.codes import ban_seconds, clean_code, of_fault, of_result
from worker.marketplaces.aliexpress.envelope import Answer, Fault, open_body, shown_ids
from worker.marketplaces.calls import Lost, Reply
from worker.marketplaces.codes import Kind, KnownCode, outcome, server_error, too_many, too_many_creates, unknown
from worker.marketplaces.doubts import LIMIT, Words, texts_in
from worker.marketplaces.replies import Garbage, lost, retry_after, text_of
from worker.rules.outcomes import Accepted, Declined, PlaceOutcome, Unknown

CREATED_UNPAID = "CREATED_UNPAID"
"""Our word for "OrderCreated, autoPay fail:…": creating and paying are two steps, the first one stands (doc)."""
NO_CODE = "NO_CODE"
"""Our word for the code of an answer that has none."""

_PAY_FAIL = re.compile(r"auto\s*pay|pay\s*fail", re.I)
_TRUTH = {"true": True, "1": True, "false": False, "0": False}

compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def create_params(order: Mapping[str, Any], key: str) -> dict[str, str]:
    """Return the two business parameters of a create; the second only where it holds something.

    The page types product_id a number and the official demo sends text, both pass; a number it is.
    """
    body = {
        "out_order_id": key,
        "logistics_address": order["logistics_address"],
        "product_items": [{**item, "product_id": int(item["product_id"])} for item in order["product_items"]],
    }
    params = {"param_place_order_request4_open_api_d_t_o": compact(body)}
    extend = order.get("ds_extend_request")
    if extend:
        params["ds_extend_request"] = compact(extend)
    return params


def read_create(came: Reply | Lost, words: Words) -> PlaceOutcome:
    """Return what one create came to. Anything that cannot be read for certain is Unknown, never a refusal."""
    if isinstance(came, Lost):
        return lost(came)
    opened = open_body(came.body)
    ids = shown_ids(opened)
    if ids:
        return _with_ids(ids, opened, words)
    if came.status == 429:
        return _limited(came, opened, words)
    if came.status >= 500:
        return server_error(came.status)
    match opened:
        case Garbage(cause):
            return Unknown(f"HTTP {came.status}: {cause}")
        case Fault():
            return _from_gateway(opened, came.status, words)
        case Answer():
            return _from_result(opened, came.status, words)


def limited(came: Reply) -> Declined:
    """Return the outcome of HTTP 429, with the wait its header or its words ask for."""
    asked = retry_after(came)
    return too_many(wait(asked if asked is not None else ban_seconds(came.body[:2000].decode("utf-8", "replace"))))


def wait(seconds: float | None) -> float | None:
    """Return how long to wait for a ban that is told in whole seconds."""
    return None if seconds is None else seconds + 1.0


def _limited(came: Reply, opened: Answer | Fault | Garbage, words: Words) -> Declined | Unknown:
    code, doubts = "", list[str | None]()
    if isinstance(opened, Fault):
        entry, code = of_fault(opened.code, opened.sub_code), clean_code(opened.sub_code or opened.code, words.clean)
        doubts.append(words.doubts(texts_in(opened.document), LIMIT))
        if entry is not None and entry.topics != LIMIT:
            doubts.append(f"its body has the code {code}")
    elif isinstance(opened, Answer) and opened.result:
        doubts.append("the API itself answered in its body")
    return too_many_creates(came, words, limited(came), code, *doubts)


def _from_gateway(fault: Fault, status: int, words: Words) -> PlaceOutcome:
    code, sub_code = clean_code(fault.code, words.clean), clean_code(fault.sub_code, words.clean)
    entry = of_fault(fault.code, fault.sub_code)
    if entry is None:
        cause = words.clean(fault.text) or "a gateway error that is not documented"
        return Unknown(cause, sub_code or code or NO_CODE, (), fault.request_id)
    if entry.kind is Kind.MAY_EXIST:
        return outcome(entry, words.clean(fault.text), fault.request_id)
    if not fault.documented or status != 200:
        return unknown(_out_of_place(status), words.clean(fault.text), entry.code, fault.request_id)
    return _believed(entry, fault.text, fault, words)


def _from_result(answer: Answer, status: int, words: Words) -> PlaceOutcome:
    result, request_id = answer.result, answer.request_id
    raw, text = text_of(result.get("error_code")), text_of(result.get("error_msg"))
    success, told, code = _truth(result.get("is_success")), words.clean(text), clean_code(raw, words.clean) or NO_CODE
    entry = of_result(raw, text)
    repeated = entry is not None and entry.kind is Kind.REPEATED
    if status != 200 or (entry is not None and not answer.documented and not repeated):
        return unknown(_out_of_place(status), told, code, request_id)
    if entry is not None and repeated:
        return outcome(entry, told, request_id)
    if success is not False or _truth(result.get("success")):
        cause = "success without an order id" if success else "neither success, an order id nor a clear refusal"
        return unknown(cause, told, code, request_id)
    if entry is None:
        what = "refused with a code that is not documented" if raw else "refused without a code"
        return unknown(what, told, code, request_id)
    return _believed(entry, text, answer, words)


def _out_of_place(status: int) -> str:
    return f"HTTP {status}, where AliExpress answers with 200" if status != 200 else "an answer in no documented form"


def _with_ids(ids: tuple[str, ...], opened: Answer | Fault | Garbage, words: Words) -> Accepted:
    """Ids mean that orders exist, whatever else is said; reading them back tells how they stand."""
    raw, said, success, request_id = "", "", None, None
    if isinstance(opened, Fault):
        raw, said, request_id = opened.sub_code or opened.code, opened.text, opened.request_id
    elif isinstance(opened, Answer):
        result, request_id = opened.result, opened.request_id
        raw, said = text_of(result.get("error_code")), text_of(result.get("error_msg"))
        success = _truth(result.get("is_success", result.get("success")))
    code, text = clean_code(raw, words.clean), words.clean(said)
    if _PAY_FAIL.search(text):
        return Accepted(ids, CREATED_UNPAID, text, request_id)
    if not success and not text:
        text = "ids came without a success flag"
    return Accepted(ids, code or None, text or None, request_id)


def _believed(entry: KnownCode, text: str, opened: Answer | Fault, words: Words) -> PlaceOutcome:
    """Return the no of a documented code in its documented place, unless a text of the answer speaks against it."""
    texts = texts_in(opened.document)
    doubt = words.doubts(texts, entry.topics, entry.texts)
    if doubt is not None:
        told = words.clean("; ".join(texts))
        return unknown(f"{entry.code}, but {doubt}", told, entry.code, opened.request_id)
    return outcome(entry, words.clean(text), opened.request_id, wait(ban_seconds(text)))


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return _TRUTH.get(text_of(value).lower())
