"""The checker of orders that are made anew where no key protects: it takes a proof, or a person's word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.faults.campaign.facts import Facts
from tests.faults.campaign.makers import KEYLESS
from worker.ledger.states import Event, State

MADE_NOTHING = ("NotSent", "Throttled", "Refused")
"""Outcomes of an attempt that made no order for certain; a later send needs nobody's word."""
NEVER_LEFT = "never left"
"""Stands in the note of the program's own retry of an unknown order: a mark on disk proves that it was not sent."""
PEOPLE = ("cli", "task:")
"""How the actor of a person's word begins."""


def is_word(event: Any) -> bool:
    """Tell whether an unknown order goes again because a person said that it does not exist."""
    return _goes_again(event) and event.actor.startswith(PEOPLE)


def is_proof(event: Any) -> bool:
    """Tell whether an unknown order goes again because its send is proven never to have left."""
    return _goes_again(event) and NEVER_LEFT in (event.note or "")


def _goes_again(event: Any) -> bool:
    return bool((event.event, event.from_state) == (Event.RETRY, State.UNKNOWN))


def made_anew(facts: Facts) -> Iterator[str]:
    """Sent again after a send that may have arrived, without a proof that it never left and without a person's word."""
    for order_id, row in facts.orders.items():
        if row.marketplace in KEYLESS and row.account not in facts.recreating:
            outcomes = {attempt.epoch: attempt.outcome for attempt in facts.attempts.get(order_id, [])}
            yield from _blind_sends(order_id, facts.events.get(order_id, []), outcomes)


def _blind_sends(order_id: str, history: list[Any], outcomes: dict[int, str | None]) -> Iterator[str]:
    doubtful: int | None = None
    last = None
    for event in history:
        if event.event == Event.CLAIM and doubtful is not None:
            why = f"{last.actor}: {last.note}" if last is not None else "nobody said why"
            yield f"{order_id} was sent again at {event.at:.2f} after epoch {doubtful} may have arrived ({why})"
            doubtful = None  # said once, however often its account then lets it wait
        if event.from_state == State.PLACING and outcomes.get(event.epoch) not in MADE_NOTHING:
            doubtful = event.epoch
        if is_word(event) or is_proof(event) or event.event == Event.REFUSE:
            doubtful = None  # what its content is refused for, it was refused for before
        if _goes_again(event):
            last = event
