"""Faults of time: commits that come late, lists that lag, a sender that stands still at its send, a host's wrong clock.

Each lasts until it has met an order at which no key protects: in a storm much stands still, and then it proves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from tests.faults.campaign.hosts import HOUR_SECONDS, let_go_on
from tests.faults.campaign.makers import BY_TIME, KEYLESS, MARKETS, keyless
from tests.faults.campaign.stage import Stage

SOON_MS = 3000.0
"""A commit this late comes while its order is still looked for."""
AT_MOST_SECONDS = 25.0
"""How long a fault waits for an order to meet."""
TRIES = 15
FROZEN_AT = ("shoplazza", "shoplazza", "xportcn")
"""Where senders are frozen. The sandbox's Xportcn turns a create away whose preview another has used up meanwhile."""
WRONG_HOSTS = ("place", "place", "place", "read")
WRONG_HOURS = (3, 2, 1, 1, -1, -3)
"""Whole hours, so that what was written under a wrong clock can be told: see `hosts.straight`."""


def _late_ms(stage: Stage, dice: Random) -> float:
    """Return a time that is longer than an order is looked for, in milliseconds."""
    return dice.uniform(*stage.options.late_seconds) * 1000


def _until(stage: Stage, met: Callable[[], object], seconds: float = 0.0) -> None:
    """Wait so long, and then until something was met."""
    end = time.monotonic() + max(seconds, AT_MOST_SECONDS)
    stage.wait(seconds)
    while keyless() and time.monotonic() < end and not met():
        stage.wait(0.2)


def market_late_commit(stage: Stage, seconds: float, dice: Random) -> None:
    """Creates are taken in, get no answer, and are executed when nobody waits for them any more."""
    for market in stage.options.markets:
        late = _late_ms(stage, dice)
        more = {"latency_ms": dice.choice((SOON_MS, late, late, late)), "seed": dice.randrange(1 << 30)}
        stage.oracle.fault("late_commit", dice.uniform(0.3, 0.7), marketplace=market, **more)
    _until(stage, lambda: any(order["marketplace"] in KEYLESS for order in stage.oracle.late()), seconds)
    stage.oracle.fault("late_commit", 0)


def market_lagging_list(stage: Stage, seconds: float, dice: Random) -> None:
    """Answers get lost, and look-ups show their orders only when they have been looked for long enough."""
    begun = time.time()
    faults = {"lagging_list": {"latency_ms": _late_ms(stage, dice)}, "reset_after_commit": {}}
    for market in stage.options.markets:
        probability = 0.7 if market in KEYLESS else 0.2
        for name, more in faults.items():
            stage.oracle.fault(name, probability, marketplace=market, seed=dice.randrange(1 << 30), **more)

    def met() -> bool:
        hidden = [order for order in stage.oracle.orders() if order["hidden_seconds"] and order["created_at"] > begun]
        return any(order["marketplace"] in KEYLESS for order in hidden)

    _until(stage, met, seconds)
    for market in stage.options.markets:
        for name in faults:
            stage.oracle.fault(name, 0, marketplace=market)


def _stopped_sender(stage: Stage, market: str) -> int | None:
    """Stop a program at a create; another one where it held the ledger at that moment, for that is another fault."""
    assert stage.freezer is not None
    for _ in range(TRIES):
        pid = stage.freezer.stop_one(MARKETS[market].create_ends, stage.wait, AT_MOST_SECONDS)
        if pid is None or not stage.ledger.is_held():
            return pid
        let_go_on(pid)
    return None


def sender_freeze(stage: Stage, seconds: float, dice: Random) -> None:
    """SIGSTOP between the last look at the clock and the first byte of a create; SIGCONT after lease and look-ups."""
    pid = _stopped_sender(stage, dice.choice([name for name in FROZEN_AT if name in keyless()]))
    if pid is None:
        stage.trouble.append("no sender could be stopped")
        return
    froze_at = time.time()
    name = next((p.name for p in stage.fleet.of("place") if p.alive is not None and p.alive.pid == pid), "")
    stage.frozen.add(name)
    try:
        stage.wait(seconds)
    finally:
        stage.frozen.discard(name)
        stage.frozen_sends.append((froze_at, time.time()))
        if let_go_on(pid):
            stage.note("sender frozen at its send woke past its lease")


def wrong_clock(stage: Stage, seconds: float, dice: Random) -> None:
    """One host's clock is hours off for a moment, in which some of the shops' answers get lost.

    Place workers claim under it, and the answers' loss is written when it is right again: then the order's first send
    lies hours off, and a look-up by time looks at the wrong hours.
    """
    host, hours = dice.choice(WRONG_HOSTS), dice.choice(WRONG_HOURS)
    stage.oracle.fault("timeout_after_commit", 0.7, marketplace="shoplazza", seed=dice.randrange(1 << 30))
    begun = time.time()
    wrong = begun + hours * HOUR_SECONDS
    query = (
        "SELECT 1 FROM events JOIN orders USING (order_id) WHERE event = 'claim' AND account = :account"
        " AND events.at BETWEEN :wrong AND :wrong + 1000"
    )
    stage.clocks[host].put_off(hours * HOUR_SECONDS)
    try:
        if host == "place" and hours > 0:  # under a clock that is behind nothing is due
            _until(stage, lambda: stage.ledger.rows(query, account=BY_TIME, wrong=wrong))
        stage.wait(seconds)
    finally:
        stage.clocks[host].put_off(0)
        stage.wrong_clocks.append((begun, time.time()))
        stage.wait(seconds)
        stage.oracle.fault("timeout_after_commit", 0, marketplace="shoplazza")
    stage.resume()  # who set the clock right lets accounts go on that are held until hours from now
    stage.note(f"clock of the {host} workers {'ahead' if hours > 0 else 'behind'}")


TIMES: dict[str, Callable[[Stage, float, Random], None]] = {
    run.__name__: run for run in (market_late_commit, market_lagging_list, sender_freeze, wrong_clock)
}
