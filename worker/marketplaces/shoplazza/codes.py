"""What every error text of Shoplazza means and what to do about it.

Shoplazza has few codes and many words, so the table goes by words. Sources: the vendor page's error table ("page"),
the vendor's status pages and the facts file's part B ("facts"). The code of an entry is the vendor's own word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


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
    """One text: its code, kind, the words it is known by, what it means, and an operator's next step."""

    code: str
    kind: Kind
    words: str
    meaning: str
    fix: str

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
    ),
    Entry("GetOrderDetail", Kind.MAY_EXIST, r"Get\s?Order\s?Detail", "the order made could not be read", _LOOK_UP),
    Entry(
        "DecreaseInventory",
        Kind.MAY_EXIST,
        r"Decrease\s?Inventory",
        "the stock could not be taken; whether the order stands is not told",
        _LOOK_UP,
    ),
    Entry(
        "CreateOrderFailed",
        Kind.MAY_EXIST,
        r"create order failed",
        "the create failed; at which step is not told",
        _LOOK_UP,
    ),
    Entry(
        "InternalError",
        Kind.MAY_EXIST,
        # "In rare cases, the server itself may encounter an issue and return a 422" (vendor's http-status page)
        r"internal (server )?error|rpc error|deadline ?exceeded|timed? ?out|service unavailable"
        r"|\baborted\b|unimplemented",
        "Shoplazza's own system failed on the way",
        _LOOK_UP,
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
    ),
    Entry(
        "AccessToken",
        Kind.CONFIGURATION,
        r"access[ _-]?token|(invalid|expired|missing|wrong) token|token (is )?(invalid|expired|missing|wrong)"
        r"|unauthori[sz]ed|unauthenticated",
        "the access token is missing, wrong or expired",
        _AUTHORISE,
    ),
    Entry(
        "Scope",
        Kind.CONFIGURATION,
        r"\bscopes?\b|permission|write_order|read_order|^forbidden\W*$",
        "the app may not do this in this shop",
        "grant the app the scopes write_order and read_order, then authorise it again for the shop",
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
    ),
    Entry(
        "checkout_setting",
        Kind.ACCOUNT,
        r"not exists? checkout setting",
        "the shop has no checkout settings, so no order can be made in it",
        "set up the checkout in the shop's admin, then: fulfil resume ACCOUNT",
    ),
    Entry(
        "transaction_settings",
        Kind.REFUSED_RETRYABLE,
        r"get transaction settings error",
        "the shop's payment settings could not be read",
        "check the shop's payment and checkout settings in its admin",
    ),
    Entry(
        "record_not_found",
        Kind.REFUSED,
        r"record_not_found|failed to create order line items",
        "a product or variant of the order is not in the shop",
        _PRODUCT,
    ),
    Entry(
        "create_order_calculate_failed",
        Kind.REFUSED,
        r"create_order_calculate_failed|order price calculate error",
        "the price could not be calculated",
        "check discount (at most the products' total), tax_total, shipping_price and currency_code (the shop's)",
    ),
    Entry(
        "create_order_build_failed",
        Kind.REFUSED,
        r"create_order_build_failed|customer or payment\s?line information error",
        "the customer or the payment method does not pass",
        "check email and phone of shipping_address, and payment_line (COD only where the shop allows it)",
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


def find(text: str) -> Entry | None:
    """Return the entry of a text, or None for words nobody knows."""
    return next((entry for entry in (*MAY_EXIST, *REFUSALS, *DOOR) if entry.matches(text)), None)


def by_status(status: int, code: str, version: str) -> Entry:
    """Return the entry of a documented status whose words are not in the table."""
    required = _REQUIRED.get(version, _REQUIRED_NOW)
    meaning, fix = {
        403: ("Shoplazza forbids this", "check the app's scopes (write_order, read_order) and the shop's settings"),
        404: ("Shoplazza does not find what was asked for", f"{_PRODUCT}; {_SHOP}"),
        405: ("Shoplazza does not take orders at this address", _SHOP),
    }.get(
        status,
        (
            "Shoplazza refused the order's fields",
            f"the message names the field: correct it and submit again; version {version} also requires {required}",
        ),
    )
    return Entry(code or f"HTTP_{status}", Kind.REFUSED, "", meaning, fix)


def unauthorised() -> Entry:
    """Return the entry of HTTP 401, whatever its words are."""
    return next(entry for entry in DOOR if entry.code == "AccessToken")
