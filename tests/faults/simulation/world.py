"""The world: real ledger, real decisions; workers that claim, send, sleep, die; a broker that loses and doubles."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field

from tests.faults.simulation.markets import KINDS, Market
from worker.ledger import intake, operators
from worker.ledger.claims import Claims, Terms
from worker.ledger.due import Due
from worker.ledger.engine import Ledger
from worker.ledger.marks import Dead, mark_of
from worker.ledger.records import Records
from worker.orders.jobs import Job
from worker.rules.acts import ActKind
from worker.rules.codes import Code
from worker.rules.confirm import decide_read
from worker.rules.decision import Policy
from worker.rules.outcomes import Found, PlaceOutcome, ReadOutcome, Unknown
from worker.rules.place import decide, may_send_until
from worker.rules.reconcile import counts_as_absence, decide_unknown
from worker.rules.states import State
from worker.rules.values import Claim, Sent, Settled, Waiting

POLICY = Policy(max_attempts=4, base_seconds=2, cap_seconds=60, confirm_delay_seconds=10)
LEASE_SECONDS = 60.0
ANSWER_SECONDS = 20.0
LONGEST_SLEEP_SECONDS = 20 * 3600.0
START = 1_800_000_000.0


TIMED = ("claims", "records", "due", "operators", "intake")
"""Modules of the ledger that ask for the hour."""


class Clock:
    """Stands in for the module `time` where the ledger asks for the hour."""

    def __init__(self) -> None:
        self.now = START

    def time(self) -> float:
        """Return the virtual hour."""
        return self.now

    @staticmethod
    def strftime(*_: object) -> str:
        """Return a batch's name; not what is looked at here."""
        return "B-"

    @staticmethod
    def gmtime(*_: object) -> None:
        """Return nothing: `strftime` does not look at it."""


@dataclass
class Flight:
    """One order in a worker's hands: claimed, perhaps sent, perhaps answered."""

    claim: Claim
    account: str
    sender: str
    outcome: PlaceOutcome | None = None
    sent_at: float = 0.0
    frozen: bool = False
    """Its worker stopped after its last look at the clock: whenever it wakes up, the request leaves."""


