"""Every life the sandbox can play, read by the adapter: its stages, payments and parcels are those that were played."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.contract_kit import NOW, Subject, at_fake, drive, subject_of
from worker.rules.life import Arrival, Parcels, Stage
from worker.rules.outcomes import Accepted, OrderRecord
from worker.sandbox.faults import TRACKING
from worker.sandbox.lives import Phase, Standing
from worker.sandbox.stories import DAY, HOUR, STORIES

STAGES = {
    Phase.UNPAID: Stage.AWAITING_PAYMENT,
    Phase.PAYING: Stage.PAYING,
    Phase.HELD: Stage.HELD,
    Phase.FROZEN: Stage.HELD,
    Phase.PAID: Stage.AWAITING_SHIPMENT,
    Phase.PART_SHIPPED: Stage.PARTLY_SHIPPED,
    Phase.SHIPPED: Stage.SHIPPED,
    Phase.DISPUTED: Stage.DISPUTED,
    Phase.DELIVERED: Stage.DELIVERED,
    Phase.CANCELLED: Stage.CLOSED,
}
TIMES = [
    0,
    HOUR / 2,
    2 * HOUR,
    13 * HOUR,
    1.5 * DAY,
    4 * DAY,
    6 * DAY,
    9.5 * DAY,
    11 * DAY,
    13 * DAY,
    16 * DAY,
    30 * DAY,
]


class Played:
    """One order of the sandbox, and what is read of it at a time."""

    def __init__(self, key: str) -> None:
        self.subject: Subject = subject_of("aliexpress")
        adapter, self.fake = self.subject.with_fake()
        placed = drive(adapter.place(self.subject.samples.TWO, key), at_fake(self.fake, NOW))[1]
        assert isinstance(placed, Accepted)
        self.reference = placed.references[0]

    def standing(self, after: float) -> Standing:
        return self.fake.orders[0].lives[self.reference].at(NOW + after)

    def read(self, after: float) -> tuple[OrderRecord, Any]:
        adapter = self.subject.adapter(self.fake.built_in, self.subject.url("http://sandbox"), NOW + after)
        answer = at_fake(self.fake, NOW + after)
        record = drive(adapter.read(self.reference), answer)[1]
        assert isinstance(record, OrderRecord)
        return record, drive(adapter.parcels(record), answer)[1]


@pytest.mark.parametrize("story", STORIES)
def test_what_is_read_is_what_was_played(story: str) -> None:
    played = Played(f"SO-7~{story}")
    for after in TIMES:
        standing, (record, parcels) = played.standing(after), played.read(after)
        told = record.life
        wanted = Stage.CLOSED if standing.phase is Phase.DELIVERED and standing.cancelled else STAGES[standing.phase]
        assert told.stage is wanted, (story, after)
        assert told.paid is None or told.paid == (standing.paid_at is not None), (story, after)
        assert told.paid is not None or told.stage in (Stage.PAYING, Stage.CLOSED), (story, after)
        assert (told.pay_timeout_seconds is not None) == STORIES[story].tells_deadline
        assert isinstance(parcels, Parcels)
        own = [parcel for parcel in parcels.parcels if not parcel.internal]
        assert len(own) == len(standing.boxes), (story, after)
        assert all(parcel.eta_at and parcel.items and parcel.nodes for parcel in own)
        assert not own or not any(parcel.internal for parcel in parcels.parcels)


@pytest.mark.parametrize("form", sorted(TRACKING))
def test_every_form_in_which_parcels_were_seen_tells_the_same(form: str) -> None:
    played = Played("SO-7~two_parcels")
    for after in TIMES:
        wanted = played.read(after)[1]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(played.fake, "tracking_form", form)
            found = played.read(after)[1]
        assert [parcel.number for parcel in found.parcels] == [parcel.number for parcel in wanted.parcels]
        assert [parcel.carrier for parcel in found.parcels] == [parcel.carrier for parcel in wanted.parcels]
        if form != "tracking_older":  # it has neither steps nor goods
            assert [one.arrival for one in found.parcels] == [one.arrival for one in wanted.parcels]
            assert [one.items for one in found.parcels] == [one.items for one in wanted.parcels]


def test_a_number_that_changes_and_a_delivery_are_read() -> None:
    played = Played("SO-7~number_changes")
    (before,), (after,), (there,) = (played.read(days * DAY)[1].parcels for days in (4, 6, 9.5))
    assert before.number != after.number == there.number
    assert (before.arrival, after.arrival, there.arrival) == (None, None, Arrival.RECEIVER)
