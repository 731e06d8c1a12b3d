"""What the error codes and error texts of Xportcn and 1688 mean and what to do about them.

Xportcn's own page of error codes is not stored (facts: A1). So of an answer to a create only 1688's documented codes
are believed (A2), where 1688 or Xportcn puts them: `of_order`, `of_gateway`. A preview and a read create nothing: there
words count where a code says nothing, 1688's codes are looked for in the text too, and what nobody knows is a refusal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from worker.marketplaces.doubts import DOOR, LIMIT, ORDER, Topics


class Kind(StrEnum):
    """What an answer says about the request, and so what may follow."""

    REFUSED = "refused"
    """A no of this moment: stock, price, relation; the same order may have passed before."""
    THROTTLE = "throttle"
    """Declined by flow control, nothing was executed."""
    CONFIGURATION = "configuration"
    """Declined at the door: keys, signature, permission, address of the API."""
    CLOCK = "clock"
    """Declined at the door: the timestamp or the nonce."""
    DUPLICATE = "duplicate"
    """It says that an order of this outOrderId exists: no new one was made, the old one has to be found."""
    BACKEND_UNKNOWN = "backend unknown"
    """The vendor's backend failed on the way: a create may have been committed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer: its code, its kind, what it means, and the next step in a shop operator's words.

    `source`: where it is documented with this meaning; WORDS are believed of a preview or a read only.
    """

    code: str
    kind: Kind
    meaning: str
    fix: str
    source: str


_SPEC = "take sellerOpenId and specId from the product's detail, lines of one seller only"
_MORE = "order at least the seller's minimum; the product's detail names it"
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

ORDER_CODES: tuple[Entry, ...] = (
    Entry("500_001", Kind.REFUSED, "the product is not sold online", "choose another product or supplier", ORDER_FACTS),
    Entry("500_002", Kind.REFUSED, "sellers are mixed, or specId is missing or another product's", _SPEC, ORDER_FACTS),
    Entry("500_003", Kind.REFUSED, "sellers are mixed, or specId is missing or another product's", _SPEC, ORDER_FACTS),
    Entry(
        "500_004",
        Kind.REFUSED,
        "stock is below the quantity",
        "lower the quantity or choose another supplier",
        ORDER_FACTS,
    ),
    Entry("500_005", Kind.REFUSED, "below the minimum quantity", _MORE, ORDER_FACTS),
    Entry("500_006", Kind.REFUSED, "the seller's mixed-batch rule is not met", _MORE, ORDER_FACTS),
    Entry(
        "500_007",
        Kind.REFUSED,
        "there is no consignment relation with this seller",
        "set the relation up on 1688, or use flow general",
        ORDER_FACTS,
    ),
    Entry(
        "500_008",
        Kind.REFUSED,
        "the price is 0",
        "check the product on 1688; another flow may have a price",
        ORDER_FACTS,
    ),
    Entry("500_009", Kind.REFUSED, "below the minimum quantity", _MORE, ORDER_FACTS),
)

GATEWAY_CODES: tuple[Entry, ...] = (
    Entry("gw.QosAppFrequencyLimit", Kind.THROTTLE, "called too often", _WAIT, GATEWAY_FACTS),
    Entry("gw.SignatureInvalid", Kind.CONFIGURATION, "the signature is wrong", _KEYS, GATEWAY_FACTS),
    Entry("APIACLDecline", Kind.CONFIGURATION, "the app may not make this call", _PERMIT, GATEWAY_FACTS),
    Entry("gw.APIACLDecline", Kind.CONFIGURATION, "the app may not make this call", _PERMIT, GATEWAY_FACTS),
)

CODES = (*ORDER_CODES, *GATEWAY_CODES)

TEXTS: tuple[tuple[str, Kind, str, str], ...] = (
    (r"QosApp|frequen|too many request|rate.?limit|限流|频繁|流控", Kind.THROTTLE, "called too often", _WAIT),
    (r"nonce|重复请求", Kind.CLOCK, "the nonce is not accepted", _NTP),
    (r"timestamp|时间戳", Kind.CLOCK, "the timestamp is more than 600 seconds off", _NTP),
    (
        r"signature|签名|invalid sign\b|\bsign (is )?(error|invalid|wrong)",
        Kind.CONFIGURATION,
        "the signature is wrong",
        _KEYS,
    ),
    (r"access.?key|app.?key|user-id", Kind.CONFIGURATION, "the keys are not accepted", _KEYS),
    (
        r"ACLDecline|permission|unauthori[sz]ed|not authori[sz]ed|forbidden|权限|未授权",
        Kind.CONFIGURATION,
        "the account may not make this call",
        _PERMIT,
    ),
    (
        r"(duplicate|repeated) (out ?)?order|outOrderId.{0,20}(exist|duplicate|重复)|重复下单|订单已存在"
        r"|order already exist",
        Kind.DUPLICATE,
        "an order of this outOrderId exists already",
        _LOOK,
    ),
    (
        r"^\W*(success|ok\b|成功|操作成功|请求成功)",
        Kind.BACKEND_UNKNOWN,
        "it says success under a code that is not among the account's success_codes",
        "check the account's success_codes; the order is looked up before anything else happens to it",
    ),
    (
        r"系统|异常|超时|稍后|网络|time(d)? ?out|system (error|busy)|internal|unavailable|exception|try again",
        Kind.BACKEND_UNKNOWN,
        "the backend failed while it worked on the call",
        _LOOK,
    ),
    (
        r"not support tradeType|交易方式",
        Kind.REFUSED,
        "the trade type is not offered for this order",
        "leave tradeType out: the first one the preview offers is taken",
    ),
    (
        r"(商品|产品|offer|product|spec).{0,30}(不存在|not exist|not found|invalid)",
        Kind.REFUSED,
        "there is no such product or specification",
        "check offerId and specId against the product's detail",
    ),
    (r"库存|stock|inventory", Kind.REFUSED, "stock is below the quantity", CODES[3].fix),
    (r"起批|起订|混批|minimum", Kind.REFUSED, "below the minimum quantity", _MORE),
    (r"下架|失效|not on sale|off.?shel", Kind.REFUSED, "the product is no longer on sale", CODES[0].fix),
    (r"地址|address|districtCode", Kind.REFUSED, "the address is not accepted", "correct addressParam, in Chinese"),
)
"""Words of an answer, in the order they count: declined at the door, then doubt, then business."""

NUMBERS: tuple[Entry, ...] = (
    Entry("429", Kind.THROTTLE, "called too often", _WAIT, HTTP),
    Entry("401", Kind.CONFIGURATION, "the keys are not accepted", _KEYS, HTTP),
    Entry("403", Kind.CONFIGURATION, "the account may not make this call", _PERMIT, HTTP),
    Entry("404", Kind.CONFIGURATION, "there is no such call at this address", _BASE, HTTP),
    Entry("405", Kind.CONFIGURATION, "there is no such call at this address", _BASE, HTTP),
)
"""The numbers every HTTP service shares, as `code`; they count after the words: 404 may be a product."""

ENTRIES = (*CODES, *NUMBERS, *(Entry(words, kind, meaning, fix, WORDS) for words, kind, meaning, fix in TEXTS))
"""All of them as one; where words tell, their pattern stands for a code."""

UNLISTED = "a code this application does not know"

_OF_ORDER = {entry.code: entry for entry in ORDER_CODES}
_OF_GATEWAY = {entry.code.casefold(): entry for entry in GATEWAY_CODES}
_BY_CODE = {entry.code.casefold(): entry for entry in CODES}
_BY_NUMBER = {entry.code: entry for entry in NUMBERS}
_BY_TEXT = tuple((re.compile(words, re.I), kind, meaning, fix) for words, kind, meaning, fix in TEXTS)
_INSIDE = re.compile(r"(?<!\d)500_00[1-9](?!\d)")
_PLAIN_SUCCESS = re.compile(r"(?:success|succeed(?:ed)?|ok|(?:操作|请求|调用)?成功)?[.!。！]?", re.I)
_SERVER_ERROR = re.compile(r"5\d\d")
_NO_SUCH_ORDER = re.compile(
    r"(订单|order).{0,40}(不存在|not exist|not found|未找到|查无)|(查无|未找到|no such).{0,5}(订单|order)", re.I
)


def is_known(code: str) -> bool:
    """Tell whether a code is the vendor's own word, so that it can hold nothing personal."""
    return code.casefold() in _BY_CODE or code in _BY_NUMBER


