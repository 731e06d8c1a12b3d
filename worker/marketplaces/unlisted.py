"""What is kept of a field the vendor's page does not list: its name, and its value only where that tells of nobody.

A field that is new tomorrow may hold a receiver, and no list of names foresees what it will be called. So the rule goes
by what a value looks like: flags, small numbers, codes in capitals, times and amounts are kept, any other text is not.
"""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "•••"
LARGEST = 9999
"""A longer number may be a phone, a zip or an identity number."""
DEEPEST = 50
_HARMLESS = re.compile(
    r"[A-Z]+[A-Z0-9]*(_[A-Z0-9]+)+"  # a code: WAIT_SELLER_SEND_GOODS
    r"|true|false"
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:?\d\d|Z)?"
    r"|-?\d{1,7}\.\d{1,4}",
    re.ASCII,
)
_OF_PEOPLE = re.compile(
    "name|address|phone|mobile|contact|receiver|recipient|consignee|buyer|customer|person|zip|post|city|province|state"
    "|street|district|country|mail|tax|passport|identity|idcard|id_card|birth|memo|remark|note|login|latitude|longitude",
    re.IGNORECASE,
)
"""In a member's name; then not even a flag or a number below it is kept."""


def kept(name: str, value: Any, depth: int = DEEPEST) -> Any:
    """Return what is kept of a member the page does not list."""
    if value is None or isinstance(value, bool):
        return value
    if depth == 0 or _OF_PEOPLE.search(name):
        return HIDDEN
    if isinstance(value, dict):
        return {inner: kept(inner, held, depth - 1) for inner, held in value.items()}
    if isinstance(value, list):
        return [kept("", held, depth - 1) for held in value]
    if isinstance(value, int):
        return value if abs(value) <= LARGEST else HIDDEN
    return value if isinstance(value, str) and _HARMLESS.fullmatch(value) else HIDDEN
