"""What travels between us and Shoplazza, version by version: bodies and queries out, documents and problems in."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from worker.marketplaces.replies import parse, storable, text_of
from worker.marketplaces.shoplazza.models import UNSENT

LEGACY = "2022-01"
TOKEN_HEX = 24
LIST_LIMIT = 250
"""Orders a page, the most the vendor allows."""

_PHRASES = frozenset(status.phrase.casefold() for status in HTTPStatus if status >= 400)
_SUCCESS = frozenset({"", "success", "ok", "0", "200"})
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


@dataclass(frozen=True, slots=True)
class Document:
    """One reply body: what it holds, and the problem it tells. `definite`: told in a form the vendor documents."""

    data: Mapping[str, Any]
    code: str = ""
    text: str = ""
    definite: bool = True

    @property
    def succeeded(self) -> bool:
        """Whether it claims success, or claims nothing (2022-01 has no `code`)."""
        return self.code.lower() in _SUCCESS and not self.text

    def order(self) -> Mapping[str, Any]:
        """Return the order it shows; the wrapper is accepted or missed in every version (facts: B1)."""
        found = self.data.get("order")
        return found if isinstance(found, dict) else {}

    def orders(self) -> list[Mapping[str, Any]] | None:
        """Return the orders it lists; None where it is no list. `null` is how Go writes an empty one."""
        found = self.data.get("orders") if "orders" in self.data else False
        if found is None and self.succeeded:
            return []
        return [order for order in found if isinstance(order, dict)] if isinstance(found, list) else None


def open_body(body: bytes) -> Document | str:
    """Read one reply body in every form the vendor has, or say why it cannot be read."""
    if not body.strip():
        return "empty reply"
    try:
        document = parse(body)
    except (ValueError, RecursionError):
        return _plain(body.decode("utf-8", "replace"))
    if isinstance(document, str):
        return _plain(document)
    if not isinstance(document, dict):
        return "the reply is not a JSON object"
    data = document.get("data")
    texts = ": ".join(dict.fromkeys(filter(None, _texts(document))))
    return Document(data if isinstance(data, dict) else document, text_of(document.get("code")), texts)


def _texts(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a reply says went wrong (facts: B1): `errors` as list, object or text, `error`, `message`."""
    for name in ("errors", "error"):
        yield from _words(document.get(name), 0)
    # Beside what was asked for, a message under a code of success is no problem.
    if text_of(document.get("code")).lower() not in _SUCCESS or not document.keys() & {"data", "order", "orders"}:
        yield text_of(document.get("message"))


def _words(value: object, depth: int) -> Iterator[str]:
    if depth > 3:
        return
    if isinstance(value, list):
        for inner in value[:10]:
            yield from _words(inner, depth + 1)
    elif isinstance(value, dict):
        for name, inner in list(value.items())[:10]:
            told = ", ".join(filter(None, _words(inner, depth + 1)))
            if told:
                yield told if name in ("message", "error", "msg") else f"{name} {told}"
    elif isinstance(value, str):
        yield value.strip()


def _plain(text: str) -> Document | str:
    """Read a plain-text reply. Only words this application knows count, so it is never a definite no by itself."""
    text = storable(text.strip())
    if not text or "<" in text or len(text) > 500 or not text.isprintable():
        return "the reply is not JSON"
    return Document({}, "", text, definite=text.casefold().rstrip(".") in _PHRASES)
