"""The order a person means, however its id is typed, also one of an id that is taken no more."""

from __future__ import annotations

import unicodedata

import pytest

from tests.ledger.ledger_kit import job, ordered, row, submit
from worker.errors import UnknownOrder, UnusableId
from worker.ledger.engine import Ledger
from worker.ledger.intake import open_batch, take
from worker.ledger.operators import Operator
from worker.ledger.queries import Queries
from worker.rules.acts import ActKind

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Zürich-1") for form in ("NFC", "NFD"))


@pytest.mark.parametrize("held", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize("typed", [COMPOSED, DECOMPOSED, f" {COMPOSED} "])
def test_composed_and_decomposed_are_one_order_for_a_person(ledger: Ledger, held: str, typed: str) -> None:
    submit(ledger, held)
    assert Queries(ledger).order(typed).as_json()["order_id"] == held
    assert Queries(ledger).known([typed]) == ([held], {})
    assert ordered(ledger, "cancel", typed).order_id == held
    assert row(ledger, held).state == "cancelled"


def test_an_order_from_before_ids_were_normalised_is_not_taken_a_second_time(ledger: Ledger) -> None:
    submit(ledger, DECOMPOSED)
    taken = take(ledger, open_batch(ledger, "f"), [job(COMPOSED), job("SO-2"), job(COMPOSED, content="b")], [])
    assert [one.order_id for one in taken.new] == ["SO-2"]
    assert taken.duplicates == [(COMPOSED, "queued")]
    assert [one.reason for one in taken.rejected] == [
        "an order of this id was taken before with other content (state queued); this line changed nothing."
        f" It stands here more than once: leave one of the lines. To see it: fulfil show '{COMPOSED}'"
    ]
    assert Queries(ledger).counts() == {"queued": 2}


@pytest.mark.parametrize("order_id", ["5.61954E+12", "1001.0"])
def test_an_order_of_a_rounded_id_from_before_stays_within_reach(ledger: Ledger, order_id: str) -> None:
    submit(ledger, order_id)
    assert Queries(ledger).order(order_id).as_json()["order_id"] == order_id
    assert ordered(ledger, "cancel", order_id).state == "cancelled"


@pytest.mark.parametrize("kind", [*ActKind, "adopt"])
@pytest.mark.parametrize(
    ("typed", "words"),
    [("5.61954E+12", "a spreadsheet rounded it"), ("1001.0", "decimal part"), ("SO\u200b1", "U\\+200B at position 3")],
)
def test_an_id_that_can_be_no_orders_is_told_as_such(ledger: Ledger, kind: str, typed: str, words: str) -> None:
    submit(ledger, "SO-1")
    with pytest.raises(UnusableId, match=f"^order_id: .*{words}"):
        Operator(ledger, "cli").adopt(typed, "8198352049851315") if kind == "adopt" else ordered(ledger, kind, typed)
    with pytest.raises(UnusableId, match=words):
        Queries(ledger).order(typed).as_json()
    assert Queries(ledger).known([typed])[0] == []


@pytest.mark.parametrize("typed", ["SO-9\x00", "\udcff", ""])
def test_what_no_database_can_be_asked_for_is_told_too(ledger: Ledger, typed: str) -> None:
    with pytest.raises(UnusableId):
        Queries(ledger).order(typed).as_json()


def test_an_order_nobody_submitted_is_unknown(ledger: Ledger) -> None:
    with pytest.raises(UnknownOrder, match="no order Zürich-1 in the ledger"):
        Queries(ledger).order(DECOMPOSED).as_json()
