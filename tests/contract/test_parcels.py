"""What an adapter reads of an order's parcels: numbers, carriers and times from any reply, and nothing of a person."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.contract.contract_kit import Subject, drive, run, texts
from tests.contract.test_fuzz import HEADERS, LOST, STATUSES, VALUES, _changed, _known, _places, bodies, fuzzed
from tests.contract.test_life import at
from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Marketplace
from worker.marketplaces.calls import Lost, Reply
from worker.rules.life import Arrival, Parcels
from worker.rules.outcomes import Absent, Declined, Found, NotSent, OrderRecord, Unknown

SUBJECTS = list(REGISTRY)
MOST_SIGNS = 60


def read_back(subject: Subject) -> OrderRecord:
    """Return the sample order as it is read back."""
    replies, _ = next(table for table in subject.samples.READ.values() if table[1] is Found)
    (found,) = run(subject.adapter().confirm([subject.samples.REFERENCE]), replies)[1].records
    assert isinstance(found, OrderRecord)
    return found


def check_parcels(found: Any) -> None:
    """Hold what was read of an order's parcels against what it may be."""
    if not isinstance(found, Parcels):
        assert isinstance(found, Absent | Declined | NotSent | Unknown)
        return
    numbers = [parcel.number for parcel in found.parcels]
    assert len(set(numbers)) == len(numbers), "a number is one parcel"
    for parcel in found.parcels:
        assert parcel.number.strip() == parcel.number
        assert 4 <= len(parcel.number) <= MOST_SIGNS
        assert parcel.carrier is None or 0 < len(parcel.carrier) <= MOST_SIGNS
        assert parcel.eta_at is None or parcel.eta_at > 0
        assert all(name and count > 0 for name, count in parcel.items)
        assert all(one.at > 0 and 0 < len(one.name) <= MOST_SIGNS for one in parcel.nodes)
        assert [one.at for one in parcel.nodes] == sorted(one.at for one in parcel.nodes)
        assert parcel.arrival is None or isinstance(parcel.arrival, Arrival)


def test_every_sample_of_parcels_is_read_as_its_outcome(subject: Subject) -> None:
    for label, (replies, wanted) in subject.samples.PARCELS.items():
        asked, found = run(subject.adapter().parcels(read_back(subject)), replies)
        assert type(found) is wanted, f"{label}: {found}"
        check_parcels(found)
        told = "\n".join([*texts(found), repr(found)])
        private = (*subject.samples.PERSONAL, *subject.secrets)
        assert not [value for value in private if value in told], label
        assert not any(request.creates for request in asked), label


def test_its_numbers_are_read(subject: Subject) -> None:
    for replies, _ in list(subject.samples.PARCELS.values())[:1]:
        _, found = run(subject.adapter().parcels(read_back(subject)), replies)
        assert tuple(parcel.number for parcel in found.parcels) == subject.samples.TRACKED
        assert not any(parcel.internal for parcel in found.parcels)


def test_it_asks_as_often_as_it_declares(subject: Subject) -> None:
    known = subject.marketplace
    overridden = known.parcels is not Marketplace.parcels
    assert overridden == bool(known.calls_for_parcels) == bool(subject.samples.PARCELS)
    if overridden:
        replies = subject.samples.PARCELS["nothing yet"][0]
        asked, found = run(subject.adapter().parcels(read_back(subject)), replies)
        assert (len(asked), found) == (known.calls_for_parcels, Parcels())
    else:
        _, found = _ended(subject.adapter().parcels(read_back(subject)))
        assert found == Parcels()


def _ended(steps: Any) -> tuple[None, Any]:
    try:
        next(steps)
    except StopIteration as stop:
        return None, stop.value
    raise AssertionError("it asks, and declares no call")


def test_a_page_tells_where_a_person_pays(subject: Subject) -> None:
    assert subject.marketplace.pay_page.strip()


@fuzzed
@given(data=st.data())
def test_a_reading_of_parcels_always_ends_in_an_outcome(subject: Subject, data: st.DataObject) -> None:
    if not subject.samples.PARCELS:
        return
    details = data.draw(st.just({}) | st.dictionaries(st.sampled_from(_DETAILS), VALUES, max_size=2))
    seen = dataclasses.replace(read_back(subject), details=details)
    known = [*_known(subject), *_documents(subject)]

    def answer(*_: Any) -> Reply | Lost:
        return data.draw(LOST | st.builds(Reply, STATUSES, HEADERS, bodies(known)), "reply")

    check_parcels(drive(subject.adapter().parcels(seen), answer)[1])


_DETAILS = ["logistics_info_list", "nativeLogistics", "logisticsItems", "fulfillments", "anything"]


@fuzzed
@given(data=st.data())
def test_nothing_personal_is_kept_of_a_parcel(subject: Subject, data: st.DataObject) -> None:
    """Whatever text of a reply holds a person's data, but for the numbers, carriers and ids that are handed on."""
    if not subject.samples.PARCELS:
        return
    value = data.draw(st.sampled_from(subject.samples.PERSONAL))
    said = data.draw(
        st.sampled_from([value, f"Delivered, signed by {value}", f"已签收，签收人：{value}", f"to {value}"])
    )

    def answer(*_: Any) -> Reply | Lost:
        document = data.draw(st.sampled_from(_documents(subject)))
        free = [path for path in _places(document) if not set(path) & set(subject.samples.HANDED_ON)]
        for path in data.draw(st.lists(st.sampled_from(free), min_size=1, max_size=4)):
            is_number = said.isdecimal() and "quantity" in str(path[-1:])  # digits there are a quantity, whoever's
            if not isinstance(at(document, path), dict | list) and not is_number:
                document = _changed(document, path, said, drop=False)
        return Reply(200, {}, json.dumps(document).encode())

    found = drive(subject.adapter().parcels(read_back(subject)), answer)[1]
    if isinstance(found, Parcels):
        assert not [text for text in texts(found) if value in text]


def _documents(subject: Subject) -> list[Any]:
    found = (came for replies, _ in subject.samples.PARCELS.values() for came in replies)
    bodies = [came.body for came in found if isinstance(came, Reply) and came.body.startswith(b"{")]
    return [json.loads(body) for body in bodies]
