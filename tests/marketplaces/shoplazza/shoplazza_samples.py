"""Shoplazza for the contract tests: a full order, and what the marketplace can say, with the outcome it means."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from tests.marketplaces.shoplazza.shoplazza_kit import REFERENCE, listed, reply, shown
from worker.marketplaces.calls import Lost, Reply, Request
from worker.rules.life import Parcels
from worker.rules.outcomes import Absent, Accepted, Declined, Found, NotSent, Refused, Unknown

KEYS = {"access_token": "token-of-the-shop", "shop": "developer"}
SIGNED = False
BEFORE_CREATE: tuple[Reply, ...] = ()
ACCEPTED_WITHOUT_ID: set[str] = set()
OURS: tuple[str, ...] = ()

PEOPLE = {
    "first_name": "Jane",
    "last_name": "Marlowe",
    "phone": "5055550142",
    "email": "jane@example.com",
    "country": "United States",
    "province": "New Mexico",
    "province_code": "US-NM",
    "city": "San Jose",
    "address": "1 Rue des Carrieres",
    "address1": "Suite 1234",
    "zip": "87036",
    "latitude": "34.515",
    "longitude": "-106.878",
}
NOTE = "leave it with the neighbour"
PERSONAL = (*PEOPLE.values(), NOTE)
ORDER: dict[str, Any] = {
    "line_items": [{"variant_id": "dd305ee4-fb07", "product_id": "db4469f3-5e56", "quantity": 3}],
    "shipping_address": {**PEOPLE, "country_code": "US"},
    "tags": ["vip-1", "vip-2"],
    "tax_total": "9.99",
    "currency_code": "USD",
    "discount": "10.25",
    "note": NOTE,
    "payment_line": "COD",
    "shipping_line": {"name": "Free Shipping", "shipping_price": "7.77", "desc": "by sea"},
    "refund_total": "1.11",
    "refund_line_items": [{"line_item_id": "x-1"}],
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-02T00:00:00Z",
    "order_status": "opened-1",
    "financial_status": "waiting-1",
}


def sent(request: Request) -> Any:
    """Return what a request says, as JSON values."""
    return json.loads(request.content) if request.content else None


def created(literal: str) -> Reply:
    """Return the reply of a create that tells this JSON literal as the order's id."""
    return reply(f'{{"code": "Success", "message": "", "data": {{"order": {{"id": {literal}}}}}}}'.encode())


def says(words: str) -> list[Reply]:
    """Return replies that decline or doubt a create, or a read, in these words."""
    return [
        *(reply({"code": "InvalidParameter", "message": words}, status) for status in (400, 401, 403, 404, 422, 500)),
        *(reply({"errors": [f"{told}{words}"]}, 422) for told in ("", "GetOrderDetail ", "record_not_found ")),
        reply({"code": words, "message": words}, 400),
        reply({"code": words, "message": words}, 200),
        reply(words.encode(), 422),
    ]


def answers(code: str, words: str, ids: Sequence[str]) -> list[Any]:
    """Return answers to a create with a code and words in every place the vendor has for them, and these ids."""
    told = {"order": {"id": ids[0]}} if ids else {}
    return [
        {"code": code, "message": words, **told},
        {"code": code, "message": words, "data": told or None},
        {"code": code, "errors": [words], **told},
        *({"errors": form, **told} for form in ([words], words, {"zip": [words]}, {code: [words]})),
        {"error": words, **told},
        {"code": code, "message": words, "details": [], **told},
    ]


def noes(words: str) -> list[Reply]:
    """Return a no of each sort by a documented text or status in its documented place, with these words beside it."""
    return [
        *(reply({"errors": [text, words]}, 422) for text in ("record_not_found", "zip is required")),
        *(reply({"code": words, "message": text}, 400) for text in ("ShippingAddress is nil", "tags is invalid")),
        *(reply({"code": "Unauthorized", "message": words}, status) for status in (401, 403)),
        *(reply({"errors": [words]}, status) for status in (401, 403)),
    ]


DOOR: dict[int, str] = {429: "", 401: "", 403: ""}
NUMBERS: set[str] = set()

TWO: dict[str, Any] = {
    **ORDER,
    "line_items": [
        {"variant_id": "variant-1", "product_id": "product-1", "quantity": 24},
        {"variant_id": "variant-2", "product_id": "product-2", "quantity": 10},
    ],
}
PRODUCTS = ("product-1", "product-2", "product-3")
CURRENCY = "USD"


