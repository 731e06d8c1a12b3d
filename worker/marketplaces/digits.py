"""What spreadsheets do to long numbers: told in words where digits are lost, read back where none is lost."""

from __future__ import annotations

import re
import unicodedata
from typing import LiteralString

from pydantic_core import PydanticCustomError

_MEND = "format the column as text and export again"
EXPONENT = f"a number in exponent form: a spreadsheet rounded it; {_MEND}"
DECIMAL = f"a number with a decimal part: a spreadsheet may have rounded it; {_MEND}"
FRACTION = (
    "a JSON number with a point or an exponent: a spreadsheet or a program may have rounded it;"
    f" {_MEND}, or write all its digits as text"
)

_FRACTION = r"(?:[0-9]+[.,][0-9]*|[.,][0-9]+)"
_DECIMAL = re.compile(rf"[+-]?{_FRACTION}")
_EXPONENT = re.compile(rf"[+-]?(?:{_FRACTION}e[+-]?[0-9]+|[0-9]+e[+-][0-9]+)", re.IGNORECASE)
_BARE_EXPONENT = re.compile(r"[0-9]+e[0-9]+", re.IGNORECASE)
"""5E12: an exponent where only digits are expected, elsewhere an id like any other."""
_EXPONENT_INSIDE = re.compile(r"(?<![0-9a-z.,])[0-9](?:[.,][0-9]+)?e\+[0-9]{2,3}(?![0-9a-z])", re.IGNORECASE)
"""SO-5.61954E+12: a rounded number that was put behind a word."""
_TEXT_FORMULA = re.compile(r'="([^"]*)"')
"""How a shop's export keeps a spreadsheet from taking an id for a number."""
# Three zeros are left out: 1.000 and 1,000 may be a thousand.
_WHOLE = re.compile(r"([0-9]+)(?:[.,]0{1,2})?")
_EXACT_BELOW = 1 << 53
"""From here on a floating-point number does not hold every whole number, so a point says that digits may be lost."""


def damage(value: object, digits_only: bool = False) -> str | None:
    """Return in words how a number that stands for an id was damaged; None where no damage shows.

    `digits_only`: the id is known to be all digits, so that `5E12` is an exponent and no name.
    """
    if isinstance(value, float):
        return FRACTION
    if not isinstance(value, str):
        return None
    text = value if value.isascii() else unicodedata.normalize("NFKC", value).replace("\u2212", "-")
    text = text.strip().strip("'\"=")
    if _EXPONENT.fullmatch(text) or _EXPONENT_INSIDE.search(text):
        return EXPONENT
    if digits_only and _BARE_EXPONENT.fullmatch(text):
        return EXPONENT
    return DECIMAL if _DECIMAL.fullmatch(text) else None


def digits(value: object) -> str:
    """Return the digits of a whole number of at least 0, as text; nothing for any other value.

    Read without loss are also the forms that spreadsheets and exports give such a number: `5.0`, `5,00`, `="5"`.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value).strip()
    if text.isascii() and text.isdigit():
        return text
    formula = _TEXT_FORMULA.fullmatch(text)
    found = _WHOLE.fullmatch(formula[1].strip() if formula else text)
    if found is None or (found[0] != found[1] and (len(found[1]) > 16 or int(found[1]) > _EXACT_BELOW)):
        return ""
    return found[1]


def no_number(kind: LiteralString, value: object, words: str) -> PydanticCustomError:
    """Return the error for a value that should be all digits: how it was damaged, else `words`."""
    return PydanticCustomError(kind, "{says}", {"says": damage(value, digits_only=True) or words})


def id_text(value: object) -> object:
    """Return an id as text; what is no text and no whole number is left to the model. Refuses a damaged number."""
    says = damage(value)
    if says:
        raise PydanticCustomError("damaged_id", "{says}", {"says": says})
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
