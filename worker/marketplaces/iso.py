"""Countries by their ISO 3166 codes, and which of them name a province in an address."""

from __future__ import annotations

from iso3166 import countries_by_alpha2, countries_by_alpha3

_RESERVED = {"UK": "GB"}
"""ISO keeps UK for the United Kingdom alone, so it cannot mean anything else."""

_PLACES = """
    AE AR AS AU BR BS BY CA CL CN CO CR CV EG ES FM GB GT HK HN ID IE IN IQ IR IT JM JP KN KR KY KZ MH MX MY NG
    NI NZ PA PE PF PG PH PW RO RU SC SO SR SV TH TR TW UA UM US UY UZ VE VI VN ZA
"""
_WITH_PROVINCES = frozenset(_PLACES.split())
"""Where addresses are written, or shops ask for them, with a state, province, county, emirate or island."""


def alpha2(code: str) -> str | None:
    """Return a country's ISO code of two letters, from that or from its code of three, in any case; else None."""
    code = code.upper()
    if code in countries_by_alpha2:
        return code
    country = countries_by_alpha3.get(code)
    return country.alpha2 if country else _RESERVED.get(code)


def alpha3(code: str) -> str | None:
    """Return a country's ISO code of three letters for its code of two."""
    country = countries_by_alpha2.get(code)
    return country.alpha3 if country else None


def has_provinces(code: str) -> bool:
    """Tell whether an address in the country with this code of two letters names a province."""
    return code in _WITH_PROVINCES
