"""What spreadsheets and programs leave in a value: text marks, formulas, error words, their words for "no value"."""

from __future__ import annotations

import re
from collections.abc import Collection

from worker.marketplaces.roles import Role

_TEXT_FORMULA = re.compile(r'\s*="((?:[^"]|"")*)"\s*', re.DOTALL)
"""How shops' exports keep a spreadsheet from taking a text for a number."""
_CERTAIN_MARK = re.compile(r"\s*'+(?=[0-9+\-=(@#])")
"""The apostrophe of a text cell. No word begins with an apostrophe and a digit or sign."""
_QUOTED = re.compile(r"\s*'([^']+)'\s*")
_WORD = re.compile(r"\s*'(?:[a-zSTN][ \-]|[ts][A-Z])")
"""'t Hart, 's-Hertogenbosch, 'n Vlei, 'T HART: Dutch and Afrikaans words that are short for others."""

_ERROR = re.compile(
    r"(?:(?<=\W)|\A)(?:#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!"
    r"|UNKNOWN!|EXTERNAL!|PYTHON!|ERROR!|GETTING_DATA)|Err:\d{3}\b)",
    re.IGNORECASE,
)
_ERROR_ALONE = re.compile(r"#[¡¿]?[^\W\d_][\w/]{1,20}[!?]|#N[/.]?[AVD]|#Н/Д|#{3,}", re.IGNORECASE)
"""The same in other languages (#BEZUG!, #¡REF!, #NV, #N/D), and what a column that is too narrow shows."""

_NOTHING = frozenset(
    (
        *("nan", "nat", "null", "none", "undefined", "n/a", "n.a.", "\\n"),
        *("(null)", "(none)", "<null>", "<none>", "<nil>", "<na>", "<nan>", "<nat>"),
    )
)
_NOTHING_EXACTLY = frozenset(("nil", "None", "NaN"))
_NOTHING_IN_NAMES = frozenset(("nan", "NaN", "null", "NULL", "none", "None", "undefined"))
"""People are called Null and Nan, and write it so; a program writes it so."""
_PLACES = {("TH", "nan"), ("IT", "none")}
"""Nan is a province and a town in Thailand, None a town near Turin."""

_ENDS = ("nan", "null", "none", "n/a", ".a.", "nil", "nat", "ned", ")", ">", "]", "}", "\\n")
_BEGINS = ("nan ", "null ", "undefined ", "'", "=", " ", "#")
"""How what this module looks at ends and begins, in small letters; many values more do, and are looked at in vain."""
_LONGEST = 16
NO_VALUE = "holds a program's word for no value; leave it out, or write the value"
_NO_NAME = "holds a program's word for no value; a name that is spelt like it begins with a capital, the rest small"
_ERROR_SAYS = "holds an error a spreadsheet shows in place of a value; mend the sheet and export again"
_FORMULA_SAYS = "begins like a spreadsheet's formula, which is no value; export the values"
_DOUBTFUL = "begins with an apostrophe: take it off if a spreadsheet put it there, write ’ if it belongs to the word"


def is_plain(text: str) -> bool:
    """Tell quickly that this module has nothing to do with a text."""
    small = text.lower()
    return not (small.endswith(_ENDS) or small.startswith(_BEGINS) or "#" in small or "rr:" in small)


def unmarked(text: str) -> str:
    """Take a spreadsheet's text marks off a value: `="02139"` and `'94103` are the texts in them."""
    while True:
        formula, quoted = _TEXT_FORMULA.fullmatch(text), _QUOTED.fullmatch(text)
        if formula:
            inner = formula[1].replace('""', '"')
        elif quoted and not _WORD.match(text):
            inner = quoted[1]
        else:
            inner = _CERTAIN_MARK.sub("", text, count=1)
        if inner == text:
            return text
        text = inner


def unmarked_id(text: str) -> str:
    """Take a spreadsheet's text marks off an id or a name of ours, none of which begins with an apostrophe."""
    return unmarked(text).lstrip("'")


def fault(text: str, roles: Collection[object], country: str) -> str | None:
    """Return in words why a value, its text marks taken off, is none; `country`: the address', in capitals."""
    plain = text.strip()
    if _ERROR.search(plain):
        return _ERROR_SAYS
    if Role.NOTE in roles:
        return None
    if _ERROR_ALONE.fullmatch(plain):
        return _ERROR_SAYS
    if plain.startswith("="):
        return _FORMULA_SAYS
    if plain.startswith("'") and not _WORD.match(plain):
        return _DOUBTFUL
    if Role.NAME in roles:
        return _NO_NAME if _is_no_name(plain.split()) else None
    return NO_VALUE if _is_nothing(plain, Role.PLACE in roles, country) else None


def _is_nothing(text: str, is_place: bool, country: str) -> bool:
    if len(text) > _LONGEST:
        return False
    folded = text.casefold()
    if folded in _NOTHING or text in _NOTHING_EXACTLY:
        return not (is_place and text.istitle() and (country, folded) in _PLACES)
    return False


def _is_no_name(words: list[str]) -> bool:
    """Tell whether a name, or a word of one, is a program's: `nan`, `null null`, `Mara undefined`, `Mara null`."""
    if not words:
        return False
    empty = [word in _NOTHING_IN_NAMES or word.casefold() in _NOTHING - _PEOPLE for word in words]
    if all(empty) or any(word.casefold() in _NOTHING - _PEOPLE for word in words):
        return True
    small = any(word in ("nan", "null", "NaN") for word in words)
    return small and any(word[:1].isupper() for word in words)


_PEOPLE = frozenset(("nan", "null", "none", "nat"))
