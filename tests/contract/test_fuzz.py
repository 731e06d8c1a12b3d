"""Survives garbage: whatever a marketplace sends, an adapter answers with an outcome and never lies about an id."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.contract_kit import KEY, NOW, Subject, check, drive
from worker.marketplaces import REGISTRY
from worker.marketplaces.calls import Lost, Reply
from worker.rules.outcomes import Absent, Accepted, Declined, Found, NotSent, Refused, Unknown

SUBJECTS = list(REGISTRY)

# A busy machine is no failure, so no deadline.
fuzzed = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["", "0", "null", "\0", "\ud800", "9007199254740993", "1e9", "‮", "success", "error"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 405, 406, 409, 422, 429, 500, 502, 503])
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "request-id", "content-type", "x-call-limit"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12) | st.integers().map(str),
    max_size=2,
)
LOST = st.builds(Lost, st.just("it broke"), st.booleans())


def _places(value: Any) -> list[list[Any]]:
    """Return the path of everything inside a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [[]] + [[name, *path] for name, inner in pairs for path in _places(inner)]


def _changed(value: Any, path: list[Any], new: Any, drop: bool) -> Any:
    if not path:
        return new
    kept = dict(value) if isinstance(value, dict) else list(value)
    if drop and len(path) == 1:
        del kept[path[0]]
    else:
        kept[path[0]] = _changed(value[path[0]], path[1:], new, drop)
    return kept


@st.composite
def bodies(draw: st.DrawFn, known: list[Any]) -> bytes:
    """Draw a body: bytes, JSON, or one the marketplace is known to send, in which one to three things are changed."""
    kind = draw(st.sampled_from(["bytes", "json", "known", "known", "known", "cut"]))
    if kind == "bytes":
        return draw(st.binary(max_size=40))
    value = draw(VALUES) if kind == "json" else draw(st.sampled_from(known))
    if kind == "known":
        for _ in range(draw(st.integers(1, 3))):
            value = _changed(value, draw(st.sampled_from(_places(value))), draw(VALUES), draw(st.booleans()))
    raw = json.dumps(value).encode()
    return raw[: draw(st.integers(0, len(raw)))] if kind == "cut" else raw


def _known(subject: Subject) -> list[Any]:
    found = [subject.samples.created('"77001122"'), subject.samples.created("77001122"), *subject.replies()]
    return [value for value in map(_document, found) if value is not None]


def _document(reply: Reply) -> Any:
    try:
        return json.loads(reply.body)
    except ValueError:
        return None


def _fuzz(data: st.DataObject, subject: Subject, steps: Any, before: tuple[Reply, ...] = ()) -> tuple[Any, list[Reply]]:
    """Run a call against drawn replies, after none or some of those that lead to the create."""
    known, came = _known(subject), list[Reply]()
    lead = data.draw(st.integers(0, len(before)), "leading")

    def answer(number: int, _: Any) -> Reply | Lost:
        if number < lead:
            return before[number]
        reply = data.draw(LOST | st.builds(Reply, STATUSES, HEADERS, bodies(known)), "reply")
        if isinstance(reply, Reply):
            came.append(reply)
        return reply

    return drive(steps, answer)[1], came


def _stand_in(references: list[str], came: list[Reply]) -> bool:
    said = " ".join(reply.body.decode("utf-8", "replace") for reply in came)
    return all(reference in said for reference in references)


@fuzzed
@given(data=st.data())
def test_a_placing_always_ends_in_an_outcome(subject: Subject, data: st.DataObject) -> None:
    steps = subject.adapter().place(subject.order, KEY)
    outcome, came = _fuzz(data, subject, steps, subject.samples.BEFORE_CREATE)
    assert isinstance(outcome, Accepted | Refused | Declined | NotSent | Unknown)
    check(subject, outcome)
    if isinstance(outcome, Accepted):
        assert _stand_in([*outcome.references], came), "an id nobody sent"


@fuzzed
@given(data=st.data())
def test_a_read_always_ends_in_an_outcome(subject: Subject, data: st.DataObject) -> None:
    references = [subject.samples.REFERENCE, "77001122"][: data.draw(st.integers(1, 2))]
    outcome, _ = _fuzz(data, subject, subject.adapter().confirm(references))
    assert isinstance(outcome, Found | Absent | Declined | NotSent | Unknown)
    check(subject, outcome)
    if isinstance(outcome, Found):
        assert [record.reference for record in outcome.records] == references


@fuzzed
@given(data=st.data())
def test_a_look_up_always_ends_in_an_outcome(subject: Subject, data: st.DataObject) -> None:
    adapter = subject.adapter()
    if not adapter.can_look_up:
        return
    outcome, came = _fuzz(data, subject, adapter.look_up(subject.order, KEY, NOW))
    assert isinstance(outcome, Found | Absent | Declined | NotSent | Unknown)
    check(subject, outcome)
    if isinstance(outcome, Found):
        assert _stand_in([record.reference for record in outcome.records], came), "an id nobody sent"


@fuzzed
@given(status=STATUSES, value=VALUES)
def test_json_that_is_not_the_marketplaces_is_neither_a_yes_nor_a_no(subject: Subject, status: int, value: Any) -> None:
    replies = (*subject.samples.BEFORE_CREATE, Reply(status, {}, json.dumps(value).encode()))
    _, outcome = drive(subject.adapter().place(subject.order, KEY), lambda number, _: replies[number])
    assert isinstance(outcome, Unknown | Declined), outcome
    check(subject, outcome)


@fuzzed
@given(data=st.data())
def test_a_push_message_never_raises(subject: Subject, data: st.DataObject) -> None:
    body, headers = data.draw(bodies(_known(subject))), data.draw(HEADERS)
    push = subject.adapter().read_push(headers, body)
    assert push is None or (push.reference and push.status)
    assert not subject.adapter().is_genuine({**headers, "authorization": data.draw(st.text(max_size=9))}, body)
