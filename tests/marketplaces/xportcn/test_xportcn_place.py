"""What every form of a create's answer means (docs/vendors/xportcn.md, 1 to 3)."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.marketplaces.xportcn.xportcn_kit import (
    ADDRESS,
    KEY,
    PREVIEW_ROW,
    adapter,
    body,
    create,
    created,
    dump,
    envelope,
    preview,
    reply,
)
from worker.marketplaces.calls import Lost
from worker.rules.outcomes import Accepted, Declined, NotSent, Refused, Unknown

ID = "2019601741959504495"
GARBAGE = [b"", b"  ", b"<html>Bad Gateway</html>", b'{"code": 200', b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000]

# --- the create ---

CREATED = reply(envelope({"orderIds": [ID]}))


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        ({"orderIds": [ID]}, (ID,)),
        ({"orderIds": [ID, str(int(ID) + 1), ID]}, (ID, str(int(ID) + 1))),
        ({"orderIds": [int(ID)]}, (ID,)),
        ({"orderIds": ["", " ", None, ID, "null", 0, "0", [], {}]}, (ID,)),
        ({"orderIds": f" {ID} "}, (ID,)),
        ({"orderId": ID}, (ID,)),
        ({"result": {"orderList": [{"orderId": ID}, {"orderId": "12"}]}}, (ID, "12")),
        ({"orderIds": [2**53 + 1, 2**63 + 1]}, (str(2**53 + 1), str(2**63 + 1))),
        ({"orderIds": ["PO2026-11_a"]}, ("PO2026-11_a",)),
    ],
)
@pytest.mark.parametrize("code", [200, "200", 0, "0"])
def test_every_form_of_the_ids(data, ids, code):
    assert created(data, code) == Accepted(ids, request_id="r1")


@pytest.mark.parametrize("data", [None, {}, [], {"orderIds": []}, {"orderIds": [""]}, {"orderIds": None}, "ok", [ID]])
@pytest.mark.parametrize("code", [200, 0])
def test_success_without_an_id_is_unknown(data, code):
    assert created(data, code) == Unknown("success without an order id", str(code), (), "r1")


@pytest.mark.parametrize("number", [b"2019601741959504495.0", b"2.0196E18", b"NaN", b"1E5"])
def test_a_float_is_never_an_id(number):
    raw = b'{"requestId":"r","code":200,"msg":"ok","data":{"orderIds":[%s]}}'
    assert isinstance(create(reply(raw % number)), Unknown)


@pytest.mark.parametrize(
    ("code", "msg", "status"), [(500, "系统异常", 200), (1, None, 400), (200, "成功", 502), (429, "限流", 429)]
)
def test_an_id_means_an_order_whatever_else_is_said(code, msg, status):
    outcome = created({"orderIds": [ID]}, code, msg, status)
    assert isinstance(outcome, Accepted)
    assert (outcome.references, outcome.code, outcome.request_id) == ((ID,), str(code), "r1")
    assert outcome.reason


def test_success_codes_are_a_setting():
    only = create(reply(envelope({"orderIds": [ID]}, 0)), success_codes="200")
    assert (only.references, only.code) == ((ID,), "0")
    assert create(reply(envelope(None, 0, "好")), success_codes="200").code == "0"
    zero = reply(envelope([PREVIEW_ROW], 0))
    assert isinstance(preview(zero, success_codes="200"), NotSent)


@pytest.mark.parametrize("raw", GARBAGE)
@pytest.mark.parametrize("status", [200, 302, 400, 404, 500, 502, 503, 504])
def test_an_unreadable_create_is_unknown(raw, status):
    assert isinstance(create(reply(raw, status)), Unknown)


@pytest.mark.parametrize(
    "document",
    [
        {"code": 200, "message": "not the envelope"},
        {"timestamp": 1, "status": 500, "error": "Internal Server Error"},
        envelope(None, None, "库存不足"),
        envelope(None, True, "库存不足"),
        envelope(None, 1234, ""),
        envelope(None, 1234, None),
        envelope(None, 500, "系统异常"),
        envelope(None, 500, "失败"),
        envelope(None, 503, "失败"),
        envelope(None, 1234, "调用超时"),
        envelope(None, 200.0, "成功"),
        envelope(None, 0.0, "库存不足"),
        envelope(None, 1234, 5),
        envelope(None, 1234, 0.5),
        envelope(None, "SUCCESS", "success"),
        envelope(None, 1, "操作成功"),
        envelope(None, 1234, "Read timed out"),
        envelope(None, 1234, "outOrderId already exists"),
        envelope(None, 1234, "重复下单"),
        {"error_code": "gw.SomethingNew", "error_message": "?"},
    ],
)
def test_what_is_not_a_clear_no_is_unknown(document):
    assert isinstance(create(reply(document)), Unknown)


def test_a_refusal_with_a_server_error_is_unknown():
    assert create(reply(envelope(None, "500_004", "库存不足"), 500)) == Unknown("HTTP 500", "HTTP_500")


def test_a_lost_create():
    assert create(Lost("read timeout", may_have_arrived=True)) == Unknown("read timeout")
    assert create(Lost("refused", may_have_arrived=False)) == NotSent("refused")


# --- what must never happen ---


def test_personal_data_never_leaves_in_a_text():
    order = dump(body(message="for Aunt Petunia", staffName="Zhou", address={"fullName": "李雷", "cityText": "杭州"}))
    leak = "李雷, 杭州 13800001234 网商路699号 FOR AUNT PETUNIA zhou 浙江省; CNY"
    for code in ("500_004", "李雷", "杭州 13800001234", 500, 200):
        outcomes = [preview(reply(envelope(None, code, leak)), order)] if code != 200 else []
        for data in (None, {"orderIds": [ID]}):
            outcomes.append(create(reply(envelope(data, code, leak)), order))
        for field in ("error_code", "error_message"):
            fault = {"error_code": "gw.X", "error_message": leak, field: f"{code} {leak}"}
            outcomes += [preview(reply(fault), order), create(reply(fault), order)]
        for outcome in outcomes:
            text = repr(outcome).lower()
            secrets = ("李雷", "杭州", "aunt petunia", "zhou", *(ADDRESS[name] for name in ("mobile", "address")))
            assert not [secret for secret in secrets if secret in text], text


def test_texts_can_be_stored():
    raw = rb'{"code":"X\u0000Y","msg":"a\ud800b\u0000","requestId":"\u0000","data":null}'
    outcome = create(reply(raw))
    assert isinstance(outcome, Unknown)
    stored = outcome.code + outcome.cause + outcome.request_id
    assert "\x00" not in stored
    stored.encode()


def test_codes_and_request_ids_fit_their_columns():
    outcome = create(reply(envelope(None, "X" * 5000, "y" * 5000, requestId="z" * 5000)))
    assert (len(outcome.code), len(outcome.cause), len(outcome.request_id)) == (100, 300, 100)
    assert len(create(reply(envelope(None, "500_004", "y" * 5000))).reason) == 300
    accepted = create(reply(envelope({"orderIds": [ID]}, "X" * 5000, "")))
    assert (len(accepted.code), len(accepted.reason) <= 300) == (100, True)


words = st.sampled_from(
    [
        *("requestId", "code", "developId", "msg", "data", "orderIds", "orderId", "error_code", "error_message"),
        *("tradeModeNameList", "sumPayment", "sumTotalPayment", "status", "resultCode", "500_004", "200", "系统异常"),
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | words
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=4), inner),
    max_leaves=20,
)
wrapped = st.builds(envelope, documents, scalars | st.sampled_from([200, 0, 500]), scalars)
anything = st.binary(max_size=200) | (documents | wrapped).map(lambda value: json.dumps(value).encode())


@given(raw=anything, status=st.sampled_from([200, 400, 429, 500]))
def test_any_create_is_read_and_none_is_believed_without_ids(raw, status):
    outcome = create(reply(raw, status))
    assert isinstance(outcome, Accepted | Refused | Declined | Unknown)
    if isinstance(outcome, Accepted):
        assert outcome.references
        assert all(any(c in "123456789" for c in i) and i == i.strip() and len(i) <= 64 for i in outcome.references)
    if isinstance(outcome, Refused):
        document = json.loads(raw)
        assert isinstance(document.get("code"), str | int), "garbage is no refusal"
        assert str(document["code"]) not in ("200", "0")


@given(raw=anything, status=st.sampled_from([200, 400, 429, 500]))
def test_any_preview_is_read_and_none_creates_by_itself(raw, status):
    order = dump(body(max_amount=10**6))
    steps = adapter().place(order, KEY)
    next(steps)
    with suppress(StopIteration):
        assert steps.send(reply(raw, status)).url.endswith("/create")
        return
    assert isinstance(preview(reply(raw, status), order), Refused | Declined | NotSent | Unknown)


@given(st.integers(min_value=1, max_value=10**60))
def test_ids_of_any_size_stay_exact(number):
    assert created({"orderIds": [number]}).references == (str(number),)


@given(st.binary(max_size=300))
def test_bytes_are_never_a_refusal(raw):
    assert not isinstance(create(reply(b"x" + raw)), Refused | Accepted)
