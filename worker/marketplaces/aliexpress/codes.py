"""What every error code of AliExpress means and what to do about it: one table for results and for the gateway.

Sources: the vendor page of aliexpress.ds.order.create ("page"), the facts file's sections 2 and 3 ("facts").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """What a code says about the request, and so what may follow."""

    REFUSED_BY_CONTENT = "refused by content"
    """A no that the order's own content always earns."""
    REFUSED = "refused"
    """A no of this moment: stock, price, delivery, risk; the same content may have passed before."""
    REFUSED_RETRYABLE = "refused, may pass later"
    """A no that a later try may turn: a stock hold, the vendor's own system error."""
    ACCOUNT = "account"
    """A no that every order of this buyer account would get."""
    REPEATED = "repeated"
    """The order exists already."""
    THROTTLE = "throttle"
    """Declined by flow control, nothing was executed."""
    TOKEN = "token"  # noqa: S105 (a kind, no secret)
    """Declined at the door: the access token."""
    CONFIGURATION = "configuration"
    """Declined at the door: keys, signature, permission, allow-list."""
    CLOCK = "clock"
    """Declined at the door: the timestamp."""
    NOT_SHOWN = "not shown"
    """A read: the order is somebody else's or not synchronised yet, which look the same (facts: live)."""
    BACKEND_UNKNOWN = "backend unknown"
    """The vendor's backend failed on the way: a create may have been committed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One code: its kind, what it means, and the next step in a shop operator's words."""

    code: str
    kind: Kind
    meaning: str
    fix: str


def _same(kind: Kind, meaning: str, fix: str, *codes: str) -> tuple[Entry, ...]:
    return tuple(Entry(code, kind, meaning, fix) for code in codes)


ADDRESS_FAIL = "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL"
REPEATED = "REPEATED_ORDER_ERROR"

_ADDRESS = "correct the address (AliExpress' own order page accepts or rejects it as you type) and submit again"
_CPF = "correct cpf, and write contact_person and full_name exactly as the tax office (Receita) has them"
_OTHER_PRODUCT = "choose another product or supplier and submit a new order"
_ASK_VENDOR = "ask AliExpress' technical support with the request id, or order by hand on the website"

