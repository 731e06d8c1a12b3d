"""The countries in AliExpress' own codes, and the address rules of each, as a dated table and the small engine for it.

The table of codes is not ISO's: UK, SRB and MNE stand there for GB, RS and ME.

AliExpress answers a breach with B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL; here it is found before anything is
sent. `source`: "page" is the vendor page of order.create, "doc" the vendor's change log and guides, "live" a
report of the real gateway (aliexpress.md, 3). A rule says what is wrong and what to do, never the value itself.
Only what the sources state outright is a rule: names of provinces and cities are AliExpress' to judge, and Chile's
rut_no is "not used" (page), so nothing is asked of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, auto
from functools import cache

from worker.marketplaces import zips
from worker.marketplaces.digits import damage
from worker.marketplaces.iso import alpha2, alpha3

_TABLE = """
    AD AE AF AG AI AL ALA AM AN AO AQ AR AS ASC AT AU AW AZ BA BB BD BE BF BG BH BI BJ BLM BM BN BO BQ BR BS BT
    BV BW BY BZ CA CC CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EAZ EC EE EG EH ER ES ET
    FI FJ FK FM FO FR FX GA GD GE GF GGY GH GI GL GM GN GP GQ GR GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO
    IQ IR IS IT JEY JM JO JP KE KG KH KI KM KN KP KR KS KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MAF MC MD
    MG MH MK ML MM MN MNE MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG
    PH PK PL PM PN PR PS PT PW PY QA RE RO RU RW SA SB SC SD SE SG SGS SH SI SJ SK SL SM SN SO SR SRB SS ST SV
    SX SY SZ TC TD TF TG TH TJ TK TLS TM TN TO TP TR TT TV TW TZ UA UG UK UM US UY UZ VA VC VE VG VI VN VU WF WS
    YE YT YU ZA ZM ZR ZW
"""
CODES = frozenset(_TABLE.split())
"""The vendor's page "Country and Region", which the order page's `country` refers to; OTHER names no country."""

_OWN = {"GB": "UK", "CD": "ZR", "XK": "KS", "AC": "ASC"}
"""ISO codes of two letters that the table knows under letters that are no ISO code of the country at all."""


@cache
def vendor_code(code: str) -> str | None:
    """Return AliExpress' code of a country, from that or from an ISO code of two or three letters; else None."""
    code = code.upper()
    if code in CODES:
        return code
    iso = alpha2(code) or code
    return next((known for known in (iso, alpha3(iso), _OWN.get(iso)) if known in CODES), None)


class Check(Enum):
    """What is asked of a field. All but REQUIRED pass where the field is absent."""

    REQUIRED = auto()
    MATCH = auto()
    """`limit` is a regular expression for the whole value."""
    DIFFER = auto()
    """`limit` is a word the value must not be, in whatever case."""
    CPF = auto()
    """11 digits of which the last two check the others."""
    DAY = auto()
    """A date written ddMMyyyy."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: what `check` asks of `field`, in `countries` (`*`: everywhere), since a day, and what a breach says.

    A field is one of `logistics_address`, or a dotted path from the order's root. `when` limits the rule to
    orders whose other address field has that value; "" stands for absent.
    """

    countries: str
    field: str
    check: Check
    limit: str
    says: str
    source: str
    since: date | None = None
    when: tuple[str, str] | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """The field's place in the order."""
        return tuple(self.field.split(".")) if "." in self.field else ("logistics_address", self.field)


_NAT_ADDR = "ds_extend_request.trade_extra_param.nat_addr"
_BIRTHDAY = "ds_extend_request.trade_extra_param.birthday"
_TWO_NAMES = r"\S.{0,30}\S \S.{0,30}\S"
_SPACED = r"(?=.{2,128}$)\S+ .*\S"
_LETTERS = r"(?=.{2,128}$)[A-Za-z]+( [A-Za-z]+)+"
_SAY_TWO_NAMES = "US: write first and last name with a space between, 2 to 32 characters on each side"
_SAY_SPACED = "write first and last name with a space between, 2 to 128 characters in all"
_SAY_LETTERS = "write first and last name with a space between, letters A-Z only, 2 to 128 characters in all"
_REQ, _MATCH, _DIFFER = Check.REQUIRED, Check.MATCH, Check.DIFFER

