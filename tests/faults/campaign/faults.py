"""What each kind of fault does, from its beginning to its end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from tests.faults.campaign.acting import operator_acts
from tests.faults.campaign.kinds import MARKET_FAULTS
from tests.faults.campaign.people import PEOPLE
from tests.faults.campaign.stage import Stage
from tests.faults.campaign.times import TIMES

ENOUGH_UNDER_WAY = 9
"""Orders under way, more than one worker sends at once: some are claimed and wait for their turn."""
_SELDOM = ("token_expired", "wrong_ids")
"""Each of these makes work for a person."""
Fault = Callable[[Stage, float, Random], None]


def _market(name: str) -> Fault:
    def run(stage: Stage, seconds: float, dice: Random) -> None:
        probability = 0.1 if name in _SELDOM else dice.uniform(0.15, 0.6)
        latency = {"latency_ms": _LATENCY_MS[name](stage, dice)} if name in _LATENCY_MS else {}
        stage.oracle.fault(name, probability, seed=dice.randrange(1 << 30), operation="create", **latency)
        stage.wait(seconds)
        stage.oracle.fault(name, 0, operation="create")
        if name == "token_expired":
            stage.resume()  # the person who renewed the token says so

    return run


_LATENCY_MS: dict[str, Callable[[Stage, Random], float]] = {
    "slow": lambda _, dice: dice.choice((300, 900, 2500)),
    "wrong_date": lambda _, dice: dice.choice((-7200.0, -600.0, 600.0, 10_800.0)) * 1000,
}


def market_outage(stage: Stage, seconds: float, dice: Random) -> None:
    """No call gets through: breakers open."""
    stage.oracle.fault("http_503", 1.0, operation="any")
    stage.wait(seconds)
    stage.oracle.fault("http_503", 0, operation="any")


def market_reads_fail(stage: Stage, seconds: float, dice: Random) -> None:
    """Order-gets go wrong in one way or another."""
    name = dice.choice(("http_500", "garbage", "empty", "timeout_before", "throttle", "slow", "wrong_type", "drip"))
    stage.oracle.fault(name, 0.5, operation="get", seed=dice.randrange(1 << 30))
    stage.wait(seconds)
    stage.oracle.fault(name, 0, operation="get")


def worker_kill(stage: Stage, seconds: float, dice: Random) -> None:
    """SIGKILL."""
    stage.fleet.signal(_somebody(stage, dice), signal.SIGKILL)


def worker_freeze(stage: Stage, seconds: float, dice: Random) -> None:
    """SIGSTOP while it has calls in flight, SIGCONT when its leases are over."""
    with _under_way(stage):
        running = [p for p in stage.fleet.of("place") if p.alive and p.name not in stage.frozen]
        name = dice.choice(running or stage.fleet.of("place")).name
        stage.frozen.add(name)
        frozen = stage.fleet.signal(name, signal.SIGSTOP)
    stage.wait(seconds)
    stage.frozen.discard(name)
    if frozen is not None and frozen.poll() is None:
        frozen.send_signal(signal.SIGCONT)
        if seconds > stage.options.lease_seconds:
            stage.note("frozen worker woke past its lease")


@contextmanager
def _under_way(stage: Stage) -> Iterator[None]:
    """Make the marketplaces slow and wait until some orders are under way and others wait for their turn."""
    stage.oracle.fault("slow", 0.7, operation="any", latency_ms=700)
    for _ in range(25):
        stage.wait(0.1)
        if len(stage.ledger.rows("SELECT 1 FROM orders WHERE state = 'placing'")) > ENOUGH_UNDER_WAY:
            break
    try:
        yield
    finally:
        stage.oracle.fault("slow", 0, operation="any")


def worker_term(stage: Stage, seconds: float, dice: Random) -> None:
    """SIGTERM; it has to end by itself."""
    told = stage.fleet.signal(_somebody(stage, dice), signal.SIGTERM)
    if told is None:
        return
    for _ in range(250):
        if told.poll() is not None:
            return
        stage.wait(0.1)
    stage.note("worker that did not end by SIGTERM within 25 s")
    told.kill()


def beat_kill(stage: Stage, seconds: float, dice: Random) -> None:
    """SIGKILL one of the two beats."""
    beats = stage.fleet.of("beat")
    if beats:
        stage.fleet.signal(dice.choice(beats).name, signal.SIGKILL)


def redis_kill(stage: Stage, seconds: float, dice: Random) -> None:
    """Kill -9, back with its data."""
    stage.broker.kill()
    stage.wait(seconds)
    stage.broker.start()


def redis_kill_wiped(stage: Stage, seconds: float, dice: Random) -> None:
    """Kill -9, back without its data."""
    stage.broker.kill()
    stage.broker.wipe()
    stage.wait(seconds)
    stage.broker.start()


def redis_flush(stage: Stage, seconds: float, dice: Random) -> None:
    """FLUSHALL."""
    stage.broker.flush()


def redis_pause(stage: Stage, seconds: float, dice: Random) -> None:
    """SIGSTOP: connections stay open, nothing answers."""
    stage.broker.freeze()
    try:
        stage.wait(seconds)
    finally:
        stage.broker.thaw()


def redis_cut(stage: Stage, seconds: float, dice: Random) -> None:
    """Every connection ends."""
    stage.broker.cut()


def redis_full(stage: Stage, seconds: float, dice: Random) -> None:
    """No room: every write is refused."""
    stage.broker.fill()
    try:
        stage.wait(seconds)
    finally:
        stage.broker.make_room()


def ledger_lock(stage: Stage, seconds: float, dice: Random) -> None:
    """Somebody else holds the place of the writer, just when answers are to be recorded."""
    with _under_way(stage):
        stage.ledger.lock(seconds, stage.wait)


def ledger_cut(stage: Stage, seconds: float, dice: Random) -> None:
    """Every connection ends, whatever it was about to commit."""
    stage.ledger.cut()


def ledger_refuses(stage: Stage, seconds: float, dice: Random) -> None:
    """A trigger refuses every answer and tells the row: no log may, and each answer is in the ledger afterwards."""
    with _under_way(stage):
        stage.ledger.refuse(seconds, stage.wait)


def ledger_read_only(stage: Stage, seconds: float, dice: Random) -> None:
    """After a failover the server answers and takes no writes."""
    stage.ledger.be_read_only(seconds, stage.wait)


def ledger_restart(stage: Stage, seconds: float, dice: Random) -> None:
    """The database ends without a word, and comes back."""
    stage.ledger.restart(seconds, stage.wait)


def ledger_away_long(stage: Stage, seconds: float, dice: Random) -> None:
    """The ledger is away for longer than anybody waits, and the workers that keep its answers die meanwhile."""

    def wait(whole: float) -> None:
        stage.wait(whole - 1.5)
        for program in stage.fleet.of("place"):
            if program.name not in stage.frozen:
                stage.fleet.signal(program.name, signal.SIGKILL)
        stage.wait(1.5)

    with _under_way(stage):
        stage.ledger.away(seconds, wait)


def _somebody(stage: Stage, dice: Random) -> str:
    return dice.choice([p for p in stage.fleet.of("place", "place", "read") if p.name not in stage.frozen]).name


FAULTS: dict[str, Fault] = {f"market_{name}": _market(name) for name in MARKET_FAULTS}
FAULTS |= {
    run.__name__: run
    for run in (
        market_outage, market_reads_fail, worker_kill, worker_freeze, worker_term, beat_kill, redis_kill,
        redis_kill_wiped, redis_flush, redis_pause, redis_cut, redis_full, ledger_lock, ledger_cut, ledger_restart,
        ledger_away_long, ledger_refuses, ledger_read_only,
    )
}  # fmt: skip
FAULTS["redis_pause_long"] = redis_pause
FAULTS |= TIMES | PEOPLE | {operator_acts.__name__: operator_acts}