RESULT_CODES: tuple[Entry, ...] = (
    Entry(ADDRESS_FAIL, Kind.REFUSED_BY_CONTENT, "the address breaks AliExpress' rules", _ADDRESS),
    *_same(
        Kind.REFUSED_BY_CONTENT,
        "the CPF is wrong or does not belong to the named person",
        _CPF,
        "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID",
        "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH",
    ),
    Entry(
        "BLACKLIST_BUYER_IN_LIST",
        Kind.ACCOUNT,
        "AliExpress lets this buyer account place no orders for now",
        "clear it with AliExpress' customer service, then: fulfil resume ACCOUNT",
    ),
    Entry(
        "USER_ACCOUNT_DISABLED",
        Kind.ACCOUNT,
        "this buyer account is disabled",
        "contact AliExpress' customer service, then: fulfil resume ACCOUNT",
    ),
    Entry(
        "PRICE_PAY_CURRENCY_ERROR",
        Kind.REFUSED_BY_CONTENT,
        "the products of one order are priced in different currencies",
        "order products of one currency together, one order for each currency",
    ),
    Entry(
        "DELIVERY_METHOD_NOT_EXIST",
        Kind.REFUSED,
        "the product cannot go to this address with this delivery method, or stock is below the quantity",
        "take logistics_service_name from aliexpress.ds.freight.query for this address and quantity, check the stock",
    ),
    Entry(
        "INVENTORY_HOLD_ERROR",
        Kind.REFUSED_RETRYABLE,
        "the stock could not be held: too little of it, or a system error",
        "check the stock of the SKU; lower product_count or choose another supplier",
    ),
    Entry(
        REPEATED,
        Kind.REPEATED,
        "the order was placed before",
        "find it in the buyer's order list on AliExpress, then: fulfil adopt ORDER --reference ID",
    ),
    Entry(
        "ERROR_WHEN_BUILD_FOR_PLACE_ORDER",
        Kind.REFUSED_RETRYABLE,
        "AliExpress' system error while building the order; often a dead SKU, a Choice item or the country",
        "check that the SKU is on sale in this country; " + _ASK_VENDOR,
    ),
    Entry("A001_ORDER_CANNOT_BE_PLACED", Kind.REFUSED, "AliExpress will not place this order", _ASK_VENDOR),
    Entry(
        "A002_INVALID_ZONE",
        Kind.REFUSED,
        "AliExpress calls the zone invalid",
        "check province, city and zip against aliexpress.ds.address.get and whether the product ships there",
    ),
    Entry(
        "A003_SUSPICIOUS_BUYER",
        Kind.ACCOUNT,
        "AliExpress' risk control suspects the buyer account",
        "clear it with AliExpress' customer service, then: fulfil resume ACCOUNT",
    ),
    Entry(
        "A004_CANNOT_USER_COUPON",
        Kind.REFUSED,  # not by content: an earlier send that passed would have used the coupon up
        "the promotion code cannot be used for this order",
        "take promotion_code and promotion_activity_id out, or use a valid one, and submit again",
    ),
    Entry(
        "A005_INVALID_COUNTRIES",
        Kind.REFUSED,
        "the product or the account may not order to this country",
        "choose a product that ships to this country",
    ),
    Entry(
        "A006_INVALID_ACCOUNT_INFO",
        Kind.ACCOUNT,
        "the buyer account's information is invalid",
        "complete the account on AliExpress' website, then: fulfil resume ACCOUNT",
    ),
    # Below: not on the vendor page; seen in public systems (facts: section 3).
    Entry(
        "SKU_NOT_EXIST",
        Kind.REFUSED,
        "the product has no such SKU",
        "copy sku_attr from aliexpress.ds.product.get (such as 14:365458#Brown, never the numeric SKU id)",
    ),
    Entry("PRODUCT_NOT_EXIST", Kind.REFUSED, "there is no such product", "check product_id; " + _OTHER_PRODUCT),
    *_same(
        Kind.REFUSED,
        "the product is no longer on sale",
        _OTHER_PRODUCT,
        "PRODUCT_OFF_SHELF",
        "PRODUCT_HAS_BEEN_DELETED",
        "PRODUCT_OFFLINE",
    ),
    Entry(
        "INSUFFICIENT_INVENTORY",
        Kind.REFUSED,
        "stock is below the quantity",
        "lower product_count or choose another supplier",
    ),
    Entry("SHIPPING_NOT_SUPPORT", Kind.REFUSED, "the product does not ship to this address", _OTHER_PRODUCT),
    Entry("PRICE_CHANGED", Kind.REFUSED, "the price changed", "check the price and submit a new order if it suits"),
    Entry("INVALID_ADDRESS", Kind.REFUSED_BY_CONTENT, "the address is invalid", _ADDRESS),
    Entry(
        "INVALID_PHONE",
        Kind.REFUSED_BY_CONTENT,
        "the phone number is invalid",
        "write mobile_no as 7-13 digits without the country code, the code in phone_country",
    ),
    Entry("REMOTE_CREATE_ORDER_RESULT_ERROR", Kind.REFUSED, "AliExpress' order service said no", _ASK_VENDOR),
    Entry(
        "PARM_ILLEGL",  # the vendor's spelling
        Kind.REFUSED_BY_CONTENT,
        "a parameter is not allowed",
        "check product_id, sku_attr and the address against the product's page",
    ),
)

_AUTHORISE = "authorise the account again, set its new access_token, restart the workers"
_KEYS_FIX = "check app_key and app_secret of the account against AliExpress' app console"
_WAIT = "nothing: sending goes on by itself when the ban ends; lower the account's rate if it comes often"
_BACKEND_FIX = "nothing: the order is sent again under the same key while that is safe"

