"""Finds what an error code of AliExpress means: strictly for a create, leniently for a read, which creates nothing.

A no to a create is believed only by a code that the vendor page or the facts file documents, where the vendor puts it;
each entry's `source` says where that is. Words may choose the fix, never the kind.
"""

from __future__ import annotations

import re
from dataclasses import replace

from worker.marketplaces.aliexpress.codes_gateway import FACTS, GATEWAY_CODES, NUMBERS
from worker.marketplaces.aliexpress.codes_results import ADDRESS_FAIL, REPEATED, RESULT_CODES
from worker.marketplaces.aliexpress.kinds import Entry, Kind
from worker.marketplaces.doubts import DOOR, LIMIT, ORDER, ORDER_OR_DOOR, Topics

__all__ = ["ADDRESS_TEXTS", "ENTRIES", "GATEWAY_CODES", "NUMBERS", "REPEATED", "RESULT_CODES", "Entry", "Kind"]

ENTRIES = (*RESULT_CODES, *GATEWAY_CODES)

_RESULT = {entry.code.casefold(): entry for entry in RESULT_CODES}
_GATEWAY = {entry.code.casefold(): entry for entry in GATEWAY_CODES}
_NO_CODE = "15"
"""Of the gateway's numbers the one that says nothing: its sub_code is the code."""

# How reads know a kind of code by its beginning. "isv." alone is anything, and proves nothing of a create.
_PATTERNS = (
    (re.compile(r"accesscontrol\.limited-by-", re.I), "ApiCallLimit"),
    (re.compile(r"isp\.", re.I), "isp.service-unavailable"),
    (re.compile(r"isv\..*param", re.I), "InvalidParameter"),
)
_BAN = re.compile(r"last(?:\s+for)?\s+(\d{1,9})\s+(?:more\s+)?seconds", re.I)
_LIMIT = re.compile(r"\bban\b|limit|frequency", re.I)

ADDRESS_TEXTS: tuple[tuple[str, str], ...] = (
    ("enter a city", "city is missing or not AliExpress' name of it; take it from aliexpress.ds.address.get"),
    (
        "country code and phone number",
        "digits only in mobile_no, without country code, spaces or signs; the code in phone_country",
    ),
    (
        "select a province",
        "province is not AliExpress' name of it; take it from aliexpress.ds.address.get (Italy: one of the 20"
        " regions; Austria: the Bundesland in English and city Other)",
    ),
    (
        "select a state",
        "province is not AliExpress' name of it for this country; take it from aliexpress.ds.address.get",
    ),
    (
        "between 2 - 32 characters",
        "write contact_person as first and last name with a space, 2-32 characters on each side",
    ),
    ("enter mobile phone number", "give mobile_no: 7-13 digits, the country code apart in phone_country"),
    ("7-13 digits", "mobile_no must have 7-13 digits, without the country code"),
    (
        "national address",
        "give ds_extend_request.trade_extra_param.nat_addr as four letters and four digits, such as ABCD1234",
    ),
)
"""Words of an address refusal and their fix (page: explanations; facts: live address messages)."""

_ADDRESS_CODES = {ADDRESS_FAIL, "INVALID_ADDRESS"}
_PARAMETER_CODES = {"MissingParameter", "InvalidParameter", "UnsupportedParamMapping", "PARM_ILLEGL"}
_DOOR_KINDS = frozenset({Kind.TOKEN, Kind.CONFIGURATION, Kind.CLOCK, Kind.NOT_SHOWN})


def is_known(code: str) -> bool:
    """Tell whether a code is the vendor's own word, so that it can hold nothing personal."""
    return code.casefold() in _RESULT or code in NUMBERS or _gateway_word(code) is not None


def of_result(code: str, text: str) -> Entry | None:
    """Return the entry of a code in a create's result; None for one nobody documents. Words choose an address' fix."""
    entry = _RESULT.get(code.casefold())
    if entry is not None and entry.code in _ADDRESS_CODES:
        lowered = text.casefold()
        fix = next((fix for words, fix in ADDRESS_TEXTS if words in lowered), entry.fix)
        return replace(entry, fix=fix)
    return entry


def of_fault(code: str, sub_code: str) -> Entry | None:
    """Return the entry of a gateway error to a create; None for one nobody documents, or whose codes disagree."""
    entry = _documented(code)
    if not sub_code:
        return entry
    inner = _documented(sub_code)
    if inner is None or (code != _NO_CODE and entry is not None and topics_of(entry) != topics_of(inner)):
        return None
    return inner


def _documented(code: str) -> Entry | None:
    if code in NUMBERS:
        return _GATEWAY[NUMBERS[code].casefold()]
    entry = _GATEWAY.get(code.casefold())
    return entry if entry is not None and entry.source == FACTS else None


def topics_of(entry: Entry) -> Topics:
    """Return what the words beside a code may be about."""
    if entry.kind is Kind.THROTTLE:
        return LIMIT
    if entry.kind in _DOOR_KINDS:
        return DOOR
    return ORDER_OR_DOOR if entry.kind is Kind.ACCOUNT or entry.code in _PARAMETER_CODES else ORDER


def find_gateway(code: str, sub_code: str, text: str) -> Entry:
    """Return the entry of a gateway error to a read; here patterns and words count too."""
    entry = _gateway_word(sub_code) or _gateway_word(NUMBERS.get(code, code))
    if entry is None and ban_seconds(text) is not None and _LIMIT.search(text):
        entry = replace(_GATEWAY["apicalllimit"], code=sub_code or code or "ApiCallLimit")
    return entry or Entry(
        sub_code or code or "NO_CODE",
        Kind.BACKEND_UNKNOWN,
        "a gateway error this application does not know",
        "nothing: the order is read again by itself",
        "documented nowhere",
    )


def _gateway_word(code: str) -> Entry | None:
    if not code:
        return None
    entry = _GATEWAY.get(code.casefold())
    if entry is None:
        for pattern, like in _PATTERNS:
            if pattern.match(code):
                return replace(_GATEWAY[like.casefold()], code=code)
    return entry


def ban_seconds(text: str) -> int | None:
    """Return how long a throttle's own words say the ban lasts (1 to 22238 s seen live), if they do."""
    found = _BAN.search(text)
    return int(found[1]) if found else None
