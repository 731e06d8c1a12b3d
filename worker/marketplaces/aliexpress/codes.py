"""What every error code of AliExpress means: those of a create's result, and those of the gateway in front of it.

A no to a create is believed only by a code that the vendor page or the facts file documents, where the vendor puts it
(`of_result`, `of_fault`); a read creates nothing and is read leniently (`find_gateway`). Words may choose the fix,
never the kind. `source`: "page" is the vendor page of order.create, "facts N" a section of the facts file.
"""

from __future__ import annotations

import re
from dataclasses import replace

from worker.marketplaces.codes import Clean, Kind, KnownCode, same, storable_code
from worker.marketplaces.doubts import ORDER_OR_DOOR
from worker.rules.codes import amending

ADDRESS_FAIL = "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL"
REPEATED = "REPEATED_ORDER_ERROR"

_CHANGE_ADDRESS = amending("logistics_address.FIELD=VALUE")
_CHANGE_COUNT = amending("product_items[0].product_count=NUMBER")
_CHANGE_PRODUCT = amending("product_items[0].product_id=ID")
_ADDRESS = f"correct the address (AliExpress' own order page accepts or rejects it as you type): {_CHANGE_ADDRESS}"
_CPF = (
    "correct cpf, and write contact_person and full_name exactly as the tax office (Receita) has them:"
    f" {_CHANGE_ADDRESS}"
)
_OTHER_PRODUCT = f"choose another product or supplier: {_CHANGE_PRODUCT}"
_LESS = f"lower the quantity or choose another supplier: {_CHANGE_COUNT}, or {_CHANGE_PRODUCT}"
_ASK_VENDOR = "ask AliExpress' technical support with the request id, or order by hand on the website"

RESULT_CODES: tuple[KnownCode, ...] = (
    KnownCode(ADDRESS_FAIL, Kind.REFUSED_BY_CONTENT, "the address breaks AliExpress' rules", _ADDRESS, "page"),
    *same(
        Kind.REFUSED_BY_CONTENT,
        "page",
        "the CPF is wrong or does not belong to the named person",
        _CPF,
        "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID",
        "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH",
    ),
    KnownCode(
        "BLACKLIST_BUYER_IN_LIST",
        Kind.REFUSED_TO_ACCOUNT,
        "AliExpress lets this buyer account place no orders for now",
        "clear it with AliExpress' customer service, then: fulfil resume ACCOUNT",
        "page",
    ),
    KnownCode(
        "USER_ACCOUNT_DISABLED",
        Kind.REFUSED_TO_ACCOUNT,
        "this buyer account is disabled",
        "contact AliExpress' customer service, then: fulfil resume ACCOUNT",
        "page",
    ),
    KnownCode(
        "PRICE_PAY_CURRENCY_ERROR",
        Kind.REFUSED_BY_CONTENT,
        "the products of one order are priced in different currencies",
        "leave the products of one currency in it (fulfil submit --replace FILE), and order the others by themselves",
        "page",
    ),
    KnownCode(
        "DELIVERY_METHOD_NOT_EXIST",
        Kind.REFUSED,
        "the product cannot go to this address with this delivery method, or stock is below the quantity",
        "take logistics_service_name from aliexpress.ds.freight.query for this address and quantity, check the stock: "
        + amending("product_items[0].logistics_service_name=NAME"),
        "page",
    ),
    KnownCode(
        "INVENTORY_HOLD_ERROR",
        Kind.REFUSED_FOR_NOW,
        "the stock could not be held: too little of it, or a system error",
        f"check the stock of the SKU; {_LESS}",
        "page",
        ("Maybe inventory is insufficient or system error occured.",),
    ),
    KnownCode(
        REPEATED,
        Kind.REPEATED,
        "the order was placed before",
        "find it in the buyer's order list on AliExpress, then: fulfil adopt ORDER --reference ID",
        "page",
    ),
    KnownCode(
        "ERROR_WHEN_BUILD_FOR_PLACE_ORDER",
        Kind.REFUSED_FOR_NOW,
        "AliExpress' system error while building the order; often a dead SKU, a Choice item or the country",
        "check that the SKU is on sale in this country; " + _ASK_VENDOR,
        "page",
        ("System error.", "System error,Please connect tech support."),
    ),
    KnownCode("A001_ORDER_CANNOT_BE_PLACED", Kind.REFUSED, "AliExpress will not place this order", _ASK_VENDOR, "page"),
    KnownCode(
        "A002_INVALID_ZONE",
        Kind.REFUSED,
        "AliExpress calls the zone invalid",
        f"check province, city and zip against aliexpress.ds.address.get, and where it ships to: {_CHANGE_ADDRESS}",
        "page",
    ),
    KnownCode(
        "A003_SUSPICIOUS_BUYER",
        Kind.REFUSED_TO_ACCOUNT,
        "AliExpress' risk control suspects the buyer account",
        "clear it with AliExpress' customer service, then: fulfil resume ACCOUNT",
        "page",
    ),
    KnownCode(
        "A004_CANNOT_USER_COUPON",
        Kind.REFUSED,  # not by content: an earlier send that passed would have used the coupon up
        "the promotion code cannot be used for this order",
        "take the code out, or use a valid one: " + amending("ds_extend_request.promotion.promotion_code="),
        "page",
    ),
    KnownCode(
        "A005_INVALID_COUNTRIES",
        Kind.REFUSED,
        "the product or the account may not order to this country",
        f"choose a product that ships to this country: {_CHANGE_PRODUCT}",
        "page",
    ),
    KnownCode(
        "A006_INVALID_ACCOUNT_INFO",
        Kind.REFUSED_TO_ACCOUNT,
        "the buyer account's information is invalid",
        "complete the account on AliExpress' website, then: fulfil resume ACCOUNT",
        "page",
    ),
    # Below: not on the vendor page; the facts file lists them from the official demo and from public systems.
    KnownCode(
        "SKU_NOT_EXIST",
        Kind.REFUSED,
        "the product has no such SKU",
        "copy sku_attr from aliexpress.ds.product.get (such as 14:365458#Brown, never the numeric SKU id): "
        + amending("product_items[0].sku_attr=SKU"),
        "facts 3",
    ),
    KnownCode(
        "PRODUCT_NOT_EXIST", Kind.REFUSED, "there is no such product", "check product_id; " + _OTHER_PRODUCT, "facts 3"
    ),
    *same(
        Kind.REFUSED,
        "facts 3",
        "the product is no longer on sale",
        _OTHER_PRODUCT,
        "PRODUCT_OFF_SHELF",
        "PRODUCT_HAS_BEEN_DELETED",
        "PRODUCT_OFFLINE",
    ),
    KnownCode(
        "INSUFFICIENT_INVENTORY",
        Kind.REFUSED,
        "stock is below the quantity",
        _LESS,
        "facts 3",
    ),
    KnownCode(
        "SHIPPING_NOT_SUPPORT", Kind.REFUSED, "the product does not ship to this address", _OTHER_PRODUCT, "facts 3"
    ),
    KnownCode(
        "PRICE_CHANGED",
        Kind.REFUSED,
        "the price changed",
        "check the price; if it suits: fulfil retry ORDER, else: fulfil cancel ORDER",
        "facts 3",
    ),
    KnownCode("INVALID_ADDRESS", Kind.REFUSED_BY_CONTENT, "the address is invalid", _ADDRESS, "facts 3"),
    KnownCode(
        "INVALID_PHONE",
        Kind.REFUSED_BY_CONTENT,
        "the phone number is invalid",
        f"write mobile_no as 7-13 digits without the country code, the code in phone_country: {_CHANGE_ADDRESS}",
        "facts 3",
    ),
    KnownCode(
        "REMOTE_CREATE_ORDER_RESULT_ERROR", Kind.REFUSED, "AliExpress' order service said no", _ASK_VENDOR, "facts 3"
    ),
    KnownCode(
        "PARM_ILLEGL",  # the vendor's spelling
        Kind.REFUSED_BY_CONTENT,
        "a parameter is not allowed",
        f"check product_id, sku_attr and the address against the product's page, then: {amending()}",
        "facts 3",
        about=ORDER_OR_DOOR,
    ),
)

