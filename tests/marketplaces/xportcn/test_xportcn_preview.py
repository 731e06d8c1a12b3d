"""What every form of a preview's answer means (docs/vendors/xportcn.md, 1 to 3)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.marketplaces.xportcn.xportcn_kit import (
    KEY,
    ORDER,
    PREVIEW_ROW,
    PREVIEWED,
    adapter,
    body,
    create,
    drive,
    dump,
    envelope,
    preview,
    reply,
)
from worker.marketplaces.calls import Lost
from worker.rules.outcomes import Accepted, Declined, NotSent, Refused, Unknown

CREATED = reply(envelope({"orderIds": ["2019601741959504495"]}))
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


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_http_says_the_door_is_shut(status):
    outcome = preview(reply(b"<html>no</html>", status))
    assert isinstance(outcome, Declined)
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


def test_the_accounts_limit_for_an_order_stops_it_before_it_is_made():
    limited = adapter(max_order_amount=Decimal("65.60"))
    requests, outcome = drive(limited.place(ORDER, KEY), PREVIEWED)
    assert isinstance(outcome, Refused)
    assert (len(requests), outcome.code) == (1, "MAX_AMOUNT_EXCEEDED")
    assert "6561 fen, the account's limit for an order 65.60 yuan" in outcome.reason
    assert "MAX_ORDER_AMOUNT" in outcome.fix
    generous = adapter(max_order_amount=Decimal("65.61"))
    assert isinstance(drive(generous.place(ORDER, KEY), PREVIEWED, CREATED)[1], Accepted)
    unread = drive(generous.place(ORDER, KEY), priced({"sumPayment": None}))[1]
    assert isinstance(unread, Refused)
    assert unread.code == "PREVIEW_WITHOUT_AMOUNT"
