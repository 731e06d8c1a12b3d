"""The campaign's checkers themselves: what each must find, and what each must forgive; no process is started."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults.campaign.acting import Acted, acts_done, amended_sent, closed_stays
from tests.faults.campaign.anew import made_anew
from tests.faults.campaign.checks import NOT_FOUND, read_too_soon, sent_without_lease, stuck
from tests.faults.campaign.facts import Facts
from tests.faults.campaign.hosts import straight
from tests.faults.campaign.options import Options

AT = 1_700_000_000.0
PROOF = "its worker came back: its time ran out before it was sent"
ABSENT = "a person says that it does not exist at the marketplace"
LOOKED_UP = "looked up once more and not found; made anew because a person said that it does not exist"
OPTED_IN = "looked up 9 times and not found; made anew because the account's RECREATE_AFTER_SECONDS says so"


def facts(**given: Any) -> Facts:
    empty: dict[str, Any] = {
        "options": Options(lease_seconds=6.0), "made": {}, "acknowledged": set(), "batches_told": {}, "orders": {},
        "events": {}, "attempts": {}, "references": {}, "results": {}, "batches": {}, "oracle": [], "committed": [],
    }  # fmt: skip
    return Facts(**empty | given)


def event(
    event: str, from_state: str, epoch: int, actor: str = "worker", note: str | None = None, at: float = AT
) -> Any:
    return SimpleNamespace(event=event, from_state=from_state, epoch=epoch, actor=actor, note=note, at=at)


def sent_twice(outcome: str, between: list[Any], marketplace: str = "shoplazza", **more: Any) -> Facts:
    """Return what is known of an order that was sent again after a send with this outcome."""
    history = [event("claim", "queued", 1), event("lose", "placing", 1), *between, event("claim", "queued", 2)]
    attempts = [SimpleNamespace(epoch=1, outcome=outcome), SimpleNamespace(epoch=2, outcome="Accepted")]
    order = SimpleNamespace(marketplace=marketplace, account="sho1")
    return facts(orders={"SO-1": order}, events={"SO-1": history}, attempts={"SO-1": attempts}, **more)


def again(actor: str, note: str | None = None) -> list[Any]:
    """Return the move of an unknown order that goes again; a person says why unless something else is given."""
    return [event("retry", "unknown", 1, actor, note or f"made anew: {ABSENT}")]


def word(actor: str = "cli:anna", note: str = f"{ABSENT}; it is looked up once more") -> list[Any]:
    """Return a person's word, after which it is looked up once more."""
    return [event("snooze", "unknown", 1, actor, note)]


def test_what_may_have_arrived_and_is_sent_again_by_the_program_is_told() -> None:
    (told,) = made_anew(sent_twice("Unknown", again("worker", "not found in 3 look-ups: made anew")))
    assert told.startswith("SO-1 was sent again at ")
    waits = [event("snooze", "placing", 2), event("claim", "queued", 3)]
    given = sent_twice("Unknown", again("worker"))
    given.events["SO-1"] += waits
    given.attempts["SO-1"][1].outcome = "Declined"
    assert len(list(made_anew(given))) == 1, "said once"
    assert "worker: not found in 3 look-ups" in told


@pytest.mark.parametrize(
    ("outcome", "between"),
    [
        ("NotSent", again("worker")),
        ("Declined", []),
        ("Refused", []),
        ("Unknown", again("cli:anna")),
        ("Unknown", again("task:flower")),
        ("Unknown", [*word(), *again("worker", LOOKED_UP)]),
        ("Unknown", [*word("task:flower"), *word("worker", "LOOK_UP_FAILED"), *again("worker", LOOKED_UP)]),
        ("Unknown", again("worker", PROOF)),
        ("Unknown", [event("refuse", "placing", 1)]),
    ],
)
def test_what_surely_made_nothing_is_proven_or_told_by_a_person_may_be_sent_again(outcome: str, between: Any) -> None:
    assert list(made_anew(sent_twice(outcome, between))) == []


