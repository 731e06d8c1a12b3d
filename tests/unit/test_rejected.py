"""Rejections told once for each reason."""

from __future__ import annotations

from worker.rules.rejected import PLACES, reasons
from worker.rules.troubles import RejectionView


def test_the_same_advice_is_said_once_with_its_count_and_lines() -> None:
    rejected = [RejectionView(n, f"SO-{n}", "account", "unknown account") for n in (2, 3, 4, 9)]
    rejected.append(RejectionView(5, None, "job", "not JSON"))
    told = reasons(rejected)
    assert [(one.count, one.lines, one.orders, one.reason) for one in told] == [
        (4, "2-4, 9", "SO-2 and 3 more", "unknown account"),
        (1, "5", "", "not JSON"),
    ]
    assert told[0].as_json()["lines"] == "2-4, 9"


def test_an_order_id_inside_a_reason_makes_no_other_reason_of_it() -> None:
    rejected = [
        RejectionView(n, f"SO-{n}", "order_id", f"taken before; to see it: fulfil show SO-{n}") for n in range(31)
    ]
    (one,) = reasons(rejected)
    assert (one.count, one.reason) == (31, "taken before; to see it: fulfil show SO-0")


def test_the_same_reason_of_another_field_is_another() -> None:
    assert len(reasons([RejectionView(1, None, "a", "missing"), RejectionView(2, None, "b", "missing")])) == 2


def test_many_places_are_counted_and_not_all_named() -> None:
    (one,) = reasons([RejectionView(2 * n, None, "a", "missing") for n in range(PLACES + 5)])
    assert one.lines.endswith("and 5 more places")