def of_order(code: str) -> Entry | None:
    """Return the entry of 1688's code for an order; None for a code nobody documents."""
    return _OF_ORDER.get(code)


def of_gateway(code: str) -> Entry | None:
    """Return the entry of a fault of 1688's gateway; None for a code nobody documents."""
    return _OF_GATEWAY.get(code.casefold())


def of_http(status: int, code: str) -> Entry | None:
    """Return the entry of a call turned away by its HTTP status, where the envelope's own code is that status too."""
    entry = _BY_NUMBER.get(code)
    return entry if code == str(status) and entry is not None and entry.kind is Kind.CONFIGURATION else None


def topics_of(entry: Entry) -> Topics:
    """Return what the words beside a code may be about."""
    return {Kind.REFUSED: ORDER, Kind.THROTTLE: LIMIT}.get(entry.kind, DOOR)


def find(code: str, text: str) -> Entry:
    """Return the entry of a preview's or a read's answer in Xportcn's envelope; an unknown one is a refusal."""
    entry = _known(code, text)
    if entry is None and _SERVER_ERROR.fullmatch(code):
        return Entry(code, Kind.BACKEND_UNKNOWN, "the backend failed while it worked on the call", _LOOK, WORDS)
    return entry or Entry(code, Kind.REFUSED, UNLISTED, "read the reason; " + _ASK, WORDS)


def find_gateway(code: str, text: str) -> Entry:
    """Return the entry of a fault of 1688's gateway; what nobody knows may have been executed."""
    entry = _known(code, f"{code} {text}")
    return entry or Entry(code, Kind.BACKEND_UNKNOWN, "a gateway error this application does not know", _LOOK, WORDS)


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


def _known(code: str, text: str) -> Entry | None:
    inside = preview_code(code) or preview_code(text)
    entry = _BY_CODE.get(inside or code.casefold())
    if entry is not None:
        return entry
    for words, kind, meaning, fix in _BY_TEXT:
        if words.search(text):
            return Entry(code, kind, meaning, fix, WORDS)
    return _BY_NUMBER.get(code)
