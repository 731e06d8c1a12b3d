"""The provinces and cities the sandbox's AliExpress knows, and its address get."""

from __future__ import annotations

import json
from typing import Any

OTHER = "Other"
DIVISIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "US": {
        "California": ("Los Angeles", "San Francisco", OTHER),
        "New York": ("New York", "Buffalo", OTHER),
        "Texas": ("Austin", "Houston", OTHER),
        OTHER: (OTHER,),
    },
    "FR": {"Paris": ("Paris", OTHER), "Rhone": ("Lyon", OTHER), "Gironde": ("Bordeaux", OTHER), OTHER: (OTHER,)},
    "ES": {"Madrid": ("Madrid", OTHER), "Barcelona": ("Barcelona", OTHER), OTHER: (OTHER,)},
    "DE": {"Bayern": ("Munich", OTHER), "Berlin": ("Berlin", OTHER), OTHER: (OTHER,)},
    "BR": {"Sao Paulo": ("Sao Paulo", "Campinas", OTHER), "Bahia": ("Salvador", OTHER), OTHER: (OTHER,)},
    "GB": {"England": ("London", "Leeds", OTHER), "Scotland": ("Edinburgh", "Glasgow", OTHER), OTHER: (OTHER,)},
}
NAMES = {"US": "United States", "FR": "France", "ES": "Spain", "DE": "Germany", "BR": "Brazil", "GB": "United Kingdom"}


def divisions(country: str) -> dict[str, Any]:
    """Return the result of address get for one country; one the sandbox does not know has no provinces.

    `children` is text that holds JSON, and so are the children in it for every other province: both are seen.
    """
    provinces = []
    for place, (name, cities) in enumerate(DIVISIONS.get(country, {}).items()):
        nodes = [{"name": city, "type": "CITY", "hasChildren": False} for city in cities]
        children: Any = json.dumps(nodes) if place % 2 else nodes
        provinces.append({"name": name, "type": "PROVINCE", "hasChildren": True, "children": children})
    tree = {"country": NAMES.get(country, country), "type": "country", "children": json.dumps(provinces)}
    return {"ret": True, "code": "0", "msg": "success", "data": tree}
