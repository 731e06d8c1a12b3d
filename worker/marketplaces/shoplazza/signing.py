"""How Shoplazza knows a call for ours, and how we know an order for ours: the shop's token, and our mark.

Nothing is signed: a call carries the app's access token for the shop (shoplazza.md, 1). No key of ours makes a create
idempotent either, so every order is marked, and found again by its mark.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.marketplaces.shoplazza.credentials import ShoplazzaCredentials

TOKEN_HEX = 24


def headers(keys: ShoplazzaCredentials) -> dict[str, str]:
    """Return the headers of every call."""
    return {
        "access-token": keys.access_token.get_secret_value(),
        "accept": "application/json",
        "content-type": "application/json",
        "user-agent": "fulfil",
    }


@dataclass(frozen=True, slots=True)
class Mark:
    """What we put on an order to find it again: a tag, and a line in its note that also says whose it is.

    Both are taken out of what the job brings along: an order copied from an earlier one must not carry its mark.
    """

    prefix: str
    key: str

    @property
    def token(self) -> str:
        """The tag: lower case, without comma or blank, for tags come back as one ", "-joined text."""
        return self.prefix + hashlib.sha256(self.key.encode()).hexdigest()[:TOKEN_HEX]

    def tags(self, given: object) -> list[str]:
        """Return the job's tags and ours."""
        own = [tag for tag in given if tag] if isinstance(given, list | tuple) else []
        return [*(tag for tag in own if not re.fullmatch(self._any(), tag, re.IGNORECASE)), self.token]

    def note(self, given: object) -> str:
        """Return the job's note and our line below it."""
        text = given if isinstance(given, str) else ""
        kept = re.sub(rf"\s*\[order \S+ {self._any()}\]", "", text, flags=re.IGNORECASE)
        return f"{kept}\n[order {self.key} {self.token}]".lstrip("\n")

    def _any(self) -> str:
        return rf"{re.escape(self.prefix)}[0-9a-f]{{{TOKEN_HEX}}}"

    def is_on(self, order: Mapping[str, Any]) -> bool:
        """Tell whether an order read back carries this mark, whatever filter was asked for."""
        return self.token in _tags(order) or self.token in str(order.get("note") or "").lower()

    def is_of_another(self, order: Mapping[str, Any]) -> bool:
        """Tell whether an order carries a mark as we make them, and not this one."""
        return not self.is_on(order) and any(re.fullmatch(self._any(), tag) for tag in _tags(order))


def _tags(order: Mapping[str, Any]) -> list[str]:
    """Return an order's tags as it shows them, one text or a list, in lower case."""
    tags = order.get("tags")
    words = tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list) else []
    return [word.strip().lower() for word in words if isinstance(word, str)]
