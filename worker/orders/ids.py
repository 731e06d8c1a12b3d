"""What a usable id is, for every door: order_ids of jobs and commands, and the marketplace's ids a person tells."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from worker.errors import UnusableId
from worker.marketplaces.digits import damage
from worker.orders import alike, marks

MAX_CHARACTERS = 64
"""Longest id: what the ledger holds."""
_SHAPE = f"must be 1 to {MAX_CHARACTERS} characters without blanks"
_EAST_ASIAN = "\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3"
_CERTAIN = re.compile(f"[A-Za-z{_EAST_ASIAN}][!-*,-~{_EAST_ASIAN}]{{0,63}}|[0-9]{{1,64}}")
"""Most ids: plain signs and letters that look like no others, no number in disguise, nothing more to look at."""


def order_id(value: Any) -> str:
    """Return the order_id as it is known everywhere: text, in Unicode's composed form (NFC). Raises UnusableId.

    Unusable is also what looks like another id: two ids that look the same would be two supplier orders for one. A
    spreadsheet's text mark is no part of an id: `="SO-1"` is SO-1.
    """
    if isinstance(value, str) and _CERTAIN.fullmatch(value):
        return value
    if type(value) is int and 0 <= value < 10**MAX_CHARACTERS:
        return str(value)
    if not isinstance(value, str):
        raise UnusableId("order_id", damage(value) or _SHAPE)
    value = marks.unmarked_id(value)
    text = unicodedata.normalize("NFC", value)
    reason = _misshapen(value, text) or alike.twin(text)
    if reason:
        raise UnusableId("order_id", reason)
    return text


def usable(value: Any) -> str | None:
    """Return the order_id as it is known, or None for a value that cannot be one."""
    try:
        return order_id(value)
    except UnusableId:
        return None


def reference(value: str) -> str:
    """Return an id of the marketplace's as a person told it, without blanks around it. Raises UnusableId."""
    text = value.strip()
    reason = _misshapen(text, text)
    if reason:
        raise UnusableId("reference", f"the marketplace's order id {reason}" if reason == _SHAPE else reason)
    return text


def spellings(given: str) -> tuple[str, ...]:
    """Return the forms an order may be known under: as given, without text marks, in both of Unicode's normal forms.

    Orders that were taken before ids were normalised are known as they were given then.
    """
    bare = marks.unmarked_id(given)
    if bare.isascii():
        return tuple(dict.fromkeys((given, bare)))
    forms = (unicodedata.normalize(form, bare) for form in ("NFC", "NFD"))
    return tuple(dict.fromkeys((given, *forms)))


def _misshapen(given: str, text: str) -> str | None:
    """Return what is wrong with an id's form; places are told as they are in what was given."""
    if not 0 < len(text) <= MAX_CHARACTERS or " " in text:
        return _SHAPE
    return alike.unseen(given) or damage(text)
