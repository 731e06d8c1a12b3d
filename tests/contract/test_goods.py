"""What is read back of an order is compared with what was ordered: what is not as ordered is told, nothing else is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from tests.contract.contract_kit import KEY, NOW, Subject, at_fake, drive, run
from worker.marketplaces import REGISTRY
from worker.rules.outcomes import Found, Money, OrderRecord

SUBJECTS = list(REGISTRY)

Lines = Sequence[tuple[int, int]] | None
"""Lines of a record: places in the samples' `PRODUCTS`, and pieces."""
WHOLE: Lines = [(0, 24), (1, 10)]


def two(subject: Subject) -> dict[str, Any]:
    """Return the sample order of two products, as the ledger keeps it."""
    return dataclasses.replace(subject, samples=_With(subject.samples, ORDER=subject.samples.TWO)).order


class _With:
    """A samples module with one name changed."""

    def __init__(self, samples: Any, **changed: Any) -> None:
        self._samples, self._changed = samples, changed

    def __getattr__(self, name: str) -> Any:
        return self._changed[name] if name in self._changed else getattr(self._samples, name)


def record(subject: Subject, lines: Lines, **changes: Any) -> OrderRecord:
    """Return what a read says that shows these lines."""
    outcome = run(subject.adapter().confirm([subject.samples.REFERENCE]), (subject.samples.shows(lines, **changes),))[1]
    assert isinstance(outcome, Found), outcome
    return outcome.records[0]


def told(subject: Subject, *records: Lines, **changes: Any) -> list[str]:
    """Return how records with these lines differ from the order of two products."""
    shown = [record(subject, lines, **changes) for lines in records]
    found = subject.adapter().differences(two(subject), KEY, shown)
    for sentence in found:
        assert sentence.isprintable()
        assert not [word for word in subject.samples.PERSONAL if word in sentence], sentence
    return found


@pytest.mark.parametrize(
    "records", [[WHOLE], [[(1, 10), (0, 24)]], [[(0, 20), (1, 10), (0, 4)]], [[(0, 24)], [(1, 10)]]]
)
def test_all_of_it_in_one_record_or_in_several_is_no_difference(subject: Subject, records: list[Lines]) -> None:
    assert told(subject, *records) == []


@pytest.mark.parametrize("records", [[None], [[]], [None, None], [[(0, 24)], None], [None, [(1, 3)]]])
def test_what_is_not_shown_at_all_proves_nothing(subject: Subject, records: list[Lines]) -> None:
    assert told(subject, *records) == []


@pytest.mark.parametrize(
    ("records", "place", "words"),
    [
        ([[(0, 24)]], 1, ["none", "10 were ordered"]),
        ([[(0, 24), (1, 0)]], 1, ["none", "10 were ordered"]),
        ([[(0, 24), (1, 4)]], 1, ["4 of", "10 were ordered"]),
        ([[(0, 12)], [(1, 10)]], 0, ["12 of", "24 were ordered"]),
        ([[(0, 25), (1, 10)]], 0, ["25 of", "24 were ordered"]),
        ([WHOLE, WHOLE[:1]], 0, ["48 of", "24 were ordered"]),
        ([WHOLE, None, WHOLE[1:]], 1, ["20 of", "10 were ordered"]),
        ([[*WHOLE, (2, 3)]], 2, ["3 of", "was not ordered"]),
        ([[*WHOLE], [(2, 3)]], 2, ["3 of", "was not ordered"]),
    ],
)
def test_each_difference_is_one_sentence_with_id_and_pieces(
    subject: Subject, records: list[Lines], place: int, words: list[str]
) -> None:
    (sentence,) = told(subject, *records)
    assert subject.samples.PRODUCTS[place] in sentence
    assert subject.marketplace.title in sentence
    assert all(word in sentence for word in words), sentence


def test_several_differences_are_all_told(subject: Subject) -> None:
    found = told(subject, [(0, 1), (2, 5)])
    assert [sum(product in sentence for product in subject.samples.PRODUCTS) for sentence in found] == [1, 1, 1]


def test_another_currency_than_asked_for_is_told(subject: Subject) -> None:
    (sentence,) = told(subject, WHOLE, currency="XTS")
    assert "XTS" in sentence
    assert subject.samples.CURRENCY in sentence


def test_a_part_that_failed_is_told_while_the_rest_goes_on(subject: Subject) -> None:
    (sentence,) = told(subject, WHOLE, ended=True)
    assert subject.samples.PRODUCTS[0] in sentence
    assert told(subject, [(0, 24)], [(1, 10)]) == []
    assert len(subject.adapter().differences(two(subject), KEY, [record(subject, [(0, 24)], ended=True)])) == 1