RULES: tuple[Rule, ...] = (
    # Everywhere. For each field the first breach is told, so a country's own rule stands before the general one.
    Rule("*", "phone_country", _MATCH, r"\+?\d{0,4}", "the country code alone, such as 44 or +44", "live"),
    Rule("*", "mobile_no", _MATCH, r"\d+",
         "digits only: leave out spaces, + and other signs, and put the country code in phone_country", "page"),
    # United States
    Rule("US", "contact_person", _MATCH, _TWO_NAMES, _SAY_TWO_NAMES, "page"),
    # The page splits contact_person, and its own sample has a full_name without a space next to it.
    Rule("US", "full_name", _MATCH, _TWO_NAMES, _SAY_TWO_NAMES, "doc", when=("contact_person", "")),
    Rule("US", "address", _MATCH, r".{5,35}", "US: 5 to 35 characters; put the rest in address2", "doc"),
    Rule("US", "province", _DIFFER, "Other", "US: name the state; Other is not accepted", "doc"),
    # Brazil
    Rule("BR", "cpf", _REQ, "", "BR: the receiver's tax number (CPF) is required", "page"),
    Rule("BR", "cpf", Check.CPF, "", "BR: not a CPF: 11 digits without dots, the last two check the others", "page"),
    Rule("BR", "contact_person", _REQ, "", "BR: required, the name that belongs to the CPF", "page"),
    Rule("BR", "zip", _REQ, "", "BR: required, it is checked against province and city", "doc"),
    Rule("BR", "city", _DIFFER, "Other", "BR: name the city; Other is not accepted", "doc"),
    Rule("BR", _BIRTHDAY, Check.DAY, "", "BR: write the day of birth as ddMMyyyy, such as 31121990", "doc"),
    # Mexico
    Rule("MX", "passport_no", _REQ, "", "MX: required", "page"),
    Rule("MX", "address2", _MATCH, r".{1,60}", "MX: at most 60 characters", "doc"),
    # Saudi Arabia; the code in zip, passport_no and other fields was refused (live)
    Rule("SA", _NAT_ADDR, _REQ, "",
         "SA: the national address is required here, such as ABCD1234", "doc", since=date(2025, 12, 4)),
    Rule("SA", _NAT_ADDR, _MATCH, r"[A-Za-z]{4}\d{4}",
         "SA: four letters and four digits, such as ABCD1234", "doc", since=date(2025, 12, 4)),
    Rule("SA", "mobile_no", _MATCH, r"5\d{8}", "SA: 9 digits that begin with 5", "doc"),
    Rule("SA", "contact_person", _MATCH, _SPACED, f"SA: {_SAY_SPACED}", "doc"),
    Rule("SA", "full_name", _MATCH, _SPACED, f"SA: {_SAY_SPACED}", "doc"),
    Rule("SA", "province", _MATCH, r".{2,64}", "SA: 2 to 64 characters", "doc"),
    Rule("SA", "city", _MATCH, r".{2,64}", "SA: 2 to 64 characters", "doc"),
    Rule("SA", "address", _MATCH, r".{5,256}", "SA: 5 to 256 characters", "doc"),
    Rule("SA", "zip", _MATCH, r"[\d -]{1,10}", "SA: 1 to 10 digits, blanks and hyphens", "doc"),
    # Australia, New Zealand, Algeria, South Africa, Spain
    Rule("AU NZ", "full_name", _REQ, "", f"AU, NZ: required; {_SAY_LETTERS}", "doc"),
    Rule("AU NZ", "full_name", _MATCH, _LETTERS, f"AU, NZ: {_SAY_LETTERS}", "doc"),
    Rule("DZ ZA", "full_name", _MATCH, r"\S+ .*\S", "DZ, ZA: write first and last name with a space between", "doc"),
    Rule("ES", "mobile_no", _MATCH, r"\d{9}", "ES: exactly 9 digits", "doc"),
    # Israel and Argentina: the receiver's own number, in both fields
    Rule("IL AR", "is_foreigner", _REQ, "", "IL, AR: required; set it to false", "doc"),
    Rule("IL AR", "is_foreigner", _MATCH, "false", "IL, AR: must be false", "doc"),
    Rule("IL AR", "passport_no", _REQ, "", "IL, AR: required, the receiver's identity or tax number", "doc"),
    Rule("IL AR", "foreigner_passport_no", _REQ, "", "IL, AR: required, the same number as in passport_no", "doc"),
    Rule("IL", "passport_no", _MATCH, r"\d{9}", "IL: the 9 digits of the identity number", "doc"),
    Rule("IL", "foreigner_passport_no", _MATCH, r"\d{9}", "IL: the 9 digits of the identity number", "doc"),
    Rule("AR", "passport_no", _MATCH, r"\d{2}-\d{8}-\d", "AR: write it as NN-NNNNNNNN-N", "doc"),
    Rule("AR", "foreigner_passport_no", _MATCH, r"\d{2}-\d{8}-\d", "AR: write it as NN-NNNNNNNN-N", "doc"),
    Rule("AR", "mobile_no", _MATCH, r"\d{10}", "AR: exactly 10 digits", "doc"),
    # Korea
    Rule("KR", "foreigner_passport_no", _REQ, "",
         "KR: a foreigner's registration card or passport number is required", "page", when=("is_foreigner", "true")),
    # Everywhere, after the countries' own
    Rule("*", "mobile_no", _MATCH, r"\d{7,13}", "7 to 13 digits, without the country code", "live"),
)  # fmt: skip
"""Every rule. A new one is a new row with its day; nothing else changes."""


