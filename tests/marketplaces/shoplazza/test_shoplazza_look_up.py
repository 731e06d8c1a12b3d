"""How an order is found again: by tag or by time, checked on our side, absent only where nothing was missed."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.marketplaces.shoplazza.shoplazza_kit import (
    FIRST_SENT_AT,
    IDS,
    KEY,
    ORDER,
    REFERENCE,
    TOKEN,
    VERSIONS,
    adapter,
    listed,
    look_up,
    reply,
    shown,
)
from worker.marketplaces.calls import Lost
from worker.marketplaces.shoplazza.look_up import PAGES
from worker.rules.outcomes import Absent, Declined, Found, NotSent, Unknown

SINCE = "2023-11-14T22:08:20Z"
"""Five minutes before the first send."""


def query(request):
    return dict(parse_qsl(urlsplit(request.url).query))


def strangers(count, start=0):
    return [shown(f"9{number:08d}", tags="vip", note="hello") for number in range(start, start + count)]


def references(outcome):
    assert isinstance(outcome, Found), outcome
    return [found.reference for found in outcome.records]


# --- by tag ---


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_by_tag(version):
    (request,), outcome = look_up(listed(shown()), version=version)
    assert request.url.startswith(f"https://developer.myshoplaza.com/openapi/{version}/orders?")
    assert query(request) == {"order_tags": TOKEN, "page_size": "10"}
    assert references(outcome) == [REFERENCE]


@pytest.mark.parametrize("version", VERSIONS[1:])
@pytest.mark.parametrize(
    "empty",
    [
        {"code": "Success", "data": {"orders": [], "cursor": "", "has_more": False}},
        {"code": "Success", "data": {"orders": None, "has_more": False}},
        {"orders": []},
        {"orders": [], "cursor": None, "has_more": False},
    ],
)
def test_an_empty_list_is_absent(version, empty):
    _, outcome = look_up(reply(empty), version=version)
    assert isinstance(outcome, Absent)
    assert TOKEN in outcome.cause


def test_by_note_where_the_tag_was_taken_off():
    _, outcome = look_up(listed(shown(tags="", note=f"hello\n[order {KEY} {TOKEN}]")))
    assert references(outcome) == [REFERENCE]


def test_several_are_all_found_the_oldest_first():
    times = ["2026-02-03T10:00:00Z", "2026-02-01T10:00:00+08:00", "2026-02-01T10:00:00Z"]
    orders = [shown(reference, created_at=time) for reference, time in zip(IDS, times, strict=True)]
    _, outcome = look_up(listed(*orders, shown(IDS[0], created_at=times[0])))
    assert references(outcome) == [IDS[1], IDS[2], IDS[0]]
    odd = [shown(IDS[0], created_at="soon"), shown(IDS[1], created_at=None), shown(IDS[2])]
    assert references(look_up(listed(*odd))[1]) == [IDS[2], *sorted(IDS[:2])]
    same = [shown(reference) for reference in IDS]
    assert references(look_up(listed(*same))[1]) == sorted(IDS)


def test_what_is_found_may_be_cancelled_or_show_no_status():
    _, outcome = look_up(listed(shown(status="cancelled")))
    assert outcome.records[0].alert
    order = shown()
    del order["status"]
    assert references(look_up(listed(order))[1]) == [REFERENCE]


def test_an_order_of_ours_without_an_id_is_not_absent():
    _, outcome = look_up(listed(shown(id=None)))
    assert (type(outcome), outcome.code) == (Unknown, "NO_ID")


# --- strangers show that the filter was not applied ---


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_strangers_alone_prove_nothing(version):
    tag, by_time = listed(*strangers(10), has_more=True, cursor="c0"), listed(*strangers(2), shown())
    requests, outcome = look_up(tag, by_time, version=version)
    assert query(requests[1]) == {"created_at_min": SINCE, "page_size": "250"}
    assert references(outcome) == [REFERENCE]
    _, outcome = look_up(tag, listed(*strangers(2)), version=version)
    assert isinstance(outcome, Absent)


def test_cursors_are_followed_to_the_end():
    pages = [
        listed(*strangers(1)),
        listed(*strangers(250), has_more=True, cursor="c1"),
        listed(*strangers(250, 250), shown(IDS[1]), has_more=True, cursor="c2"),
        listed(shown(IDS[0], created_at="2026-01-01T00:00:00Z")),
    ]
    requests, outcome = look_up(*pages)
    assert [query(request).get("cursor") for request in requests] == [None, None, "c1", "c2"]
    assert references(outcome) == [IDS[0], IDS[1]]


def test_one_of_ours_among_strangers_is_not_forgotten():
    _, outcome = look_up(listed(shown(), *strangers(1)), listed(*strangers(3)))
    assert references(outcome) == [REFERENCE]


def test_more_of_ours_than_a_page():
    ours = [shown(f"8{number:08d}") for number in range(12)]
    _, outcome = look_up(listed(*ours[:10], has_more=True, cursor="c"), listed(*ours))
    assert len(references(outcome)) == 12


# --- by time ---


def test_by_time_in_2022_01():
    (request,), outcome = look_up(listed(*strangers(3), shown(), version="2022-01"), version="2022-01")
    assert query(request) == {"created_at_min": SINCE, "limit": "250", "page": "1"}
    assert references(outcome) == [REFERENCE]
    _, outcome = look_up(listed(*strangers(9), version="2022-01"), version="2022-01")
    assert isinstance(outcome, Absent)


def test_pages_are_turned_until_a_short_one():
    pages = [listed(*strangers(250, 250 * number), version="2022-01") for number in range(3)]
    requests, outcome = look_up(*pages, listed(shown(), version="2022-01"), version="2022-01")
    assert [query(request)["page"] for request in requests] == ["1", "2", "3", "4"]
    assert references(outcome) == [REFERENCE]
    small = [listed(*strangers(10, 10 * number), version="2022-01") for number in range(2)]
    _, outcome = look_up(*small, listed(version="2022-01"), version="2022-01")
    assert isinstance(outcome, Absent), "a vendor that ignores the size is still read to its end"


def test_absent_needs_all_of_the_list():
    pages = [listed(*strangers(250, 250 * number), version="2022-01") for number in range(PAGES)]
    _, outcome = look_up(*pages, version="2022-01")
    assert (type(outcome), outcome.code) == (Unknown, "LIST_INCOMPLETE")
    found = [*pages[:-1], listed(*strangers(249, 5000), shown(), version="2022-01")]
    assert references(look_up(*found, version="2022-01")[1]) == [REFERENCE]


def test_a_vendor_that_ignores_the_page_is_noticed():
    page = listed(*strangers(250), version="2022-01")
    _, outcome = look_up(page, page, version="2022-01")
    assert (type(outcome), outcome.code) == (Unknown, "LIST_INCOMPLETE")


def test_a_list_that_goes_on_without_a_cursor_is_noticed():
    _, outcome = look_up(listed(*strangers(1)), listed(*strangers(250), has_more=True))
    assert (type(outcome), outcome.code) == (Unknown, "LIST_INCOMPLETE")
    silent = reply({"orders": strangers(250)})
    _, outcome = look_up(listed(*strangers(1)), silent)
    assert (type(outcome), outcome.code) == (Unknown, "LIST_INCOMPLETE")


# --- no answer ---


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("came", "kind"),
    [
        (reply(b"", 429), Declined),
        (reply(b"", 401), Declined),
        (reply({"error": "store is not active"}, 400), Declined),
        (Lost("refused", may_have_arrived=False), NotSent),
        (Lost("timeout", may_have_arrived=True), Unknown),
        *((reply(raw, status), Unknown) for raw in (b"", b"<html>", b"{}", b'{"errors":["no"]}', b"[]") for status in
          (200, 302, 400, 403, 404, 422, 500, 503)),
        (reply({"orders": "none"}), Unknown),
        (reply({"orders": {}}), Unknown),
        (reply({"code": "Failed", "message": "no", "data": {"orders": None}}), Unknown),
        (reply({"orders": []}, 500), Unknown),
        (reply({"orders": []}, 404), Unknown),
    ],
)  # fmt: skip
def test_what_is_no_list_is_never_absent(version, came, kind):
    _, outcome = look_up(came, version=version)
    assert type(outcome) is kind
    if version != "2022-01":
        _, outcome = look_up(listed(*strangers(1)), came, version=version)
        assert type(outcome) is kind


def test_a_look_up_tells_nothing_personal():
    _, outcome = look_up(reply({"errors": ["Marlowe of San Jose, jane@example.com"]}, 422))
    assert not [value for value in ("Marlowe", "San Jose", "jane@") if value in outcome.cause]


fields = st.sampled_from(["id", "tags", "note", "status", "created_at", "orders", "data", "code", "has_more", "cursor"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(TOKEN),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(fields, inner, max_size=5),
    max_leaves=20,
)


@given(document=st.dictionaries(fields, values), version=st.sampled_from(VERSIONS), status=st.sampled_from([200, 400]))
def test_any_answer_is_read_and_the_look_up_ends(document, version, status):
    steps = adapter(version).look_up(ORDER, KEY, FIRST_SENT_AT)
    next(steps)
    for _ in range(PAGES + 1):
        try:
            steps.send(reply(document, status))
        except StopIteration as stop:
            outcome = stop.value
            break
    assert isinstance(outcome, Found | Absent | Declined | Unknown)
    if isinstance(outcome, Absent):
        assert status == 200
