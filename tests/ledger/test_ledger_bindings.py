"""What an order was sent with: under other settings of its account it is neither sent again nor looked up."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from tests.ledger.ledger_kit import LEASE, POLICY, job, place_one, reconcile, row, waiting
from worker.errors import NotAllowed
from worker.ledger.bindings import remember
from worker.ledger.claims import Claims, Terms
from worker.ledger.engine import Ledger
from worker.ledger.intake import open_batch, take
from worker.ledger.operators import Operator
from worker.ledger.records import Records
from worker.ledger.tables import account_bindings
from worker.rules.binding import Binding
from worker.rules.codes import Code
from worker.rules.outcomes import Accepted, NotSent, PlaceOutcome, Refused, Unknown
from worker.rules.place import decide
from worker.rules.states import State
from worker.rules.values import Claim, Sent

WINDOW = 22 * 3600.0


def bound(**changes: str) -> Binding:
    parts = {"marketplace": "aliexpress", "address": "https://live", "app": "1", "buyer": "ada", "tag_prefix": "jq-"}
    return Binding("main", parts | changes)


LIVE = bound()


def submit(ledger: Ledger, order_id: str = "SO-1", binding: Binding = LIVE) -> None:
    take(ledger, open_batch(ledger, "f"), [job(order_id)], [], taken_for={"main": binding.taken_for})


def claim(ledger: Ledger, binding: Binding, *, now: float | None = None, order_id: str = "SO-1") -> list[Claim]:
    return Claims(ledger).claim("main", [order_id], Terms(LEASE, WINDOW, binding), now)


def send(ledger: Ledger, outcome: PlaceOutcome, binding: Binding = LIVE, now: float | None = None) -> None:
    """Claim SO-1 and record what came of it."""
    at = now or time.time()
    (one,) = claim(ledger, binding, now=at)
    Records(ledger).record([Sent(one, outcome, decide(outcome, one, POLICY), at, at + 1)], at)


def unsettled(ledger: Ledger, binding: Binding = LIVE) -> float:
    """Lose the reply to SO-1 and have it queued to be sent again under its key; return when it is due."""
    submit(ledger)
    send(ledger, Unknown("cut"), binding)
    reconcile(ledger, time.time() + 100)
    return time.time() + 200


def test_an_order_remembers_what_it_was_first_sent_with(ledger: Ledger) -> None:
    submit(ledger)
    assert claim(ledger, LIVE)
    assert row(ledger).binding == LIVE.id
    with ledger.reading() as connection:
        (kept,) = connection.execute(select(account_bindings))
    assert kept.parts == dict(LIVE.parts)


@pytest.mark.parametrize(
    "change",
    [
        {"address": "http://127.0.0.1:8900"},
        {"app": "2"},
        {"buyer": "bob"},
        {"tag_prefix": "xx-"},
    ],
)
def test_an_order_in_doubt_is_not_sent_again_with_anything_else(ledger: Ledger, change: dict[str, str]) -> None:
    due = unsettled(ledger)
    assert claim(ledger, bound(**change), now=due) == []
    order = row(ledger)
    assert (order.state, order.attention, order.code) == ("unknown", True, Code.ACCOUNT_CHANGED)
    assert order.due_at == pytest.approx(due + 900), "it goes on by itself when the account is set back"
    assert "sent with another" in order.reason


def test_what_changed_is_named_and_a_buyer_is_not(ledger: Ledger) -> None:
    due = unsettled(ledger)
    claim(ledger, bound(address="http://127.0.0.1:8900", buyer="bob"), now=due)
    told = row(ledger).reason + row(ledger).fix
    assert "address (https://live, now http://127.0.0.1:8900)" in told
    assert "ada" not in told
    assert "bob" not in told


def test_set_back_it_goes_on(ledger: Ledger) -> None:
    due = unsettled(ledger)
    claim(ledger, bound(buyer="bob"), now=due)
    (order,) = waiting(ledger, State.UNKNOWN, "SO-1", now=due + 1000)
    assert Claims(ledger).sent_otherwise([order], LIVE) == {}


def test_an_unknown_order_is_not_looked_up_under_anything_else(ledger: Ledger) -> None:
    submit(ledger)
    send(ledger, Unknown("cut"))
    (order,) = waiting(ledger, State.UNKNOWN, "SO-1", now=time.time() + 100)
    (decision,) = Claims(ledger).sent_otherwise([order], bound(tag_prefix="xx-")).values()
    assert (decision.code, decision.attention) == (Code.ACCOUNT_CHANGED, True)
    assert "tag prefix (jq-, now xx-)" in (decision.reason or "")


@pytest.mark.parametrize(("change", "stops"), [({"buyer": "bob"}, False), ({"address": "http://127.0.0.1"}, True)])
def test_a_placed_order_is_read_back_by_whoever_may_read_it_at_the_same_place(
    ledger: Ledger, change: dict[str, str], stops: bool
) -> None:
    submit(ledger)
    send(ledger, Accepted(("8198352049851315",)))
    (order,) = waiting(ledger, State.PLACED, "SO-1", now=time.time() + 100)
    assert bool(Claims(ledger).sent_otherwise([order], bound(**change))) is stops


def test_a_persons_word_that_the_buyer_is_the_same_lets_the_orders_go_on(ledger: Ledger) -> None:
    due = unsettled(ledger)
    claim(ledger, bound(buyer="token two"), now=due)
    assert "fulfil accounts same-buyer main" in row(ledger).fix
    _, moved = Operator(ledger, "cli:ada").same_buyer(bound(buyer="token two"))
    assert [one.order_id for one in moved] == ["SO-1"]
    (order,) = waiting(ledger, State.UNKNOWN, "SO-1", now=time.time() + 1)
    assert Claims(ledger).sent_otherwise([order], bound(buyer="token two")) == {}
    assert Claims(ledger).sent_otherwise([order], bound(buyer="token three")) != {}, "said of one token only"


def test_the_word_reaches_from_token_to_token(ledger: Ledger) -> None:
    unsettled(ledger)
    for before, after in (("ada", "two"), ("two", "three")):
        with ledger.writing() as connection:
            remember(connection, bound(buyer=before), time.time())
        Operator(ledger, "cli").same_buyer(bound(buyer=after))
    assert claim(ledger, bound(buyer="three"), now=time.time() + 200)


def test_a_word_mends_no_other_difference(ledger: Ledger) -> None:
    due = unsettled(ledger)
    other = bound(buyer="two", app="2")
    claim(ledger, other, now=due)
    with pytest.raises(NotAllowed, match="nothing to change"):
        Operator(ledger, "cli").same_buyer(other)


def test_orders_taken_in_for_a_rehearsal_never_go_out_for_real(ledger: Ledger) -> None:
    submit(ledger, binding=bound(address="http://127.0.0.1:8900/sync"))
    assert claim(ledger, LIVE) == []
    order = row(ledger)
    assert (order.state, order.attention, order.code) == ("queued", True, Code.ACCOUNT_CHANGED)
    assert order.due_at is None
    assert "it was never sent" in order.reason
    assert claim(ledger, LIVE, now=time.time() + 9e6) == []


def test_a_person_may_send_such_an_order_to_the_present_address(ledger: Ledger) -> None:
    submit(ledger, binding=bound(address="http://127.0.0.1:8900/sync"))
    claim(ledger, LIVE)
    Operator(ledger, "cli").retry("SO-1")
    assert len(claim(ledger, LIVE)) == 1


@pytest.mark.parametrize("outcome", [NotSent("no connection"), Refused("X", "no", "f")])
def test_also_an_order_the_rehearsal_surely_did_not_make_needs_that_word(ledger: Ledger, outcome: PlaceOutcome) -> None:
    sandbox = bound(address="http://127.0.0.1:8900/sync")
    submit(ledger, binding=sandbox)
    send(ledger, outcome, sandbox)
    Operator(ledger, "cli").retry("SO-1")
    assert claim(ledger, LIVE, now=time.time() + 60) == []
    assert row(ledger).code == Code.ACCOUNT_CHANGED


def test_a_mended_key_does_not_hold_up_orders_that_were_never_sent(ledger: Ledger) -> None:
    submit(ledger)
    assert len(claim(ledger, bound(app="2", buyer="bob"))) == 1


def test_an_order_of_another_marketplace_is_never_sent_whatever_a_person_says(ledger: Ledger) -> None:
    submit(ledger)
    shop = bound(marketplace="shoplazza")
    for _ in range(2):
        assert claim(ledger, shop) == []
        assert "it is an order for aliexpress" in row(ledger).reason
        Operator(ledger, "cli").retry("SO-1")


def test_an_order_from_before_this_was_kept_is_bound_by_its_next_send(ledger: Ledger) -> None:
    take(ledger, open_batch(ledger, "f"), [job("SO-1")], [])
    place_one(ledger, NotSent("no connection"))
    assert row(ledger).binding is None
    assert len(claim(ledger, LIVE, now=time.time() + 600)) == 1
    assert row(ledger).binding == LIVE.id


def test_a_word_that_an_order_does_not_exist_frees_it_from_what_it_was_sent_with(ledger: Ledger) -> None:
    due = unsettled(ledger)
    claim(ledger, bound(address="https://elsewhere"), now=due)
    Operator(ledger, "cli").absent("SO-1", can_look_up=True, is_alive=lambda _: False)
    order = row(ledger)
    assert (order.state, order.in_doubt, order.binding) == ("queued", False, None)
    assert len(claim(ledger, bound(address="https://elsewhere"), now=time.time() + 1)) == 1
