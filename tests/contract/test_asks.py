"""What an adapter asks before an order: nothing it does makes one, nothing fails, and nothing of a person is kept."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.contract.contract_kit import NOW, Subject, ask, drive
from tests.contract.test_fuzz import HEADERS, LOST, STATUSES, bodies, fuzzed
from worker.marketplaces import REGISTRY
from worker.marketplaces.asks import Priced, Topic
from worker.marketplaces.calls import Lost, Reply
from worker.rules.foreseen import Divisions, Freight, Product, Standing, Verdict
from worker.rules.outcomes import Absent, Declined, NotSent, Refused, Unknown

SUBJECTS = list(REGISTRY)
SEVERAL_ROUNDS = 4
ANSWERS = (Product, Freight, Divisions, Priced, Refused, Absent, Declined, NotSent, Unknown)
KNOWN: list[Any] = [
    {
        "rsp_code": 200,
        "result": {
            "ae_item_base_info_dto": {"product_status_type": "onSelling"},
            "ae_item_sku_info_dtos": {
                "ae_item_sku_info_d_t_o": [
                    {"sku_id": "12", "sku_attr": "14:365458#Brown", "sku_available_stock": 7, "offer_sale_price": "2.5"}
                ]
            },
            "ae_store_info": {"store_id": 7},
        },
    },
    {"r_response": {"result": {"success": True, "delivery_options": [{"code": "STANDARD", "shipping_fee_cent": "1"}]}}},
    {"r_response": {"result": {"ret": True, "data": {"children": '[{"name": "California", "children": "[]"}]'}}}},
    {"code": "200", "data": [{"sumPayment": 6400, "tradeModeNameList": ["assureTrade"]}]},
]


def looked_at(subject: Subject, answer: Any) -> tuple[dict[str, Any], list[Any], Verdict]:
    """Ask everything; return the answers by their keys, the questions, and the verdict."""
    adapter, order = subject.adapter(), subject.order
    answers: dict[str, Any] = {}
    every: list[Any] = []
    for _ in range(SEVERAL_ROUNDS):
        asks = {question.key: question for question in adapter.asks(order, answers) if question.key not in answers}
        every += asks.values()
        for key, question in asks.items():
            requests, answers[key] = drive(question.begin(), answer)
            assert not any(request.creates for request in requests), "a preflight never makes an order"
    assert not [question for question in adapter.asks(order, answers) if question.key not in answers], "without end"
    return answers, every, adapter.foresee(order, answers)


@fuzzed
@given(data=st.data())
def test_whatever_is_answered_ends_in_a_verdict(subject: Subject, data: st.DataObject) -> None:
    def answer(*_: Any) -> Reply | Lost:
        return data.draw(LOST | st.builds(Reply, STATUSES, HEADERS, bodies(KNOWN)), "reply")

    answers, asks, verdict = looked_at(subject, answer)
    assert all(isinstance(one, ANSWERS) for one in answers.values())
    assert (verdict.standing is Standing.DOOMED) == bool(verdict.dooms)
    for question in asks:
        if question.kept is not None and isinstance(answers[question.key], question.kept):
            kept = TypeAdapter(question.kept)
            assert kept.validate_json(kept.dump_json(answers[question.key])) == answers[question.key]


def test_nothing_of_a_person_is_in_a_key_a_kept_answer_or_a_verdict(subject: Subject) -> None:
    for known in KNOWN:
        reply = Reply(200, {}, TypeAdapter(dict[str, Any]).dump_json(known))
        answers, asks, verdict = looked_at(subject, lambda *_, reply=reply: reply)
        kept = [answers[question.key] for question in asks if question.kept is not None]
        told = repr([[question.key for question in asks], kept, verdict])
        assert [value for value in (*subject.samples.PERSONAL, *subject.secrets) if value in told] == []


def test_only_a_question_of_a_marketplace_as_a_whole_is_kept(subject: Subject) -> None:
    _, asks, _ = looked_at(subject, lambda *_: Lost("away", False))
    assert all((question.kept is None) == (question.topic is Topic.PREVIEW) for question in asks)


def test_what_cannot_be_asked_is_never_called_good(subject: Subject) -> None:
    verdict = looked_at(subject, lambda *_: Lost("away", may_have_arrived=False))[2]
    wanted = Standing.UNCHECKED if subject.marketplace.foresees is None else Standing.WARNED
    assert (verdict.standing, verdict.dooms, verdict.forecast) == (wanted, (), None)


def test_the_sandbox_is_asked_without_a_trace(subject: Subject) -> None:
    adapter, fake = subject.with_fake()
    answers: dict[str, Any] = {}
    for _ in range(SEVERAL_ROUNDS):
        for question in [one for one in adapter.asks(subject.order, answers) if one.key not in answers]:
            _, answers[question.key] = drive(question.begin(), lambda _, request: ask(fake, request, NOW))
    assert fake.orders == []
    assert not [one for one in answers.values() if isinstance(one, Declined | NotSent | Unknown)]
