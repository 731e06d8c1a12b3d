"""What every error text of Shoplazza means and what to do about it.

Shoplazza has few codes and many words, so the table goes by words; the code of an entry is the vendor's own word. A
create is refused only by a documented text, word for word, in a documented form with a documented status (`of_create`).
A text that merely holds a known word explains, and is believed of a read (`find`), which creates nothing.

Sources: the vendor page's error table ("page"), the vendor's status pages and the facts file's part B ("facts").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from worker.marketplaces.doubts import DOOR as DOOR_TOPICS
from worker.marketplaces.doubts import ORDER, ORDER_OR_DOOR, Topics
from worker.marketplaces.shoplazza.models import SENT_FIELDS


class Kind(StrEnum):
    """What a text says about the create, and so what may follow."""

    REFUSED_BY_CONTENT = "refused by content"
    """A no that the order's own content always earns."""
    REFUSED = "refused"
    """A no of this moment: price, stock, a product that is gone."""
    REFUSED_RETRYABLE = "refused, may pass later"
    """A no that a later try may turn."""
    ACCOUNT = "account"
    """A no that every order of this shop would get."""
    CONFIGURATION = "configuration"
    """Declined at the door: token, scope, a shop that is not active."""
    MAY_EXIST = "may exist"
    """Told when the order may have been made already."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One text: its code, kind, the words it is known by, what it means, and an operator's next step.

    `source`: where it is documented with this meaning. `texts`: the documented texts themselves; those of one `row` of
    the page's table may stand together. Without texts nothing of it is a no to a create by words.
    """

    code: str
    kind: Kind
    words: str
    meaning: str
    fix: str
    source: str
    texts: tuple[str, ...] = ()
    row: int = 0

    def matches(self, text: str) -> bool:
        """Tell whether a text is this one."""
        return re.search(self.words, text, re.IGNORECASE) is not None


_LOOK_UP = "nothing: the order is looked up by its tag and sent again only when the shop does not have it"
_AUTHORISE = "authorise the app for the shop again, set its new access_token, restart the workers"
_SHOP = "check the account's shop, domain_suffix and api_version against the address of the shop's admin"

MAY_EXIST: tuple[Entry, ...] = (
    Entry(
        "CreateOrderBatchOption",
        Kind.MAY_EXIST,
        r"CreateOrderBatchOption",
        "a step after the order was made failed",
        _LOOK_UP,
        "page, 422: 6",
    ),
    Entry(
        "GetOrderDetail",
        Kind.MAY_EXIST,
        r"Get\s?Order\s?Detail",
        "the order made could not be read",
        _LOOK_UP,
        "page, 422: 7",
    ),
    Entry(
        "DecreaseInventory",
        Kind.MAY_EXIST,
        r"Decrease\s?Inventory",
        "the stock could not be taken; whether the order stands is not told",
        _LOOK_UP,
        "page, 422: 8",
    ),
    Entry(
        "CreateOrderFailed",
        Kind.MAY_EXIST,
        r"create order failed",
        "the create failed; at which step is not told",
        _LOOK_UP,
        "page, 406",
    ),
    Entry(
        "InternalError",
        Kind.MAY_EXIST,
        # "In rare cases, the server itself may encounter an issue and return a 422" (vendor's http-status page)
        r"internal (server )?error|rpc error|deadline ?exceeded|timed? ?out|service unavailable"
        r"|\baborted\b|unimplemented",
        "Shoplazza's own system failed on the way",
        _LOOK_UP,
        "page, 500; its status page of 422",
    ),
)
"""Texts that can come after the order exists: on the page they stand behind the building of the order (facts: B2)."""

DOOR: tuple[Entry, ...] = (
    Entry(
        "StoreNotActive",
        Kind.CONFIGURATION,
        r"\b(store|shop) (is )?(not active|inactive|closed|frozen|suspended|expired|not found|does not exist)",
        "the shop is not active",
        "renew or reopen the shop in Shoplazza's admin, and " + _SHOP,
        "page: its example of an error",
        ("store is not active",),
    ),
    Entry(
        "AccessToken",
        Kind.CONFIGURATION,
        r"access[ _-]?token|(invalid|expired|missing|wrong) token|token (is )?(invalid|expired|missing|wrong)"
        r"|unauthori[sz]ed|unauthenticated",
        "the access token is missing, wrong or expired",
        _AUTHORISE,
        "facts B1, B2: HTTP 401",
    ),
    Entry(
        "Scope",
        Kind.CONFIGURATION,
        r"\bscopes?\b|permission|write_order|read_order|^forbidden\W*$",
        "the app may not do this in this shop",
        "grant the app the scopes write_order and read_order, then authorise it again for the shop",
        "facts B1: HTTP 403",
    ),
)
"""Answers given at the door, with 400, 401 or 403 (facts: B1): nothing was executed."""

_ADDRESS = "correct shipping_address: country_code and province_code as ISO codes, province, city, zip; submit again"
_PRODUCT = "check variant_id and product_id against the shop's products, and that the product is on sale"