GATEWAY_CODES: tuple[Entry, ...] = (
    *_same(
        Kind.THROTTLE,
        "called too often",
        _WAIT,
        *("ApiCallLimit", "AppApiCallLimit", "SellerCallLimit", "AppCallLimited"),
        "accesscontrol.limited-by-app-access-count",
        "accesscontrol.limited-by-api-access-count",
        "accesscontrol.limited-by-app-api-access-count",
    ),
    *_same(
        Kind.TOKEN,
        "the access token is missing, wrong or expired",
        _AUTHORISE,
        *("IllegalAccessToken", "MissingSession", "InvalidSession", "ExpiredSession"),
    ),
    *_same(
        Kind.CONFIGURATION,
        "the signature or the app key is wrong",
        _KEYS_FIX,
        *("IncompleteSignature", "InvalidAppKey", "MissingAppKey", "MissingSignature"),
    ),
    Entry(
        "AppWhiteIpLimit",
        Kind.CONFIGURATION,
        "this server's address is not on the app's IP allow-list",
        "add the server's public address to the allow-list in AliExpress' app console",
    ),
    *_same(
        Kind.CONFIGURATION,
        "the app may not call this API, or the account must be mended",
        "ask for the Dropshipping permission in AliExpress' app console and bind the account as a DS account",
        *("InsufficientPermission", "InvalidMethod", "InvalidApiPath"),
        *("isv.account-migration-check-fail", "AUTH_TYPE_UNSUPPORTED"),
    ),
    *_same(
        Kind.CLOCK,
        "the timestamp is more than two hours off",
        "set this server's clock (NTP)",
        *("MissingTimestamp", "InvalidTimestamp", "IllegalTimestamp"),
    ),
    *_same(
        Kind.REFUSED_BY_CONTENT,
        "a parameter is missing or malformed",
        "the message names the parameter: correct it in the order and submit again",
        *("MissingParameter", "InvalidParameter", "UnsupportedParamMapping"),
    ),
    *_same(
        Kind.BACKEND_UNKNOWN,
        "AliExpress' backend failed while it worked on the call",
        _BACKEND_FIX,
        *("ServiceTimeout", "ServiceUnavailable", "InternalError", "isp.service-unavailable"),
        *("isp.http-read-timeout", "isp.remote-service-timeout", "isp.http-connection-timeout"),
        *("isp.http-connection-refuse", "isp.http-connection-closed"),
    ),
    *_same(
        Kind.NOT_SHOWN,
        "the order belongs to another account or is not synchronised yet",
        "check that the order's account and its access_token belong together",
        *("isv.insufficient-permission", "isv.invalid-authorization"),
    ),
)

ENTRIES = (*RESULT_CODES, *GATEWAY_CODES)

NUMBERS = {
    "7": "AppCallLimited",
    "10": "ServiceUnavailable",
    "11": "InsufficientPermission",
    "22": "InvalidMethod",
    "24": "MissingSignature",
    "25": "IncompleteSignature",
    "26": "MissingSession",
    "27": "InvalidSession",
    "28": "MissingAppKey",
    "29": "InvalidAppKey",
    "30": "MissingTimestamp",
    "31": "InvalidTimestamp",
    "40": "MissingParameter",
    "41": "InvalidParameter",
    "44": "ExpiredSession",
}
"""The old gateway's numbers; 15 is no code of its own, its sub_code is."""

_PATTERNS = (
    (re.compile(r"accesscontrol\.limited-by-", re.I), "ApiCallLimit"),
    (re.compile(r"isp\.", re.I), "isp.service-unavailable"),
    (re.compile(r"isv\..*param", re.I), "InvalidParameter"),
)
_RESULT = {entry.code.casefold(): entry for entry in RESULT_CODES}
_GATEWAY = {entry.code.casefold(): entry for entry in GATEWAY_CODES}
_BAN = re.compile(r"last(?:\s+for)?\s+(\d{1,9})\s+(?:more\s+)?seconds", re.I)
_LIMIT = re.compile(r"\bban\b|limit|frequency", re.I)

