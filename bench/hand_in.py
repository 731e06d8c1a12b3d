"""Hands orders in through a contender's own call: MODULE COUNT at once, or MODULE PER_SECOND SECONDS as a stream."""

from __future__ import annotations

import importlib
import sys
import time

TICK_SECONDS = 0.1


def main(module: str, *numbers: str) -> None:
    """Hand in what the numbers say, and print the seconds that took."""
    submit = importlib.import_module(module).submit
    if len(numbers) == 1:
        started = time.time()
        submit(int(numbers[0]))
        print(time.time() - started)
        return
    per_tick, ticks = round(int(numbers[0]) * TICK_SECONDS), round(int(numbers[1]) / TICK_SECONDS)
    started = time.time()
    for tick in range(ticks):
        submit(per_tick, tick * per_tick)
        time.sleep(max(0.0, started + (tick + 1) * TICK_SECONDS - time.time()))
    print(time.time() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
