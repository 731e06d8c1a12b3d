"""What a job's order may hold: every field of the vendor page, typed, and nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tests.marketplaces.shoplazza.shoplazza_kit import body, dump
from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.marketplaces.shoplazza.credentials import ShoplazzaCredentials
from worker.marketplaces.shoplazza.models import UNSENT, LineItem, ShippingAddress, ShippingLine, ShoplazzaOrder
from worker.orders.columns import template
from worker.orders.jobs import Job, Rejection, Terms, validate

ACCOUNTS = {"main": Terms(Shoplazza, 1000)}


def refused(order: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        ShoplazzaOrder.model_validate(order)
    return {".".join(str(part) for part in error["loc"]): error for error in caught.value.errors()}


def address(**changes: Any) -> dict[str, Any]:
    changed = {**body()["shipping_address"], **changes}
    return body(shipping_address={name: value for name, value in changed.items() if value is not None})


def test_every_field_of_the_page() -> None:
    assert set(LineItem.model_fields) == {"variant_id", "product_id", "quantity"}
    assert set(ShippingLine.model_fields) == {"name", "shipping_price", "desc"}
    place = "first_name last_name phone email country country_code province province_code city address address1 zip"
    assert set(ShippingAddress.model_fields) == {*place.split(), "latitude", "longitude"}
    top = "line_items shipping_address tags tax_total currency_code discount note payment_line shipping_line"
    assert set(ShoplazzaOrder.model_fields) == {*top.split(), *UNSENT}


def test_required_is_what_the_page_and_every_version_require() -> None:
    top = ("line_items", "shipping_address", "tax_total", "currency_code")
    assert {name for name, info in ShoplazzaOrder.model_fields.items() if info.is_required()} == set(top)
    place = "last_name email country country_code city address"
    assert {name for name, info in ShippingAddress.model_fields.items() if info.is_required()} == set(place.split())
    for name in top:
        assert refused(body(**{name: None}))[name]["type"] == "missing"
    for name in place.split():
        for blank in (None, "", "  "):
            assert refused(address(**{name: blank}))[f"shipping_address.{name}"]["type"] == "missing"
    for name in ("variant_id", "product_id", "quantity"):
        line = {"variant_id": "1", "product_id": "2", "quantity": 1}
        del line[name]
        assert refused(body(line_items=[line])).keys() == {f"line_items.0.{name}"}


def test_line_items_by_the_pages_own_label() -> None:
    order = body(line_items=None)
    assert dump(order | {"LineItems": body()["line_items"]}) == dump(body())
    assert "LineItems" in refused(body() | {"LineItems": body()["line_items"]})
    assert refused(body(line_items=[])).keys() == {"line_items"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [("9.99", "9.99"), (" 9.90 ", "9.90"), ("0", "0"), (12, "12"), (Decimal("0.10"), "0.10"), ("0.00", "0.00")],
)
def test_amounts_are_kept_as_written(given: Any, sent: str) -> None:
    assert dump(body(tax_total=given))["tax_total"] == sent
    line = {"name": "Free", "shipping_price": given}
    assert dump(body(shipping_line=line))["shipping_line"]["shipping_price"] == sent


@pytest.mark.parametrize(
    "given",
    [9.99, "9,99", "1e3", "-1", "+1", ".5", "5.", "NaN", "$5", "１", True, [], Decimal("NaN"), "1 000", "9" * 40],
)
def test_what_is_no_amount_is_refused_without_repeating_it(given: Any) -> None:
    errors = refused(body(tax_total=given))
    assert 'such as "9.99"' in errors["tax_total"]["msg"]
    assert refused(body(shipping_line={"name": "Free", "shipping_price": given}))


@pytest.mark.parametrize(("given", "sent"), [("10%", "10%"), ("12.5 %", "12.5%"), ("100%", "100%"), ("10.00", "10.00")])
def test_discounts(given: str, sent: str) -> None:
    assert dump(body(discount=given))["discount"] == sent


@pytest.mark.parametrize("given", ["101%", "ten", "%", "-5%", 0.1])
def test_what_is_no_discount(given: float | str) -> None:
    assert refused(body(discount=given)).keys() == {"discount"}


@pytest.mark.parametrize(("given", "sent"), [(1, 1), ("3", 3), (" 2 ", 2)])
def test_quantities(given: int | str, sent: int) -> None:
    line = {"variant_id": "1", "product_id": "2", "quantity": given}
    assert dump(body(line_items=[line]))["line_items"][0]["quantity"] == sent


@pytest.mark.parametrize("given", [0, -1, 1.0, "1.5", True, "many", 10**9, "１"])
def test_what_is_no_quantity(given: Any) -> None:
    assert refused(body(line_items=[{"variant_id": "1", "product_id": "2", "quantity": given}]))


def test_ids_stay_exact() -> None:
    line = {"variant_id": 10234136520598611512, "product_id": "11218-00000001", "quantity": 1}
    assert dump(body(line_items=[line]))["line_items"] == [
        {"variant_id": "10234136520598611512", "product_id": "11218-00000001", "quantity": 1}
    ]
    for wrong in (1.5, True, "", None):
        assert refused(body(line_items=[{**line, "variant_id": wrong}]))


def test_codes() -> None:
    assert dump(address(country_code="us"))["shipping_address"]["country_code"] == "US"
    for code in ("KY", "US-KY", "CN-GD"):
        assert dump(address(province_code=code))["shipping_address"]["province_code"] == code
    for code, known in (("USA", "US"), ("UK", "GB"), ("GBR", "GB")):
        assert dump(address(country_code=code, zip=None))["shipping_address"]["country_code"] == known
    for code in ("ZZ", "SRBX", "France", "U"):
        assert refused(address(country_code=code)).keys() == {"shipping_address.country_code"}
    assert dump(body(currency_code="usd"))["currency_code"] == "USD"
    assert refused(body(currency_code="US$")).keys() == {"currency_code"}


def test_numbers_where_the_page_has_text() -> None:
    order = dump(address(latitude=22.54, longitude="114.06"))
    assert {"latitude": "22.54", "longitude": "114.06"}.items() <= order["shipping_address"].items()
    for name in ("zip", "phone", "province_code"):  # as numbers they would lose the zeros they begin with
        assert refused(address(**{name: 2139}))[f"shipping_address.{name}"]["type"] == "string_type"
        assert refused(address(country_code="SG", **{name: 2139})).keys() == {f"shipping_address.{name}"}


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_province_is_needed_where_there_are_provinces(blank: Any) -> None:
    place = {"country_code": "SG", "country": "Singapore", "zip": "049315", "province": blank, "province_code": blank}
    assert "province_code" not in dump(address(**place))["shipping_address"]
    said = refused(address(country_code="US", zip="02139", province_code=blank))
    assert "missing" in said["shipping_address.province_code"]["msg"]


@pytest.mark.parametrize(("code", "zip_"), [("US", "2139"), ("US", "94103.0"), ("DE", "1067"), ("GB", "94103")])
def test_a_damaged_zip_is_refused(code: Any, zip_: Any) -> None:
    said = refused(address(country_code=code, zip=zip_))["shipping_address.zip"]["msg"]
    assert zip_ not in said


def test_unknown_fields_are_named() -> None:
    assert refused(body(shipping_method="x")).keys() == {"shipping_method"}
    assert refused(address(address2="x")).keys() == {"shipping_address.address2"}


UNSENT_VALUES = {
    "refund_total": "15.00",
    "refund_line_items": [{"id": "1", "quantity": 1}],
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
    "order_status": "pending",
    "financial_status": "paid",
}


def test_fields_no_schema_takes_are_accepted_and_named() -> None:
    assert UNSENT_VALUES.keys() == set(UNSENT)
    notices = Shoplazza.notices(ShoplazzaOrder.model_validate(body(**UNSENT_VALUES)))
    assert [notice.split()[0] for notice in notices] == list(UNSENT)
    assert all("not sent" in notice for notice in notices)
    assert Shoplazza.notices(ShoplazzaOrder.model_validate(body())) == []


def test_through_the_intake() -> None:
    job = {"order_id": "SO-1", "account": "main", "order": body(**UNSENT_VALUES)}
    taken = validate(job, 1, ACCOUNTS)
    assert isinstance(taken, Job)
    assert len(taken.notices) == len(UNSENT)
    wrong = validate({**job, "order": body(shiping_line={})}, 1, ACCOUNTS)
    assert isinstance(wrong, Rejection)
    assert (wrong.field, "shipping_line" in wrong.reason) == ("order.shiping_line", True)
    nested = validate({**job, "order": body(line_items=None) | {"LineItems": [{"quantity": 0}]}}, 1, ACCOUNTS)
    assert isinstance(nested, Rejection)
    assert nested.field.startswith("order.LineItems[0]")
    header = template(Shoplazza).splitlines()[0].split(",")
    assert {"variant_id", "quantity", "last_name", "tax_total", "shipping_price"} <= set(header)


def test_settings() -> None:
    keys = ShoplazzaCredentials.model_validate({"access_token": "t", "shop": "Developer"})
    defaults = (keys.shop, keys.domain_suffix, keys.api_version, keys.tag_prefix, keys.limit_headers)
    assert defaults == ("developer", "myshoplaza.com", "2026-01", "jq-", ())
    more = {"limit_headers": "x-limit, X-Other", "tag_prefix": "ab_", "api_version": "2022-01"}
    keys = ShoplazzaCredentials.model_validate({"access_token": "t", "shop": "d", **more})
    assert keys.limit_headers == ("x-limit", "X-Other")
    for wrong in (
        {"shop": "https://d.myshoplaza.com"},
        {"tag_prefix": "a,"},
        {"tag_prefix": "A"},
        {"access_token": ""},
    ):
        with pytest.raises(ValidationError):
            ShoplazzaCredentials.model_validate({"access_token": "t", "shop": "d", **wrong})
    for wrong in ({"api_version": "2024-07"}, {"token": "t"}, {"tag_prefix": "much-too-long"}):
        with pytest.raises(ValidationError):
            ShoplazzaCredentials.model_validate({"access_token": "t", "shop": "d", **wrong})
