"""Whether orders of the same content are meant: what a job, a sheet and a submission can say of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.sheet_kit import ACCOUNTS, HEADER, sheet, taken
from worker.orders.jobs import Job, Rejection, validate

ORDER = {"address": {"city": "Oslo"}, "items": [{"product_id": "1", "product_count": 1}]}
RAW = {"order_id": "SO-1", "account": "main", "order": ORDER}
COLUMN = HEADER.replace("sku", "allow_repeat")


@pytest.mark.parametrize("said", [True, False])
def test_a_job_may_say_it(said: bool) -> None:
    plain, told = validate(RAW, 1, ACCOUNTS), validate(json.dumps(RAW | {"allow_repeat": said}).encode(), 1, ACCOUNTS)
    assert isinstance(plain, Job)
    assert isinstance(told, Job)
    assert (plain.allow_repeat, told.allow_repeat) == (False, said)
    assert told.fingerprint == plain.fingerprint
    assert "allow_repeat" not in told.body


@pytest.mark.parametrize("said", ["true", 1, None, [], "yes"])
def test_a_job_says_it_with_true_or_false(said: Any) -> None:
    result = validate(RAW | {"allow_repeat": said}, 1, ACCOUNTS)
    assert result == Rejection(1, "SO-1", "allow_repeat", "must be true or false")


def test_a_misspelt_key_is_told_the_nearest() -> None:
    result = validate(RAW | {"allow_repeats": True}, 1, ACCOUNTS)
    assert result == Rejection(1, "SO-1", "allow_repeats", "unknown field; nearest known name: allow_repeat")


def test_a_missing_key_is_told_beside_it() -> None:
    result = validate({"order_id": "SO-1", "account": "main", "allow_repeat": True}, 1, ACCOUNTS)
    assert result == Rejection(1, "SO-1", "order", "missing")


@pytest.mark.parametrize(
    ("cells", "said"), [(["TRUE"], True), (["false"], False), ([""], False), (["", " True "], True)]
)
def test_a_sheet_may_say_it(cells: list[str], said: bool) -> None:
    (found,) = taken(sheet(*(f"SO-1,main,Ann,Oslo,1,2,{cell}" for cell in cells), header=COLUMN))
    assert isinstance(found, Job), found
    assert found.allow_repeat is said


@pytest.mark.parametrize("cells", [["yes"], ["true", "false"], ["2"]])
def test_a_sheet_says_it_with_true_or_false_and_once(cells: list[str]) -> None:
    (found,) = taken(sheet(*(f"SO-1,main,Ann,Oslo,1,2,{cell}" for cell in cells), header=COLUMN))
    reason = "must be true or false, and the same in all rows of the order"
    assert found == Rejection(2, "SO-1", "allow_repeat", reason)
