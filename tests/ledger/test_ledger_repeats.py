"""Orders that are alike but for their id: told from the third within an hour on, and taken all the same."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.ledger.ledger_kit import job, submit
from worker.ledger.engine import Ledger
from worker.ledger.intake import open_batch, take
from worker.ledger.queries import Queries
from worker.ledger.repeats import Repeats
from worker.orders.jobs import Job

MEANT = "; where that is meant: --allow-repeat"


def hand_in(ledger: Ledger, *groups: Sequence[Job]) -> dict[str, int]:
    """Take groups as one submission and return its notices."""
    repeats, batch = Repeats(), open_batch(ledger, "f")
    for group in groups:
        assert take(ledger, batch, group, [], None, repeats).rejected == []
    return repeats.notices()


def alike(*numbers: int, content: str = "a", account: str = "main") -> list[Job]:
    return [job(f"SO-{number}", account, content) for number in numbers]


def age(ledger: Ledger, seconds: float) -> None:
    with ledger.writing() as connection:
        connection.exec_driver_sql(f"UPDATE orders SET created_at = {time.time() - seconds}")


def test_three_alike_are_told_and_taken(ledger: Ledger) -> None:
    assert hand_in(ledger, alike(1, 2, 3)) == {f"3 orders have the same content: SO-1, SO-2, SO-3{MEANT}": 3}
    assert Queries(ledger).counts() == {"queued": 3}


def test_two_alike_are_not_told(ledger: Ledger) -> None:
    assert hand_in(ledger, [*alike(1, 2), *alike(3, content="b"), *alike(4, account="second")]) == {}


def test_submission_and_ledger_are_counted_together(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    assert hand_in(ledger, alike(3)) == {f"3 orders have the same content: SO-1, SO-2, SO-3{MEANT}": 3}


def test_an_order_handed_in_again_is_no_further_one(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    assert hand_in(ledger, alike(1, 2, 2)) == {}


@pytest.mark.parametrize(("seconds", "told"), [(3500, 1), (3700, 0)])
def test_only_the_last_hour_counts(ledger: Ledger, seconds: float, told: int) -> None:
    submit(ledger, "SO-1", "SO-2")
    age(ledger, seconds)
    assert len(hand_in(ledger, alike(3))) == told


def test_groups_of_a_submission_are_one_notice_that_counts_them_all(ledger: Ledger) -> None:
    groups = [alike(1, 2), alike(3, 4), alike(5, 6, 7, 8)]
    assert hand_in(ledger, *groups) == {f"8 orders have the same content: SO-1, SO-2, SO-3, SO-4 and 4 more{MEANT}": 8}


def test_few_are_named_of_many(ledger: Ledger) -> None:
    told = f"500 orders have the same content: SO-0, SO-1, SO-10, SO-100, SO-101 and 495 more{MEANT}"
    assert hand_in(ledger, alike(*range(500))) == {told: 500}


def test_what_is_meant_is_not_told(ledger: Ledger) -> None:
    meant = [replace(one, allow_repeat=True) for one in alike(1, 2, 3)]
    assert hand_in(ledger, meant) == {}
    assert hand_in(ledger, alike(4)) == {f"4 orders have the same content: SO-1, SO-2, SO-3, SO-4{MEANT}": 4}


def test_many_contents_are_not_all_told(ledger: Ledger) -> None:
    jobs = [job(f"SO-{number:04}", content=str(number // 3)) for number in range(300)]
    told = hand_in(ledger, jobs[:150], jobs[150:])
    assert len(told) == 21
    assert told["more orders have the same content as others; where that is meant: --allow-repeat"] == 240
