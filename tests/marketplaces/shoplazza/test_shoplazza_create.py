"""What every form of a create's answer means (docs/vendors/shoplazza.md, 1 and 2)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.marketplaces.shoplazza.shoplazza_kit import (
    IDS,
    KEY,
    ORDER,
    REFERENCE,
    VERSIONS,
    adapter,
    body,
    drive,
    dump,
    place,
    reply,
)
from worker.marketplaces.calls import Lost
from worker.rules.outcomes import Accepted, Declined, NotSent, Refused, Unknown

OK = {"order": {"id": REFERENCE, "number": "00000001", "status": "opened"}}

# --- accepted ---


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("reference", IDS)
@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("status", [200, 201])
def test_both_forms_of_a_success_in_every_version(version, reference, wrapped, status):
    order = {"order": {"id": reference}}
    document = {"code": "Success", "message": "ok", "data": order} if wrapped else order
    came = reply(document, status, request_id="r-1")
    assert place(came, version=version) == Accepted((reference,), request_id="r-1")


@pytest.mark.parametrize("number", [2**53 + 1, 10234136520598611512, 10**30])
def test_ids_as_numbers_stay_exact(number):
    assert place(reply({"order": {"id": number}})).references == (str(number),)


@pytest.mark.parametrize("raw", [b"1.5", b"1e5", b"1.0E20", b"NaN", b"Infinity", b"0", b"-5", b"true", b"null", b"{}"])
def test_what_is_no_id_is_never_one(raw):
    assert isinstance(place(reply(b'{"order":{"id":%s}}' % raw)), Unknown)


@pytest.mark.parametrize("text", ["", "  ", "null", "None", "0", "000", "a b", "a/b", "é", "x" * 65, "1.5"])
def test_texts_that_are_no_id(text):
    assert isinstance(place(reply({"data": {"order": {"id": text}}})), Unknown)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"order": None},
        {"order": []},
        {"order": {}},
        {"order": {"number": "1"}},
        {"code": "Success"},
        {"code": "Success", "data": None},
        {"code": "Success", "data": {"id": REFERENCE}},
        {"id": REFERENCE},
        {"errors": ["no"]},
        {"error": "store is not active"},
        {"code": "InvalidParameter", "message": "no"},
        [OK],
        "ok",
        None,
        7,
    ],
)
def test_a_success_without_an_id_is_unknown(document):
    outcome = place(reply(document))
    assert isinstance(outcome, Unknown)
    assert outcome.references == ()


def test_an_id_means_an_order_whatever_else_is_said():
    outcome = place(reply({"code": "Warning", "message": "mail not sent", "data": OK}))
    assert outcome == Accepted((REFERENCE,), "Warning", "mail not sent")
    assert place(reply({**OK, "errors": ["mail not sent"]})).references == (REFERENCE,)


# --- refused ---

UNLISTED = [
    {"errors": ["tags are odd"]},
    {"errors": "tags are odd"},
    {"errors": {"tags": ["are odd"]}},
    {"errors": {"tags": "are odd"}},
    {"errors": [{"message": "tags are odd"}]},
    {"error": "tags are odd"},
    {"error": {"message": "tags are odd"}},
    {"code": "InvalidParameter", "message": "tags are odd"},
    {"code": 3, "message": "tags are odd", "details": []},
    {"code": "InvalidParameter", "errors": ["tags are odd"]},
    {"code": "InvalidParameter", "error": "tags are odd"},
    {"message": "tags are odd"},
]


FORMS = [
    {"errors": ["tags is invalid"]},
    {"errors": "tags is invalid"},
    {"errors": {"tags": ["is invalid"]}},
    {"errors": {"tags": "is invalid"}},
    {"error": "tags is invalid"},
    {"code": "InvalidParameter", "message": "tags is invalid"},
    {"code": 3, "message": "tags is invalid", "details": []},
    {"code": "InvalidParameter", "errors": ["tags is invalid"]},
    {"code": "InvalidParameter", "error": "tags is invalid", "data": None},
]


@pytest.mark.parametrize("document", UNLISTED)
@pytest.mark.parametrize("status", [400, 404, 405, 422])
@pytest.mark.parametrize("version", VERSIONS)
def test_words_nobody_documents_are_no_refusal_in_any_form(document, status, version):
    outcome = place(reply(document, status, request_id="r-1"), version=version)
    code = "InvalidParameter" if document.get("code") == "InvalidParameter" else f"HTTP_{status}"
    assert outcome == Unknown(f"HTTP {status}: tags are odd", code, (), "r-1")


@pytest.mark.parametrize("document", FORMS)
@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_form_of_a_definite_no(document, status, version):
    outcome = place(reply(document, status, request_id="r-1"), version=version)
    code = "InvalidParameter" if document.get("code") == "InvalidParameter" else f"HTTP_{status}"
    assert outcome == Refused(code, "tags is invalid", outcome.fix, request_id="r-1")
    assert len(outcome.fix) > 20


def test_the_fix_says_what_the_version_wants():
    fixes = {version: place(reply({"errors": ["zip is required"]}, 422), version=version).fix for version in VERSIONS}
    assert "discount" in fixes["2022-01"]
    assert "address1" in fixes["2025-06"]
    assert "zip" in fixes["2026-01"]
    assert "zip" in fixes["2026-07"]


@pytest.mark.parametrize("raw", [b"Bad Request", b'"Bad Request"', b"not found", b"Method Not Allowed."])
def test_plain_words_of_http_are_no_refusal(raw):
    assert isinstance(place(reply(raw, 400)), Unknown)


def test_several_errors_are_all_told():
    outcome = place(reply({"errors": {"zip": ["is required"], "city": ["is invalid", "is required"]}}, 400))
    assert outcome.reason == "zip is required: city is invalid, is required"
    assert "city is odd" in place(reply({"errors": {"zip": ["is required"], "city": ["is odd"]}}, 400)).cause


# --- unknown ---


@pytest.mark.parametrize("status", [100, 200, 204, 302, 400, 403, 404, 406, 408, 409, 422, 499, 500, 502, 503, 504])
@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"  ", b"<html>Bad Gateway</html>", b'{"order', b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000),
        *(b"{}", b'{"errors":[]}', b'{"errors":{}}', b'{"error":""}', b'{"code":5,"message":"","details":[]}'),
        *(b"some words nobody knows", b'{"errors":[1,null,[]]}'),
    ],
)
def test_what_cannot_be_read_for_certain_is_unknown(status, raw):
    assert isinstance(place(reply(raw, status)), Unknown)


@pytest.mark.parametrize("status", [406, 500, 501, 502, 503, 504, 408, 409, 300])
@pytest.mark.parametrize("document", [*FORMS, OK, {"code": "Success", "data": OK}, {"errors": ["record_not_found"]}])
def test_statuses_that_never_are_a_no(status, document):
    outcome = place(reply(document, status))
    assert isinstance(outcome, Unknown)
    assert outcome.references == ((REFERENCE,) if document in (OK, {"code": "Success", "data": OK}) else ())
    assert outcome.code == f"HTTP_{status}"


def test_http_406_is_told_of_a_create_so_it_never_was_at_the_door():
    assert isinstance(place(reply({"error": "store is not active"}, 406)), Unknown)


def test_lost():
    assert place(Lost("refused", may_have_arrived=False)) == NotSent("refused")
    assert place(Lost("read timeout", may_have_arrived=True)) == Unknown("read timeout")


# --- declined ---


@pytest.mark.parametrize(
    ("headers", "seconds", "reason"),
    [
        ({}, 0.5, "called too often"),
        ({"retry_after": "30"}, 30, "called too often"),
        ({"retry_after": "2.0"}, 2, "called too often"),
        ({"retry_after": "soon"}, 0.5, "called too often"),
        ({"retry_after": "9999999"}, 3600, "called too often"),
        ({"x_shoplazza_shop_api_call_limit": "40/40"}, 0.5, "called too often (40/40)"),
        ({"x_ratelimit": "43/40"}, 2, "called too often (43/40)"),
        ({"x_ratelimit": "soon"}, 0.5, "called too often"),
        ({"x_ratelimit": "40/40", "retry_after": "7"}, 7, "called too often (40/40)"),
    ],
)
@pytest.mark.parametrize("raw", [b"", b'{"errors":["Too Many Requests"]}', b"<html>", b"\xff"])
def test_http_429_was_not_executed(headers, seconds, reason, raw):
    assert place(reply(raw, 429, **headers)) == Declined("HTTP_429", reason, seconds, True)


def test_the_name_of_the_limit_header_is_a_setting():
    steps = adapter(limit_headers="X-Bucket, x-more").place(ORDER, KEY)
    _, outcome = drive(steps, reply(b"", 429, x_more="41/40", x_ratelimit="1/40"))
    assert outcome == Declined("HTTP_429", "called too often (41/40)", 1, True)


@pytest.mark.parametrize("raw", [b'{"errors":["no"]}', b'{"code":"Unauthorized","message":"Unauthorized"}'])
def test_http_401_is_the_token(raw):
    outcome = place(reply(raw, 401))
    assert isinstance(outcome, Declined)
    assert (outcome.code, outcome.retry_after_seconds, outcome.pauses_account) == ("AccessToken", 60, True)
    assert "access_token" in outcome.fix


@pytest.mark.parametrize(
    ("status", "document", "code"),
    [
        (400, {"error": "store is not active"}, "StoreNotActive"),
        (401, {"error": "store is not active"}, "StoreNotActive"),
        (403, {"error": "Store is not active."}, "StoreNotActive"),
        (403, {"errors": ["the app lacks the scope write_order"]}, "Scope"),
        (403, {"error": "Forbidden"}, "Scope"),
        (403, {"code": "PermissionDenied", "message": "no permission"}, "Scope"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_person_has_to_mend_holds_the_account(status, document, code, version):
    outcome = place(reply(document, status, request_id="r-1"), version=version)
    assert isinstance(outcome, Declined)
    assert (outcome.code, outcome.retry_after_seconds, outcome.pauses_account) == (code, 60, True)
    assert (len(outcome.fix) > 20, outcome.request_id) == (True, "r-1")


# --- what must never happen ---

SECRETS = {"last_name": "Quillfeather", "email": "zq@example.org", "city": "Obscureville", "phone": "698765432"}


def test_personal_data_never_leaves_in_a_text():
    order = dump(body(shipping_address={**body()["shipping_address"], **SECRETS}, note="for Aunt Petunia\ngate 4711"))
    leak = "OBSCUREVILLE Quillfeather ZQ@example.org 698765432 for aunt petunia, gate 4711; USD"
    for code in ("InvalidParameter", "Obscureville", 3):
        for status in (200, 400, 401, 403, 404, 406, 422, 500):
            for words in (leak, f"DecreaseInventory failed {leak}", f"store is not active {leak}"):
                for document in ({"code": code, "message": words}, {"errors": {"city": [words]}}, {"error": words}):
                    outcome = place(reply(document, status), order)
                    told = repr(outcome).lower()
                    assert not [value for value in SECRETS.values() if value.lower() in told]
                    assert not [value for value in ("aunt petunia", "gate 4711") if value in told]
                    assert "usd" in told, "the currency is no secret and helps"


def test_texts_can_be_stored_and_fit_their_columns():
    raw = rb'{"code":"X\u0000Y","message":"a\ud800b\u0000"}'
    outcome = place(reply(raw, 400, request_id="é\x00" + "z" * 5000))
    stored = outcome.code + outcome.cause + outcome.request_id
    assert "\x00" not in stored
    stored.encode()
    assert len(outcome.request_id) == 100
    outcome = place(reply({"code": "X" * 5000, "message": "y" * 5000}, 400))
    assert (len(outcome.code), len(outcome.cause)) == (100, 310)
    assert len(place(reply({"errors": ["z" * 5000]}, 500)).cause) < 320


words = st.sampled_from(
    [
        *("order", "orders", "id", "data", "code", "message", "error", "errors", "details", "Success", "number"),
        *("record_not_found", "DecreaseInventory failed", "store is not active", "Unauthorized", "200", "tags"),
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | words
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=4), inner),
    max_leaves=20,
)
wrapped = st.builds(lambda order: {"code": "Success", "data": {"order": order}}, documents)
json_bytes = (documents | wrapped).map(lambda value: json.dumps(value).encode())
statuses = st.sampled_from([200, 201, 302, 400, 401, 403, 404, 405, 406, 422, 429, 500, 503])


@given(raw=st.binary(max_size=200) | json_bytes, status=statuses, version=st.sampled_from(VERSIONS))
def test_any_answer_is_read_and_none_is_believed_without_an_id(raw, status, version):
    outcome = place(reply(raw, status), version=version)
    assert isinstance(outcome, Accepted | Refused | Declined | Unknown)
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        document = json.loads(raw)
        order = (document.get("data") or document)["order"]
        assert outcome.references == (str(order["id"]).strip(),)
    if isinstance(outcome, Refused):
        assert status in {400, 403, 404, 405, 422}
        assert json.loads(raw).keys() & {"errors", "error", "message"}


@given(raw=st.binary(max_size=200), status=statuses)
def test_garbage_is_never_a_no(raw, status):
    assert not isinstance(place(reply(b"\x00" + raw, status)), Refused | Accepted)
    assert not isinstance(place(reply(b"<" + raw, status)), Refused | Accepted)
