"""What every error text of Shoplazza means and what to do about it.

Shoplazza has few codes and many words, so the table goes by words; the code of an entry is the vendor's own word. A
create is refused only by a documented text, word for word, in a documented form with a documented status (`of_create`).
A text that merely holds a known word explains, and is believed of a read (`find`), which creates nothing.

Sources: the vendor page's error table ("page"), the vendor's status pages and the facts file's part B ("facts").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from worker.marketplaces.codes import Kind, KnownCode
from worker.marketplaces.doubts import ORDER, ORDER_OR_DOOR
from worker.marketplaces.shoplazza.models import SENT_FIELDS
from worker.rules.codes import amending

_LOOK_UP = "nothing: the order is looked up by its tag before anything else happens to it"
_AUTHORISE = "fulfil accounts login ACCOUNT; or set the app's new access_token and restart the workers"
_SHOP = "check the account's shop, domain_suffix and api_version against the address of the shop's admin"

MAY_EXIST: tuple[KnownCode, ...] = (
    KnownCode(
        "CreateOrderBatchOption",
        Kind.MAY_EXIST,
        "a step after the order was made failed",
        _LOOK_UP,
        "page, 422: 6",
        words=r"CreateOrderBatchOption",
    ),
    KnownCode(
        "GetOrderDetail",
        Kind.MAY_EXIST,
        "the order made could not be read",
        _LOOK_UP,
        "page, 422: 7",
        words=r"Get\s?Order\s?Detail",
    ),
    KnownCode(
        "DecreaseInventory",
        Kind.MAY_EXIST,
        "the stock could not be taken; whether the order stands is not told",
        _LOOK_UP,
        "page, 422: 8",
        words=r"Decrease\s?Inventory",
    ),
    KnownCode(
        "CreateOrderFailed",
        Kind.MAY_EXIST,
        "the create failed; at which step is not told",
        _LOOK_UP,
        "page, 406",
        words=r"create order failed",
    ),
    KnownCode(
        "InternalError",
        Kind.MAY_EXIST,
        "Shoplazza's own system failed on the way",
        _LOOK_UP,
        "page, 500; its status page of 422",
        # "In rare cases, the server itself may encounter an issue and return a 422" (vendor's http-status page)
        words=r"internal (server )?error|rpc error|deadline ?exceeded|timed? ?out|service unavailable"
        r"|\baborted\b|unimplemented",
    ),
)
"""Texts that can come after the order exists: on the page they follow the building of the order (shoplazza.md, 2)."""

DOOR: tuple[KnownCode, ...] = (
    KnownCode(
        "StoreNotActive",
        Kind.SETUP,
        "the shop is not active",
        "renew or reopen the shop in Shoplazza's admin, and " + _SHOP,
        "page: its example of an error",
        ("store is not active",),
        words=r"\b(store|shop) (is )?(not active|inactive|closed|frozen|suspended|expired|not found|does not exist)",
    ),
    KnownCode(
        "AccessToken",
        Kind.TOKEN,
        "the access token is missing, wrong or expired",
        _AUTHORISE,
        "facts B1, B2: HTTP 401",
        words=r"access[ _-]?token|(invalid|expired|missing|wrong) token|token (is )?(invalid|expired|missing|wrong)"
        r"|unauthori[sz]ed|unauthenticated",
    ),
    KnownCode(
        "Scope",
        Kind.SETUP,
        "the app may not do this in this shop",
        "grant the app the scopes write_order and read_order, then authorise it again for the shop",
        "facts B1: HTTP 403",
        words=r"\bscopes?\b|permission|write_order|read_order|^forbidden\W*$",
    ),
)
"""Answers given at the door, with 400, 401 or 403 (docs/vendors/shoplazza.md, 1): nothing was executed."""

_ADDRESS = "correct shipping_address: country_code and province_code as ISO codes, province, city, zip: " + amending(
    "shipping_address.FIELD=VALUE"
)
_PRODUCT = "check variant_id and product_id against the shop's products, and that the product is on sale: " + amending(
    "line_items[0].variant_id=ID"
)

REFUSALS: tuple[KnownCode, ...] = (
    KnownCode(
        "ShippingAddress",
        Kind.REFUSED_BY_CONTENT,
        "the shipping address does not pass Shoplazza's check",
        _ADDRESS,
        "page, 422: 1",
        ("The shipping address does not pass", "ShippingAddress is nil"),
        words=r"shipping\s?address (does not pass|is nil|is required|is invalid)",
    ),
    KnownCode(
        "checkout_setting",
        Kind.REFUSED_TO_ACCOUNT,
        "the shop has no checkout settings, so no order can be made in it",
        "set up the checkout in the shop's admin, then: fulfil resume ACCOUNT",
        "page, 422: 2",
        ("not exists checkout setting",),
        words=r"not exists? checkout setting",
        about=ORDER,
    ),
    KnownCode(
        "transaction_settings",
        Kind.REFUSED_FOR_NOW,
        "the shop's payment settings could not be read",
        "check the shop's payment and checkout settings in its admin",
        "page, 422: 2",
        ("Get transaction settings error",),
        words=r"get transaction settings error",
    ),
    KnownCode(
        "record_not_found",
        Kind.REFUSED,
        "a product or variant of the order is not in the shop",
        _PRODUCT,
        "page, 422: 3",
        ("Failed to create order line items", "record_not_found"),
        words=r"record_not_found|failed to create order line items",
    ),
    KnownCode(
        "create_order_calculate_failed",
        Kind.REFUSED,
        "the price could not be calculated",
        "check discount (at most the products' total), tax_total, shipping_price and currency_code (the shop's): "
        + amending(),
        "page, 422: 4",
        ("create_order_calculate_failed", "order price calculate error"),
        words=r"create_order_calculate_failed|order price calculate error",
    ),
    KnownCode(
        "create_order_build_failed",
        Kind.REFUSED,
        "the customer or the payment method does not pass",
        "check email and phone of shipping_address, and payment_line (COD only where the shop allows it): "
        + amending(),
        "page, 422: 5",
        ("create_order_build_failed", "customer or paymentline information error"),
        words=r"create_order_build_failed|customer or payment\s?line information error",
    ),
)
"""The 422 texts of the page that come before the order is made."""

ENTRIES = (*MAY_EXIST, *REFUSALS, *DOOR)

_REQUIRED = {
    "2022-01": "discount, shipping_line, province",
    "2025-06": "shipping_line, province, address1",
}
_REQUIRED_NOW = "shipping_line, province, zip"
"""What a version requires beyond the vendor page (docs/vendors/shoplazza.md, 1)."""

DOCUMENTED = frozenset({400, 403, 404, 405, 422})
"""Statuses the vendor documents as a no; 406 is told of a create that failed at an unknown step."""
REFUSING = frozenset({400, 422})
"""Those of them under which an order's content is refused."""


