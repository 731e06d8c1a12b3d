"""What the error codes and error texts of Xportcn and 1688 mean and what to do about them.

Xportcn's own page of error codes is not stored (xportcn.md, 1). So of an answer to a create only 1688's documented
codes are believed (A2), where 1688 or Xportcn puts them: `of_order`, `of_gateway`. A preview and a read create nothing:
there words count where a code says nothing, 1688's codes are looked for in the text too, and what nobody knows is a
refusal.
"""

from __future__ import annotations

import re
from dataclasses import replace

from worker.marketplaces.codes import Clean, Kind, KnownCode, storable_code
from worker.rules.codes import amending

_SPEC = "take sellerOpenId and specId from the product's detail, lines of one seller only: " + amending(
    "cargoParamList[0].specId=ID"
)
FEWER = amending("cargoParamList[0].quantity=NUMBER")
"""How the quantity of an order is changed."""
_MORE = f"order at least the seller's minimum, which the product's detail names: {FEWER}"
_OTHER = f"choose another product or supplier: {amending('cargoParamList[0].offerId=ID')}"
_KEYS = "check access_key, access_secret and user_id in Xportcn's console (a reset there ends the old pair at once)"
_PERMIT = "ask Xportcn to permit this call for the access key and the user-id"
_BASE = "check the account's base_url: https://www.xportcn.com/api"
_WAIT = "nothing: sending goes on by itself; lower the account's rate if it comes often"
_NTP = "set this server's clock (NTP), and check the account's timestamp_unit"
_LOOK = "nothing: the order is looked up before anything else happens to it"
_ASK = "ask Xportcn with the request id, or order by hand on 1688"

ORDER_FACTS = "facts A2: 1688's codes for an order"
GATEWAY_FACTS = "facts A2: 1688's gateway"
WORDS = "words: of a preview or a read only"
HTTP = "HTTP: of a create only beside the same HTTP status"

ORDER_CODES: tuple[KnownCode, ...] = (
    KnownCode("500_001", Kind.REFUSED, "the product is not sold online", _OTHER, ORDER_FACTS),
    KnownCode(
        "500_002", Kind.REFUSED, "sellers are mixed, or specId is missing or another product's", _SPEC, ORDER_FACTS
    ),
    KnownCode(
        "500_003", Kind.REFUSED, "sellers are mixed, or specId is missing or another product's", _SPEC, ORDER_FACTS
    ),
    KnownCode(
        "500_004",
        Kind.REFUSED,
        "stock is below the quantity",
        f"lower the quantity or choose another supplier: {FEWER}",
        ORDER_FACTS,
    ),
    KnownCode("500_005", Kind.REFUSED, "below the minimum quantity", _MORE, ORDER_FACTS),
    KnownCode("500_006", Kind.REFUSED, "the seller's mixed-batch rule is not met", _MORE, ORDER_FACTS),
    KnownCode(
        "500_007",
        Kind.REFUSED,
        "there is no consignment relation with this seller",
        f"set the relation up on 1688, then: fulfil retry ORDER; or use flow general: {amending('flow=general')}",
        ORDER_FACTS,
    ),
    KnownCode(
        "500_008",
        Kind.REFUSED,
        "the price is 0",
        f"check the product on 1688; another flow may have a price: {amending('flow=FLOW')}",
        ORDER_FACTS,
    ),
    KnownCode("500_009", Kind.REFUSED, "below the minimum quantity", _MORE, ORDER_FACTS),
)

GATEWAY_CODES: tuple[KnownCode, ...] = (
    KnownCode("gw.QosAppFrequencyLimit", Kind.RATE, "called too often", _WAIT, GATEWAY_FACTS),
    KnownCode("gw.SignatureInvalid", Kind.SETUP, "the signature is wrong", _KEYS, GATEWAY_FACTS),
    KnownCode("APIACLDecline", Kind.SETUP, "the app may not make this call", _PERMIT, GATEWAY_FACTS),
    KnownCode("gw.APIACLDecline", Kind.SETUP, "the app may not make this call", _PERMIT, GATEWAY_FACTS),
)