@pytest.mark.parametrize("value", [None, "", "?", 0, [], {}, ["?"], [[]], [{}], [{"quantity": 1}], True])
def test_nonsense_differs_from_nothing(subject: Subject, value: object) -> None:
    good = record(subject, WHOLE)
    odd = dataclasses.replace(good, details=dict.fromkeys(good.details, value), amount=None, paid_amount=None)
    found = subject.adapter().differences(two(subject), KEY, [odd])
    assert found == [] or value == [{"quantity": 1}]
    assert subject.adapter().differences(two(subject), KEY, [dataclasses.replace(odd, details={})]) == []
    assert subject.adapter().differences(two(subject), KEY, []) == []


def test_what_the_sandbox_makes_of_an_order_is_that_order(subject: Subject) -> None:
    adapter, fake = subject.with_fake()
    for number, order in enumerate((subject.order, two(subject))):
        placed = drive(adapter.place(order, f"{KEY}-{number}"), at_fake(fake, NOW))[1]
        found = drive(adapter.confirm(placed.references), at_fake(fake, NOW + 5))[1]
        assert adapter.shows_goods(found.records)
        assert adapter.differs(order, f"{KEY}-{number}", found.records, placed.forecast) is None


def test_what_is_known_since_the_create_stands_until_goods_are_shown(subject: Subject) -> None:
    adapter, order, said = subject.adapter(), two(subject), "a line was not taken"
    silent = [record(subject, None)]
    assert adapter.differs(order, KEY, silent) is None
    standing = adapter.differs(order, KEY, silent, told=said)
    assert standing
    assert standing.sentences == (said,)
    assert adapter.differs(order, KEY, [record(subject, WHOLE[:1]), *silent], told=said) == standing
    assert adapter.differs(order, KEY, [record(subject, WHOLE)], told=said) is None
    missing = adapter.differs(order, KEY, [record(subject, WHOLE[:1])], told=said)
    assert missing
    assert said not in missing.sentences


def test_the_next_step_is_one_a_person_can_take(subject: Subject) -> None:
    differs = subject.adapter().differs(two(subject), KEY, [record(subject, WHOLE[:1])])
    assert differs
    assert subject.marketplace.order_page in differs.fix
    assert "fulfil show ORDER" in differs.fix
    assert subject.samples.PRODUCTS[1] in differs.reason


@pytest.mark.parametrize(
    ("shown", "told_"),
    [("100.00", False), ("105.00", False), ("95.00", False), ("105.01", True), ("94.99", True), ("0", True)],
)
def test_an_amount_far_from_the_forecast_is_told(subject: Subject, shown: str, told_: bool) -> None:
    currency = subject.samples.CURRENCY
    good = dataclasses.replace(
        record(subject, WHOLE), amount=Money(Decimal(shown), currency), details={"totalAmount": shown}
    )
    differs = subject.adapter().differs({}, KEY, [good], Money(Decimal(100), currency))
    assert (differs is not None) == told_
    if differs:
        assert f"{Decimal(shown):f} {currency}" in differs.reason
        assert f"100 {currency}" in differs.reason


def test_small_amounts_and_unknown_ones_are_no_difference(subject: Subject) -> None:
    currency, good = subject.samples.CURRENCY, record(subject, WHOLE)
    near = dataclasses.replace(good, amount=Money(Decimal("3.00"), currency), details={"totalAmount": "3.00"})
    assert subject.adapter().differs({}, KEY, [near], Money(Decimal("2.00"), currency)) is None
    silent = dataclasses.replace(good, amount=None, details={})
    for records in ([silent], [near, silent], []):
        assert subject.adapter().differs({}, KEY, records, Money(Decimal(100), currency)) is None
    other = dataclasses.replace(near, amount=Money(Decimal(3), "XTS"), details={})
    differs = subject.adapter().differs({}, KEY, [other], Money(Decimal(100), currency))
    assert differs is None or "to pay" not in differs.reason
    assert subject.adapter().differs({}, KEY, [near]) is None


@pytest.mark.parametrize(("shown", "told_"), [("100.00", False), ("100.01", True)])
def test_an_order_that_costs_more_than_its_account_allows_is_told(subject: Subject, shown: str, told_: bool) -> None:
    currency = subject.samples.CURRENCY
    read = dataclasses.replace(
        record(subject, WHOLE), amount=Money(Decimal(shown), currency), details={"totalAmount": shown}
    )
    limited = subject.adapter(max_order_amount=Decimal(100))
    differs = limited.differs({}, KEY, [read])
    assert (differs is not None) == told_
    if differs:
        assert f"{shown} {currency} to pay, the account's limit for an order is 100" in differs.reason
