"""`make bench`: every contender, every column, in interleaved rounds; prints the table, writes JSON and the plot."""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import columns
from bench.capacity import answers_per_second
from bench.contenders import HERE, THEIRS, Contender, contenders
from bench.rig import running, stop_when_told
from tests.postgres import postgres_server

ONCE = ("MiB 10k", "MiB 100k")
"""Memory does not drift with the machine, and 100,000 orders take every contender a while."""

Figure = float | tuple[float, float]
Column = Callable[[Contender], Figure]


def measured(orders: int) -> dict[str, Column]:
    """Return the columns by name; `orders` scales them all."""
    return {
        "cpu ms/order": lambda c: columns.cpu_ms_per_order(c, orders),
        "share % 200": lambda c: columns.share_of_ideal(c, orders, 200),
        "share % 500": lambda c: columns.share_of_ideal(c, orders * 2, 500),
        "submit/s": lambda c: columns.submit_per_second(c, 10_000),
        "late p50/p99 ms": lambda c: columns.lateness_ms(c, 100, 5),
        "MiB 10k": lambda c: columns.memory_mib(c, 10_000),
        "MiB 100k": lambda c: columns.memory_mib(c, 100_000),
        "idle %": columns.idle_cpu_percent,
    }


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", help="only contenders whose name holds one of these words, comma-separated")
    parser.add_argument("--columns", help="only columns whose name holds one of these words, comma-separated")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    given = parser.parse_args()
    stop_when_told()
    with postgres_server() as server:
        rows = [c for c in contenders(server.database) if _wanted(c.name, given.rows)]
        wanted = {name: do for name, do in measured(given.orders).items() if _wanted(name, given.columns)}
        given.out.mkdir(parents=True, exist_ok=True)
        with running(next(row for row in contenders(server.database) if row.lone)) as rig:
            stub = answers_per_second(rig)
        report = {"orders": given.orders, "rounds": given.rounds, "at": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime())}
        report["stub_per_second"] = round(stub)
        for found in _columns(rows, wanted, given.rounds):
            (given.out / "bench.json").write_text(json.dumps(report | {"figures": found}, indent=1))
    _print(found, f"medians; the stub by itself answers {stub:,.0f} requests a second")
    plot = [THEIRS, str(HERE / "plot.py"), str(given.out / "bench.json"), str(given.out / "bench.png")]
    subprocess.run(plot, check=True)  # noqa: S603
    return 0


Found = dict[str, dict[str, list[Any]]]


def _columns(rows: Sequence[Contender], wanted: dict[str, Column], rounds: int) -> Iterator[Found]:
    """Measure column by column, in interleaved rounds; yield what is known after each."""
    found: Found = {row.name: {} for row in rows}
    for name, measure in wanted.items():
        for row in rows:
            found[row.name][name] = []
        for number in range(1 if name in ONCE else rounds):
            for row in rows:
                try:
                    figure = measure(row)
                except Exception as error:
                    print(f"{row.name}, {name}: {error}", file=sys.stderr)
                    figure = math.nan
                found[row.name][name].append(figure)
                print(f"round {number + 1}  {name:16} {row.name:20} {shown(figure)}", file=sys.stderr, flush=True)
        yield found


def median(figures: Sequence[Any]) -> Any:
    """Return the median of a column's rounds; of pairs, each half's."""
    if figures and isinstance(figures[0], list | tuple):
        return tuple(median([pair[i] for pair in figures if not isinstance(pair, float)]) for i in (0, 1))
    known = [figure for figure in figures if not math.isnan(figure)]
    return statistics.median(known) if known else math.nan


def shown(figure: Any) -> str:
    """Return a figure as the table shows it."""
    if isinstance(figure, tuple | list):
        return "/".join(shown(part) for part in figure)
    if math.isnan(figure):
        return "-"
    return f"{figure:.2f}" if abs(figure) < 10 else f"{figure:,.0f}"


def _print(found: Found, caption: str) -> None:
    table = Table("", *next(iter(found.values())), title=caption, header_style="bold")
    for name, figures in found.items():
        table.add_row(name, *(shown(median(rounds)) for rounds in figures.values()))
    Console(width=150).print(table)


def _wanted(name: str, words: str | None) -> bool:
    return not words or any(word.strip().lower() in name.lower() for word in words.split(","))


if __name__ == "__main__":
    sys.exit(main())