@dataclass
class World:
    """Everything there is. Methods are what can happen; each is atomic, as the transactions are."""

    ledger: Ledger
    clock: Clock
    seed: int
    markets: dict[str, Market] = field(default_factory=lambda: {name: kind() for name, kind in KINDS.items()})
    messages: list[tuple[str, list[str]]] = field(default_factory=list)
    """(account, ids): what lies in the broker."""
    flights: list[Flight] = field(default_factory=list)
    accepted: dict[str, str] = field(default_factory=dict)
    """Every order whose intake was acknowledged, and its account."""
    dead: list[Dead] = field(default_factory=list)
    """Workers that died, with what they had noted."""
    senders: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.records = Records(self.ledger, "simulation")
        self.claims = Claims(self.ledger, "simulation")
        self.due = Due(self.ledger)
        self.chance = random.Random(self.seed)

    def submit(self, order_id: str, account: str) -> None:
        """Hand an order in; the same id again is a duplicate."""
        batch = intake.open_batch(self.ledger, "simulation")
        intake.take(self.ledger, batch, [Job(order_id, account, account, "{}", "f", 1, ())], [], self.clock.now)
        self.accepted.setdefault(order_id, account)
        self.messages.append((account, [order_id]))

    def deliver(self, index: int, *, keep: bool = False) -> None:
        """Give a message to a worker, which claims; `keep`: the broker will deliver it once more."""
        account, ids = self.messages[index] if keep else self.messages.pop(index)
        window = self.markets[account].ability.resend_window_seconds
        sender = f"process-{next(self.senders)}"
        claims = Claims(self.ledger, "simulation", sender).claim(
            account, ids, Terms(LEASE_SECONDS, window), self.clock.now
        )
        self.flights += [Flight(claim, account, sender) for claim in claims]

    def send(self, index: int, fault: str) -> None:
        """Let a worker send what it claimed, if it still may."""
        flight = self.flights[index]
        if flight.outcome is not None:
            return
        market = self.markets[flight.account]
        until = may_send_until(flight.claim, ANSWER_SECONDS, market.ability.resend_window_seconds)
        flight.sent_at = self.clock.now
        late = self.clock.now >= until and not flight.frozen
        flight.outcome = market.create(flight.claim.order_id, self.clock.now, "refused_connection" if late else fault)

    def record(self, index: int) -> None:
        """Let a worker write down what it was answered, however late."""
        flight = self.flights[index]
        if flight.outcome is None:
            return
        decision = decide(flight.outcome, flight.claim, POLICY, self.chance)
        sent = Sent(flight.claim, flight.outcome, decision, flight.sent_at, self.clock.now)
        self.records.record([sent], self.clock.now)
        self.flights.pop(index)

    def freeze(self, index: int) -> None:
        """Freeze a worker between its last look at the clock and the first byte, if it still may send."""
        flight = self.flights[index]
        window = self.markets[flight.account].ability.resend_window_seconds
        if flight.outcome is None and self.clock.now < may_send_until(flight.claim, ANSWER_SECONDS, window):
            flight.frozen, flight.sent_at = True, self.clock.now

    def die(self, index: int) -> None:
        """Kill a worker with an order in its hands; its file tells whether it had begun to send."""
        flight = self.flights.pop(index)
        begun = flight.frozen or flight.outcome is not None
        marks = {mark_of(flight.claim.order_id, flight.claim.number)} if begun else set()
        self.dead.append(Dead(flight.sender, frozenset(marks)))

    def time_passes(self, seconds: float) -> None:
        """Let time pass: marketplaces execute what they had put off, and nobody sleeps for a day."""
        self.clock.now += seconds
        for market in self.markets.values():
            market.land(self.clock.now)
        for index in reversed(range(len(self.flights))):
            if self.flights[index].frozen and self.clock.now > self.flights[index].sent_at + LONGEST_SLEEP_SECONDS:
                self.die(index)

    def a_person(self, kind: ActKind, order_id: str) -> None:
        """Let a person act on an order. Raises NotAllowed, UnknownOrder."""
        alive = {flight.sender for flight in self.flights}
        abilities = {account: market.ability for account, market in self.markets.items()}
        self.operator().act(kind, order_id, abilities.get, alive.__contains__, "dealt with elsewhere")

    def say_absent(self, order_id: str) -> None:
        """Let a person who looked say that an order does not exist. Raises NotAllowed, UnknownOrder."""
        market = self.markets[self.accepted[order_id]]
        if not market.may_come(order_id):
            self.a_person(ActKind.ABSENT, order_id)

    def sweep(self) -> None:
        """Take back what ran out, ring for what stands still, settle and read back what is due."""
        now = self.clock.now
        self.records.expire_leases(now, self.dead)
        for account in self.markets:
            due = self.due.standing_still(State.QUEUED, now, now - 15, 100, account)
            ids = [*due, *self.due.suspects(account, now, now - 15)]
            if ids:
                self.messages += [(account, [order_id]) for order_id in ids]
                self.due.mark_rung(ids, now)
        self._settle(State.UNKNOWN)
        self._settle(State.PLACED)

    def _settle(self, state: State) -> None:
        now = self.clock.now
        ids = self.due.standing_still(state, now, now - 15, 100)
        for account, due in self.due.due_by_account(ids, state, now).items():
            market = self.markets[account]
            settled = []
            for order in self.claims.claim_waiting(due, state, LEASE_SECONDS, now):
                seen: ReadOutcome | None = None
                if state is State.PLACED:
                    seen = self._read_back(market, order, now)
                    decision = decide_read(seen, order, POLICY, self.chance)
                else:
                    if market.ability.can_look_up and not order.references:
                        seen = market.look_up(order.order_id, now)
                    decision = decide_unknown(order, market.ability, seen, POLICY, now)
                settled.append(Settled(order, seen, decision, counts_as_absence(seen, market.ability)))
            self.records.settle(settled, now)

    @staticmethod
    def _read_back(market: Market, order: Waiting, now: float) -> ReadOutcome:
        """Read every id; its goods tell another order's from its own, as an adapter's `contradicts` does."""
        seen = [market.read(reference, now) for reference in order.references]
        wrong = tuple(r for r in order.references if not market.is_of(r, order.order_id))
        hidden = next((outcome for outcome in seen if not isinstance(outcome, Found)), None)
        if hidden is not None:
            return hidden
        if wrong:
            return Unknown("another order", Code.FOREIGN_ORDER, wrong)
        return Found(tuple(record for outcome in seen if isinstance(outcome, Found) for record in outcome.records))

    def operator(self) -> operators.Operator:
        """Return a person at the keyboard."""
        return operators.Operator(self.ledger, "person")
