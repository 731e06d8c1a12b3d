"""Changes of an order's body as a person types them."""

from __future__ import annotations

import json

import pytest

from worker.errors import InputError
from worker.orders.changes import apply, change

BODY = json.dumps(
    {"address": {"city": "Vineland", "zip": "08360"}, "items": [{"count": 2, "memo": "blue"}], "gift": True}
)


@pytest.mark.parametrize(
    ("text", "way", "value"),
    [
        ("address.city=Zanesville", ("address", "city"), "Zanesville"),
        ("address.zip=00501", ("address", "zip"), "00501"),
        ("address.city=a=b", ("address", "city"), "a=b"),
        ("items[0].count=3", ("items", 0, "count"), 3),
        ("items[0].note=7", ("items", 0, "note"), "7"),
        ("gift=false", ("gift",), False),
        ("new.field=x", ("new", "field"), "x"),
    ],
)
def test_a_field_gets_its_value_in_the_type_it_had(text: str, way: tuple[str | int, ...], value: object) -> None:
    found = apply(BODY, [change(text)])
    for step in way:
        found = found[step]  # type: ignore[index]
    assert found == value


def test_an_empty_value_takes_the_field_out() -> None:
    assert "memo" not in apply(BODY, [change("items[0].memo=")])["items"][0]


@pytest.mark.parametrize("text", ["city", "=x", "a..b=1", "items[x]=1", "items[-1].count=1", ""])
def test_what_is_no_change_is_told(text: str) -> None:
    with pytest.raises(InputError, match="--set needs FIELD=VALUE"):
        change(text)


@pytest.mark.parametrize(
    "text", ["items[9].count=1", "items.count=1", "address[0]=1", "address.city.part=1", "address=x"]
)
def test_a_field_without_a_place_is_told_and_its_value_is_not(text: str) -> None:
    with pytest.raises(InputError) as told:
        apply(BODY, [change(text.replace("=1", "=secret"))])
    assert "secret" not in str(told.value)
