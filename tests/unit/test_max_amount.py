"""A job's `max_amount`: an amount above 0, beside the order and no part of it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.harness import job
from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.orders.jobs import Job, Rejection, Terms, validate

ACCOUNTS = {"main": Terms(AliExpress, 1000)}


def told(most: Any) -> Job | Rejection:
    return validate(json.dumps(job("SO-1") | {"max_amount": most}).encode(), 1, ACCOUNTS)


@pytest.mark.parametrize(("most", "kept"), [(24.9, "24.9"), (5, "5"), (0.1, "0.1"), (None, None)])
def test_an_amount_is_kept_as_it_is_written(most: object, kept: str | None) -> None:
    found, plain = told(most), validate(job("SO-1"), 1, ACCOUNTS)
    assert isinstance(found, Job)
    assert isinstance(plain, Job)
    assert found.max_amount == (None if kept is None else Decimal(kept))
    assert (found.body, found.fingerprint) == (plain.body, plain.fingerprint)


@pytest.mark.parametrize("most", [0, -1, "24.90", True, [], {}, 10**12, 10**400])
def test_anything_else_is_rejected_without_its_value(most: object) -> None:
    found = told(most)
    assert isinstance(found, Rejection)
    assert found.field == "max_amount"
    assert found.reason == "must be an amount of money above 0, as a number, such as 24.90"
