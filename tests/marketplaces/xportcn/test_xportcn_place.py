"""What every form of a preview's and a create's answer means (facts: A1 to A3)."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xportcn_kit import (
    ADDRESS,
    KEY,
    ORDER,
    PREVIEW_ROW,
    PREVIEWED,
    adapter,
    body,
    create,
    created,
    drive,
    dump,
    envelope,
    preview,
    reply,
)

from worker.marketplaces.base import Lost
from worker.outcomes import Accepted, NotSent, Refused, Throttled, Unknown

ID = "2019601741959504495"
GARBAGE = [b"", b"  ", b"<html>Bad Gateway</html>", b'{"code": 200', b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000]
GATEWAY = {"error_code": "gw.QosAppFrequencyLimit", "error_message": "App call exceeds limited frequency"}

# --- the preview ---


@pytest.mark.parametrize("came", [Lost("cut", may_have_arrived=True), Lost("no route", may_have_arrived=False)])
def test_a_lost_preview_created_nothing(came):
    assert preview(came) == NotSent(f"the preview: {came.cause}")


@pytest.mark.parametrize("raw", GARBAGE)
@pytest.mark.parametrize("status", [200, 302, 400, 500, 502, 503])
def test_an_unreadable_preview_created_nothing(raw, status):
    assert isinstance(preview(reply(raw, status)), NotSent)


@pytest.mark.parametrize("data", [None, [], {}, [None], ["x"], "x", 5, [{}]])
def test_an_empty_preview_leads_to_no_create(data):
    assert preview(reply(envelope(data))) == NotSent("the preview shows nothing")


@pytest.mark.parametrize("number", range(1, 10))
@pytest.mark.parametrize("form", ["code", "text", "row"])
def test_preview_errors(number, form):
    code = f"500_00{number}"
    documents = {
        "code": envelope(None, code, "库存不足"),
        "text": envelope(None, 500, f"下单失败[{code}]库存不足"),
        "row": envelope([{**PREVIEW_ROW, "status": False, "resultCode": code, "message": "库存不足"}]),
    }
    outcome = preview(reply(documents[form]))
    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert outcome.fix
    assert (outcome.retryable, outcome.from_body, outcome.stops_account) == (False, False, False)
    assert "库存不足" in outcome.reason


def test_faults_of_a_row():
    assert preview(reply(envelope([{"success": False, "message": "库存不足"}]))).code == "PREVIEW_FAILED"
    assert isinstance(preview(reply(envelope([{"status": False}]))), Refused)
    assert isinstance(preview(reply(envelope([{"success": False, "message": "系统繁忙"}]))), NotSent)
    nothing_offered = preview(reply(envelope([{**PREVIEW_ROW, "tradeModeNameList": []}])))
    assert isinstance(nothing_offered, Refused)
    assert nothing_offered.code == "NO_TRADE_MODE"


def test_other_answers_to_a_preview():
    assert preview(reply(envelope(None, 1234, "不可以"))) == Refused(
        "1234", "不可以", preview(reply(envelope(None, 1234, "不可以"))).fix, request_id="r1"
    )
    assert isinstance(preview(reply(envelope(None, 1234, ""))), NotSent)
    assert isinstance(preview(reply(envelope(None, 500, "系统异常"))), NotSent)
    assert isinstance(preview(reply(envelope(None, 500, "系统异常"), 503)), NotSent)
    assert isinstance(preview(reply({"error_code": "gw.New", "error_message": "?"})), NotSent)
    assert isinstance(preview(reply(envelope(None, 1234, "outOrderId重复"))), Unknown), "it may be ours"


@pytest.mark.parametrize(
    ("came", "code", "seconds", "mended"),
    [
        (reply(GATEWAY), "gw.QosAppFrequencyLimit", 10, False),
        (reply(GATEWAY, 400), "gw.QosAppFrequencyLimit", 10, False),
        (reply(b"", 429), "HTTP_429", 10, False),
        (reply(b"", 429, retry_after="33"), "HTTP_429", 33, False),
        (reply(b"", 429, retry_after="soon"), "HTTP_429", 10, False),
        (reply(envelope(None, 1, "请求过于频繁")), "1", 10, False),
        (reply(envelope(None, 429, "")), "429", 10, False),
        (reply(envelope(None, 401, "signature error")), "401", 60, True),
        (reply(envelope(None, 7, "签名错误")), "7", 60, True),
        (reply(envelope(None, 7, "timestamp expired")), "7", 60, True),
        (reply(envelope(None, 7, "nonce-str重复请求")), "7", 60, True),
        (reply(envelope(None, 7, "access-key不存在")), "7", 60, True),
        (reply(envelope(None, 403, "")), "403", 60, True),
        (reply({"error_code": "gw.SignatureInvalid", "error_message": "x"}, 400), "gw.SignatureInvalid", 60, True),
        (reply({"error_code": "gw.APIACLDecline", "error_message": "x"}), "gw.APIACLDecline", 60, True),
    ],
)
@pytest.mark.parametrize("call", [preview, create])
def test_declined_at_the_door(call, came, code, seconds, mended):
    outcome = call(came)
    assert isinstance(outcome, Throttled)
    assert (outcome.code, outcome.retry_after_seconds, outcome.pauses_account) == (code, seconds, True)
    assert bool(outcome.fix) is mended


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_http_says_the_door_is_shut(status):
    outcome = preview(reply(b"<html>no</html>", status))
    assert isinstance(outcome, Throttled)
    assert outcome.fix
    assert isinstance(create(reply(b"<html>no</html>", status)), Unknown), "after the preview passed it is strange"


# --- the ceiling ---


def priced(*rows):
    return reply(envelope([{**PREVIEW_ROW, **row} for row in rows]))


@pytest.mark.parametrize(
    ("previewed", "dearest"),
    [
        (PREVIEWED, 6561),
        (priced({"sumTotalPayment": None}), 6400),
        (priced({"sumTotalPayment": 6000}), 6400),
        (priced({"sumPayment": "6400", "sumTotalPayment": "6561"}), 6561),
        (priced({}, {"sumPayment": 100, "sumTotalPayment": 100}), 6661),
        (reply(envelope(PREVIEW_ROW)), 6561),
    ],
)
def test_ceiling(previewed, dearest):
    good = dump(body(max_amount=dearest))
    assert isinstance(drive(adapter().place(good, KEY), previewed, CREATED)[1], Accepted)
    outcome = preview(previewed, dump(body(max_amount=dearest - 1)))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.from_body, outcome.retryable) == ("MAX_AMOUNT_EXCEEDED", False, False)
    assert f"{dearest} fen" in outcome.reason
    assert outcome.fix


@pytest.mark.parametrize(
    "row", [{"sumPayment": None}, {"sumPayment": 64.0}, {"sumPayment": -1}, {"sumPayment": "?"}, {"sumPayment": True}]
)
def test_a_ceiling_is_never_passed_by_what_cannot_be_read(row):
    outcome = preview(priced(row), dump(body(max_amount=10**12)))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.retryable) == ("PREVIEW_WITHOUT_AMOUNT", True)
    assert isinstance(drive(adapter().place(ORDER, KEY), priced(row), CREATED)[1], Accepted), "no ceiling, no need"


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
    assert isinstance(create(reply(envelope(None, 0, "好")), success_codes="200"), Refused)
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


@pytest.mark.parametrize(
    ("code", "msg", "kept"),
    [
        ("500_004", "库存不足", "500_004"),
        ("500_004", "", "500_004"),
        (1234, "下单失败[500_005]", "500_005"),
        (500, "库存不足", "500"),
        (500, "not support tradeType:【XXXX】", "500"),
        (1234, "no such luck", "1234"),
        ("SOME_CODE", "no", "SOME_CODE"),
        (404, "商品不存在", "404"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_refusals(code, msg, kept, status):
    outcome = created(None, code, msg, status)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.from_body, outcome.retryable, outcome.stops_account) == (kept, False, False, False)
    assert outcome.fix
    assert outcome.reason


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
    assert isinstance(outcome, Refused)
    stored = outcome.code + outcome.reason + outcome.fix + outcome.request_id
    assert "\x00" not in stored
    stored.encode()


def test_codes_and_request_ids_fit_their_columns():
    outcome = create(reply(envelope(None, "X" * 5000, "y" * 5000, requestId="z" * 5000)))
    assert (len(outcome.code), len(outcome.reason), len(outcome.request_id)) == (100, 300, 100)
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
    assert isinstance(outcome, Accepted | Refused | Throttled | Unknown)
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
    assert isinstance(preview(reply(raw, status), order), Refused | Throttled | NotSent | Unknown)


@given(st.integers(min_value=1, max_value=10**60))
def test_ids_of_any_size_stay_exact(number):
    assert created({"orderIds": [number]}).references == (str(number),)


@given(st.binary(max_size=300))
def test_bytes_are_never_a_refusal(raw):
    assert not isinstance(create(reply(b"x" + raw)), Refused | Accepted)
