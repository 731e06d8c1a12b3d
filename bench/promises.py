"""What is promised in numbers, each measured by itself on loopback: `make promises`, or ARGS="rates" for one."""

from __future__ import annotations

import argparse
import json
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.contenders import HERE
from bench.following import followed, pushed_news
from bench.rig import Rig, stop_when_told
from bench.shop import DELAY_SECONDS, Reached, shop, submit
from tests.running import within

LATENCY_SECONDS = 0.5


def creates_equal_orders() -> Iterator[Reached]:
    """As many creates as orders, five times of five."""
    for in_flight in (200, 500):
        seen = []
        for _ in range(5):
            with shop(in_flight=in_flight, lease_seconds=90, request_timeout_seconds=30) as rig:
                rig.reset(LATENCY_SECONDS)
                orders = in_flight * 10
                submit(rig, {"main": range(orders)})
                rig.wait_for("gets", orders, 90)
                record = rig.ask("_record")
                seen.append((record["creates"], record["orders"], record["gets"]))
        right = all(found == (in_flight * 10,) * 3 for found in seen)
        figure = ", ".join(f"{creates}/{orders}" for creates, orders, _ in seen)
        yield Reached(f"creates / orders, {in_flight} in flight", figure, "equal, 5 of 5", right)


def streams() -> Iterator[Reached]:
    """A file a hundred times as long takes no more memory, and drains with the worker's memory flat."""
    with shop() as rig:
        rig.reset(60)  # the workers wait for answers and leave the machine to the program that submits
        _, short = submit(rig, {"main": range(1000)})
        seconds, long = submit(rig, {"main": range(1000, 101_000)})
        rate = 100_000 / seconds
    with shop() as rig:
        rig.reset(0)
        submit(rig, {"main": range(1000)})
        rig.wait_for("gets", 1000, 60)
        idle = rig.memory_by_process()
        submit(rig, {"main": range(1000, 101_000)})
        most = _most_memory(rig, 101_000, 600)
        gets = rig.ask("_count")["gets"]
    yield Reached("submit, orders a second, 100,000 from a file", f"{rate:,.0f}", "≥ 8,000", rate >= 8000)
    grown = long - short
    yield Reached("submit, MiB more for 100 times the file", f"{grown:.1f}", "≤ 5", grown <= 5)
    for name, mib in most.items():
        above = mib - idle[name]
        yield Reached(f"{name}, MiB above idle while 100,000 drain", f"{above:.1f}", "≤ 30", above <= 30)
    yield Reached("of 101,000 orders read back", f"{gets:,}", "all", gets == 101_000)


def _most_memory(rig: Rig, gets: int, seconds: float) -> dict[str, float]:
    most: dict[str, float] = {}

    def drained() -> bool:
        for name, mib in rig.memory_by_process().items():
            most[name] = max(mib, most.get(name, 0.0))
        return bool(rig.ask("_count")["gets"] >= gets)

    within(seconds, drained, every=0.5)
    return most


def confirms_in_time() -> Iterator[Reached]:
    """A read-back is never early and hardly late, with nothing else to do and behind a backlog."""
    with shop() as rig:
        rig.reset(0.05)
        rig.submit(100, 15)
        rig.wait_for("gets", 1500, 60)
        yield from _lateness(rig, 0.05, "at 100 orders a second", 0.25)
    with shop(in_flight=50) as rig:  # 100 orders a second by what is in flight, not by a rate
        rig.reset(LATENCY_SECONDS)
        submit(rig, {"main": range(10_000)})
        rig.wait_for("gets", 2500, 90)
        yield from _lateness(rig, LATENCY_SECONDS, "behind a backlog of 10,000", 1.0)