CODES = (*ORDER_CODES, *GATEWAY_CODES)


def _by_words(kind: Kind, meaning: str, fix: str, words: str) -> KnownCode:
    return KnownCode("", kind, meaning, fix, WORDS, words=words)


TEXTS: tuple[KnownCode, ...] = (
    _by_words(Kind.RATE, "called too often", _WAIT, r"QosApp|frequen|too many request|rate.?limit|限流|频繁|流控"),
    _by_words(Kind.CLOCK, "the nonce is not accepted", _NTP, r"nonce|重复请求"),
    _by_words(Kind.CLOCK, "the timestamp is more than 600 seconds off", _NTP, r"timestamp|时间戳"),
    _by_words(
        Kind.SETUP, "the signature is wrong", _KEYS, r"signature|签名|invalid sign\b|\bsign (is )?(error|invalid|wrong)"
    ),
    _by_words(Kind.SETUP, "the keys are not accepted", _KEYS, r"access.?key|app.?key|user-id"),
    _by_words(
        Kind.SETUP,
        "the account may not make this call",
        _PERMIT,
        r"ACLDecline|permission|unauthori[sz]ed|not authori[sz]ed|forbidden|权限|未授权",
    ),
    _by_words(
        Kind.EXISTS,
        "an order of this outOrderId exists already",
        _LOOK,
        r"(duplicate|repeated) (out ?)?order|outOrderId.{0,20}(exist|duplicate|重复)|重复下单|订单已存在"
        r"|order already exist",
    ),
    _by_words(
        Kind.MAY_EXIST,
        "it says success under a code that is not among the account's success_codes",
        "check the account's success_codes; the order is looked up before anything else happens to it",
        r"^\W*(success|ok\b|成功|操作成功|请求成功)",
    ),
    _by_words(
        Kind.MAY_EXIST,
        "the backend failed while it worked on the call",
        _LOOK,
        r"系统|异常|超时|稍后|网络|time(d)? ?out|system (error|busy)|internal|unavailable|exception|try again",
    ),
    _by_words(
        Kind.REFUSED,
        "the trade type is not offered for this order",
        f"leave tradeType out, the first one the preview offers is taken: {amending('tradeType=')}",
        r"not support tradeType|交易方式",
    ),
    _by_words(
        Kind.REFUSED,
        "there is no such product or specification",
        f"check offerId and specId against the product's detail: {amending('cargoParamList[0].specId=ID')}",
        r"(商品|产品|offer|product|spec).{0,30}(不存在|not exist|not found|invalid)",
    ),
    _by_words(Kind.REFUSED, "stock is below the quantity", CODES[3].fix, r"库存|stock|inventory"),
    _by_words(Kind.REFUSED, "below the minimum quantity", _MORE, r"起批|起订|混批|minimum"),
    _by_words(Kind.REFUSED, "the product is no longer on sale", CODES[0].fix, r"下架|失效|not on sale|off.?shel"),
    _by_words(
        Kind.REFUSED,
        "the address is not accepted",
        f"correct addressParam, in Chinese: {amending('addressParam.FIELD=VALUE')}",
        r"地址|address|districtCode",
    ),
)
"""Words of an answer, in the order they count: declined at the door, then doubt, then business."""

NUMBERS: tuple[KnownCode, ...] = (
    KnownCode("429", Kind.RATE, "called too often", _WAIT, HTTP),
    KnownCode("401", Kind.SETUP, "the keys are not accepted", _KEYS, HTTP),
    KnownCode("403", Kind.SETUP, "the account may not make this call", _PERMIT, HTTP),
    KnownCode("404", Kind.SETUP, "there is no such call at this address", _BASE, HTTP),
    KnownCode("405", Kind.SETUP, "there is no such call at this address", _BASE, HTTP),
)
"""The numbers every HTTP service shares, as `code`; they count after the words: 404 may be a product."""