@pytest.mark.parametrize(
    "between",
    [
        again("worker", LOOKED_UP),
        [*word("worker"), *again("worker", LOOKED_UP)],
        [*word(note="to be settled"), *again("worker", LOOKED_UP)],
        [*word(), *again("worker", "not found in 3 look-ups: made anew")],
        again("worker", OPTED_IN),
        [],
    ],
    ids=["nobody said it", "the worker said it", "another word", "another reason", "not opted in", "no reason"],
)
def test_the_programs_own_word_is_nobodys_word(between: list[Any]) -> None:
    assert len(list(made_anew(sent_twice("Unknown", between)))) == 1


@pytest.mark.parametrize("again_by", ["worker", "cli:anna"])
def test_a_word_counts_for_the_sends_before_it_only(again_by: str) -> None:
    given = sent_twice("Unknown", [*word(), *again("worker", LOOKED_UP)])
    given.attempts["SO-1"][1].outcome = "Unknown"
    unfounded = [event("retry", "unknown", 2, again_by, LOOKED_UP)]
    given.events["SO-1"] += [event("lose", "placing", 2), *unfounded, event("claim", "queued", 3)]
    (told,) = made_anew(given)
    assert "after epoch 2" in told


def test_where_a_key_protects_or_the_account_allows_it_an_order_may_be_sent_again() -> None:
    assert list(made_anew(sent_twice("Unknown", again("worker"), "aliexpress"))) == []
    assert list(made_anew(sent_twice("Unknown", again("worker"), recreating=frozenset({"sho1"})))) == []


def created(at: float, **more: Any) -> Facts:
    """Return what is known of an order that was claimed at `AT` and whose create reached the marketplace at `at`."""
    order = {"key": "SO-1", "marketplace": "shoplazza", "content": "1", "account": "sho1", "creates": [at], "gets": []}
    return facts(events={"SO-1": [event("claim", "queued", 1)]}, oracle=[order | {"created_at": at}], **more)


def test_a_send_after_its_lease_is_told_unless_its_program_stood_still_after_its_last_look_at_the_clock() -> None:
    assert len(list(sent_without_lease(created(AT + 80)))) == 1
    assert list(sent_without_lease(created(AT + 5))) == []
    stood_still = {"frozen_sends": [(AT + 1, AT + 79)]}
    assert list(sent_without_lease(created(AT + 80, **stood_still))) == []
    assert len(list(sent_without_lease(created(AT + 85, **stood_still)))) == 1, "long after it went on"
    two = created(AT + 80, **stood_still)
    two.oracle += created(AT + 80.1).oracle
    assert len(list(sent_without_lease(two))) == 1, "a program sends one thing at a time"
    assert len(list(sent_without_lease(created(AT + 80, frozen_sends=[(AT + 20, AT + 79)])))) == 1, "another's send"


def test_a_lease_and_ten_seconds_are_worth_what_the_clock_is_worth() -> None:
    for wrong, found in (((AT - 9, AT + 1), 0), ((AT + 5, AT + 7), 0), ((AT - 9, AT - 1), 1)):
        assert len(list(sent_without_lease(created(AT + 8, wrong_clocks=[wrong])))) == found
    order = {"key": "SO-1", "marketplace": "aliexpress", "content": "1", "account": "ali1", "created_at": AT}
    read = order | {"gets": [AT + 4]}
    assert len(list(read_too_soon(facts(oracle=[read])))) == 1
    assert list(read_too_soon(facts(oracle=[read], wrong_clocks=[(AT + 3, AT + 5)]))) == []


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"state": "unknown", "code": NOT_FOUND, "attention": True, "due_at": AT}, 0),
        ({"state": "unknown", "code": "LOOK_UP_FAILED", "attention": True, "due_at": AT}, 1),
        ({"state": "unknown", "code": NOT_FOUND, "attention": False, "due_at": AT}, 1),
        ({"state": "unknown", "code": "CANNOT_TELL", "attention": True, "due_at": None}, 0),
        ({"state": "placing", "code": None, "attention": False, "due_at": None}, 1),
        ({"state": "queued", "code": None, "attention": False, "due_at": time.time() + 3 * 3600}, 1),
        ({"state": "placing", "code": None, "attention": False, "due_at": None, "lease_until": AT}, 1),
    ],
)
def test_an_order_is_stuck_unless_it_is_final_or_a_person_is_told(row: dict[str, Any], found: int) -> None:
    order = SimpleNamespace(**{"reason": "a reason", "lease_until": None, "closed_at": None, **row})
    assert len(list(stuck(facts(orders={"SO-1": order})))) == found


