"""The checker of orders that are made anew where no key protects: it takes a proof, or a person's word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.faults.campaign.facts import Facts
from tests.faults.campaign.makers import KEYLESS
from worker.rules.states import Event, State

MADE_NOTHING = ("NotSent", "Declined", "Refused")
"""Outcomes of an attempt that made no order for certain; a later send needs nobody's word."""
CAME_BACK = "its worker came back"
"""Begins the note where a worker that was taken for lost told that its own request never left."""
ABSENT = "a person says that it does not exist"
"""Stands in the note of a person's word that an order does not exist at the marketplace."""
ON_A_WORD = "made anew because a person said"
"""Stands in the note of the program where it takes that word, after one more look-up."""
BY_ITSELF = "RECREATE_AFTER_SECONDS"
"""Stands in the note of the program where an account has opted in to orders being made anew."""
PEOPLE = ("cli:", "task:")
"""How the actor of a person's word begins."""


def is_word(event: Any) -> bool:
    """Tell whether a person says of an unknown order that it does not exist, so that it may be made anew."""
    said = event.actor.startswith(PEOPLE) and ABSENT in (event.note or "")
    return bool(said and event.from_state == State.UNKNOWN and event.event in (Event.SNOOZE, Event.RETRY))


def is_proof(event: Any) -> bool:
    """Tell whether an unknown order goes again because its last send is proven never to have left."""
    return _goes_again(event) and (event.note or "").startswith(CAME_BACK)


def is_by_itself(event: Any) -> bool:
    """Tell whether an unknown order goes again because its account has opted in to that."""
    return _goes_again(event) and BY_ITSELF in (event.note or "")


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
    last, told = None, False
    for event in history:
        if event.event == Event.CLAIM and doubtful is not None:
            why = f"{last.actor}: {last.note}" if last is not None else "nobody said why"
            yield f"{order_id} was sent again at {event.at:.2f} after epoch {doubtful} may have arrived ({why})"
            doubtful = None  # said once, however often its account then lets it wait
        if event.from_state == State.PLACING:
            told = False  # a word is about the sends before it
            if outcomes.get(event.epoch) not in MADE_NOTHING:
                doubtful = event.epoch
        told = told or is_word(event)
        if _settles(event, told) or event.event == Event.REFUSE:
            doubtful = None  # what its content is refused for, it was refused for before
        if _goes_again(event):
            last = event


def _settles(event: Any, told: bool) -> bool:
    """Tell whether a move to send again is right. `told`: a person said before that the order does not exist."""
    on_a_word = event.actor.startswith(PEOPLE) or ON_A_WORD in (event.note or "")
    return is_proof(event) or (_goes_again(event) and told and on_a_word)