ENTRIES = (*CODES, *NUMBERS, *TEXTS)

UNLISTED = "a code this application does not know"

_OF_ORDER = {entry.code: entry for entry in ORDER_CODES}
_OF_GATEWAY = {entry.code.casefold(): entry for entry in GATEWAY_CODES}
_BY_CODE = {entry.code.casefold(): entry for entry in CODES}
_BY_NUMBER = {entry.code: entry for entry in NUMBERS}
_INSIDE = re.compile(r"(?<!\d)500_00[1-9](?!\d)")
_PLAIN_SUCCESS = re.compile(r"(?:success|succeed(?:ed)?|ok|(?:操作|请求|调用)?成功)?[.!。！]?", re.I)
_SERVER_ERROR = re.compile(r"5\d\d")
_NO_SUCH_ORDER = re.compile(
    r"(订单|order).{0,40}(不存在|not exist|not found|未找到|查无)|(查无|未找到|no such).{0,5}(订单|order)", re.I
)


def is_known(code: str) -> bool:
    """Tell whether a code is the vendor's own word, so that it can hold nothing personal."""
    return code.casefold() in _BY_CODE or code in _BY_NUMBER


def clean_code(code: str, clean: Clean) -> str:
    """Return a code as it may be stored."""
    return storable_code(code, is_known(code), clean)


def of_order(code: str) -> KnownCode | None:
    """Return the entry of 1688's code for an order; None for a code nobody documents."""
    return _OF_ORDER.get(code)


def of_gateway(code: str) -> KnownCode | None:
    """Return the entry of a fault of 1688's gateway; None for a code nobody documents."""
    return _OF_GATEWAY.get(code.casefold())


def of_http(status: int, code: str) -> KnownCode | None:
    """Return the entry of a call turned away by its HTTP status, where the envelope's own code is that status too."""
    entry = _BY_NUMBER.get(code)
    return entry if code == str(status) and entry is not None and entry.kind is Kind.SETUP else None


def find(code: str, text: str) -> KnownCode:
    """Return the entry of a preview's or a read's answer in Xportcn's envelope; an unknown one is a refusal."""
    entry = _known(code, text)
    if entry is None and _SERVER_ERROR.fullmatch(code):
        return KnownCode(code, Kind.MAY_EXIST, "the backend failed while it worked on the call", _LOOK, WORDS)
    return entry or KnownCode(code, Kind.REFUSED, UNLISTED, "read the reason; " + _ASK, WORDS)


def find_gateway(code: str, text: str) -> KnownCode:
    """Return the entry of a fault of 1688's gateway; what nobody knows may have been executed."""
    entry = _known(code, f"{code} {text}")
    return entry or KnownCode(code, Kind.MAY_EXIST, "a gateway error this application does not know", _LOOK, WORDS)


def preview_code(text: str) -> str:
    """Return the 1688 preview code a text holds, or nothing."""
    found = _INSIDE.search(text)
    return found[0] if found else ""


def says_success(text: str) -> bool:
    """Tell whether words say nothing but success, as those of the envelope do whatever 1688 says inside it."""
    return _PLAIN_SUCCESS.fullmatch(text.strip()) is not None


def says_no_such_order(text: str) -> bool:
    """Tell whether a read's answer says in words that there is no such order."""
    return _NO_SUCH_ORDER.search(text) is not None


def _known(code: str, text: str) -> KnownCode | None:
    inside = preview_code(code) or preview_code(text)
    entry = _BY_CODE.get(inside or code.casefold())
    if entry is not None:
        return entry
    known = next((entry for entry in TEXTS if entry.matches(text)), None)
    return replace(known, code=code) if known else _BY_NUMBER.get(code)
