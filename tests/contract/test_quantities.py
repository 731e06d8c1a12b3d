"""The ceiling of a line item's quantity, held at the door of every marketplace."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.contract_kit import Subject
from worker.marketplaces import REGISTRY
from worker.orders.jobs import Job, Rejection, Terms, validate

SUBJECTS = list(REGISTRY)


def ordered(subject: Subject, *numbers: Any) -> dict[str, Any]:
    """Return the sample order with a line item for each of these quantities."""
    assert subject.marketplace.quantities, f"say in {subject.name}'s class where an order says how many"
    lines, quantity = subject.marketplace.quantities
    return {**subject.order, lines: [{**subject.order[lines][0], quantity: number} for number in numbers]}


def judged(subject: Subject, most: int, *numbers: Any) -> Job | Rejection:
    job = {"order_id": "SO-1", "account": "my-shop", "order": ordered(subject, *numbers)}
    return validate(job, 7, {"my-shop": Terms(subject.marketplace, most)})


def test_a_quantity_up_to_the_ceiling_is_taken(subject: Subject) -> None:
    assert isinstance(found := judged(subject, 30, 30, 29), Job), found


@pytest.mark.parametrize("number", [31, "77031", 77_031])
def test_a_quantity_above_the_ceiling_names_field_limit_and_setting_but_no_value(
    subject: Subject, number: int | str
) -> None:
    found = judged(subject, 30, 30, number, 4)
    assert isinstance(found, Rejection), found
    assert subject.marketplace.quantities
    assert (found.line, found.order_id) == (7, "SO-1")
    assert found.field == "order.{}[1].{}".format(*subject.marketplace.quantities)
    assert found.reason == (
        "more than 30, the most pieces of one line item here;"
        " where it is meant, raise FULFIL_ACCOUNTS__MY-SHOP__MAX_QUANTITY"
    )
    assert "77031" not in json.dumps([found.field, found.reason])
