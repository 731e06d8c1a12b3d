"""Orders of every marketplace in the campaign, each with a content of its own that the oracle tells apart.

A further marketplace is one more line in MARKETS: its path, its keys, how to make an order, how to know it again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

BUYERS = (
    ("Philippa Quillfeather", "1742 Larkspur Hollow", "6505550142"),
    ("Barnaby Threlkeld", "88 Gossamer Quay", "6505550177"),
    ("Ottoline Vandersloot", "3 Marmalade Crescent", "6505550191"),
)
BY_MESSAGE = ("Cornelius Umberfield", "19 Saffron Wharf", "6505550113")
"""The buyer of orders that are handed in through Redis, the one documented way personal data gets there."""
SUFFIXES = (
    "timeout_before", "timeout_after_commit", "reset_after_commit", "http_500", "http_503", "throttle", "garbage",
    "empty", "slow",
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
    content: Callable[[int], str]
    content_of: Callable[[Mapping[str, Any]], str]
    """What the sandbox kept of a request -> the content's mark."""


def _aliexpress_keys(account: str) -> dict[str, str]:
    return {name: f"{account}-{name}-zq7".replace("_", "-") for name in ("app_key", "app_secret", "access_token")}


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


MARKETS: dict[str, Market] = {
    "aliexpress": Market(
        path="/sync",
        accounts=("ali1", "ali2", "ali3", "ali4"),
        keys=_aliexpress_keys,
        make=_aliexpress,
        content=str,
        content_of=_aliexpress_content,
    ),
}


def accounts() -> dict[str, str]:
    """Return every account of the campaign with its marketplace."""
    return {account: name for name, market in MARKETS.items() for account in market.accounts}


def secrets() -> list[str]:
    """Return every secret of every account."""
    keys = [MARKETS[name].keys(account) for account, name in accounts().items()]
    return [value for known in keys for name, value in known.items() if name not in ("app_key",)]


def personal(by_message: bool) -> list[str]:
    """Return what of the buyers may stand in the ledger and on the wire, and nowhere else."""
    return [part for buyer in ((BY_MESSAGE,) if by_message else BUYERS) for part in buyer]


def make(number: int, seed: int, account: str, by_message: bool = False) -> Made:
    """Return the order with this number; the same seed makes the same order."""
    dice = random.Random(f"{seed}-order-{number}")
    marketplace = accounts()[account]
    market = MARKETS[marketplace]
    suffix = f"~{dice.choice(SUFFIXES)}" if dice.random() < 0.08 else ""
    order_id = f"C{seed}-{number:06d}{suffix}"
    body = market.make(number, dice, BY_MESSAGE if by_message else dice.choice(BUYERS))
    job = {"order_id": order_id, "account": account, "order": body}
    return Made(order_id, account, marketplace, market.content(number), job, by_message)