FACTS = "facts 2"
BY_NUMBER = "facts 2, by its number"
"""Only the old gateway's number is documented and the word is ours: of the gateway's own, it is believed of a read."""
SISTERS = "sister platforms: of a read only"

_AUTHORISE = "fulfil accounts login ACCOUNT; or set its new access_token and restart the workers"
_KEYS_FIX = "check app_key and app_secret of the account against AliExpress' app console"
_WAIT = "nothing: sending goes on by itself when the ban ends; lower the account's rate if it comes often"
_NTP = "set this server's clock (NTP)"
_TOKEN = "the access token is missing, wrong or expired"  # noqa: S105 (words, no secret)
_KEYS = "the signature or the app key is wrong"
_CLOCK = "the timestamp is more than two hours off"
_NO_CALL = "the app may not call this API, or the account must be mended"
_PERMISSION = "ask for the Dropshipping permission in AliExpress' app console and bind the account as a DS account"
_BACKEND_FIX = "nothing: the order is sent again under the same key while that is safe"

GATEWAY_CODES: tuple[KnownCode, ...] = (
    *same(
        Kind.RATE,
        FACTS,
        "called too often",
        _WAIT,
        *("ApiCallLimit", "AppApiCallLimit", "SellerCallLimit"),
        "accesscontrol.limited-by-app-access-count",
        "accesscontrol.limited-by-api-access-count",
        "accesscontrol.limited-by-app-api-access-count",
    ),
    KnownCode("AppCallLimited", Kind.RATE, "called too often", _WAIT, BY_NUMBER),
    KnownCode("IllegalAccessToken", Kind.TOKEN, _TOKEN, _AUTHORISE, FACTS),
    *same(Kind.TOKEN, BY_NUMBER, _TOKEN, _AUTHORISE, "MissingSession", "InvalidSession", "ExpiredSession"),
    *same(Kind.SETUP, FACTS, _KEYS, _KEYS_FIX, "IncompleteSignature", "InvalidAppKey"),
    *same(Kind.SETUP, BY_NUMBER, _KEYS, _KEYS_FIX, "MissingAppKey", "MissingSignature"),
    KnownCode(
        "AppWhiteIpLimit",
        Kind.SETUP,
        "this server's address is not on the app's IP allow-list",
        "add the server's public address to the allow-list in AliExpress' app console",
        FACTS,
    ),
    *same(
        Kind.SETUP,
        FACTS,
        _NO_CALL,
        _PERMISSION,
        *("InsufficientPermission", "InvalidApiPath", "isv.account-migration-check-fail", "AUTH_TYPE_UNSUPPORTED"),
    ),
    KnownCode("InvalidMethod", Kind.SETUP, _NO_CALL, _PERMISSION, BY_NUMBER),
    KnownCode("InvalidTimestamp", Kind.CLOCK, _CLOCK, _NTP, FACTS),
    KnownCode("MissingTimestamp", Kind.CLOCK, _CLOCK, _NTP, BY_NUMBER),
    KnownCode("IllegalTimestamp", Kind.CLOCK, _CLOCK, _NTP, SISTERS),
    *same(
        Kind.REFUSED_BY_CONTENT,
        FACTS,
        "a parameter is missing or malformed",
        f"the message names the parameter: {amending()}",
        *("MissingParameter", "InvalidParameter", "UnsupportedParamMapping"),
        about=ORDER_OR_DOOR,
    ),
    *same(
        Kind.MAY_EXIST,
        FACTS,
        "AliExpress' backend failed while it worked on the call",
        _BACKEND_FIX,
        *("ServiceTimeout", "ServiceUnavailable", "InternalError", "isp.service-unavailable"),
        *("isp.http-read-timeout", "isp.remote-service-timeout", "isp.http-connection-timeout"),
        *("isp.http-connection-refuse", "isp.http-connection-closed"),
    ),
    *same(
        Kind.NOT_SHOWN,
        FACTS,
        "the order belongs to another account or is not synchronised yet",
        "check that the order's account and its access_token belong together",
        *("isv.insufficient-permission", "isv.invalid-authorization"),
    ),
)

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

