"""The orders in which a list may stand, and the natural order of ids: SO-2 before SO-10."""

from __future__ import annotations

import re
from enum import StrEnum

_NUMBER = re.compile(r"(\d+)")

Natural = tuple[str | int, ...]


class Sort(StrEnum):
    """What a list is sorted by; where that is the same, by natural order of the ids."""

    SUBMITTED = "submitted"
    """Batch by batch, the oldest first."""
    AGE = "age"
    """Batch by batch, the youngest first."""
    ID = "id"
    """Natural order of the ids."""
    STATE = "state"
    """State by state, in alphabetical order."""
    ACCOUNT = "account"
    """Account by account, in alphabetical order."""
    UPDATED = "updated"
    """What moved last first."""


def natural(text: str) -> Natural:
    """Return the key by which numbers inside a text count as numbers: texts and numbers in turn."""
    return tuple(int(part) if place % 2 else part for place, part in enumerate(_NUMBER.split(text)))
