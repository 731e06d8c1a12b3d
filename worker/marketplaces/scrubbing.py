"""Takes values out of a text, a person's name or a secret, and leaves the words that only look like them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

_CASED = "A-Za-z\u00c0-\u024f\u0370-\u052f\u1e00-\u1fff"
"""Letters of the scripts that write words apart: Latin, Greek, Cyrillic."""
_SHORT_WORD = re.compile(f"[{_CASED}]{{3,5}}")
"""A name as short as this may stand inside a word that says something: Doe in "does", Mark in "market"."""
_BEGIN = f"(?:(?<![{_CASED}])|(?-i:(?<=[a-z])(?=[A-Z])))"
_END = f"(?:(?![{_CASED}])|(?-i:(?<=[a-z])(?=[A-Z])))"


def without(text: str, values: Iterable[str]) -> str:
    """Replace these values in a text, the longest first; a short word only where it stands by itself.

    By itself is also next to a digit, a sign or a Chinese character, and at a change of case (JaneDoe). What is no
    short word, a number or a name in Chinese, say, goes wherever it stands.
    """
    words = sorted((value for value in values if len(value) >= 3), key=len, reverse=True)
    if not words or not text:
        return text
    patterns = (f"{_BEGIN}{word}{_END}" if _SHORT_WORD.fullmatch(word) else re.escape(word) for word in words)
    return re.sub("|".join(patterns), "•••", text, flags=re.IGNORECASE)


def leaves(value: object) -> Iterator[str]:
    """Yield every text and whole number in a value, as text."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
