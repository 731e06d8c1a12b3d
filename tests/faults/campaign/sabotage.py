"""Switches one guard of the product off, then runs Celery: the campaign must notice, or it proves nothing.

For tests only; started in place of `python -m celery`. Nothing in the product knows of it.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from tests.faults.campaign.life_sabotage import LIFE_GUARDS
from worker.ledger.acts import Acts
from worker.ledger.claims import Claims
from worker.ledger.engine import Ledger
from worker.ledger.moves import lock
from worker.ledger.records import Records
from worker.ledger.tables import order_versions
from worker.marketplaces import REGISTRY
from worker.rules import place as rules
from worker.rules.codes import Code
from worker.rules.decision import Decision
from worker.rules.outcomes import Absent, NotSent, PlaceOutcome, Unknown
from worker.rules.states import Event
from worker.rules.values import Claim, Moved, Sent
from worker.sending import recorder
from worker.steps import place as steps
from worker.steps import reconcile


def attempt_first() -> None:
    """Send before the claim is written: the row is committed only when the answer is there."""
    held: dict[str, list[Any]] = {}
    claim, record = Claims.claim, Records.record

    def claim_later(self: Claims, account: str, ids: Sequence[str], *rest: Any, **more: Any) -> list[Claim]:
        claims = claim(Claims(_rolled_back(self.ledger)), account, ids, *rest, **more)
        for one in claims:
            held[one.order_id] = [account, *rest]
        return claims

    def record_then(self: Records, sent: Sequence[Sent], *rest: Any) -> list[Moved]:
        for one in sent:
            if one.claim.order_id in held:
                account, *terms = held.pop(one.claim.order_id)
                claim(Claims(self.ledger), account, [one.claim.order_id], *terms)
        return record(self, sent, *rest)

    Claims.claim = claim_later  # type: ignore[method-assign]
    Records.record = record_then  # type: ignore[assignment, method-assign]


def _rolled_back(ledger: Ledger) -> Ledger:
    """Return a ledger that shows whoever writes what it wrote, and then undoes it."""

    @contextmanager
    def undone() -> Iterator[Connection]:
        with ledger.engine.connect() as connection:
            transaction = connection.begin()
            yield connection
            transaction.rollback()

    other = copy.copy(ledger)
    other.writing = undone  # type: ignore[method-assign]
    return other


def fencing() -> None:
    """A worker that slept through its lease sends and writes as if it still held the order."""
    steps.may_send_until = lambda *_: float("inf")  # type: ignore[attr-defined]
    record = Records.record

    def record_anyway(self: Records, sent: Sequence[Sent], *rest: Any) -> list[Moved]:
        with self.ledger.reading() as connection:
            rows = {row.order_id: row.epoch for row in lock(connection, [one.claim.order_id for one in sent])}
        newer = [_with_epoch(one, rows[one.claim.order_id]) for one in sent]
        return record(self, newer, *rest)

    Records.record = record_anyway  # type: ignore[assignment, method-assign]


def _with_epoch(one: Sent, epoch: int) -> Sent:
    return replace(one, claim=replace(one.claim, epoch=epoch))


def stable_key() -> None:
    """A key for each attempt instead of one for each order."""
    _key_of(lambda claim: f"{claim.order_id}.{claim.number}" if claim.number > 1 else claim.order_id)


def unknown() -> None:
    """A lost answer counts as "never arrived": the order goes again at once, as a new one."""
    decide = rules.decide

    def decide_blindly(outcome: Any, *rest: Any, **more: Any) -> Any:
        if isinstance(outcome, Unknown) and not outcome.references:
            outcome = NotSent(outcome.cause)
        return decide(outcome, *rest, **more)

    recorder.decide = decide_blindly  # type: ignore[attr-defined]
    _key_of(lambda claim: f"{claim.order_id}.{claim.spent}" if claim.spent > 1 else claim.order_id)


def _key_of(choose: Callable[[Claim], str]) -> None:
    """Let another word be the key of a send."""
    call = steps.Place._call

    async def call_with(self: steps.Place, marketplace: Any, claim: Claim) -> PlaceOutcome:
        rekeyed: Any = _Rekeyed(marketplace, choose(claim))
        return await call(self, rekeyed, claim)

    steps.Place._call = call_with  # type: ignore[method-assign]


class _Rekeyed:
    """A marketplace that is given another key than the order's."""

    def __init__(self, plain: Any, key: str) -> None:
        self._plain, self._key = plain, key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def place(self, order: Any, key: str) -> Any:
        """Place it under the other key."""
        return self._plain.place(order, self._key)


def window() -> None:
    """Nobody looks how long ago the key was first used; the marketplace forgets it after seconds."""
    for marketplace in REGISTRY.values():
        if marketplace.resend_window is not None:
            marketplace.resend_window = timedelta(days=365)


def window_held() -> None:
    """No sabotage: the same forgetful marketplace, and a window that is shorter than its memory."""
    for marketplace in REGISTRY.values():
        if marketplace.resend_window is not None:
            marketplace.resend_window = timedelta(seconds=2)


def made_anew() -> None:
    """Where no key protects, what three look-ups over a minute did not find is made anew, without anybody's word."""
    decide = reconcile.decide_unknown  # type: ignore[attr-defined]

    def decide_soon(order: Any, ability: Any, seen: Any, *rest: Any, **more: Any) -> Decision:
        if order.references or not isinstance(seen, Absent):
            return decide(order, ability, seen, *rest, **more)
        now = time.time()
        if order.absences + 1 < LOOK_UPS or now - (order.absent_since or now) < LOOK_UPS_SECONDS:
            return Decision(Event.SNOOZE, LOOK_UPS_SECONDS / 2, code=Code.NOT_FOUND_YET, reason=seen.cause)
        return Decision(Event.RETRY, 0.0, reason=f"not found in {order.absences + 1} look-ups: made anew")

    reconcile.decide_unknown = decide_soon  # type: ignore[attr-defined]


LOOK_UPS, LOOK_UPS_SECONDS = 3, 60.0


def acts_resumed() -> None:
    """An act whose process died is not gone on with."""
    Acts.unfinished = lambda self, now: []  # type: ignore[method-assign]


def amended_body() -> None:
    """What an order was before its amendment is what is sent."""
    call = steps.Place._call

    async def call_with(self: steps.Place, marketplace: Any, claim: Claim) -> PlaceOutcome:
        first = select(order_versions.c.body).where(
            order_versions.c.order_id == claim.order_id, order_versions.c.version == 1
        )
        with self.claims.ledger.reading() as connection:
            before = connection.execute(first).scalar()
        return await call(self, marketplace, replace(claim, body=before or claim.body))

    steps.Place._call = call_with  # type: ignore[method-assign]


def sweep() -> None:
    """Nobody rings again; the campaign starts no beat."""


GUARDS: dict[str, Callable[[], None]] = {
    "attempt-first": attempt_first,
    "fencing": fencing,
    "stable-key": stable_key,
    "unknown": unknown,
    "window": window,
    "window-held": window_held,
    "made-anew": made_anew,
    "acts-resumed": acts_resumed,
    "amended-body": amended_body,
    "sweep": sweep,
    **LIFE_GUARDS,
}


def main() -> None:
    """Switch the guard off and be `celery` from then on."""
    from celery.__main__ import main as celery

    GUARDS[sys.argv[1]]()
    sys.argv = ["celery", *sys.argv[2:]]
    print(f"sabotaged at {time.time():.0f}", file=sys.stderr)
    celery()


if __name__ == "__main__":
    main()
