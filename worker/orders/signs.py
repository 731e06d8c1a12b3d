"""Signs in a text that nobody sees, that break it, or that say it was damaged: taken off its ends, told inside it.

Some signs that cannot be seen belong where they stand: joiners in Persian, Hindi or a picture of a family, the
selectors that choose a form of a Chinese character. Those stay.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from worker.orders import alike

_ODD = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffd\U000e0100-\U000e01ef]"
)
"""What Python counts among the signs that can be printed, though nobody can see or read it."""
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f]")
"""Blanks of office programs and web pages, meant as plain ones. Not U+3000, the blank of Chinese and Japanese."""
_WIDE_BLANK = "\u3000"
_LINES = "\t\n\r"
_NUMBER_SIGNS = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
"""Of the class of the invisible, but seen: they stand around the digits behind them."""
_UNSET = re.compile("[\ufdd0-\ufdef\ufff0-\uffff\U000e0000-\U000e0fff]")
"""Never to be letters. Other signs that Python's table does not know yet may be names in a newer Unicode."""
_JOINERS = "\u200c\u200d"
_JOINED = frozenset(
    (
        *("ARABIC", "SYRIAC", "NKO", "MANDAIC", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL"),
        *("TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "MONGOLIAN", "TIBETAN", "JAVANESE"),
    )
)
"""Scripts whose letters a joiner ties or parts."""

_MISREAD = re.compile("[ÂÃ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€")
"""How the bytes of UTF-8 look to a program that takes them for Windows' Western character set."""


def is_plain(text: str) -> bool:
    """Tell quickly that a text holds nothing this module looks at."""
    return text.isprintable() and (text.isascii() or not (_ODD.search(text) or _MISREAD.search(text)))


def trimmed(text: str) -> tuple[str, tuple[str, ...]]:
    """Take blanks and signs nobody sees off the ends of a text; return it and the names of those signs."""
    if is_plain(text):
        return text, ()
    bad = {place for place, _ in _strange(text, _LINES)}
    start, end = 0, len(text)
    while start < end and (start in bad or text[start].isspace()):
        start += 1
    while end > start and (end - 1 in bad or text[end - 1].isspace()):
        end -= 1
    off = [text[place] for place in sorted(bad) if not start <= place < end]
    if any(sign == "\ufffd" or unicodedata.category(sign) == "Co" for sign in off):
        return text, ()  # these stand for something that was there
    return (text[start:end], tuple(dict.fromkeys(map(_name, off)))) if off else (text, ())


def plain_blanks(text: str) -> str:
    """Write the blanks of office programs as plain ones."""
    return text if text.isascii() else _BLANKS.sub(" ", text)


def fault(text: str, lines: bool) -> str | None:
    """Return in words the first sign a text may not hold; `lines`: it may hold several lines, and tabs."""
    for place, sign in _strange(text, _LINES if lines else ""):
        if sign in "\n\r\x0b\x0c\x85":
            return f"U+{ord(sign):04X} at position {place + 1} is a line break; write the text in one line"
        return alike.unseen_sign(sign, place + 1) or f"{_name(sign)} at position {place + 1} is no sign of a text"
    if _MISREAD.search(text) and _is_misread(text):
        return "the text was damaged before it came here: its UTF-8 was read in another character set"
    return None


def _strange(text: str, allowed: str) -> Iterator[tuple[int, str]]:
    for place, sign in enumerate(text):
        if (sign.isprintable() and not _ODD.match(sign)) or sign in allowed:
            continue
        if not _belongs(text, place, sign):
            yield place, sign


def _belongs(text: str, place: int, sign: str) -> bool:
    kind = unicodedata.category(sign)
    if sign == "\ufffd" or kind in ("Cc", "Co", "Cs", "Zl", "Zp"):
        return False
    if kind == "Zs":
        return True
    if kind == "Cn":
        return not (_UNSET.match(sign) or ord(sign) & 0xFFFE == 0xFFFE)
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    if sign in _JOINERS:
        return bool(before) and _joins(sign, before, after)
    if "\ufe00" <= sign <= "\ufe0f" or sign >= "\U000e0100":
        return after == "\u20e3" or (not before.isascii() and unicodedata.category(before) in ("Lo", "Po", "Sm", "So"))
    if "\u180b" <= sign <= "\u180f":
        return _script(before) == "MONGOLIAN"
    return _NUMBER_SIGNS.match(sign) is not None


def _joins(sign: str, before: str, after: str) -> bool:
    if _script(before) in _JOINED:
        return bool(after.strip()) or (sign == "\u200d" and unicodedata.category(before) == "Mn")
    is_picture = unicodedata.category(before) in ("So", "Sk") or before == "\ufe0f"
    return sign == "\u200d" and is_picture and bool(after) and unicodedata.category(after) == "So"


def _script(sign: str) -> str:
    return unicodedata.name(sign, "").partition(" ")[0] if sign else ""


def _is_misread(text: str) -> bool:
    try:
        text.encode("cp1252").decode()
    except UnicodeError:
        return False
    return True


def _name(sign: str) -> str:
    name = unicodedata.name(sign, "")
    return f"U+{ord(sign):04X}{f' ({name})' if name else ''}"