ENTRIES = (*RESULT_CODES, *GATEWAY_CODES)

_RESULT = {entry.code.casefold(): entry for entry in RESULT_CODES}
_GATEWAY = {entry.code.casefold(): entry for entry in GATEWAY_CODES}
_NO_CODE = "15"
"""Of the gateway's numbers the one that says nothing: its sub_code is the code."""

# How reads know a kind of code by its beginning. "isv." alone is anything, and proves nothing of a create.
_PATTERNS = (
    (re.compile(r"accesscontrol\.limited-by-", re.I), "ApiCallLimit"),
    (re.compile(r"isp\.", re.I), "isp.service-unavailable"),
    (re.compile(r"isv\..*param", re.I), "InvalidParameter"),
)
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


def clean_code(code: str, clean: Clean) -> str:
    """Return a code as it may be stored."""
    known = code in NUMBERS or code.casefold() in _RESULT or code.casefold() in _GATEWAY
    return storable_code(code, known, clean)


def of_result(code: str, text: str) -> KnownCode | None:
    """Return the entry of a code in a create's result; None for one nobody documents. Words choose an address' fix."""
    entry = _RESULT.get(code.casefold())
    if entry is not None and entry.code in _ADDRESS_CODES:
        lowered = text.casefold()
        told = next((f"{fix}: {_CHANGE_ADDRESS}" for words, fix in ADDRESS_TEXTS if words in lowered), entry.fix)
        return replace(entry, fix=told)
    return entry


def of_fault(code: str, sub_code: str) -> KnownCode | None:
    """Return the entry of a gateway error to a create; None for one nobody documents, or whose codes disagree."""
    entry = _documented(code)
    if not sub_code:
        return entry
    inner = _documented(sub_code)
    if inner is None or (code != _NO_CODE and entry is not None and entry.topics != inner.topics):
        return None
    return inner


def _documented(code: str) -> KnownCode | None:
    if code in NUMBERS:
        return _GATEWAY[NUMBERS[code].casefold()]
    entry = _GATEWAY.get(code.casefold())
    return entry if entry is not None and entry.source == FACTS else None


def find_gateway(code: str, sub_code: str, text: str) -> KnownCode:
    """Return the entry of a gateway error to a read; here patterns and words count too."""
    entry = _gateway_word(sub_code) or _gateway_word(NUMBERS.get(code, code))
    if entry is None and ban_seconds(text) is not None and _LIMIT.search(text):
        entry = replace(_GATEWAY["apicalllimit"], code=sub_code or code or "ApiCallLimit")
    return entry or KnownCode(
        sub_code or code or "NO_CODE",
        Kind.MAY_EXIST,
        "a gateway error this application does not know",
        "nothing: the order is read again by itself",
        "documented nowhere",
    )


def _gateway_word(code: str) -> KnownCode | None:
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
