"""What every marketplace in the registry keeps to, held by the same tests against its class, fake and samples."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import time_machine
from pydantic import ValidationError

from tests.contract.contract_kit import (
    KEY,
    NOW,
    Subject,
    always,
    ask,
    at_fake,
    call_of,
    check,
    create,
    drive,
    made,
    over_http,
    run,
    texts,
)
from worker.marketplaces import REGISTRY
from worker.marketplaces.calls import Lost, Reply
from worker.orders.fields import paths
from worker.rules.outcomes import Absent, Accepted, Declined, Found, NotSent, Refused, Unknown
from worker.sandbox.server import background

SUBJECTS = list(REGISTRY)
DAY_SECONDS = 86400.0
BIG = "9007199254740993"
"""The smallest whole number above zero that a float cannot hold."""


# The order it takes


def test_its_sample_order_has_every_field(subject: Subject) -> None:
    order, missing = subject.order, []
    for path in paths(subject.marketplace.order_model):
        if not _values(order, path.split(".")):
            missing.append(path)
    assert missing == []


def _values(value: Any, path: list[str]) -> list[Any]:
    if isinstance(value, list):
        return [found for inner in value for found in _values(inner, path)]
    if not path:
        return [] if value in (None, "", {}, []) else [value]
    return _values(value.get(path[0]), path[1:]) if isinstance(value, dict) else []


def test_every_field_is_sent_as_it_is_or_told(subject: Subject) -> None:
    asked, _ = run(subject.adapter().place(subject.order, KEY), subject.samples.PLACE["an id"][0])
    sent = [text for request in asked for text in texts(subject.samples.sent(request))]
    model = subject.marketplace.order_model.model_validate(subject.samples.ORDER)
    told = " ".join(subject.marketplace.notices(model))
    for path in paths(subject.marketplace.order_model):
        name = path.rpartition(".")[2]
        for value in texts(_values(subject.order, path.split("."))):
            is_sent = any(value in text for text in sent)
            assert is_sent != (name in told or path in subject.samples.OURS), path
    assert any(KEY in text for text in sent), "the order's key goes with it"


def test_an_unknown_field_is_refused(subject: Subject) -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        subject.marketplace.order_model.model_validate({**subject.samples.ORDER, "no_such_field": 1})


def test_its_notices_hold_no_value_of_the_order(subject: Subject) -> None:
    model = subject.marketplace.order_model.model_validate(subject.samples.ORDER)
    assert not _held(subject.marketplace.notices(model), subject.samples.PERSONAL)


# What the marketplace says


@pytest.mark.parametrize("table", ["PLACE", "READ", "LOOK_UP"])
def test_every_sample_is_read_as_its_outcome(subject: Subject, table: str) -> None:
    for label, (replies, wanted) in getattr(subject.samples, table).items():
        _, outcome = run(_call(subject, table), replies)
        assert type(outcome) is wanted, f"{label}: {outcome}"
        check(subject, outcome)
        assert not _held(outcome, (*subject.samples.PERSONAL, *subject.secrets)), label


def test_every_outcome_has_a_sample(subject: Subject) -> None:
    def seen(table: dict[str, Any]) -> set[type]:
        return {wanted for _, wanted in table.values()}

    reads = {Found, Absent, Declined, NotSent, Unknown}
    assert seen(subject.samples.PLACE) == {Accepted, Refused, Declined, NotSent, Unknown}
    assert seen(subject.samples.READ) == reads
    assert seen(subject.samples.LOOK_UP) in (set(), reads)


def _call(subject: Subject, table: str) -> Any:
    adapter = subject.adapter()
    if table == "PLACE":
        return adapter.place(subject.order, KEY)
    if table == "READ":
        return adapter.confirm([subject.samples.REFERENCE])
    return adapter.look_up(subject.order, KEY, NOW - 60)


@pytest.mark.parametrize("literal", [BIG, f'"{BIG}"', f'" {BIG} "'])
def test_an_id_is_kept_to_its_last_digit_as_a_string(subject: Subject, literal: str) -> None:
    outcome = create(subject, subject.samples.created(literal))
    assert outcome == Accepted((BIG,), request_id=outcome.request_id)


@pytest.mark.parametrize(
    "literal", ["9.007199254740993e15", "1e3", "12.0", "NaN", "0", '"0"', '""', "null", "true", "{}", '"null"', "-1"]
)
def test_what_cannot_be_an_id_is_none(subject: Subject, literal: str) -> None:
    assert isinstance(create(subject, subject.samples.created(literal)), Unknown)


GARBAGE = (
    b"", b" \n", b"null", b"0", b"[]", b"{}", b"true", b'"OK"', b'{"a":', b"\xff\xfe\x00{", b"[" * 100_000, b"9" * 5000,
    b"OK", b"upstream error", b"<!DOCTYPE html><html><body><h1>Bad gateway</h1></body></html>",
    b'{"ok": true}', b'{"status": "success"}', b'[{"id": 1}]', b'{"id": 1e400}',
)  # fmt: skip


@pytest.mark.parametrize("status", [200, 201, 204, 302, 400, 404, 409, 422, 500, 502, 503, 504, 520])
def test_what_nobody_can_read_is_neither_a_yes_nor_a_no(subject: Subject, status: int) -> None:
    for body in GARBAGE:
        outcome = create(subject, Reply(status, {"content-type": "text/html"}, body))
        assert isinstance(outcome, Unknown | Declined), f"{body[:30]!r}: {outcome}"
        assert isinstance(outcome, Unknown) or status < 500, f"{body[:30]!r}: {outcome}"
        check(subject, outcome)


def test_a_server_error_is_no_refusal_whatever_it_says(subject: Subject) -> None:
    for said in subject.samples.says("the address is not accepted"):
        for status in (500, 502, 503):
            outcome = create(subject, Reply(status, said.headers, said.body))
            assert not isinstance(outcome, Refused | Accepted), said


def test_a_request_without_a_reply_was_not_sent_or_is_unknown(subject: Subject) -> None:
    assert isinstance(create(subject, Lost("no connection", may_have_arrived=False)), NotSent)
    assert isinstance(create(subject, Lost("no answer", may_have_arrived=True)), Unknown)
    first = drive(subject.adapter().place(subject.order, KEY), lambda *_: Lost("late", may_have_arrived=False))
    assert isinstance(first[1], NotSent)


# What is nobody's business


def test_no_secret_and_nothing_personal_comes_out_of_its_words(subject: Subject) -> None:
    private = (*subject.samples.PERSONAL, *subject.secrets)
    for value in private:
        for said in subject.samples.says(f"we do not like {value}, sorry"):
            outcome = create(subject, said)
            check(subject, outcome)
            assert not _held(outcome, (value,)), f"{said.body!r}: {outcome}"


def test_no_secret_comes_out_of_the_words_of_a_read(subject: Subject) -> None:
    for value in subject.secrets:
        for said in subject.samples.says(f"we do not like {value}, sorry"):
            for table in ("READ", "LOOK_UP") if subject.adapter().can_look_up else ("READ",):
                _, outcome = drive(_call(subject, table), always(said))
                check(subject, outcome)
                assert not _held(outcome, (value,)), f"{said.body!r}: {outcome}"


def test_requests_hold_no_secret_in_their_address_and_nothing_that_breaks_a_header(subject: Subject) -> None:
    for table in ("PLACE", "READ", "LOOK_UP"):
        for replies, _ in getattr(subject.samples, table).values():
            for request in run(_call(subject, table), replies)[0]:
                assert not _held(request.url, (*subject.secrets, *subject.samples.PERSONAL))
                assert request.url.isascii()
                assert all(f"{name}{value}".isascii() for name, value in request.headers.items())
                assert all(f"{name}{value}".isprintable() for name, value in request.headers.items())


def test_no_secret_shows_in_a_repr(subject: Subject) -> None:
    adapter = subject.adapter()
    assert not _held([repr(adapter), repr(adapter.credentials), str(adapter.credentials)], subject.secrets)
    assert subject.secrets


def _held(value: Any, private: Any) -> list[str]:
    """Return which of these values stand in any text of another."""
    everything = "\n".join([*texts(value), repr(value)])
    return [word for word in private if word in everything]


# Against its sandbox fake


def test_placed_and_read_back_over_real_http(subject: Subject, clock: time_machine.Traveller) -> None:
    fake = subject.fake_class({}, sync_seconds=30)
    with background([fake]) as sandbox:
        credentials = subject.marketplace.credentials_model.model_validate(dict(subject.fake_class.built_in))
        adapter = subject.marketplace("main", credentials, subject.url(sandbox.url))
        (accepted,) = over_http(lambda: adapter.place(subject.order, KEY))
        assert isinstance(accepted, Accepted)
        (early,) = over_http(lambda: adapter.confirm(accepted.references))
        clock.shift(31)
        (found,) = over_http(lambda: adapter.confirm(accepted.references))
    assert [(order.key, order.account) for order in fake.orders] == [(KEY, "sandbox")]
    assert tuple(fake.orders[0].references) == accepted.references
    assert isinstance(early, Absent)
    assert isinstance(found, Found)
    assert [record.reference for record in found.records] == [*accepted.references]
    assert not _held(found, subject.samples.PERSONAL)
    check(subject, found)


def test_what_is_read_back_of_an_order_never_contradicts_it(subject: Subject) -> None:
    adapter, fake = subject.with_fake()
    placed = drive(adapter.place(subject.order, KEY), at_fake(fake, NOW))[1]
    found = drive(adapter.confirm(placed.references), at_fake(fake, NOW + 5))[1]
    for record in found.records:
        assert not adapter.contradicts(subject.order, KEY, record)


def test_a_record_that_shows_nothing_or_nonsense_contradicts_no_order(subject: Subject) -> None:
    adapter = subject.adapter()
    for replies, wanted in subject.samples.READ.values():
        if wanted is Found:
            (record,) = run(adapter.confirm([subject.samples.REFERENCE]), replies)[1].records
            nonsense: tuple[object, ...] = (None, "", "?", 0, [], {}, ["?"], [[]], [{}])
            for value in nonsense:
                odd = dataclasses.replace(record, details=dict.fromkeys(record.details, value))
                assert not adapter.contradicts(subject.order, KEY, odd)
            assert not adapter.contradicts(subject.order, KEY, dataclasses.replace(record, details={}))


def test_the_calls_of_a_placing_are_as_many_as_it_declares(subject: Subject) -> None:
    adapter, fake = subject.with_fake()
    asked, outcome = drive(adapter.place(subject.order, KEY), at_fake(fake, NOW))
    assert isinstance(outcome, Accepted)
    assert len(asked) == subject.marketplace.calls_to_place
    assert [fake.key_of(call_of(request, NOW)) for request in asked] == [None] * (len(asked) - 1) + [KEY]
    reading, _ = drive(adapter.confirm(outcome.references), at_fake(fake, NOW))
    assert [fake.key_of(call_of(request, NOW)) for request in reading] == [None] * len(reading)


def test_the_same_key_sent_twice_comes_to_what_it_declares(subject: Subject) -> None:
    window = subject.marketplace.resend_window
    adapter, fake = subject.with_fake()
    _, first = drive(adapter.place(subject.order, KEY), at_fake(fake, NOW))
    later = NOW + (window.total_seconds() if window else 60.0)
    adapter, _ = subject.with_fake(later)
    _, second = drive(adapter.place(subject.order, KEY), at_fake(fake, later))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    if window:
        assert len(made(fake)) == 1, "it declares a window in which the same key is safe"
        assert second.references in ((), first.references)
    else:
        assert len(made(fake)) == 2, "it could declare a resend_window"
        assert set(first.references).isdisjoint(second.references)


def test_a_look_up_finds_every_order_of_its_key_and_no_other(subject: Subject) -> None:
    adapter, fake = subject.with_fake()
    if not adapter.can_look_up:
        with pytest.raises(NotImplementedError):
            next(adapter.look_up(subject.order, KEY, NOW))
        return
    first = drive(adapter.place(subject.order, KEY), at_fake(fake, NOW))[1]
    drive(adapter.place(subject.order, f"{KEY}0"), at_fake(fake, NOW))
    sought = drive(adapter.look_up(subject.order, KEY, NOW), at_fake(fake, NOW + 5))[1]
    assert isinstance(sought, Found)
    assert [record.reference for record in sought.records] == [*first.references]
    again = drive(adapter.place(subject.order, KEY), at_fake(fake, NOW))[1]
    both = drive(adapter.look_up(subject.order, KEY, NOW), at_fake(fake, NOW + 5))[1]
    assert {record.reference for record in both.records} == {*first.references, *again.references}
    none = drive(adapter.look_up(subject.order, "SO-2", NOW), at_fake(fake, NOW + 5))[1]
    assert isinstance(none, Absent)


def test_every_attempt_is_made_anew(subject: Subject) -> None:
    adapter, fake = subject.with_fake()
    asked, _ = drive(adapter.place(subject.order, KEY), at_fake(fake, NOW))
    for late in (0.0, 7 * 3600.0):
        adapter, _ = subject.with_fake(NOW + late)
        _, outcome = drive(adapter.place(subject.order, f"{KEY}-{late}"), at_fake(fake, NOW + late))
        assert isinstance(outcome, Accepted), "a request built now is good now"
    other = subject.fake_class({}, 0.0)
    for request in asked:
        ask(other, request, NOW + DAY_SECONDS)
    assert (other.orders == []) == subject.samples.SIGNED, "a signed request is no good a day later"


@pytest.mark.parametrize("fault", ["throttle", "token_expired"])
def test_a_call_that_is_turned_away_is_throttled_and_made_nothing(subject: Subject, fault: str) -> None:
    adapter, fake = subject.with_fake()

    def turned_away(_: int, request: Any) -> Reply:
        answer = fake.fault_answer(fault, call_of(request, NOW))
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body)

    placed = drive(adapter.place(subject.order, KEY), turned_away)[1]
    read = drive(adapter.confirm([subject.samples.REFERENCE]), turned_away)[1]
    assert isinstance(placed, Declined), placed
    assert isinstance(read, Declined), read
    assert bool(placed.fix) == (fault == "token_expired"), "a person has to mend a token"
    assert fake.orders == []


def test_its_push_messages_are_read_as_what_they_say(subject: Subject) -> None:
    adapter, fake = subject.with_fake()
    drive(adapter.place(subject.order, KEY), at_fake(fake, NOW))
    messages = list(fake.messages(fake.orders[0]))
    market = subject.marketplace
    assert bool(messages) == (market.takes_pushes or market.takes_hints)
    for message in messages:
        headers = {name.lower(): value for name, value in message.headers.items()}
        push = adapter.read_push(headers, message.body)
        assert push
        assert push.reference in fake.orders[0].references
        if not adapter.hears:  # its account has no secret to check a hint with
            assert not adapter.is_genuine(headers, message.body)
            continue
        assert adapter.is_genuine(headers, message.body)
        assert not adapter.is_genuine(headers, message.body + b" ")
        assert not subject.adapter().is_genuine(headers, message.body), "another account's keys"
    for body in GARBAGE:
        assert adapter.read_push({}, body) is None
        assert not adapter.is_genuine({}, body)


def test_its_records_say_whether_they_are_of_an_order(subject: Subject) -> None:
    adapter, fake = subject.with_fake()
    _, placed = drive(adapter.place(subject.order, KEY), at_fake(fake, NOW))
    _, found = drive(adapter.confirm(placed.references), at_fake(fake, NOW + 5))
    for record in found.records:
        span = adapter.made_between(record)
        assert span is None or span[0] <= NOW <= span[1]
        assert adapter.describes(subject.order, record) == subject.marketplace.takes_pushes
        json.dumps(record.details)
