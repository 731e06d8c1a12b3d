"""What follows from what was read before an order: a doom, a warning, a price; pure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from worker.rules.checked import Checked, CheckedLine, checked_lines
from worker.rules.foreseen import Divisions, Doom, Finding, Freight, Line, Option, Product, Sku, Standing, Wanted
from worker.rules.outcomes import Money
from worker.rules.preflight import doom, is_deliverable_so_far, judged, price, stores, too_dear, unheld, unknown_name

BROWN = Sku("14:365458#Brown", "12001", 10, Decimal("2.50"), Decimal("3.00"), "USD")
SHIP = Freight((Option("STANDARD", Decimal("0.73"), "USD"), Option("EXPRESS", Decimal("4.12"), "USD")))


def line(count: int = 1, service: str = "STANDARD", freight: Freight | None = SHIP, **changes: Any) -> Line:
    sku = replace(BROWN, **changes)
    return Line(Wanted("1009", BROWN.attr, count, service), Product(None, (sku,), "store-1"), freight)


def test_the_first_reason_in_the_order_of_a_create_counts() -> None:
    gone = Product(Doom.OFFLINE, (BROWN,), "store-1")
    assert doom(Line(Wanted("1009", "unknown", 99), gone, None)) is Doom.OFFLINE
    assert doom(Line(Wanted("1009", "unknown", 99), Product(None, (BROWN,)), Freight())) is Doom.NO_SKU
    assert doom(line(11, freight=Freight())) is Doom.STOCK
    assert doom(line(2, limit=1, limit_refuses=True, freight=Freight())) is Doom.LIMIT
    assert doom(line(freight=Freight())) is Doom.DELIVERY
    assert doom(line(service="BY_BALLOON")) is Doom.SERVICE
    assert doom(line(10)) is None


@pytest.mark.parametrize("unknown", [{"stock": None}, {"limit": 1}, {"limit": None, "limit_refuses": True}])
def test_what_is_not_told_dooms_nothing(unknown: dict[str, Any]) -> None:
    assert doom(line(99 if "stock" in unknown else 5, **unknown)) is None
    assert doom(Line(Wanted("1009", "", 1), None, None)) is None
    assert doom(line(freight=None)) is None


def test_a_line_without_a_sku_means_a_product_of_one() -> None:
    single = Product(None, (replace(BROWN, attr=""),), "store-1")
    assert doom(Line(Wanted("1009", "", 1), single, SHIP)) is None
    assert doom(Line(Wanted("1009", "", 1), Product(None, (BROWN,)), SHIP)) is Doom.NO_SKU


def test_delivery_is_asked_for_only_where_it_can_matter() -> None:
    assert is_deliverable_so_far(line(freight=None))
    assert not is_deliverable_so_far(line(11, freight=None))
    assert not is_deliverable_so_far(Line(Wanted("1009", "", 1), None, None))


def test_the_price_is_goods_delivery_and_tax() -> None:
    assert price([line(2)]) == Money(Decimal("5.73"), "USD")
    assert price([line(2, tax=Decimal("0.10"))]) == Money(Decimal("5.93"), "USD")
    assert price([line(2, service="EXPRESS"), line(1)]) == Money(Decimal("12.35"), "USD")
    assert price([line(2, service="")]) == Money(Decimal("5.73"), "USD"), "without a service the cheapest"


def test_many_pieces_cost_the_price_of_their_tier_or_the_full_one() -> None:
    tiers = ((5, Decimal("2.00")), (10, Decimal("1.50")))
    assert price([line(5, tiers=tiers)]) == Money(Decimal("10.73"), "USD")
    assert price([line(10, tiers=tiers)]) == Money(Decimal("15.73"), "USD")
    assert price([line(3, limit=2)]) == Money(Decimal("9.73"), "USD")


def test_delivery_is_free_from_what_the_store_asks_for() -> None:
    free = Freight((Option("STANDARD", Decimal("0.73"), "USD", Decimal("5.00")),))
    assert price([line(1, freight=free)]) == Money(Decimal("3.23"), "USD")
    assert price([line(2, freight=free)]) == Money(Decimal("5.00"), "USD")
    assert price([line(1, freight=free), line(1, freight=free)]) == Money(Decimal("5.00"), "USD")


def test_no_price_is_told_while_a_part_is_missing_or_currencies_differ() -> None:
    assert price([line(freight=None)]) is None
    assert price([line(), line(price=None)]) is None
    assert price([line(), line(currency="EUR")]) is None
    assert price([]) is None


def test_an_order_splits_into_one_for_each_store() -> None:
    other = replace(line(), product=Product(None, (BROWN,), "store-2"))
    assert (stores([line(), line()]), stores([line(), other])) == (1, 2)
    assert stores([line(), Line(Wanted("1009", "", 1), None, None)]) == 0


def test_a_ceiling_dooms_what_costs_more_and_warns_where_no_price_is_known() -> None:
    cost = Money(Decimal("24.91"), "USD")
    assert [one.field for one in too_dear(cost, Decimal("24.90"), Decimal(20))] == ["max_amount", "order"]
    assert not list(too_dear(cost, Decimal("24.91"), None))
    assert [one.field for one in unheld(None, Decimal(1), None)] == ["max_amount"]
    assert not [*unheld(None, None, None), *unheld(cost, Decimal(1), None), *too_dear(None, Decimal(1), None)]


NAMES = Divisions((("California", ("Los Angeles", "Other")), ("São Paulo", ()), ("Other", ("Other",))))


@pytest.mark.parametrize(
    ("province", "city", "told"),
    [
        ("California", "Los Angeles", None),
        ("CALIFORNIA", "los-angeles", None),
        ("Sao Paulo", "anything", None),
        ("California", "", None),
        ("", "Los Angeles", None),
        ("Kalifornia", "Los Angeles", ("province", ("California",))),
        ("California", "Los Angelos", ("city", ("Los Angeles",))),
        ("Qqqq", "x", ("province", ())),
    ],
)
def test_a_name_nobody_lists_is_told_with_the_nearest(province: str, city: str, told: object) -> None:
    assert unknown_name(NAMES, province, city) == told
    assert unknown_name(Divisions(), province, city) is None


def test_a_check_adds_up_what_may_pass_by_account_and_currency() -> None:
    found, cost = Finding("SKU_NOT_EXIST", "order", "no such SKU", "copy it"), Money(Decimal("2.50"), "USD")
    told = Checked("orders.jsonl")
    told.add(CheckedLine(1, "SO-1", "main", judged((), (), cost, 1), 100.0))
    told.add(CheckedLine(2, "SO-2", "main", judged((), [found], cost, 2), 50.0))
    told.add(CheckedLine(3, "SO-3", "main", judged([found], (), cost, 1), 70.0))
    told.add(CheckedLine(4, "SO-4", "other", judged((), (), None), None))
    told.reject(5, None, "job", "not JSON")
    assert told.counts == {"good": 2, "warned": 1, "doomed": 2, "unchecked": 0}
    assert told.totals["main", "USD"].amount == Decimal("5.00")
    assert (told.is_doomed, told.read_at, told.unpriced) == (True, 50.0, {"other": 1})
    assert [row["verdict"] for row in told.to_mend()] == [Standing.WARNED, Standing.DOOMED, Standing.DOOMED]
    shown = "\n".join(checked_lines(told))
    assert "main: 2 orders would cost 5.00 USD" in shown
    assert "1970-01-01T00:00:50Z" in shown
    assert told.as_json()["lines"][0]["forecast"] == "2.50"