_TOKEN, _SCOPE = (next(entry for entry in DOOR if entry.code == code) for code in ("AccessToken", "Scope"))


def find(text: str) -> KnownCode | None:
    """Return the entry of a text, or None for words nobody knows."""
    return next((entry for entry in (*MAY_EXIST, *REFUSALS, *DOOR) if entry.matches(text)), None)


def of_create(status: int, problems: Sequence[str], code: str, version: str) -> KnownCode | None:
    """Return the entry of a no to a create; None for whatever is not documented as one.

    `problems`: the texts of an answer in a documented form, every one of which has to be such a no, under a status it
    is documented with: the page's 422, or 400, under which versions from 2025-06 on have it (shoplazza.md, 1). With
    texts nobody listed only 401 is one, which is the token, and 403 where it speaks of the scope it is for
    (shoplazza.md, 1, 2).
    """
    found = [_exact(problem) or _of_field(problem, status, code, version) for problem in problems]
    known = [entry for entry in found if entry is not None]
    if not known:
        return _by_status(status, [*problems, code]) if problems else None
    at_the_door = {entry.kind.decline is not None for entry in known}
    if len(known) < len(found) or len(at_the_door) > 1:
        return None
    statuses = DOCUMENTED | {401} if True in at_the_door else REFUSING
    # Of several the least certain: what the order's content does not always earn.
    return min(known, key=lambda one: one.kind is Kind.REFUSED_BY_CONTENT) if status in statuses else None


def _by_status(status: int, texts: Sequence[str]) -> KnownCode | None:
    if status == 403 and not any(_SCOPE.matches(text) for text in texts):
        return None
    return {401: _TOKEN, 403: _SCOPE}.get(status)


def _exact(problem: str) -> KnownCode | None:
    """Return the entry of a documented text: one of the page's row, or several of one row together."""
    parts = {_plain(part) for part in re.split(r"[;:]", problem)} - {""}
    for entry in (*REFUSALS, *DOOR):
        of_row = {_plain(text) for one in (*REFUSALS, *DOOR) if one.source == entry.source for text in one.texts}
        if parts and parts <= of_row and parts & {_plain(text) for text in entry.texts}:
            return entry
    return None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .")


_FIELD_FAULT = re.compile(r"([a-z_][a-z0-9_.\[\]]*) (?:is required|is invalid|must be [a-z0-9 ,'%._-]{1,80})", re.I)


def _of_field(problem: str, status: int, code: str, version: str) -> KnownCode | None:
    """Return the entry of a plain complaint about a field of the body; None for any other text.

    The vendor says of a 422 that "in rare cases, the server itself may encounter an issue and return a 422" (its page
    of statuses), so a text nobody listed proves nothing. This one does: the vendor documents errors by field,
    `{"errors": {"field": ["…"]}}` (shoplazza.md, 1), and a field is judged before an order is made of the body. Plain
    is one field of the body as we send it and "is required", "is invalid" or "must be …", with nothing before it and
    nothing after.
    """
    found = _FIELD_FAULT.fullmatch(problem.strip(" ."))
    path = re.findall(r"[a-z_]+", found[1].lower()) if found else []
    if not path or not set(path) <= SENT_FIELDS:
        return None
    required = _REQUIRED.get(version, _REQUIRED_NOW)
    fix = f"the message names the field: {amending()}; version {version} also requires {required}"
    word = code or f"HTTP_{status}"
    meaning = "Shoplazza refused the order's fields"
    return KnownCode(word, Kind.REFUSED, meaning, fix, "facts B1", about=ORDER_OR_DOOR)


def unauthorised() -> KnownCode:
    """Return the entry of HTTP 401, whatever its words are."""
    return _TOKEN
