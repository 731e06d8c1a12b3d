"""What was spent: apart by word, never added across currencies."""

from __future__ import annotations

from decimal import Decimal

from worker.rules.spending import Bought, By, Sum, spending
from worker.rules.states import State

USD, CNY = "USD", "CNY"


def bought(
    state: State,
    *,
    account: str = "main",
    at: float = 0.0,
    forecast: Sum | None = None,
    amounts: tuple[Sum, ...] = (),
    paid: tuple[Sum, ...] = (),
    in_doubt: bool = False,
) -> Bought:
    return Bought(account, "aliexpress", state, in_doubt, at, forecast, amounts, paid)


def money(amount: str, currency: str = USD) -> Sum:
    return Sum(Decimal(amount), currency)


def told(orders: list[Bought], by: By = By.ACCOUNT) -> list[tuple[object, ...]]:
    return [
        (
            one.key,
            one.currency,
            one.orders,
            str(one.ordered),
            str(one.confirmed),
            str(one.paid),
            one.untold,
            one.in_doubt,
        )
        for one in spending(orders, by)
    ]


def test_ordered_confirmed_and_paid_are_told_apart_and_exactly() -> None:
    orders = [
        bought(State.CONFIRMED, amounts=(money("0.10"),), paid=(money("0.10"),)),
        bought(State.CONFIRMED, amounts=(money("0.20"),), paid=(money("0"),)),
        bought(State.PLACED, forecast=money("5.00")),
    ]
    assert told(orders) == [("main", USD, 3, "5.30", "0.30", "0.10", 0, 0)]


def test_currencies_are_never_added_together() -> None:
    orders = [bought(State.CONFIRMED, amounts=(money("1"), money("7", CNY)), paid=(money("0.9", "EUR"),))]
    assert told(orders, By.CURRENCY) == [
        (CNY, CNY, 1, "7", "7", "0", 0, 0),
        ("EUR", "EUR", 0, "0", "0", "0.9", 0, 0),
        (USD, USD, 1, "1", "1", "0", 0, 0),
    ]


def test_what_does_not_exist_counts_nowhere_and_what_may_exist_is_counted_without_an_amount() -> None:
    price = money("9")
    orders = [bought(state, forecast=price) for state in (State.REFUSED, State.DEAD, State.CANCELLED, State.QUEUED)]
    assert told(orders) == []
    orders = [
        bought(State.UNKNOWN, forecast=price),
        bought(State.PLACING, forecast=price),
        bought(State.QUEUED, forecast=price, in_doubt=True),
        bought(State.UNMATCHED),
    ]
    assert told(orders) == [("main", "", 0, "0", "0", "0", 1, 3)]


def test_what_was_read_back_counts_instead_of_what_a_preview_told() -> None:
    orders = [bought(State.CONFIRMED, forecast=money("5"), amounts=(money("6"),))]
    assert told(orders) == [("main", USD, 1, "6", "6", "0", 0, 0)]


def test_a_line_for_each_day_account_and_marketplace() -> None:
    orders = [
        bought(State.CONFIRMED, amounts=(money("1"),), at=86399.9),
        bought(State.CONFIRMED, amounts=(money("2"),), at=86400.0, account="other"),
    ]
    assert [one[0] for one in told(orders, By.DAY)] == ["1970-01-01", "1970-01-02"]
    assert [one[0] for one in told(orders, By.ACCOUNT)] == ["main", "other"]
    assert [one[0] for one in told(orders, By.MARKETPLACE)] == ["aliexpress"]


def test_amounts_are_texts_in_json_and_no_currency_is_null() -> None:
    (line,) = spending([bought(State.UNMATCHED)], By.DAY)
    assert line.as_json(By.DAY) == {
        "day": "1970-01-01",
        "currency": None,
        "orders": 0,
        "ordered": "0",
        "confirmed": "0",
        "paid": "0",
        "amount_not_told": 1,
        "in_doubt": 0,
    }
