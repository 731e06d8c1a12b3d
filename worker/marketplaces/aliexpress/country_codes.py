"""AliExpress' own table of countries, which is not ISO's: UK, SRB and MNE stand there for GB, RS and ME."""

from __future__ import annotations

from functools import cache

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
