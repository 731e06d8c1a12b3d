"""The task `orders.confirm` on a real ledger, against the sandbox's AliExpress: goods that are another order's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import update

from tests.ledger.ledger_kit import POLICY, known_ids, place_one, row, submit
from worker.ledger.claims import Claims
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.ledger.records import Records
from worker.ledger.tables import orders
from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.aliexpress.credentials import AliExpressCredentials
from worker.rules.outcomes import Accepted, Found, OrderRecord, ReadOutcome, Unknown
from worker.sending.turns import Slots
from worker.steps.confirm import Confirm

MINE, OTHERS = "8198352049850001", "8198352049850002"
KEYS = AliExpressCredentials(app_key="k", app_secret="s", access_token="t")
SHOWN: dict[str, ReadOutcome] = {
    reference: Found(
        (
            OrderRecord(
                reference,
                "PLACE_ORDER_SUCCESS",
                details={"child_order_list": [{"product_id": product, "product_count": 1}]},
            ),
        )
    )
    for reference, product in ((MINE, 1005), (OTHERS, 1006))
}


class Shelf(AliExpress):
    """AliExpress whose order-get is answered from `SHOWN`."""

    def confirm(self, references: Sequence[str]) -> Any:
        yield from ()
        found = [SHOWN[reference] for reference in references]
        return Found(tuple(record for one in found if isinstance(one, Found) for record in one.records))


class Desk:
    """The step on a real ledger, everything around ledger and adapter played."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        played: Any = self
        self._step = Confirm(
            accounts=played,
            turns=played,
            claims=Claims(ledger),
            reads=played,
            records=Records(ledger),
            bell=played,
            policy=POLICY,
            lease_seconds=60.0,
        )

    def admit(self, ids: Sequence[str], *_: Any) -> Iterator[Slots]:
        """Let everything go now."""
        yield Slots(Shelf("main", KEYS), "read", {order_id: time.monotonic() for order_id in ids})

    def place(self, *references: str, order_id: str = "SO-1", product: int = 1005, count: int = 1) -> None:
        """Take an order of one product in and place it under these ids."""
        submit(self.ledger, order_id)
        body = json.dumps({"product_items": [{"product_id": str(product), "product_count": count}]})
        with self.ledger.writing() as connection:
            connection.execute(update(orders).where(orders.c.order_id == order_id).values(body=body, due_at=0.0))
        place_one(self.ledger, Accepted(references), order_id)

    def read(self, order_id: str = "SO-1") -> Any:
        """Let the order be due, read it back, and return how it stands."""
        with self.ledger.writing() as connection:
            connection.execute(update(orders).where(orders.c.order_id == order_id).values(due_at=0.0))
        self._step.run([order_id])
        return row(self.ledger, order_id)

    @staticmethod
    def of_orders(parts: Iterable[tuple[Any, Sequence[tuple[Any, Any]]]]) -> list[tuple[Any, ReadOutcome]]:
        """Run the steps without a network."""
        return [(order, _run(steps)) for _, reads in parts for order, steps in reads]

    def follow(self, moved: Any) -> None:
        """Take what is rung for."""


def _run(steps: Any) -> ReadOutcome:
    try:
        next(steps)
    except StopIteration as stop:
        outcome: ReadOutcome = stop.value
        return outcome
    except Exception as error:
        return Unknown(type(error).__name__)
    raise AssertionError("it asked the network")


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    return Desk(ledger)


def test_an_order_that_is_read_back_with_its_goods_is_confirmed(desk: Desk) -> None:
    desk.place(MINE)
    assert desk.read().state == "confirmed"


def test_an_order_that_is_read_back_with_other_goods_is_not_confirmed_until_a_person_told_its_id(desk: Desk) -> None:
    desk.place(OTHERS)
    order = desk.read()
    assert (order.state, order.code, order.attention) == ("placed", "FOREIGN_ORDER", True)
    assert order.reason == f"the marketplace shows another order under {OTHERS}"
    assert order.due_at == pytest.approx(time.time() + 10, abs=5), "reading goes on"
    Operator(desk.ledger, "cli").adopt("SO-1", MINE)
    assert (desk.read().state, known_ids(desk.ledger)) == ("confirmed", [MINE])


def test_of_several_ids_only_the_one_with_other_goods_is_replaced(desk: Desk) -> None:
    desk.place(MINE, OTHERS)
    assert desk.read().reason == f"the marketplace shows another order under {OTHERS}"
    Operator(desk.ledger, "cli").adopt("SO-1", MINE)
    assert (desk.read().state, known_ids(desk.ledger)) == ("confirmed", [MINE])


def test_an_order_that_is_read_back_with_fewer_goods_is_confirmed_and_told(desk: Desk) -> None:
    desk.place(MINE, count=3)
    order = desk.read()
    assert (order.state, order.code, order.attention) == ("confirmed", "GOODS_DIFFER", True)
    assert order.reason == "AliExpress DS shows 1 of product 1005, 3 were ordered"
    assert "My Orders" in order.fix
    assert "fulfil show ORDER" in order.fix


def test_one_product_under_its_second_id_is_that_product(desk: Desk) -> None:
    desk.place(MINE, product=1005 + 2**51)
    assert (desk.read().state, row(desk.ledger).code) == ("confirmed", None)


def test_the_line_of_such_an_order_says_so() -> None:
    from worker.rules.states import State
    from worker.rules.values import Moved
    from worker.rules.words import lines

    first = "1 of 1 need a person: fulfil list --attention\n"
    told = lines([Moved("SO-1", "main", State.PLACED, 1.0, "FOREIGN_ORDER", (OTHERS,))])
    assert told == f"{first}SO-1 placed {OTHERS} (another order: fulfil why)"
    told = lines([Moved("SO-1", "main", State.CONFIRMED, None, "GOODS_DIFFER", (MINE,))])
    assert told == f"{first}SO-1 confirmed {MINE} (not what was ordered: fulfil why)"
