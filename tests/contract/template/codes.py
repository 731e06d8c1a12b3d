"""What every answer of Template means and what to do about it; each line names its source."""

from __future__ import annotations

from worker.marketplaces.codes import Kind, KnownCode
from worker.rules.codes import amending

_PAGE = "the vendor's page of errors (say which)"

ENTRIES: tuple[KnownCode, ...] = (
    KnownCode("SOLD_OUT", Kind.REFUSED, "there is too little stock", f"lower the quantity: {amending()}", _PAGE),
    KnownCode(
        "BAD_ADDRESS", Kind.REFUSED_BY_CONTENT, "the address is not accepted", f"correct it: {amending()}", _PAGE
    ),
    KnownCode("TOO_MANY", Kind.RATE, "called too often", "nothing: sending goes on by itself", _PAGE),
    KnownCode("BAD_TOKEN", Kind.TOKEN, "the token is wrong or expired", "set a new token, restart the workers", _PAGE),
)

DOCUMENTED = frozenset({401, 422, 429})
"""Statuses the vendor documents these codes with."""


def of_create(status: int, code: str) -> KnownCode | None:
    """Return the entry of a documented code under a documented status; None for anything else, which is no refusal."""
    return find(code) if status in DOCUMENTED else None


def find(code: str) -> KnownCode | None:
    """Return the entry of a code; None for one nobody knows."""
    return next((entry for entry in ENTRIES if entry.code == code), None)
