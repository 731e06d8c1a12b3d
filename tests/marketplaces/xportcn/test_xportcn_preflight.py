"""What Xportcn is asked before an order: a preview without its key, and what follows from it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.marketplaces.xportcn.xportcn_kit import adapter, body, drive, dump, envelope, reply, sent_body
from worker.marketplaces.asks import Topic
from worker.marketplaces.calls import Lost, Reply, Request
from worker.rules.foreseen import Standing, Verdict
from worker.rules.outcomes import Money


def foresee(came: Reply | Lost, most: Decimal | None = None, **changes: Any) -> tuple[list[Request], Verdict]:
    known, order = adapter(), dump(body(**changes))
    (question,) = known.asks(order, {})
    assert (question.topic, question.kept) == (Topic.PREVIEW, None)
    requests, answer = drive(question.begin(), came)
    return requests, known.foresee(order, {question.key: answer}, most)


def priced(fen: Any) -> Reply:
    return reply(envelope([{"sumPayment": fen, "tradeModeNameList": ["assureTrade"]}]))


def test_a_preview_goes_without_a_key_and_makes_nothing() -> None:
    (request,), told = foresee(priced(6400))
    assert "outOrderId" not in sent_body(request)
    assert not request.creates
    assert request.url.endswith("/preview")
    assert (told.standing, told.forecast) == (Standing.GOOD, Money(Decimal("64.00"), "CNY"))


def test_what_the_create_would_be_refused_for_is_a_doom() -> None:
    row = {"resultCode": "500_004", "message": "stock"}
    told = foresee(reply(envelope([row])))[1]
    assert (told.standing, [one.code for one in told.dooms]) == (Standing.DOOMED, ["500_004"])


@pytest.mark.parametrize(("most", "changes"), [(Decimal("63.99"), {}), (None, {"max_amount": 6399})])
def test_the_ceilings_of_job_and_order_are_held(most: Decimal | None, changes: dict[str, int]) -> None:
    assert [one.code for one in foresee(priced(6400), most, **changes)[1].dooms] == ["MAX_AMOUNT_EXCEEDED"]


@pytest.mark.parametrize("came", [Lost("no connection", False), reply("<html>", 502), reply(envelope([]))])
def test_a_preview_that_says_nothing_is_a_warning(came: Reply | Lost) -> None:
    told = foresee(came)[1]
    assert (told.standing, [one.code for one in told.warnings]) == (Standing.WARNED, ["NOT_READ"])


def test_a_price_that_is_not_told_leaves_the_jobs_ceiling_open() -> None:
    told = foresee(priced("much"), Decimal(5))[1]
    assert (told.standing, [one.field for one in told.warnings]) == (Standing.WARNED, ["max_amount"])
