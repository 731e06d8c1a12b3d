"""What we send to Shoplazza, version by version: a create's body with our mark on it, and the queries of a list."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from worker.marketplaces.shoplazza.models import UNSENT

LEGACY = "2022-01"
TOKEN_HEX = 24
LIST_LIMIT = 250
"""Orders a page, the most the vendor allows."""

_RENAMED = {"name": "shipping_name", "desc": "shipping_desc"}


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


def create_body(order: Mapping[str, Any], mark: Mark, version: str) -> bytes:
    """Return the body of a create: bare in 2022-01; later in `order`, its shipping_line with other key names."""
    body = {name: value for name, value in order.items() if name not in UNSENT}
    body |= {"tags": mark.tags(order.get("tags")), "note": mark.note(order.get("note"))}
    if version != LEGACY:
        line = order.get("shipping_line")
        if line:
            body["shipping_line"] = {_RENAMED.get(name, name): value for name, value in line.items()}
        body = {"order": body}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def listing(version: str, since: float, page: int, cursor: str) -> dict[str, str]:
    """Return the query of one page of the orders created since then: pages in 2022-01, a cursor later."""
    query = {"created_at_min": f"{datetime.fromtimestamp(max(since, 0), UTC):%Y-%m-%dT%H:%M:%SZ}"}
    if version == LEGACY:
        return query | {"limit": str(LIST_LIMIT), "page": str(page)}
    return query | {"page_size": str(LIST_LIMIT)} | ({"cursor": cursor} if cursor else {})
