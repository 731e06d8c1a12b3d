"""What an adapter says of an order's second life: a stage for every documented status, and none for any other word."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.contract.contract_kit import Subject, drive, texts
from tests.contract.test_fuzz import _changed, _known, _places, bodies, fuzzed
from worker.marketplaces import REGISTRY
from worker.marketplaces.calls import Reply
from worker.rules.life import Life, Stage
from worker.rules.outcomes import OrderRecord

SUBJECTS = list(REGISTRY)
MOST_SIGNS = 60


def read_order(subject: Subject, came: Reply) -> Any:
    """Return what one read of the sample's reference comes to."""
    return drive(subject.adapter().read(subject.samples.REFERENCE), lambda *_: came)[1]


def check_life(life: Life) -> None:
    """Hold what is said of a second life against what it may be."""
    assert life.stage is None or isinstance(life.stage, Stage)
    assert life.stage is not Stage.UNCLEAR, "None says so"
    assert life.paid in (None, True, False)
    assert life.pay_timeout_seconds is None or 0 < life.pay_timeout_seconds < 10**9
    assert life.end_reason is None or 0 < len(life.end_reason) <= MOST_SIGNS
    assert life.stage is not Stage.AWAITING_SHIPMENT or life.paid is not None


def test_every_status_of_an_order_has_a_stage(subject: Subject) -> None:
    shown = 0
    for name in subject.marketplace.statuses:
        came = subject.samples.in_status(name)
        if came is not None:
            record = read_order(subject, came)
            assert isinstance(record, OrderRecord), name
            assert record.life.stage, name
            check_life(record.life)
            shown += 1
    assert shown >= 3


def test_a_word_that_nobody_documents_ends_nothing(subject: Subject) -> None:
    for word in ("BRAND_NEW", "finish", "Success!", "closed", "delivered", "refunded?", "CANCELLED_BY_US"):
        if word not in subject.marketplace.statuses:
            record = read_order(subject, subject.samples.in_status(word))
            assert isinstance(record, OrderRecord)
            assert record.life.stage is None, word


def test_an_order_that_waits_for_its_payment_is_not_said_to_be_paid(subject: Subject) -> None:
    waiting = 0
    for name in subject.marketplace.statuses:
        came = subject.samples.in_status(name)
        record = read_order(subject, came) if came else None
        if isinstance(record, OrderRecord) and record.life.stage is Stage.AWAITING_PAYMENT:
            assert record.life.paid is False, name
            assert record.paid_amount is None or not record.paid_amount.amount or record.status in ("placed", "opened")
            waiting += 1
    assert waiting


@fuzzed
@given(data=st.data())
def test_whatever_is_read_its_life_holds_together(subject: Subject, data: st.DataObject) -> None:
    known = [*_known(subject), *map(_document, _statuses(subject))]
    record = read_order(subject, Reply(200, {}, data.draw(bodies(known))))
    if isinstance(record, OrderRecord):
        check_life(record.life)


@fuzzed
@given(data=st.data())
def test_nothing_personal_is_kept_of_it(subject: Subject, data: st.DataObject) -> None:
    document = _document(data.draw(st.sampled_from(_statuses(subject))))
    value = data.draw(st.sampled_from(subject.samples.PERSONAL))
    said = data.draw(st.sampled_from([value, f"cancelled for {value}", f"{value}: 取消", f"CANCELED {value}"]))
    free = [path for path in _places(document) if not set(path) & set(subject.samples.HANDED_ON)]
    for path in data.draw(st.lists(st.sampled_from(free), min_size=1, max_size=3)):
        if not isinstance(at(document, path), dict | list):
            document = _changed(document, path, said, drop=False)
    record = read_order(subject, Reply(200, {}, json.dumps(document).encode()))
    if isinstance(record, OrderRecord):
        assert not [text for text in texts(record.life) if value in text]


def at(document: Any, path: list[Any]) -> Any:
    """Return what stands at a place of a JSON value."""
    for step in path:
        document = document[step]
    return document


def _statuses(subject: Subject) -> list[Reply]:
    shown = (subject.samples.in_status(name) for name in subject.marketplace.statuses)
    return [subject.samples.shows([(0, 1)], ended=True), *(came for came in shown if came is not None)]


def _document(came: Reply) -> Any:
    return json.loads(came.body)
