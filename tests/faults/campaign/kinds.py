"""Every kind of fault: how often, how long, and on what; what it does is in `faults.py`."""

from __future__ import annotations

from dataclasses import dataclass

MARKET_FAULTS = (
    "timeout_before", "timeout_after_commit", "reset_after_commit", "http_500", "http_503", "throttle", "garbage",
    "empty", "slow", "token_expired", "wrong_ids", "wrong_type", "huge", "drip", "wrong_date",
)  # fmt: skip
NOT_IN_SMOKE = ("http_503", "slow", "token_expired", "wrong_ids", "huge", "drip", "wrong_date")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. Faults of one `resource` never overlap, `rest` seconds lie between them."""

    name: str
    group: str
    resource: str
    seconds: tuple[float, float]
    weight: float
    rest: float = 0.5
    smoke: bool = True
    disrupts: bool = True
    """Whether its end is a moment from which recovery is measured."""
    alone: bool = False
    """Whether its recovery is also measured by itself, when the storm is over."""
    keyless: bool = False
    """Whether it is about marketplaces where no key protects, and is left out where none takes part."""


def _market(name: str) -> Kind:
    seconds = (1.5, 2.5) if name == "token_expired" else (2.0, 4.0)
    return Kind(f"market_{name}", "market", f"market_{name}", seconds, 2.0, smoke=name not in NOT_IN_SMOKE)


_ALL = (
    *map(_market, MARKET_FAULTS),
    Kind("market_outage", "market", "outage", (7.0, 9.0), 1.0, rest=20.0, smoke=False, alone=True),
    Kind("market_reads_fail", "market", "reads", (2.0, 3.0), 1.5),
    Kind("market_late_commit", "market", "market_late_commit", (2.5, 4.0), 2.5),
    Kind("market_lagging_list", "market", "market_lagging_list", (3.0, 5.0), 2.0, keyless=True),
    # Longer than a lease and three look-ups over a minute.
    Kind("sender_freeze", "host", "sender_freeze", (92.0, 100.0), 2.0, keyless=True),
    Kind("wrong_clock", "host", "wrong_clock", (0.5, 1.2), 2.5, rest=3.0, keyless=True),
    Kind("worker_kill", "worker", "kill", (0, 0), 6.0, rest=0.2, alone=True),
    Kind("worker_freeze", "worker", "freeze", (7.5, 10.0), 3.5, rest=2.0, alone=True),
    Kind("worker_term", "worker", "term", (0, 0), 4.0, rest=0.2, alone=True),
    Kind("beat_kill", "worker", "beat", (0, 0), 1.0),
    Kind("redis_kill", "redis", "redis", (0.5, 3.0), 1.2, rest=2.0, smoke=False, alone=True),
    Kind("redis_kill_wiped", "redis", "redis", (0.5, 3.0), 1.2, rest=2.0, alone=True),
    Kind("redis_flush", "redis", "redis", (0, 0), 3.0, alone=True),
    Kind("redis_pause", "redis", "redis", (2.0, 6.0), 1.5, rest=2.0, alone=True),
    Kind("redis_pause_long", "redis", "redis", (10.0, 30.0), 0.3, rest=4.0, smoke=False),
    Kind("redis_cut", "redis", "redis", (0, 0), 3.0, alone=True),
    Kind("redis_full", "redis", "redis", (1.0, 3.0), 1.2, rest=2.0, smoke=False, alone=True),
    Kind("ledger_lock", "ledger", "ledger", (2.0, 9.0), 2.0, rest=2.0, alone=True),
    Kind("ledger_cut", "ledger", "ledger", (0, 0), 3.0, alone=True),
    Kind("ledger_refuses", "ledger", "ledger", (1.0, 4.0), 1.5, rest=2.0, alone=True),
    Kind("ledger_read_only", "ledger", "ledger", (1.0, 5.0), 1.5, rest=2.0, alone=True),
    Kind("ledger_restart", "ledger", "ledger", (0.5, 3.0), 1.5, rest=2.0, alone=True),
    Kind("ledger_away_long", "ledger", "ledger", (33.0, 36.0), 0.15, rest=8.0, smoke=False, alone=True),
    Kind("message_doubled", "message", "message_doubled", (0, 0), 4.0, disrupts=False),
    Kind("message_forged", "message", "message_forged", (0, 0), 3.0, disrupts=False),
    Kind("message_garbage", "message", "message_garbage", (0, 0), 2.0, disrupts=True),
    Kind("operator_retry", "operator", "operator_retry", (0, 0), 5.0, disrupts=False),
    Kind("operator_cancel", "operator", "operator_cancel", (0, 0), 2.5, disrupts=False),
    Kind("operator_acts", "operator", "operator_acts", (0, 0), 3.0, disrupts=False),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}