@pytest.mark.parametrize("hours", [-3, -1, 0, 1, 3])
@pytest.mark.parametrize("before_the_end", [0.0, 60.0, 1700.0])
def test_a_time_that_a_wrong_clock_told_is_put_right(hours: int, before_the_end: float) -> None:
    assert straight(AT - before_the_end + hours * 3600, AT) == AT - before_the_end


def acted(
    kind: str = "retry", *, ended: bool = True, rows: tuple[tuple[str, str | None], ...] = (("SO-1", "done"),)
) -> Acted:
    act = SimpleNamespace(kind=kind, actor="cli:act-1", begun_at=AT, ended_at=AT + 9 if ended else None)
    verdicts = [SimpleNamespace(order_id=order_id, outcome=outcome) for order_id, outcome in rows]
    return Acted({"A-1": act}, {"A-1": verdicts})


def by_the_act(*events: str) -> dict[str, list[Any]]:
    return {"SO-1": [event(one, "refused", 1, "cli:act-1") for one in events]}


def test_an_act_that_ended_with_one_verdict_an_order_that_did_it_is_right() -> None:
    assert list(acts_done(acted(), by_the_act("retry"))) == []
    assert list(acts_done(acted(rows=(("SO-1", "skipped"), ("SO-2", "changed"))), {})) == []
    forecast = acted(ended=False, rows=(("SO-1", None),))
    forecast.acts["A-1"].begun_at = None
    assert list(acts_done(forecast, {})) == [], "it was only said what would happen"


@pytest.mark.parametrize(
    ("given", "events", "words"),
    [
        (acted(ended=False, rows=(("SO-1", None),)), {}, "was begun and has not ended"),
        (acted(rows=(("SO-1", None),)), {}, "has ended without a verdict on SO-1"),
        (acted(), {}, "says done of SO-1, and did: nothing"),
        (acted(), by_the_act("retry", "retry"), "and did: retry, retry"),
        (acted("cancel"), by_the_act("retry"), "(cancel) says done of SO-1, and did: retry"),
        (acted(rows=(("SO-1", "skipped"),)), by_the_act("retry"), "says skipped of SO-1, and did: retry"),
        (acted(rows=(("SO-1", None),), ended=False), by_the_act("retry"), "says None of SO-1, and did: retry"),
        (acted(rows=(("SO-1", "skipped"), ("SO-1", "skipped"))), {}, "has an order more than once"),
    ],
)
def test_what_an_act_did_otherwise_is_told(given: Acted, events: dict[str, list[Any]], words: str) -> None:
    assert any(words in told for told in acts_done(given, events))


def test_an_amended_order_that_was_made_as_before_is_told() -> None:
    given = Acted(amended={"SO-1": 5, "SO-2": 3})
    made = {"SO-1": [{"pieces": 5}], "SO-2": [{"pieces": 1}]}
    (told,) = amended_sent(given, made)
    assert told == "SO-2 holds 3 pieces since it was amended, the marketplace made 1"


def test_a_closed_order_that_goes_on_is_told() -> None:
    def orders(**row: Any) -> dict[str, Any]:
        return {"SO-1": SimpleNamespace(**{"closed_at": AT, "due_at": None, "attention": False, **row})}

    history = [event("refuse", "placing", 1), event("close", "refused", 1, "cli:act-1")]
    assert list(closed_stays(orders(), {"SO-1": history})) == []
    late = [*history, event("accept", "refused", 1)]
    assert list(closed_stays(orders(closed_at=None, attention=True), {"SO-1": late})) == [], (
        "the marketplace's own word"
    )
    for wrong in (orders(closed_at=None), orders(due_at=AT), orders(attention=True)):
        assert len(list(closed_stays(wrong, {"SO-1": history}))) == 1
    (told,) = closed_stays(orders(), {"SO-1": [*history, event("retry", "refused", 1), event("claim", "queued", 2)]})
    assert told == "SO-1 was closed, and after that: retry, claim"
