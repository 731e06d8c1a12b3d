"""What is measured: each column takes a contender and returns a figure; rounds are interleaved by `run.py`."""

from __future__ import annotations

import time

from bench.contenders import Contender
from bench.rig import running

WARM_UP = 300
"""Orders before CPU is counted: what every program does only once is not what an order costs."""
SHARE_SECONDS = 40


def cpu_ms_per_order(contender: Contender, orders: int) -> float:
    """CPU milliseconds of the worker processes an order (create, record, read, record) at no latency."""
    with running(contender) as rig:
        rig.reset(0)
        if contender.lone:
            used = rig.run_lone(orders) - rig.run_lone(1)
            return used / orders * 1000
        rig.submit(WARM_UP)
        rig.wait_for("gets", WARM_UP, 60)
        before = rig.cpu_seconds()
        rig.submit(orders)
        if not rig.wait_for("gets", WARM_UP + orders, 240):
            return float("nan")
        time.sleep(0.5)
        return (rig.cpu_seconds() - before) / orders * 1000


def share_of_ideal(contender: Contender, orders: int, in_flight: int, latency_seconds: float = 0.5) -> float:
    """Percent of the ideal rate of creates with so many in flight: the middle of the run, by the stub's clock.

    Of a contender that is not done after `SHARE_SECONDS`, the middle of what it did until then.
    """
    with running(contender, in_flight, delay_seconds=30.0) as rig:
        rig.reset(latency_seconds)
        if contender.lone:
            return _share(_lone_times(rig, orders), in_flight, latency_seconds)
        rig.submit(orders)
        rig.wait_for("orders", orders, SHARE_SECONDS)
        record = rig.ask("_record")
        if record["creates"] != record["orders"]:
            raise RuntimeError(f"{contender.name}: {record['creates']} creates for {record['orders']} orders")
        return _share(sorted(t[0] for t in record["times"].values()), in_flight, latency_seconds)


def _lone_times(rig: object, orders: int) -> list[float]:
    rig.run_lone(orders)  # type: ignore[attr-defined]
    record = rig.ask("_record")  # type: ignore[attr-defined]
    return sorted(t[0] for t in record["times"].values())


def _share(times: list[float], in_flight: int, latency_seconds: float) -> float:
    edge = min(in_flight, len(times) // 3)
    first, last = edge, len(times) - edge
    rate = (last - first) / (times[last] - times[first])
    return rate / (in_flight / latency_seconds) * 100


def submit_per_second(contender: Contender, orders: int) -> float:
    """Orders a second handed in by one process."""
    if contender.lone:
        return float("nan")
    with running(contender) as rig:
        rig.reset(5.0)
        return orders / rig.submit(orders)


def lateness_ms(contender: Contender, per_second: int, seconds: int) -> tuple[float, float]:
    """Median and 99th percentile (ms) of the delayed call's lateness at a steady stream of orders."""
    if contender.lone:
        return float("nan"), float("nan")
    delay = 10.0 if contender.ours else 1.0
    with running(contender, delay_seconds=delay) as rig:
        rig.reset(0.05)
        rig.submit(per_second, seconds)
        total = per_second * seconds
        rig.wait_for("gets", total, delay + 60)
        times = [t for t in rig.ask("_record")["times"].values() if t[1] is not None]
        late = sorted((get - create - 0.05 - delay) * 1000 for create, get in times)
        if len(late) < total:
            return float("nan"), float("nan")
        return late[len(late) // 2], late[int(len(late) * 0.99)]


def memory_mib(contender: Contender, waiting: int) -> float:
    """Worker memory (MiB above idle) while so many orders wait behind a marketplace that answers slowly."""
    if contender.lone:
        return float("nan")
    with running(contender) as rig:
        rig.reset(60.0)
        idle = rig.memory_mib()
        rig.submit(waiting)
        time.sleep(5)
        return rig.memory_mib() - idle


def idle_cpu_percent(contender: Contender, seconds: float = 10.0) -> float:
    """CPU of all its processes together, percent of one core, with nothing to do."""
    if contender.lone:
        return float("nan")
    with running(contender) as rig:
        time.sleep(6)
        before = rig.cpu_seconds()
        time.sleep(seconds)
        return (rig.cpu_seconds() - before) / seconds * 100