def breaches(order: object, country: str, today: date) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the place and the words of every rule the order breaks on that day, one for each field."""
    told: set[tuple[str, ...]] = set()
    for rule in _rules_of(country):
        if rule.path in told or (rule.since and today < rule.since):
            continue
        if rule.when and _at(order, ("logistics_address", rule.when[0])) != rule.when[1]:
            continue
        if not _passes(rule, _at(order, rule.path)):
            told.add(rule.path)
            yield rule.path, damage(_at(order, rule.path)) or rule.says
    postal = ("logistics_address", "zip")
    if postal not in told and (says := zips.fault(country, _at(order, postal))):
        yield postal, says


@cache
def _rules_of(country: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if rule.countries == "*" or country in rule.countries.split())


def _at(order: object, path: tuple[str, ...]) -> str:
    value: object = order
    for name in path:
        value = getattr(value, name, None)
    return value if isinstance(value, str) else ""


def _passes(rule: Rule, value: str) -> bool:
    if not value:
        return rule.check is not Check.REQUIRED
    match rule.check:
        case Check.REQUIRED:
            return True
        case Check.MATCH:
            return _pattern(rule.limit).fullmatch(value) is not None
        case Check.DIFFER:
            return value.casefold() != rule.limit.casefold()
        case Check.CPF:
            return is_cpf(value)
        case Check.DAY:
            return _is_day(value)


@cache
def _pattern(limit: str) -> re.Pattern[str]:
    return re.compile(limit, re.ASCII)


def is_cpf(value: str) -> bool:
    """Tell whether a text is a Brazilian CPF: 11 digits, not all the same, both check digits right."""
    if not re.fullmatch(r"\d{11}", value, re.ASCII) or len(set(value)) == 1:
        return False
    digits = [int(digit) for digit in value]
    for size in (9, 10):
        total = sum(digit * weight for digit, weight in zip(digits, range(size + 1, 1, -1), strict=False))
        if total * 10 % 11 % 10 != digits[size]:
            return False
    return True


def _is_day(value: str) -> bool:
    if not re.fullmatch(r"\d{8}", value, re.ASCII):
        return False
    try:
        datetime.strptime(value, "%d%m%Y")
    except ValueError:
        return False
    return True
