"""The checkers: each looks at ledger, history and oracle, and names every order that breaks one promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.faults.campaign.acting import acts_done, amended_sent, closed_stays
from tests.faults.campaign.anew import made_anew
from tests.faults.campaign.facts import CLOCK_SECONDS, Facts
from tests.faults.campaign.life_checks import LIFE_CHECKERS
from tests.faults.campaign.makers import MARKETS
from worker.rules.states import MOVES, Event, State

CONFIRM_FLOOR_SECONDS = 10.0
RESEND_WINDOW_SECONDS = 22 * 3600.0
NOT_FOUND = "NOT_FOUND"
"""The code of an order that look-ups do not find, where no key protects: a person says what becomes of it."""
FINAL = ("confirmed", "refused", "dead", "cancelled")
Checker = Callable[[Facts], Iterator[str]]


def duplicates(facts: Facts) -> Iterator[str]:
    """Two orders at the marketplace for one of ours."""
    for (marketplace, content), made in facts.by_content.items():
        if len(made) > 1:
            keys = ", ".join(f"{order['key']} at {order['created_at']:.2f}" for order in made)
            yield f"{marketplace} content {content}: {len(made)} orders ({keys})"


def lost(facts: Facts) -> Iterator[str]:
    """Acknowledged to a client and not in the ledger; counted by a batch and not in the ledger."""
    for order_id in sorted(facts.acknowledged - facts.orders.keys()):
        yield f"{order_id} was acknowledged and is not in the ledger"
    counted: dict[str, int] = {}
    for row in facts.orders.values():
        counted[row.batch_id] = counted.get(row.batch_id, 0) + 1
    for batch_id, batch in facts.batches.items():
        if batch.accepted != counted.get(batch_id, 0):
            yield f"{batch_id} says {batch.accepted} accepted, the ledger holds {counted.get(batch_id, 0)}"
    for batch_id, told in facts.batches_told.items():
        held = facts.batches.get(batch_id)
        if held is None or held.accepted != told["accepted"]:
            yield f"{batch_id} told its client {told['accepted']}, the ledger says {held and held.accepted}"


def stuck(facts: Facts) -> Iterator[str]:
    """Neither final nor waiting for a person with a reason."""
    for order_id, row in facts.orders.items():
        if row.closed_at is not None:
            continue  # a person has done with it; that it rests is another checker's business
        parked = row.state in ("unknown", "unmatched") and row.attention and row.reason
        if parked and (row.due_at is None or row.code == NOT_FOUND):  # looking goes on slowly meanwhile
            continue
        if row.state not in FINAL:
            yield f"{order_id} is {row.state} ({row.code}), due {row.due_at}, lease {row.lease_until}"


def false_confirmed(facts: Facts) -> Iterator[str]:
    """Confirmed, and the marketplace has no such order, or not under that id."""
    for order_id, row in facts.orders.items():
        if row.state != "confirmed":
            continue
        known = {reference for order in facts.at_oracle(order_id) for reference in order["references"]}
        ours = facts.references.get(order_id, set())
        if not ours or not ours <= known:
            yield f"{order_id} is confirmed with {sorted(ours)}, the marketplace made {sorted(known)}"
        elif facts.results.get(order_id) != ours:
            yield f"{order_id} is confirmed with {sorted(ours)}, read were {sorted(facts.results.get(order_id, set()))}"
        elif not any(order["gets"] for order in facts.at_oracle(order_id)):
            yield f"{order_id} is confirmed and nobody ever read it"


def false_no(facts: Facts) -> Iterator[str]:
    """Refused, dead or cancelled, and the marketplace has it."""
    for order_id, row in facts.orders.items():
        made = facts.at_oracle(order_id)
        if row.state in ("refused", "dead", "cancelled") and made:
            yield f"{order_id} is {row.state} ({row.code}), the marketplace made {made[0]['references']}"


def read_too_soon(facts: Facts) -> Iterator[str]:
    """Read back, or confirmed, sooner than ten seconds after its create."""
    floor = CONFIRM_FLOOR_SECONDS - CLOCK_SECONDS
    for order in facts.oracle:
        reads = order["gets"] if MARKETS[order["marketplace"]].gets_are_reads else []
        confirmed = [event.at for event in facts.events.get(order["key"], []) if event.event == "confirm"]
        if order is not facts.by_key[order["account"], order["key"]][0]:
            confirmed = []  # that it was made a second time is another checker's business
        soon = [
            at - order["created_at"]
            for at in (*reads, *confirmed)
            if at - order["created_at"] < floor and not facts.under_a_wrong_clock(order["created_at"], at)
        ]
        if soon:
            yield f"{order['key']} was read {min(soon):.3f} s after its create"


def outside_window(facts: Facts) -> Iterator[str]:
    """Sent again later than its key is safe (the 24 hours themselves are the simulation's)."""
    for order in facts.oracle:
        if max(order["creates"]) - order["created_at"] > RESEND_WINDOW_SECONDS:
            yield f"{order['key']} was sent again {max(order['creates']) - order['created_at']:.0f} s later"


def keys_changed(facts: Facts) -> Iterator[str]:
    """The marketplace was given a key that is not the order's own."""
    for order in facts.oracle:
        made = facts.made.get(order["key"])
        if made is None or (made.account, made.content) != (order["account"], order["content"]):
            yield f"content {order['content']} of {order['account']} came under the key {order['key']!r}"


def illegal_moves(facts: Facts) -> Iterator[str]:
    """A history that does not hang together, or has a move the state machine does not know."""
    for order_id, row in facts.orders.items():
        state = "queued"
        for event in facts.events.get(order_id, []):
            if event.from_state != state:
                yield f"{order_id}: {event.event} begins at {event.from_state}, the one before ended at {state}"
            if MOVES.get((State(event.from_state), Event(event.event))) != event.to_state:
                yield f"{order_id}: no move {event.event} from {event.from_state} to {event.to_state}"
            state = event.to_state
        if state != row.state:
            yield f"{order_id} is {row.state}, its history ends at {state}"


def old_epochs(facts: Facts) -> Iterator[str]:
    """A claim that was not closed by the worker that held it (or by the sweep), before its order moved on."""
    for order_id, row in facts.orders.items():
        tries = {attempt.epoch: attempt for attempt in facts.attempts.get(order_id, [])}
        claims = [event.epoch for event in facts.events.get(order_id, []) if event.event == "claim"]
        if claims != list(range(1, row.epoch + 1)) or sorted(tries) != claims:
            yield f"{order_id}: claims {claims}, attempts {sorted(tries)}, epoch {row.epoch}"
        last = 0
        for event in facts.events.get(order_id, []):
            if event.epoch < last:
                yield f"{order_id}: {event.event} under epoch {event.epoch} after {last}"
            last = event.epoch
            if event.from_state == "placing":
                yield from _closed(order_id, event, tries)


def _closed(order_id: str, event: object, tries: dict[int, object]) -> Iterator[str]:
    attempt = tries.get(event.epoch)  # type: ignore[attr-defined]
    outcome, closed_at = getattr(attempt, "outcome", None), getattr(attempt, "closed_at", None)
    if outcome is None or closed_at is None or closed_at > event.at + CLOCK_SECONDS:  # type: ignore[attr-defined]
        yield f"{order_id}: {event.event} ended epoch {event.epoch}, whose attempt was {outcome} at {closed_at}"  # type: ignore[attr-defined]


def sent_without_lease(facts: Facts) -> Iterator[str]:
    """A create that reached the marketplace while nobody held the order, or before its attempt was written.

    Nobody can look at the clock between the last look and the first byte: a program that stands still there sends one
    create too late when it goes on. It must not be two.
    """
    forgiven: set[float] = set()
    for create in facts.late_creates():
        if create.frozen_at is not None and create.frozen_at not in forgiven:
            forgiven.add(create.frozen_at)
        else:
            yield f"{create.order_id} reached the marketplace at {create.at:.2f}, its claim was at {create.claimed_at}"


def record_disagrees(facts: Facts) -> Iterator[str]:
    """The oracle's two records, the one in its memory and the one on disk, must tell the same."""
    told = sorted((order["account"], order["key"], order["created_at"]) for order in facts.oracle)
    kept = sorted((order["account"], order["key"], order["created_at"]) for order in facts.committed)
    if told != kept:
        yield f"{len(told)} orders in its memory, {len(kept)} on disk"


def acts(facts: Facts) -> Iterator[str]:
    """An act on many orders that did not end, or whose verdicts and the orders' histories disagree."""
    yield from acts_done(facts.acted, facts.events)


def amended(facts: Facts) -> Iterator[str]:
    """An order that was amended and made as it was before."""
    yield from amended_sent(facts.acted, {order_id: facts.at_oracle(order_id) for order_id in facts.acted.amended})


def closed(facts: Facts) -> Iterator[str]:
    """An order that a person closed, and that went on."""
    yield from closed_stays(facts.orders, facts.events)


CHECKERS: dict[str, Checker] = {
    "duplicates": duplicates,
    "made anew without a word": made_anew,
    "lost": lost,
    "stuck": stuck,
    "false confirmed": false_confirmed,
    "false refused, dead or cancelled": false_no,
    "read sooner than 10 s": read_too_soon,
    "sent outside the window": outside_window,
    "keys that changed": keys_changed,
    "illegal moves": illegal_moves,
    "writes by an old epoch": old_epochs,
    "sent without a lease": sent_without_lease,
    "oracle's records disagree": record_disagrees,
    "acts and their verdicts": acts,
    "amended, and made as before": amended,
    "closed, and went on": closed,
    **LIFE_CHECKERS,
}
LEAKS = "personal data or secrets"


def check(facts: Facts) -> dict[str, list[str]]:
    """Run every checker; return what each found."""
    return {name: list(checker(facts)) for name, checker in CHECKERS.items()}
