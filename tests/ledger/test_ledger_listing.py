"""Lists in every order they may stand in, one order's goods and shop, and what was spent, as the ledger tells them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from sqlalchemy import update

from tests.ledger.ledger_kit import confirmed, order_record, place_one, read_back, submit
from worker.ledger.engine import Ledger
from worker.ledger.listing import PAGE
from worker.ledger.queries import Queries
from worker.ledger.selection import Filter
from worker.ledger.spending import bought
from worker.ledger.tables import orders
from worker.rules.outcomes import Accepted, Found, Money, Refused
from worker.rules.sorting import Sort
from worker.rules.spending import By, spending

NO = Refused("X", "x", "f")
REFERENCE = "8198352049851315"


def listed(
    ledger: Ledger, sort: Sort = Sort.SUBMITTED, *, reverse: bool = False, limit: int | None = None, **wanted: str
) -> list[str]:
    return [one.order_id for one in Queries(ledger).orders(Filter(**wanted), sort, reverse, limit)]  # type: ignore[arg-type]


def test_orders_of_a_batch_stand_in_natural_order_of_their_ids(ledger: Ledger) -> None:
    submit(ledger, *(f"SO-{n}" for n in (10, 2, 1)))
    submit(ledger, "SO-0")
    assert listed(ledger) == ["SO-1", "SO-2", "SO-10", "SO-0"]
    assert listed(ledger, limit=2) == ["SO-1", "SO-2"]
    assert listed(ledger, reverse=True, limit=2) == ["SO-0", "SO-10"]
    assert listed(ledger, Sort.ID) == ["SO-0", "SO-1", "SO-2", "SO-10"]
    assert listed(ledger, Sort.AGE) == ["SO-0", "SO-1", "SO-2", "SO-10"]


def test_a_list_is_sorted_by_account_state_and_last_move(ledger: Ledger) -> None:
    submit(ledger, "SO-10", "SO-9", account="main")
    submit(ledger, "SO-8", account="first")
    place_one(ledger, NO, "SO-9")
    assert listed(ledger, Sort.ACCOUNT) == ["SO-8", "SO-9", "SO-10"]
    assert listed(ledger, Sort.STATE) == ["SO-8", "SO-10", "SO-9"]
    assert listed(ledger, Sort.UPDATED)[0] == "SO-9"
    assert listed(ledger, Sort.UPDATED, reverse=True)[-1] == "SO-9"


@pytest.mark.parametrize("sort", list(Sort))
def test_every_sort_holds_every_order_once_over_several_pages(ledger: Ledger, sort: Sort) -> None:
    ids = [f"SO-{n}" for n in range(PAGE + 3)]
    submit(ledger, *ids)
    assert sorted(listed(ledger, sort)) == sorted(ids)
    assert listed(ledger, sort, reverse=True) == listed(ledger, sort)[::-1]
    assert listed(ledger, sort, limit=5) == listed(ledger, sort)[:5]


def test_what_ceased_to_match_before_its_page_was_read_is_left_out(ledger: Ledger) -> None:
    submit(ledger, *(f"SO-{n:04}" for n in range(PAGE + 2)))
    found = Queries(ledger).orders(Filter(state="queued"))
    assert next(found).order_id == "SO-0000"
    place_one(ledger, NO, f"SO-{PAGE:04}")
    assert [one.order_id for one in found][-1] == f"SO-{PAGE + 1:04}"
    assert listed(ledger, state="refused") == [f"SO-{PAGE:04}"]


def test_an_order_tells_its_goods_shops_and_parcels_and_nobody_in_them(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    body = {
        "logistics_address": {"full_name": "Philippa Quillfeather"},
        "product_items": [{"product_id": 1005004638293060, "sku_attr": "14:365458#Brown", "product_count": 2}],
    }
    with ledger.writing() as connection:
        connection.execute(update(orders).values(body=json.dumps(body)))
    place_one(ledger, Accepted((REFERENCE,)))
    details = {
        "store_info": {"store_id": 1103800006, "store_name": "Lark Store"},
        "logistics_info_list": [{"logistics_no": "LP0042"}, {"logistics_no": "LP0043"}],
    }
    read_back(ledger, Found((order_record(REFERENCE, details=details),)), 9e9)
    told = Queries(ledger).order("SO-1").as_json()
    assert told["items"] == [{"product": "1005004638293060", "sku": "14:365458#Brown", "quantity": 2}]
    assert (told["store"], told["tracking"]) == (["Lark Store"], ["LP0042", "LP0043"])
    assert "Quillfeather" not in json.dumps(told)


def test_amounts_of_what_was_sent_are_read_exactly_and_within_their_time(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2", "SO-3", "SO-4")
    confirmed(ledger)
    place_one(ledger, Accepted(("8",), forecast=Money(Decimal("0.30"), "CNY")), "SO-2")
    place_one(ledger, NO, "SO-3")
    found = {(one.currency): one for one in spending(bought(ledger), By.ACCOUNT)}
    assert {currency: (str(one.ordered), str(one.paid)) for currency, one in found.items()} == {
        "USD": ("8.34", "0"),
        "EUR": ("0", "7.90"),
        "CNY": ("0.30", "0"),
    }
    assert list(bought(ledger, until=1.0)) == list(bought(ledger, since=9e9)) == []
