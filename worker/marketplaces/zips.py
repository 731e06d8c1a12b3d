"""Postal codes by country, only where the form is certain: what a spreadsheet did to one is told at the door.

Keys are ISO codes, and those of a marketplace's own table that differ. What a vendor rules stands above this.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from worker.marketplaces.digits import damage

_COUNTRY_IN_FRONT = r"(?:〒 ?|[A-Z]{1,3}[ -]?)?"
"""People write D-10115 and SE-111 22."""
_LOST_ZERO = "it seems that a spreadsheet took off the zero it begins with; format the column as text and export again"


class _Form(NamedTuple):
    pattern: re.Pattern[str]
    words: str
    digits: int
    """How many there are where a code of digits alone is whole; 0: it has letters."""


def _forms() -> Iterator[tuple[str, _Form]]:
    for digits, countries, pattern, words in (
        (5, "US PR GU VI AS MP", r"\d{5}(?:[ -]?\d{4})?", "5 digits, or 5 and 4 with a hyphen"),
        (4, "AT AU BE BG CH CY DK HU LU LV NO NZ PH SI ZA", r"\d{4}", "4 digits"),
        (4, "NL", r"\d{4}(?: ?[A-Z]{2})?", "4 digits and 2 letters"),
        (4, "PT", r"\d{4}(?:[ -]?\d{3})?", "4 and 3 digits, such as 1000-205"),
        (4, "AR", r"\d{4}|[A-Z]\d{4}[A-Z]{3}", "4 digits, or such as C1425DKF"),
        (5, "DE EE ES FI FR GF GP HR ID IT LT MC MQ MX MY RE TH TR UA", r"\d{2} ?\d{3}", "5 digits"),
        (5, "CZ GR SE SK", r"\d{3} ?\d{2}", "5 digits"),
        (5, "PL", r"\d{2}[ -]?\d{3}", "5 digits, such as 00-950"),
        (6, "BY CN CO IN RO RU SG", r"\d{3} ?\d{3}", "6 digits"),
        (7, "JP", r"\d{3}[ -]?\d{4}", "7 digits, such as 150-0001"),
        (8, "BR", r"\d{2}\.?\d{3}[ -]?\d{3}", "8 digits, such as 01310-100"),
    ):
        front = "" if countries.startswith(("US", "AR")) else _COUNTRY_IN_FRONT
        for country in countries.split():
            yield country, _Form(re.compile(f"{front}(?:{pattern})", re.ASCII | re.IGNORECASE), words, digits)
    british = re.compile(r"GIR ?0AA|BFPO ?\d{1,4}|[A-Z]{1,2}\d[A-Z\d]? *\d[A-Z]{2}", re.ASCII | re.IGNORECASE)
    for country in ("GB", "UK", "GG", "GGY", "JE", "JEY", "IM"):
        yield country, _Form(british, "letters and digits, such as SW1A 1AA", 0)
    canadian = re.compile(r"[A-Z]\d[A-Z][ -]?\d[A-Z]\d", re.ASCII | re.IGNORECASE)
    yield "CA", _Form(canadian, "letters and digits, such as K1A 0B1", 0)


_FORMS = dict(_forms())


def fault(country: str, code: str) -> str | None:
    """Return in words why a postal code is none of the country's; None where it may be, is empty, or nobody knows."""
    form = _FORMS.get(country)
    if not code:
        return None
    if form is not None and form.pattern.fullmatch(code):
        return None
    if says := damage(code):
        return says
    if form is None:
        return None
    plain = code if code.isascii() else re.sub(r"[\u2010-\u2015\u2212\u30fc]", "-", unicodedata.normalize("NFKC", code))
    if form.pattern.fullmatch(plain):
        return None
    if plain.isdecimal() and len(plain) < form.digits and form.pattern.fullmatch(plain.zfill(form.digits)):
        return f"{country}: write {form.words}; {_LOST_ZERO}"
    return f"{country}: no postal code of this country: write {form.words}"
