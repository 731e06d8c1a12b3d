"""Letters and signs that look like others or cannot be seen: what makes two different ids look the same.

Only what Unicode's own names and decompositions tell, and three short lists; not the whole table of look-alikes.
"""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters, marks and signs that show nothing: joiners, fillers, variation selectors, the blank Braille pattern."""
_DAMAGED = "\ufffd"
_KINDS = {
    "Cc": "a control sign",
    "Cf": "a sign that cannot be seen",
    "Cn": "a sign Unicode does not know",
    "Co": "a private-use sign, which looks different from place to place",
    "Zl": "a line break",
    "Zp": "a line break",
    "Zs": "a blank",
}

_PLAIN_SIGNS = {
    **dict.fromkeys("‐‑‒–—―−﹘﹣－⁃", "-"),
    **dict.fromkeys("‘’ʼ′＇", "'"),
    **dict.fromkeys("“”″＂", '"'),
    **dict.fromkeys("∕⁄", "/"),
    **dict.fromkeys("∶꞉", ":"),
    **dict.fromkeys("∣ǀ", "|"),
    "․": ".",
    "‚": ",",
    "∗": "*",
    "ǃ": "!",
}
"""Signs that office programs write, or fonts draw, like the plain ones of every keyboard."""
_COPIES = ("<compat>", "<font>", "<narrow>", "<noBreak>", "<wide>")
"""Unicode's marks of a sign that is another one in a different dress: full width, bold, a Roman number."""

_CYRILLIC = dict(zip("АВЕЅІЈКМНОРСТУХԚԜҺаеѕіјорсухԛԝһԁӏ", "ABESIJKMHOPCTYXQWhaesijopcyxqwhdl", strict=True))
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϺαικνορυχγϲϳ", "ABEZHIKMNOPTYXCMaiKvopuxycj", strict=True))
_LATIN_TWINS = _CYRILLIC | _GREEK
_CONFUSED = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")
"""Scripts with letters of the same shape, which nobody mixes in one word."""


def unseen(text: str) -> str | None:
    """Return in words the first sign of a text that cannot be seen or printed; None where there is none."""
    for place, sign in enumerate(text, 1):
        if says := unseen_sign(sign, place):
            return says
    return None


def unseen_sign(sign: str, place: int) -> str | None:
    """Return in words why a sign at a place (from 1) of a text cannot be seen or printed; None where it can."""
    if _UNSEEN.match(sign):
        return f"{_named(sign, place)} cannot be seen; take it out"
    if sign == _DAMAGED:
        return f"{_named(sign, place)} says that the text was damaged before it came here"
    if not sign.isprintable():
        return f"{_named(sign, place)} is {_KINDS.get(unicodedata.category(sign), 'no sign of a text')}; take it out"
    return None


def twin(text: str) -> str | None:
    """Return in words what makes a text look like a different one; None where nothing does."""
    for place, sign in enumerate(text, 1):
        if plain := _plain(sign):
            return f"{_named(sign, place)} looks like {plain}; write the plain sign"
    scripts = {_script(letter) for letter in text} & set(_CONFUSED)
    if len(scripts) > 1:
        least = "LATIN" if "LATIN" in scripts else min(scripts)
        place, sign = next((p, s) for p, s in enumerate(text, 1) if _script(s) in scripts - {least})
        return f"mixes {least.title()} letters with {_named(sign, place)}; write it in letters of one script"
    letters = [letter for letter in unicodedata.normalize("NFD", text) if letter.isalpha()]
    if letters and all(letter in _LATIN_TWINS for letter in letters):
        return f"all its letters look like Latin ones, but are {scripts.pop().title()}; write them in Latin letters"
    return None


def likeness(text: str) -> str:
    """Return what a text looks like, in plain signs: two texts with one likeness may be meant as the same."""
    seen = (sign for sign in unicodedata.normalize("NFD", text) if sign.isprintable() and not _UNSEEN.match(sign))
    return unicodedata.normalize("NFC", "".join(_LATIN_TWINS.get(s) or _plain(s) or s for s in seen if s != " "))


def _named(sign: str, place: int) -> str:
    name = unicodedata.name(sign, "")
    return f"U+{ord(sign):04X} at position {place}{f' ({name})' if name else ''}"


def _plain(sign: str) -> str:
    """Return the plain signs a sign is drawn like; nothing for a sign that is plain itself."""
    if sign.isascii():
        return ""
    if sign in _PLAIN_SIGNS:
        return _PLAIN_SIGNS[sign]
    if not unicodedata.decomposition(sign).startswith(_COPIES):
        return ""
    folded = unicodedata.normalize("NFKC", sign)
    # № is known for what it is, though Unicode calls it a way to write No.
    return folded if folded.isascii() and (len(folded) == 1 or sign.isalpha() or sign.isnumeric()) else ""


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0] if letter.isalpha() else ""