ADDRESS_TEXTS: tuple[tuple[str, str], ...] = (
    ("enter a city", "city is missing or not AliExpress' name of it; take it from aliexpress.ds.address.get"),
    (
        "country code and phone number",
        "digits only in mobile_no, without country code, spaces or signs; the code in phone_country",
    ),
    (
        "select a province",
        "province is not AliExpress' name of it; take it from aliexpress.ds.address.get (Italy: one of the 20"
        " regions; Austria: the Bundesland in English and city Other)",
    ),
    (
        "select a state",
        "province is not AliExpress' name of it for this country; take it from aliexpress.ds.address.get",
    ),
    (
        "between 2 - 32 characters",
        "write contact_person as first and last name with a space, 2-32 characters on each side",
    ),
    ("enter mobile phone number", "give mobile_no: 7-13 digits, the country code apart in phone_country"),
    ("7-13 digits", "mobile_no must have 7-13 digits, without the country code"),
    (
        "national address",
        "give ds_extend_request.trade_extra_param.nat_addr as four letters and four digits, such as ABCD1234",
    ),
)
"""Words of an address refusal and their fix (page: explanations; facts: live address messages)."""

_ADDRESS_CODES = {ADDRESS_FAIL, "INVALID_ADDRESS"}
_REPEATED_TEXTS = ("repeated placed order", "duplicate order")


def is_known(code: str) -> bool:
    """Tell whether a code is the vendor's own word, so that it can hold nothing personal."""
    return code.casefold() in _RESULT or code in NUMBERS or _gateway_word(code) is not None


def find_result(code: str, text: str) -> Entry:
    """Return the entry of a code in a create's result; an unknown one is a refusal nobody retries."""
    entry = _RESULT.get(code.casefold()) or _gateway_word(code)
    lowered = text.casefold()
    if not code and any(words in lowered for words in _REPEATED_TEXTS):
        return _RESULT[REPEATED.casefold()]
    if not code or code.upper() in _ADDRESS_CODES:
        for words, fix in ADDRESS_TEXTS:
            if words in lowered:
                return replace(entry or _RESULT[ADDRESS_FAIL.casefold()], fix=fix)
    return entry or Entry(
        code or "NO_CODE",
        Kind.REFUSED,
        "AliExpress refused the order with words only" if not code else "a code this application does not know",
        f"look up {code or 'the message'} on AliExpress' page of aliexpress.ds.order.create; " + _ASK_VENDOR,
    )


def find_gateway(code: str, sub_code: str, text: str) -> Entry:
    """Return the entry of a gateway error; what nobody knows may have been executed."""
    entry = _gateway_word(sub_code) or _gateway_word(NUMBERS.get(code, code))
    if entry is None and ban_seconds(text) is not None and _LIMIT.search(text):
        entry = replace(_GATEWAY["apicalllimit"], code=sub_code or code or "ApiCallLimit")
    return entry or Entry(
        sub_code or code or "NO_CODE",
        Kind.BACKEND_UNKNOWN,
        "a gateway error this application does not know",
        _BACKEND_FIX,
    )


def _gateway_word(code: str) -> Entry | None:
    if not code:
        return None
    entry = _GATEWAY.get(code.casefold())
    if entry is None:
        for pattern, like in _PATTERNS:
            if pattern.match(code):
                return replace(_GATEWAY[like.casefold()], code=code)
    return entry


def ban_seconds(text: str) -> int | None:
    """Return how long a throttle's own words say the ban lasts (1 to 22238 s seen live), if they do."""
    found = _BAN.search(text)
    return int(found[1]) if found else None
