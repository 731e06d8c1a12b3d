"""What is personal in a test order, and where it must not be found."""

from __future__ import annotations

from collections.abc import Mapping

from tests.harness import BUYER

PERSONAL = (*BUYER.values(), "Philippa", "Quillfeather", "Larkspur", "Zanesville")
"""Texts of the buyer that may stand in the ledger and on the wire to the marketplace, and nowhere else."""


def personal(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Return which of these texts hold something of the buyer, and what."""
    found = {name: [word for word in PERSONAL if word.lower() in text.lower()] for name, text in texts.items()}
    return {name: words for name, words in found.items() if words}
