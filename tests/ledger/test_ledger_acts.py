"""One act for many orders: frozen first, each order moved once, whoever works on it and however often it dies."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select

from tests.ledger.ledger_kit import ACCOUNT, ordered, place_one, row, submit
from worker.errors import NotAllowed
from worker.ledger.acts import Acts
from worker.ledger.engine import Ledger
from worker.ledger.queries import Queries
from worker.ledger.selection import Filter
from worker.ledger.tables import act_orders
from worker.rules.acts import ActKind, Will, forecast
from worker.rules.outcomes import Accepted, Refused, Unknown
from worker.rules.reconcile import Ability
from worker.rules.values import Moved
from worker.steps import act as act_step
from worker.steps.act import Act

NO = Refused("SKU_NOT_EXIST", "no such variant", "choose another")


class _Accounts:
    def ability(self, account: str) -> Ability:
        return Ability(can_look_up=True, resend_window_seconds=None)


class _Graves:
    def is_alive(self, _: str) -> bool:
        return False


class _Bell:
    def __init__(self) -> None:
        self.moved: list[Moved] = []

    def follow(self, moved: list[Moved], at_once: bool = False) -> None:
        self.moved += moved


def act(ledger: Ledger) -> tuple[Act, _Bell]:
    bell: Any = _Bell()
    accounts: Any = _Accounts()
    graves: Any = _Graves()
    return Act(ledger, Acts(ledger), accounts, graves, bell), bell


def frozen(ledger: Ledger, kind: ActKind, wanted: Filter | None = None) -> str:
    return Acts(ledger).freeze(kind, wanted or Filter(), "cli:anna", "desk", "why")


def refuse(ledger: Ledger, *order_ids: str) -> None:
    submit(ledger, *order_ids)
    for order_id in order_ids:
        place_one(ledger, NO, order_id)


def test_every_order_that_was_frozen_is_moved_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act_step, "GROUP", 3)
    refuse(ledger, *(f"SO-{n}" for n in range(8)))
    step, bell = act(ledger)
    act_id = frozen(ledger, ActKind.RETRY, Filter(state="refused"))
    submit(ledger, "SO-late")
    assert Queries(ledger).counts() == {"refused": 8, "queued": 1}, "a forecast does nothing"
    step.acts.begin(act_id)
    done = step.run(act_id)
    assert (done.total, done.done, done.skipped, done.changed) == (8, 8, 0, 0)
    assert done.ended_at is not None
    assert sorted(moved.order_id for moved in bell.moved) == [f"SO-{n}" for n in range(8)]
    assert step.run(act_id) == done
    assert len(bell.moved) == 8


def test_what_stands_elsewhere_by_now_is_left_alone_and_told(ledger: Ledger) -> None:
    refuse(ledger, "SO-1", "SO-2")
    act_id = frozen(ledger, ActKind.CANCEL)
    ordered(ledger, "retry", "SO-1")
    step, _ = act(ledger)
    step.acts.begin(act_id)
    done = step.run(act_id)
    assert (done.done, done.changed) == (1, 1)
    assert step.acts.left_out(act_id) == [("SO-1", "changed", "it was refused and is queued")]
    assert row(ledger, "SO-1").state == "queued"


def test_what_its_state_forbids_is_skipped_with_its_reason(ledger: Ledger) -> None:
    refuse(ledger, "SO-1")
    submit(ledger, "SO-2")
    place_one(ledger, Accepted(("4711",)), "SO-2")
    act_id = frozen(ledger, ActKind.CANCEL)
    step, _ = act(ledger)
    step.acts.begin(act_id)
    assert step.run(act_id).skipped == 1
    [(order_id, outcome, reason)] = step.acts.left_out(act_id)
    assert (order_id, outcome) == ("SO-2", "skipped")
    assert "only queued, refused and dead orders can be cancelled" in (reason or "")


def test_two_that_work_on_one_act_share_it(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act_step, "GROUP", 2)
    refuse(ledger, *(f"SO-{n}" for n in range(12)))
    act_id = frozen(ledger, ActKind.RETRY)
    Acts(ledger).begin(act_id)
    both = [act(ledger) for _ in range(2)]
    threads = [threading.Thread(target=step.run, args=(act_id,)) for step, _ in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moved = [one.order_id for _, bell in both for one in bell.moved]
    assert sorted(moved) == sorted(f"SO-{n}" for n in range(12)), "each once"
    assert Acts(ledger).find(act_id).ended_at is not None


def test_an_act_whose_worker_died_is_found_and_goes_on(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act_step, "GROUP", 1)
    refuse(ledger, "SO-1", "SO-2")
    act_id = frozen(ledger, ActKind.RETRY)
    step, bell = act(ledger)
    step.acts.begin(act_id)
    assert step._group(step.acts.find(act_id))
    began = step.acts.find(act_id)
    assert (began.done, began.ended_at) == (1, None)
    assert step.acts.unfinished(0.0) == []
    assert step.acts.unfinished(9e9) == [act_id]
    step.run(act_id)
    assert step.acts.unfinished(9e9) == []
    assert [one.order_id for one in bell.moved] == ["SO-1", "SO-2"]


def test_an_act_that_was_only_forecast_is_never_done(ledger: Ledger) -> None:
    refuse(ledger, "SO-1")
    act_id = frozen(ledger, ActKind.RETRY)
    step, bell = act(ledger)
    assert step.run(act_id).begun_at is None
    assert (bell.moved, step.acts.unfinished(9e9)) == ([], [])


def test_the_set_is_what_the_filter_says(ledger: Ledger) -> None:
    refuse(ledger, "SO-1", "SO-2", "AB-3")
    submit(ledger, "SO-4", account=ACCOUNT)
    for wanted, chosen in [
        (Filter(state="refused"), ["AB-3", "SO-1", "SO-2"]),
        (Filter(code="SKU_NOT_EXIST", text="so-"), ["SO-1", "SO-2"]),
        (Filter(text="%"), []),
        (Filter(ids=("SO-4",)), ["SO-4"]),
        (Filter(since=9e9), []),
        (Filter(until=1.0), []),
    ]:
        act_id = frozen(ledger, ActKind.RETRY, wanted)
        with ledger.reading() as connection:
            query = select(act_orders.c.order_id).where(act_orders.c.act_id == act_id)
            assert sorted(connection.execute(query).scalars()) == chosen


def test_a_closed_order_needs_nobody_and_nothing_more_is_done_about_it(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Accepted((), "REPEATED_ORDER_ERROR"))
    assert row(ledger).attention
    ordered(ledger, "close", note="found and paid by hand")
    assert (row(ledger).state, row(ledger).attention, row(ledger).due_at) == ("unmatched", False, None)
    assert Queries(ledger).attention_count() == 0
    assert Queries(ledger).moving_count() == 0
    for kind in ("retry", "reconcile", "absent", "cancel", "close"):
        with pytest.raises(NotAllowed, match="was closed by a person"):
            ordered(ledger, kind)


@pytest.mark.parametrize(
    ("outcome", "attention"), [(Accepted(("4711",)), False), (Unknown("cut"), False)], ids=["placed", "unknown"]
)
def test_what_goes_on_by_itself_cannot_be_closed(ledger: Ledger, outcome: Any, attention: bool) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, outcome)
    assert row(ledger).attention is attention
    with pytest.raises(NotAllowed, match="nothing to close"):
        ordered(ledger, "close", note="x")


def test_the_forecast_says_what_the_act_does(ledger: Ledger) -> None:
    refuse(ledger, "SO-1")
    looked_up, keyed = Ability(True, None), Ability(False, 3600.0)
    assert forecast(ActKind.RETRY, row(ledger), looked_up, [], 1.0) is Will.SEND
    assert forecast(ActKind.RECONCILE, row(ledger), looked_up, [], 1.0) is Will.LEAVE
    assert forecast(ActKind.CLOSE, row(ledger), None, [], 1.0) is Will.CLOSE
    submit(ledger, "SO-2")
    place_one(ledger, Unknown("cut"), "SO-2")
    unknown = row(ledger, "SO-2")
    sent_at = unknown.first_sent_at
    assert forecast(ActKind.RETRY, unknown, looked_up, [], sent_at + 9e6) is Will.LOOK_UP
    assert forecast(ActKind.RETRY, unknown, keyed, [], sent_at + 10) is Will.RESEND
    assert forecast(ActKind.RETRY, unknown, keyed, [], sent_at + 3601) is Will.PARK
    assert forecast(ActKind.ABSENT, unknown, keyed, [], sent_at) is Will.MAKE_ANEW
    assert forecast(ActKind.ABSENT, unknown, keyed, ["a process"], sent_at) is Will.LEAVE