def shows(lines: Sequence[tuple[int, int]] | None, currency: str = CURRENCY, ended: bool = False) -> Reply:
    """Return a read of `REFERENCE` with these lines."""
    rows: list[dict[str, Any]] = [
        {"product_id": PRODUCTS[n], "variant_id": f"variant-{n + 1}", "quantity": count} for n, count in lines or ()
    ]
    if ended:
        rows[0]["fulfillment_status"] = "cancelled"
    return _order(currency=currency, **({} if lines is None else {"line_items": rows}))


_PEOPLE = {"shipping_address": PEOPLE, "customer": {"email": PEOPLE["email"]}, "note": NOTE}
_KEYED = {"tags": "jq-" + hashlib.sha256(b"SO-1").hexdigest()[:24]}
_GONE = Lost("no connection", may_have_arrived=False)
_SILENT = Lost("no answer", may_have_arrived=True)
_MANY = reply({"code": "TooManyRequests", "message": "Too Many Requests"}, 429)


def _order(**changes: Any) -> Reply:
    return reply({"code": "Success", "data": {"order": shown(**changes)}})


PLACE: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "an id": ((created(f'"{REFERENCE}"'),), Accepted),
    "an id as a number": ((created(REFERENCE),), Accepted),
    "a refusal": ((reply({"errors": ["The shipping address does not pass"]}, 422),), Refused),
    "too often": ((_MANY,), Declined),
    "a bad token": ((reply({"code": "Unauthorized", "message": "Unauthorized"}, 401),), Declined),
    "no connection": ((_GONE,), NotSent),
    "no answer": ((_SILENT,), Unknown),
    "a step after the create failed": ((reply({"errors": ["GetOrderDetail failed"]}, 422),), Unknown),
    "a server error": ((reply({"code": "Aborted", "message": "Aborted"}, 500),), Unknown),
    "success without an id": ((reply({"code": "Success", "data": {"order": {}}}),), Unknown),
}
READ: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "an order": ((_order(),), Found),
    "an order with its receiver": ((_order(**_PEOPLE),), Found),
    "no order": ((reply({"code": "NotFound", "message": "Unable to find resource"}, 404),), Absent),
    "too often": ((_MANY,), Declined),
    "no connection": ((_GONE,), NotSent),
    "no answer": ((_SILENT,), Unknown),
    "a server error": ((reply(b"oops", 502),), Unknown),
}
LOOK_UP: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "the order": ((listed(shown(**_KEYED)),), Found),
    "nothing": ((listed(),), Absent),
    "too often": ((_MANY,), Declined),
    "no connection": ((_GONE,), NotSent),
    "no answer": ((_SILENT,), Unknown),
}


def in_status(name: str) -> Reply | None:
    """Return a read of `REFERENCE` in this status of its three; the others say that it is under way and paid."""
    kind, _, word = name.rpartition(" ")
    under_way = {"status": "placed", "financial_status": "paid", "fulfillment_status": "waiting"}
    return _order(**{**under_way, "cancel_reason": "customer", kind or "status": word})


def _fulfilled(*rows: Any, **more: Any) -> Reply:
    return reply({"code": "Success", "data": {"fulfillments": list(rows), "has_more": False, **more}})


_PARCEL = {
    "id": "f-1",
    "order_id": REFERENCE,
    "status": "success",
    "tracking_company": "UPS",
    "tracking_number": "1Z999AA10123456784",
    "tracking_company_code": "ups",
    "tracking_url": "https://track.example/1Z999AA10123456784?to=Jane+Marlowe",
    "phone_number": PEOPLE["phone"],
    "line_items": [{"id": "l-1", "quantity": 3, "note": NOTE}],
}
_SECOND = {
    **_PARCEL,
    "id": "f-2",
    "tracking_items": [{"tracking_number": f"RB00{n}", "tracking_company": "DHL"} for n in (1, 2)],
}
PARCELS: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "two pages": ((_fulfilled(_PARCEL, cursor="c2", has_more=True), _fulfilled(_SECOND)), Parcels),
    "nothing yet": ((_fulfilled(),), Parcels),
    "not allowed": ((reply({"code": "Forbidden", "message": "Forbidden"}, 403),), Parcels),
    "no list": ((reply({"code": "Success", "data": {}}),), Unknown),
    "pages without end": ((_fulfilled(_PARCEL, has_more=True),), Unknown),
    "too often": ((_MANY,), Declined),
    "a bad token": ((reply({"code": "Unauthorized", "message": "Unauthorized"}, 401),), Declined),
    "no connection": ((_GONE,), NotSent),
    "no answer": ((_SILENT,), Unknown),
    "a server error": ((reply(b"oops", 502),), Unknown),
}
TRACKED = ("1Z999AA10123456784", "RB001", "RB002")
HANDED_ON = ("id", "tracking_number", "tracking_company")
