"""Numbers as spreadsheets write them: what lost digits is told, what lost none is read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from worker.marketplaces.aliexpress.models import ProductItem
from worker.marketplaces.digits import DECIMAL, EXPONENT, FRACTION, damage, digits
from worker.marketplaces.shoplazza.models import LineItem
from worker.marketplaces.xportcn.models import CargoParam

EXPONENTS = [
    "1.005E+15",
    "1,005e15",
    "1.005e15",
    "5E+12",
    "5e-3",
    "1.E+15",
    ".5e7",
    "+1.5E+15",
    "1.005E+015",
    "１.５E＋12",
]
DECIMALS = ["1001.5", "1001,5", "1001.", ".5", "-1001.0", "1.000", "1,000", "9007199254740993.0"]


@pytest.mark.parametrize("value", EXPONENTS)
def test_an_exponent_is_a_rounded_number(value: str) -> None:
    assert (damage(value), digits(value)) == (EXPONENT, "")
    assert damage(f'="{value}"') == damage(f"'{value}") == EXPONENT


@pytest.mark.parametrize("value", ["SO-5.61954E+12", "5.61954E+12-1", "#5E+12", "A 5.6e+12"])
def test_a_rounded_number_is_found_inside_a_word(value: str) -> None:
    assert damage(value) == EXPONENT


@pytest.mark.parametrize("value", DECIMALS)
def test_a_number_with_a_decimal_part_may_be_rounded(value: str) -> None:
    assert (damage(value), digits(value)) == (DECIMAL, "")


@pytest.mark.parametrize(
    "value", ["12E45", "5E12", "SO-1.5", "1.2.3", "1005", "e5", "SO-5E+", "b266e0726506", "1-5", ""]
)
def test_other_ids_are_not_damaged(value: str) -> None:
    assert damage(value) is None


def test_an_exponent_without_sign_or_point_is_one_where_only_digits_are_expected() -> None:
    assert damage("1E15", digits_only=True) == EXPONENT


@pytest.mark.parametrize("value", [1005.0, 1e22, 5.5])
def test_a_json_fraction_is_damaged(value: float) -> None:
    assert damage(value) == FRACTION
    assert digits(value) == ""


@pytest.mark.parametrize(
    ("value", "read"),
    [
        *((1005004638293060, "1005004638293060"), (" 1005 ", "1005"), ("0010", "0010"), (0, "0")),
        *(("1005004638293060.0", "1005004638293060"), ("12,00", "12"), ("9007199254740992.0", "9007199254740992")),
        *(('="1005004638293060"', "1005004638293060"), ('=" 12 "', "12"), ('="12.0"', "12")),
        *((-1, ""), (True, ""), (None, ""), ("１２", ""), ("12a", ""), ('="12', ""), ("", ""), ([1], "")),
        ("9" * 5000, "9" * 5000),
        ("9" * 5000 + ".0", ""),
    ],
)
def test_digits_are_read_where_none_is_lost(value: object, read: str) -> None:
    assert digits(value) == read


# Each marketplace's own fields

FIELDS = [
    (ProductItem, {"product_id": 1, "product_count": 1}, "product_id", True),
    (ProductItem, {"product_id": 1, "product_count": 1}, "product_count", True),
    (CargoParam, {"offerId": 1, "quantity": 1}, "offerId", True),
    (CargoParam, {"offerId": 1, "quantity": 1}, "quantity", True),
    (CargoParam, {"offerId": 1, "quantity": 1}, "specId", False),
    (CargoParam, {"offerId": 1, "quantity": 1}, "sellerOpenId", False),
    (LineItem, {"variant_id": 1, "product_id": 1, "quantity": 1}, "variant_id", False),
    (LineItem, {"variant_id": 1, "product_id": 1, "quantity": 1}, "product_id", False),
    (LineItem, {"variant_id": 1, "product_id": 1, "quantity": 1}, "quantity", True),
]


@pytest.mark.parametrize(("model", "item", "field", "digits_only"), FIELDS, ids=lambda value: str(value)[-40:])
def test_fields_of_goods_name_the_cause(model: Any, item: Any, field: Any, digits_only: Any) -> None:
    for given in ["1.005E+15", "1005.5", 1005.5, *(["1E15"] if digits_only else [])]:
        with pytest.raises(ValidationError) as caught:
            model.model_validate(item | {field: given})
        (error,) = caught.value.errors()
        assert error["loc"] == (field,)
        assert error["msg"] in (EXPONENT, DECIMAL, FRACTION)
    for given in ['="1005"', "1005.0"] if digits_only else []:
        assert str(getattr(model.model_validate(item | {field: given}), field)) == "1005"


def test_ids_that_may_hold_letters_stay_as_they_are() -> None:
    item = LineItem.model_validate({"variant_id": "12E45", "product_id": "11218-00000001", "quantity": 1})
    assert (item.variant_id, item.product_id) == ("12E45", "11218-00000001")
    line = CargoParam.model_validate({"offerId": 1, "quantity": 1, "specId": "b266e0726506185beaf205cbae88530d"})
    assert line.specId == "b266e0726506185beaf205cbae88530d"