REFUSALS: tuple[Entry, ...] = (
    Entry(
        "ShippingAddress",
        Kind.REFUSED_BY_CONTENT,
        r"shipping\s?address (does not pass|is nil|is required|is invalid)",
        "the shipping address does not pass Shoplazza's check",
        _ADDRESS,
        "page, 422: 1",
        ("The shipping address does not pass", "ShippingAddress is nil"),
        1,
    ),
    Entry(
        "checkout_setting",
        Kind.ACCOUNT,
        r"not exists? checkout setting",
        "the shop has no checkout settings, so no order can be made in it",
        "set up the checkout in the shop's admin, then: fulfil resume ACCOUNT",
        "page, 422: 2",
        ("not exists checkout setting",),
        2,
    ),
    Entry(
        "transaction_settings",
        Kind.REFUSED_RETRYABLE,
        r"get transaction settings error",
        "the shop's payment settings could not be read",
        "check the shop's payment and checkout settings in its admin",
        "page, 422: 2",
        ("Get transaction settings error",),
        2,
    ),
    Entry(
        "record_not_found",
        Kind.REFUSED,
        r"record_not_found|failed to create order line items",
        "a product or variant of the order is not in the shop",
        _PRODUCT,
        "page, 422: 3",
        ("Failed to create order line items", "record_not_found"),
        3,
    ),
    Entry(
        "create_order_calculate_failed",
        Kind.REFUSED,
        r"create_order_calculate_failed|order price calculate error",
        "the price could not be calculated",
        "check discount (at most the products' total), tax_total, shipping_price and currency_code (the shop's)",
        "page, 422: 4",
        ("create_order_calculate_failed", "order price calculate error"),
        4,
    ),
    Entry(
        "create_order_build_failed",
        Kind.REFUSED,
        r"create_order_build_failed|customer or payment\s?line information error",
        "the customer or the payment method does not pass",
        "check email and phone of shipping_address, and payment_line (COD only where the shop allows it)",
        "page, 422: 5",
        ("create_order_build_failed", "customer or paymentline information error"),
        5,
    ),
)
"""The 422 texts of the page that come before the order is made."""

ENTRIES = (*MAY_EXIST, *REFUSALS, *DOOR)

_REQUIRED = {
    "2022-01": "discount, shipping_line, province",
    "2025-06": "shipping_line, province, address1",
}
_REQUIRED_NOW = "shipping_line, province, zip"
"""What a version requires beyond the vendor page (facts: B1)."""

DOCUMENTED = frozenset({400, 403, 404, 405, 422})
"""Statuses the vendor documents as a no; 406 is told of a create that failed at an unknown step."""
REFUSING = frozenset({400, 422})
"""Those of them under which an order's content is refused."""


_TOKEN, _SCOPE = (next(entry for entry in DOOR if entry.code == code) for code in ("AccessToken", "Scope"))


def find(text: str) -> Entry | None:
    """Return the entry of a text, or None for words nobody knows."""
    return next((entry for entry in (*MAY_EXIST, *REFUSALS, *DOOR) if entry.matches(text)), None)


def of_create(status: int, problems: Sequence[str], code: str, version: str) -> Entry | None:
    """Return the entry of a no to a create; None for whatever is not documented as one.

    `problems`: the texts of an answer in a documented form, every one of which has to be such a no, under a status it
    is documented with: the page's 422, or 400, under which versions from 2025-06 on have it (facts: B1). With texts
    nobody listed only 401 is one, which is the token, and 403 where it speaks of the scope it is for (facts: B1, B2).
    """
    found = [_exact(problem) or _of_field(problem, status, code, version) for problem in problems]
    known = [entry for entry in found if entry is not None]
    if not known:
        return _by_status(status, [*problems, code]) if problems else None
    at_the_door = {entry.kind is Kind.CONFIGURATION for entry in known}
    if len(known) < len(found) or len(at_the_door) > 1:
        return None
    statuses = DOCUMENTED | {401} if True in at_the_door else REFUSING
    # Of several the least certain: what the order's content does not always earn.
    return min(known, key=lambda one: one.kind is Kind.REFUSED_BY_CONTENT) if status in statuses else None


def _by_status(status: int, texts: Sequence[str]) -> Entry | None:
    if status == 403 and not any(_SCOPE.matches(text) for text in texts):
        return None
    return {401: _TOKEN, 403: _SCOPE}.get(status)


def _exact(problem: str) -> Entry | None:
    """Return the entry of a documented text: one of the page's row, or several of one row together."""
    parts = {_plain(part) for part in re.split(r"[;:]", problem)} - {""}
    for entry in (*REFUSALS, *DOOR):
        of_row = {_plain(text) for one in (*REFUSALS, *DOOR) if one.row == entry.row for text in one.texts}
        if parts and parts <= of_row and parts & {_plain(text) for text in entry.texts}:
            return entry
    return None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .")


_FIELD_FAULT = re.compile(r"([a-z_][a-z0-9_.\[\]]*) (?:is required|is invalid|must be [a-z0-9 ,'%._-]{1,80})", re.I)


def _of_field(problem: str, status: int, code: str, version: str) -> Entry | None:
    """Return the entry of a plain complaint about a field of the body; None for any other text.

    The vendor says of a 422 that "in rare cases, the server itself may encounter an issue and return a 422" (its page
    of statuses), so a text nobody listed proves nothing. This one does: the vendor documents errors by field,
    `{"errors": {"field": ["…"]}}` (facts: B1), and a field is judged before an order is made of the body. Plain is one
    field of the body as we send it and "is required", "is invalid" or "must be …", nothing before and nothing after.
    """
    found = _FIELD_FAULT.fullmatch(problem.strip(" ."))
    path = re.findall(r"[a-z_]+", found[1].lower()) if found else []
    if not path or not set(path) <= SENT_FIELDS:
        return None
    required = _REQUIRED.get(version, _REQUIRED_NOW)
    fix = f"the message names the field: correct it and submit again; version {version} also requires {required}"
    word = code or f"HTTP_{status}"
    return Entry(word, Kind.REFUSED, "", "Shoplazza refused the order's fields", fix, "facts B1")


def unauthorised() -> Entry:
    """Return the entry of HTTP 401, whatever its words are."""
    return _TOKEN


def topics_of(entry: Entry) -> Topics:
    """Return what the words beside a text may be about."""
    if entry.kind is Kind.CONFIGURATION:
        return DOOR_TOPICS
    return ORDER if entry.texts else ORDER_OR_DOOR
