"""Template for the contract tests: a full order, and what the marketplace can say, with the outcome it means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from worker.marketplaces.calls import Lost, Reply, Request
from worker.rules.outcomes import Absent, Accepted, Declined, Found, NotSent, Refused, Unknown

KEYS = {"token": "token-of-the-shop"}
SIGNED = False
"""Whether a request carries a signature that ends with time."""
REFERENCE = "T000042"
"""An id as the marketplace gives them."""
BEFORE_CREATE: tuple[Reply, ...] = ()
"""Replies that lead to the create, where it is not the first request."""
ACCEPTED_WITHOUT_ID: set[str] = set()
"""Codes that say the order exists without telling its id."""
OURS: tuple[str, ...] = ()
"""Fields of the order that are our own and never sent."""

PERSONAL = ("Ada Byron", "12 Analytical Way", "for Augusta")
"""Every value of the order that is personal."""
ORDER: dict[str, Any] = {
    "receiver": {"name": "Ada Byron", "street": "12 Analytical Way"},
    "items": [{"sku": "BOLT-8", "quantity": 3}],
    "memo": "for Augusta",
}
"""A job's order that fills every field of the model."""


def sent(request: Request) -> Any:
    """Return what a request says, as JSON values."""
    return [json.loads(request.content or b"null"), request.headers.get("idempotency-key")]


def created(literal: str) -> Reply:
    """Return the reply of a create that tells this JSON literal as the order's id."""
    return Reply(201, {}, f'{{"id": {literal}}}'.encode())


def says(words: str) -> list[Reply]:
    """Return replies that decline or doubt a create, or a read, in these words."""
    return [_reply({"code": code, "message": words}, 422) for code in ("SOLD_OUT", "BAD_TOKEN", "TOO_MANY", words)]


def answers(code: str, words: str, ids: Sequence[str]) -> list[Any]:
    """Return answers to a create with a code and words in every place the vendor has for them, and these ids."""
    return [{"code": code, "message": words, **({"id": ids[0]} if ids else {})}]


def noes(words: str) -> list[Reply]:
    """Return a no of each sort by a documented code in its documented place, with these words beside it."""
    return [_reply({"code": code, "message": words}, 422) for code in ("SOLD_OUT", "BAD_TOKEN", "TOO_MANY")]


DOOR: dict[int, str] = {}
"""Statuses that alone turn a create away, with the code the answer must have for it."""
NUMBERS: set[str] = set()
"""Codes that are documented under another name in the adapter's table."""

TWO: dict[str, Any] = {**ORDER, "items": [{"sku": "BOLT-8", "quantity": 24}, {"sku": "BOLT-9", "quantity": 10}]}
"""An order of two products, 24 and 10 pieces."""
PRODUCTS = ("BOLT-8", "BOLT-9", "BOLT-10")
"""Their ids, and one that was not ordered."""
CURRENCY = "EUR"


def shows(lines: Sequence[tuple[int, int]] | None, currency: str = CURRENCY, ended: bool = False) -> Reply:
    """Return a read of `REFERENCE` with these lines, (place in `PRODUCTS`, pieces); None: it shows no goods.

    `ended`: the first line was cancelled by the marketplace.
    """
    rows: list[dict[str, Any]] = [{"sku": PRODUCTS[place], "quantity": count} for place, count in lines or ()]
    if ended:
        rows[0]["ended"] = "cancelled"
    goods = {} if lines is None else {"items": rows}
    return _reply({"id": REFERENCE, "status": "open", "total": "1", "currency": currency, **goods})


def _reply(body: Any, status: int = 200) -> Reply:
    return Reply(status, {}, json.dumps(body).encode())


_MANY = _reply({"code": "TOO_MANY"}, 429)
_GONE = Lost("no connection", may_have_arrived=False)
_SILENT = Lost("no answer", may_have_arrived=True)

PLACE: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "an id": ((created(f'"{REFERENCE}"'),), Accepted),
    "a refusal": ((_reply({"code": "SOLD_OUT"}, 422),), Refused),
    "too often": ((_MANY,), Declined),
    "no connection": ((_GONE,), NotSent),
    "no answer": ((_SILENT,), Unknown),
    "success without an id": ((_reply({}),), Unknown),
}
"""Replies to a placing, in their order, and the outcome they come to; every outcome has one."""
READ: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "an order": ((_reply({"id": REFERENCE, "status": "open", "receiver": ORDER["receiver"]}),), Found),
    "no order": ((_reply({}, 404),), Absent),
    "too often": ((_MANY,), Declined),
    "no connection": ((_GONE,), NotSent),
    "no answer": ((_SILENT,), Unknown),
}
"""The same for the read of `REFERENCE`."""
LOOK_UP: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {}
"""The same for a look-up of `SO-1`; empty where there is none."""


def in_status(name: str) -> Reply | None:
    """Return a read of `REFERENCE` in this status, a key of the class's `statuses`; None: it is no status of an order.

    A word that is no key stands where the marketplace puts its first status.
    """
    return _reply({"id": REFERENCE, "status": name})


PARCELS: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {}
"""Replies to the reading of `REFERENCE`'s parcels, and what they come to; empty where the marketplace shows none."""
TRACKED: tuple[str, ...] = ()
"""Numbers of the parcels in the first of them."""
HANDED_ON: tuple[str, ...] = ()
"""Members whose values are handed on as they are: numbers, carriers, ids."""