def _lateness(rig: Rig, latency: float, when: str, most: float) -> Iterator[Reached]:
    now = max(get for _, get in rig.ask("_record")["times"].values() if get)
    times = rig.ask("_record")["times"].values()
    due = [create + latency + DELAY_SECONDS for create, _ in times]
    late = sorted((get or now) - at for (_, get), at in zip(times, due, strict=True) if at < now - most)
    p50, p99 = late[len(late) // 2], late[int(len(late) * 0.99)]
    figure = f"p50 {p50:.3f} s, p99 {p99:.3f} s of {len(late):,}"
    yield Reached(f"read-back late, {when}", figure, f"p99 ≤ {most} s", p99 <= most)
    soonest = min(get - create for create, get in times if get)
    yield Reached(f"shortest wait from create to read, {when}", f"{soonest:.3f} s", "≥ 10 s", soonest >= DELAY_SECONDS)


def waiting_confirms() -> Iterator[Reached]:
    """Ten thousand placed orders that wait for their read-back cost next to nothing."""
    with shop(confirm_delay_seconds=50) as rig:
        rig.reset(0)
        submit(rig, {"main": range(2000)})
        rig.wait_for("orders", 2000, 60)
        time.sleep(5)
        before = rig.memory_by_process()
        submit(rig, {"main": range(2000, 12_000)})
        rig.wait_for("orders", 12_000, 60)
        time.sleep(8)
        after = rig.memory_by_process()
    grown = after["confirm"] - before["confirm"]
    yield Reached("confirm, MiB more with 10,000 confirms waiting", f"{grown:.1f}", "≤ 3", grown <= 3)


def idle() -> Iterator[Reached]:
    """Nothing to do takes next to nothing."""
    with shop() as rig:
        time.sleep(10)
        before = rig.cpu_by_process()
        time.sleep(60)
        after = rig.cpu_by_process()
    for name, seconds in after.items():
        share = (seconds - before[name]) / 60 * 100
        yield Reached(f"{name} idle, % of a core", f"{share:.2f}", "≤ 0.5", share <= 0.5)


def rates() -> Iterator[Reached]:
    """What the marketplace sees in any second: never more than the rate plus one, and hardly less."""
    for accounts, workers, rate in ((1, 1, 50.0), (1, 4, 50.0), (50, 1, 4.0), (50, 4, 2.0)):
        names = [f"a{number:02}" for number in range(accounts)]
        seconds = 20
        with shop(accounts=dict.fromkeys(names, rate), workers=workers) as rig:
            rig.reset(0.05)
            submit(rig, dict.fromkeys(names, range(round(rate * seconds))))
            rig.wait_for("orders", round(rate * seconds) * accounts, seconds * 2)
            record = rig.ask("_record")["times"]
        most, least = 0, float("inf")
        for name in names:
            times = sorted(create for key, (create, _) in record.items() if key.startswith(f"{name}-"))
            most = max(most, _most_in_a_second(times) - round(rate))
            # The middle: the first order of a worker's life is slow, and the last of all has no work behind it.
            middle = times[len(times) // 10 : -len(times) // 10]
            least = min(least, (len(middle) - 1) / (middle[-1] - middle[0]) / rate)
        who = f"{accounts} account{'s' * (accounts > 1)} of {rate:.0f}/s, {workers} worker{'s' * (workers > 1)}"
        yield Reached(f"most in a second above the rate: {who}", f"{most:+d}", "≤ +1", most <= 1)
        yield Reached(f"rate reached: {who}", f"{least:.3f}", "≥ 0.97", least >= 0.97)


def _most_in_a_second(times: list[float]) -> int:
    return max(bisect_left(times, begin + 1.0) - index for index, begin in enumerate(times))


def fair() -> Iterator[Reached]:
    """A small batch on one account does not wait for a hundred thousand on another."""
    with shop(accounts={"small": 50.0, "big": 200.0}) as rig:
        rig.reset(0.05)
        _small_batch(rig, 0)
        alone = _small_batch(rig, 1)
        submit(rig, {"big": range(100_000)})
        time.sleep(5)
        beside = _small_batch(rig, 2)
    figure = f"{alone:.1f} s alone, {beside:.1f} s beside"
    yield Reached("100 orders of one account beside 100,000 of another", figure, "≤ 1 s more", beside <= alone + 1)


def _small_batch(rig: Rig, which: int) -> float:
    started = time.time()
    submit(rig, {"small": range(which * 100, which * 100 + 100)})

    def times() -> list[float]:
        return [t[0] for key, t in rig.ask("_record")["times"].items() if key.startswith("small-")]

    within(120, lambda: len(times()) >= which * 100 + 100, every=0.2)
    return max(times()) - started


PROMISES: dict[str, Callable[[], Iterator[Reached]]] = {
    run.__name__: run
    for run in (
        creates_equal_orders,
        streams,
        confirms_in_time,
        waiting_confirms,
        idle,
        rates,
        fair,
        pushed_news,
        followed,
    )
}


def main() -> int:
    """Measure what was asked for; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*PROMISES, []], help="which (default: all)")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    given = parser.parse_args()
    stop_when_told()
    found: list[Reached] = []
    for name in given.names or PROMISES:
        for reached in PROMISES[name]():
            found.append(reached)
            print(f"{reached.what}: {reached.figure} ({reached.wanted})", file=sys.stderr, flush=True)
    table = Table("", "measured", "wanted", "kept", title="promises in numbers")
    for one in found:
        table.add_row(one.what, one.figure, one.wanted, "yes" if one.kept else "[red]NO[/]")
    Console(width=130).print(table)
    given.out.mkdir(parents=True, exist_ok=True)
    document = [{"what": r.what, "figure": r.figure, "wanted": r.wanted, "kept": r.kept} for r in found]
    (given.out / "promises.json").write_text(json.dumps(document, indent=1))
    return 0 if all(one.kept for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
