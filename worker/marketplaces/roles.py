"""What a text of an order is for, where that decides which words and signs it may hold; a mark in the models."""

from __future__ import annotations

from enum import Enum, auto


class Role(Enum):
    """What a field of an order model holds. A field without a role is a plain text of one line."""

    NAME = auto()
    """A person's name: people called Null live."""
    PLACE = auto()
    """A city or province: some are called like a program's word for "no value"."""
    NOTE = auto()
    """Free words for a person to read, in as many lines as they like."""
    VERBATIM = auto()
    """A code of the marketplace's that is handed back as it was given, blanks of every kind included."""
