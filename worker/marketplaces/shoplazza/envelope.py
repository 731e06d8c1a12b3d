"""Opens what Shoplazza sent back: any bytes in, an answer with its problems or garbage out; never an exception."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from worker.marketplaces.calls import Reply
from worker.marketplaces.replies import Fraction, Garbage, parse, text_of
from worker.rules.plain import plain

_SUCCESS = frozenset({"", "success", "ok", "0", "200"})


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply body: what it holds, and the problem it tells as one text.

    `problems`: the same, a text each, where the whole body is in a form the vendor documents for errors; None in any
    other form, which is never a no.
    """

    data: Mapping[str, Any]
    code: str = ""
    text: str = ""
    problems: tuple[str, ...] | None = None
    around: Mapping[str, Any] | None = None

    @property
    def succeeded(self) -> bool:
        """Whether it claims success, or claims nothing (2022-01 has no `code`)."""
        return self.code.lower() in _SUCCESS and not self.text

    @property
    def claims_success(self) -> bool:
        """Whether its code says success, whatever its texts say."""
        return bool(self.code) and self.code.lower() in _SUCCESS

    def order(self) -> Mapping[str, Any]:
        """Return the order it shows; the wrapper is accepted or missed in every version (shoplazza.md, 1)."""
        shown = (holder.get("order") for holder in (self.data, self.around or {}))
        return next((found for found in shown if isinstance(found, dict) and found), {})

    def orders(self) -> list[Mapping[str, Any]] | None:
        """Return the orders it lists; None where it is no list. `null` is how Go writes an empty one."""
        found = self.data.get("orders") if "orders" in self.data else False
        if found is None and self.succeeded:
            return []
        return [order for order in found if isinstance(order, dict)] if isinstance(found, list) else None


def open_body(body: bytes) -> Answer | Garbage:
    """Read one reply body in every form the vendor has, or say why it cannot be read."""
    if not body.strip():
        return Garbage("empty reply")
    try:
        document = parse(body)
    except (ValueError, RecursionError):
        return _plain(body.decode("utf-8", "replace"))
    if isinstance(document, str):
        return _plain(document)
    if not isinstance(document, dict):
        return Garbage("the reply is not a JSON object")
    data, code = document.get("data"), text_of(document.get("code"))
    texts = ": ".join(dict.fromkeys(filter(None, _texts(document))))
    held = data if isinstance(data, dict) else document
    return Answer(held, code, texts, _problems(document), document)


def request_id_of(came: Reply) -> str | None:
    """Return the id under which Shoplazza's support finds this call."""
    text = "".join(sign for sign in came.headers.get("request-id", "") if sign.isascii() and sign.isprintable())
    return text.strip()[:100] or None


def _texts(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a reply says went wrong (shoplazza.md, 1): `errors` as list, object or text, `error`, `message`."""
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


def _problems(document: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the texts of a documented form of error, all of them; None for any other form.

    Forms (page; shoplazza.md, 1): `errors` as a list of texts, as an object of fields with their texts, or as one text;
    `error` as a text; `message` beside a `code`. A reply that holds anything else, beside the call's own id, is none.
    """
    if document.keys() - _ERROR_NAMES or any(document.get(name) for name in ("data", "details")):
        return None
    found = list(_listed(document.get("errors") or []))
    found += _told(document.get("error") or "")
    if document.get("message"):
        found += _told(document["message"]) if text_of(document.get("code")) else [None]
    texts = [text for text in found if text]
    return tuple(dict.fromkeys(texts)) if texts and None not in found else None


_ERROR_NAMES = frozenset({"errors", "error", "code", "message", "details", "data", "request_id", "requestId"})


def _listed(errors: object) -> Iterator[str | None]:
    if isinstance(errors, dict):
        for field, texts in errors.items():
            for told in (one for text in (texts if isinstance(texts, list) else [texts]) for one in _told(text)):
                yield told if told is None or told.startswith(f"{field} ") else f"{field} {told}"
    else:
        for text in errors if isinstance(errors, list) else [errors]:
            yield from _told(text)


def _told(text: object) -> list[str | None]:
    """Return a text, nothing for a blank one, and None for what is no text."""
    if not isinstance(text, str) or isinstance(text, Fraction):
        return [None]
    return [text.strip()] if text.strip() else []


def _plain(text: str) -> Answer | Garbage:
    """Read a plain-text reply: it explains, and is never a definite no."""
    text = plain(text.strip())
    if not text or "<" in text or len(text) > 500 or not text.isprintable():
        return Garbage("the reply is not JSON")
    return Answer({}, "", text)
