"""Orders of every marketplace in the campaign, each with a content of its own that the oracle tells apart.

A further marketplace is one more line in MARKETS: its path, its keys, how to make an order, how to know it again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.campaign.lives import life_of

ACTOR = "cli:chaos"
"""Who the campaign's people say they are: a person at the keyboard, as the ledger names one."""
BUYERS = (
    ("Philippa Quillfeather", "1742 Larkspur Hollow", "6505550142"),
    ("Barnaby Threlkeld", "88 Gossamer Quay", "6505550177"),
    ("Ottoline Vandersloot", "3 Marmalade Crescent", "6505550191"),
)
BY_MESSAGE = ("Cornelius Umberfield", "19 Saffron Wharf", "6505550113")
"""The buyer of orders that are handed in through Redis, the one documented way personal data gets there."""
SUFFIXES = (
    "timeout_before", "timeout_after_commit", "reset_after_commit", "http_500", "http_503", "throttle", "garbage",
    "empty", "slow", "wrong_type",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """One order of the campaign. `content` is found again in the oracle's record, whatever key it was sent under."""

    order_id: str
    account: str
    marketplace: str
    content: str
    job: dict[str, Any]
    by_message: bool = False


@dataclass(frozen=True, slots=True)
class Market:
    """What the campaign must know of one marketplace."""

    path: str
    accounts: tuple[str, ...]
    keys: Callable[[str], dict[str, str]]
    make: Callable[[int, random.Random, tuple[str, str, str]], dict[str, Any]]
    """(number, dice, buyer) -> the order's body."""
    content_of: Callable[[Mapping[str, Any]], str]
    """What the sandbox kept of a request -> the content's mark."""
    gets_are_reads: bool = True
    """Whether every get in the oracle's record is a read-back, not a look-up of an unknown order."""
    keyed: bool = True
    """Whether a key protects: the same order sent twice is one order."""
    pieces_of: Callable[[Mapping[str, Any]], int] = lambda _: 0
    """What the sandbox kept of a request -> how many pieces; told where orders are amended."""
    create_ends: str = ""
    """How the address of a create ends."""


def _aliexpress_keys(account: str) -> dict[str, str]:
    hidden = {name: f"{account}-{name}-zq7".replace("_", "-") for name in ("app_secret", "access_token")}
    return {"app_key": f"{account}-app-key", **hidden}


def _aliexpress(number: int, dice: random.Random, buyer: tuple[str, str, str]) -> dict[str, Any]:
    name, street, mobile = buyer
    address = {"contact_person": name, "full_name": name, "address": street, "mobile_no": mobile, "phone_country": "+1"}
    item: dict[str, Any] = {"product_id": _FIRST_PRODUCT + number, "product_count": 1, "sku_attr": "14:365458#Brown"}
    chance = dice.random()
    if chance < 0.02:
        item["order_memo"] = "sandbox:SKU_NOT_EXIST"
    elif chance < 0.03:
        item["order_memo"] = "sandbox:INVENTORY_HOLD_ERROR"
    elif chance < 0.04:
        item["logistics_service_name"] = "NO_SUCH_SERVICE"
    items = [item]
    if 0.10 < chance < 0.15:  # a second store: one order becomes two
        items.append({"product_id": 32_000_000_000_000 + number, "product_count": 1, "sku_attr": "14:29#Red"})
    place = {"city": "Zanesville", "province": "Ohio", "zip": "43701", "country": "US"}
    return {"logistics_address": {**address, **place}, "product_items": items}


_FIRST_PRODUCT = 1_005_000_000_000_000


def _aliexpress_content(request: Mapping[str, Any]) -> str:
    products = [line["product_id"] for _, lines in request["parts"].values() for line in lines]
    return str(max(products) - _FIRST_PRODUCT)


def _aliexpress_pieces(request: Mapping[str, Any]) -> int:
    return sum(int(line["count"]) for _, lines in request["parts"].values() for line in lines)


def _xportcn_keys(account: str) -> dict[str, str]:
    hidden = {name: f"{account}-{name}-zq7".replace("_", "-") for name in ("access_secret", "push_secret")}
    return {"access_key": f"{account}-key", "user_id": "2100007341207", **hidden}


def _xportcn(number: int, dice: random.Random, buyer: tuple[str, str, str]) -> dict[str, Any]:
    name, street, mobile = buyer
    line = {"sellerOpenId": "BBBs1", "offerId": _FIRST_OFFER + number, "specId": "c5b0a6", "quantity": 3}
    chance = dice.random()
    message = "sandbox:SPLIT" if chance < 0.03 else "sandbox:IDS_WITH_ERROR" if chance < 0.05 else None
    if 0.05 < chance < 0.07:
        line["productNo"] = "sandbox:500_004"
    place = {"provinceText": "浙江省", "cityText": "杭州", "areaText": "滨江区", "postCode": "310000"}
    address = {"fullName": name, "mobile": f"1{mobile}", "address": street, "districtCode": "330108", **place}
    order = {"flow": "general", "addressParam": address, "cargoParamList": [line]}
    return order | ({"message": message} if message else {})


_FIRST_OFFER = 610_000_000_000


def _xportcn_content(request: Mapping[str, Any]) -> str:
    return str(next(int(line["offerId"]) for lines in request["parts"].values() for line in lines) - _FIRST_OFFER)


def _shoplazza_keys(account: str) -> dict[str, str]:
    # One shop speaks the version that has no filter by tag: its orders are looked up by time.
    version = "2022-01" if account == BY_TIME else "2026-01"
    hidden = {name: f"{account}-{name}-zq7".replace("_", "-") for name in ("access_token", "client_secret")}
    return {"shop": account, "api_version": version, **hidden}


BY_TIME = "sho2"


def _shoplazza(number: int, dice: random.Random, buyer: tuple[str, str, str]) -> dict[str, Any]:
    name, street, mobile = buyer
    first, _, last = name.partition(" ")
    chance = dice.random()
    asked = "ShippingAddress" if chance < 0.02 else "DecreaseInventory" if chance < 0.04 else None
    place = {"country": "United States", "country_code": "US", "province": "New Mexico", "province_code": "NM"}
    person = {"first_name": first, "last_name": last, "email": f"{last.lower()}@example.com", "phone": mobile}
    order = {
        "line_items": [{"variant_id": f"variant-{number}", "product_id": f"product-{number}", "quantity": 2}],
        "shipping_address": {**person, **place, "city": "San Jose", "address": street, "zip": "87036"},
        "tax_total": "9.99",
        "discount": "0",
        "currency_code": "USD",
        "shipping_line": {"name": "Free Shipping", "shipping_price": "0.00"},
    }
    return order | ({"note": f"sandbox:{asked}"} if asked else {})


def _shoplazza_content(request: Mapping[str, Any]) -> str:
    return str(request["lines"][0]["product_id"]).removeprefix("product-")


MARKETS: dict[str, Market] = {
    "aliexpress": Market(
        "/sync", ("ali1", "ali2", "ali3", "ali4"), _aliexpress_keys, _aliexpress, _aliexpress_content,
        pieces_of=_aliexpress_pieces, create_ends="/sync",
    ),
    "xportcn": Market(
        "/api", ("xpo1",), _xportcn_keys, _xportcn, _xportcn_content, False, keyed=False, create_ends="/order/create"
    ),
    "shoplazza": Market(
        "/openapi", ("sho1", BY_TIME), _shoplazza_keys, _shoplazza, _shoplazza_content, False, keyed=False,
        create_ends="/orders",
    ),
}  # fmt: skip
KEYLESS = frozenset(name for name, market in MARKETS.items() if not market.keyed)
"""Where no key protects: every create makes an order."""
_used: list[str] = list(MARKETS)


def keyless() -> list[str]:
    """Return the marketplaces of this campaign where no key protects."""
    return [name for name in _used if name in KEYLESS]


def use(markets: tuple[str, ...]) -> None:
    """Let this campaign have the accounts of these marketplaces only."""
    _used[:] = markets


def accounts() -> dict[str, str]:
    """Return every account of the campaign with its marketplace."""
    return {account: name for name in _used for account in MARKETS[name].accounts}


def secrets() -> list[str]:
    """Return every secret of every account."""
    keys = [MARKETS[name].keys(account) for account, name in accounts().items()]
    return [value for known in keys for value in known.values() if value.endswith("zq7")]


def personal(by_message: bool) -> list[str]:
    """Return what of the buyers may stand in the ledger and on the wire, and nowhere else."""
    return [part for buyer in ((BY_MESSAGE,) if by_message else BUYERS) for part in buyer]


def make(number: int, seed: int, account: str, by_message: bool = False, life: str | None = None) -> Made:
    """Return the order with this number; the same seed makes the same order. `life`: its suffix; None: by the dice."""
    dice = random.Random(f"{seed}-order-{number}")
    marketplace = accounts()[account]
    market = MARKETS[marketplace]
    suffix = f"~{dice.choice(SUFFIXES)}" if dice.random() < 0.08 else ""
    lived = life_of(number, seed) if life is None else life
    order_id = f"C{seed}-{number:06d}{lived}{suffix}"
    body = market.make(number, dice, BY_MESSAGE if by_message else dice.choice(BUYERS))
    job = {"order_id": order_id, "account": account, "order": body}
    return Made(order_id, account, marketplace, str(number), job, by_message)
