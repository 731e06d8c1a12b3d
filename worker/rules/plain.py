"""Text of others made plain: no sign in it commands a terminal, turns letters round or fails a database."""

from __future__ import annotations

import re
from typing import Any

_SEQUENCE = "\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]"
"""What a terminal takes for a command: colours, cursor moves, titles, links."""
_TURNING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
"""Signs that change the direction letters are shown in."""
_BREAKS = "\r?\n|[\v\f\r\x1c-\x1f\x85\u2028\u2029]"
_UNKEEPABLE = "\x00-\x1f\x7f-\x9f\ud800-\udfff"
_PLAIN = re.compile(f"({_SEQUENCE})|([{_TURNING}])|((?:{_BREAKS})+|\t)|[{_UNKEEPABLE}]")
_ESCAPED = re.compile(f"[\x7f-\x9f{_TURNING}\u2028\u2029\ud800-\udfff]")


def plain(text: str) -> str:
    """Return a text on one line, commands to terminals and signs that turn letters round taken out.

    What else no terminal and no database should get becomes U+FFFD.
    """
    return text if text.isascii() and text.isprintable() else _PLAIN.sub(_instead, text)


def plain_lines(text: str) -> str:
    """Return a text as `plain` does, its line breaks and tabs kept: in a value they say that it is not on one line."""
    return "\n".join("\t".join(map(plain, line.split("\t"))) for line in text.replace("\r\n", "\n").split("\n"))


def plain_value(value: Any) -> Any:
    """Return a JSON value with every text and name in it made plain; subclasses of str stay what they are."""
    if type(value) is str:
        return value if value.isascii() and value.isprintable() else plain_lines(value)
    if isinstance(value, list):
        return [plain_value(inner) for inner in value]
    if isinstance(value, dict):
        return {plain_lines(name): plain_value(inner) for name, inner in value.items()}
    return value


def escaped(document: str) -> str:
    """Return a JSON document of the same value without a sign that a terminal or a reader could stumble over."""
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def _instead(found: re.Match[str]) -> str:
    if found[1] or found[2]:
        return ""
    return " " if found[3] else "�"
