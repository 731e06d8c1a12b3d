"""Cells of an export that a spreadsheet shows as they are: it would run a formula, round an id, take 1-2 for a date.

Such a cell is marked as text by a ' before it, the mark that spreadsheets themselves write and that `fulfil submit`
takes off again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

BYTE_ORDER_MARK = "\ufeff"
"""By which a spreadsheet knows that the file is UTF-8."""
_IDS = frozenset({"order_id", "reference"})
_AMOUNTS = frozenset({"amount", "paid_amount", "attempts"})
_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_SIGNS = "=+-@\t\r\n|%'＝＋－＠"  # full-width signs are read as the plain ones
_NUMERIC = re.compile(r"[\d.,:/ -]{12,}|[\d.]+[eE][\d+-]+", re.ASCII)


def as_text(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the cells marked that a spreadsheet would take for something else."""
    return {name: f"'{value}" if _needs_mark(name, value) else value for name, value in row.items()}


def _needs_mark(name: str, value: Any) -> bool:
    if not isinstance(value, str) or not value or (name in _AMOUNTS and _AMOUNT.fullmatch(value)):
        return False
    seen = value.lstrip("\u200b\u200c\u200d\ufeff \u00a0\u3000")
    if seen.startswith(tuple(_SIGNS)):
        return True
    return bool(_NUMERIC.fullmatch(seen)) or (name in _IDS and seen[:1].isdecimal())
