"""Prints a verdict as one table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from tests.faults.campaign.verdict import SHOWN, Verdict, spread


def show(verdict: Verdict, console: Console) -> None:
    """Print one campaign's table."""
    options = verdict.options
    what = f"without its guard {options.sabotage}" if options.sabotage else "fault campaign"
    title = f"{what}: seed {options.seed}, {options.ledger}, {sum(verdict.states.values())} orders"
    table = Table(title=title, show_header=False, title_justify="left", pad_edge=False)
    table.add_column(style="bold", max_width=34)
    table.add_column(overflow="fold")
    table.add_row("seconds", _pairs({name: round(value) for name, value in verdict.seconds.items()}))
    table.add_row("numbers", _pairs(verdict.numbers))
    table.add_row("orders ended", _pairs(verdict.states))
    table.add_row("parked after the drain, and why", _pairs(verdict.parked) or "none")
    table.add_row("still parked after a person acted", _pairs(verdict.left) or "none")
    table.add_section()
    table.add_row(f"faults: {sum(verdict.injected.values())}", _pairs(dict(sorted(verdict.injected.items()))))
    table.add_row(f"crash points: {sum(verdict.crash_points.values())} deaths", _pairs(verdict.crash_points))
    table.add_row("dangerous paths", _pairs(verdict.paths))
    table.add_section()
    for name, found in verdict.violations.items():
        table.add_row(name, "0" if not found else f"[red]{len(found)}[/]")
    table.add_row("did not happen", "nothing" if not verdict.missing else f"[red]{'; '.join(verdict.missing)}[/]")
    console.print(table)
    console.print(_recovery(verdict))
    for name, found in verdict.violations.items():
        for one in found[:SHOWN]:
            console.print(f"  {name}: {one}", markup=False, highlight=False)
    for note in verdict.notes[:30]:
        console.print(f"  note: {note}", markup=False, highlight=False)
    console.print("[green]passed[/]" if verdict.passed else "[red]failed[/]")


def _recovery(verdict: Verdict) -> Table:
    title = "seconds until all moves again after the fault's end (times when Redis or the ledger was away left out)"
    table = Table(title=title, title_justify="left", pad_edge=False, min_width=len(title))
    for name in ("fault", "times", "p50", "p99", "max", "max by the clock"):
        table.add_column(name, justify="left" if name == "fault" else "right")
    recovery = dict(sorted(verdict.recovery.items()))
    recovery["all of the storm"] = [v for kind, found in recovery.items() if "alone" not in kind for v in found]
    wall = dict(verdict.longest) | {"all of the storm": max(verdict.longest.values(), default=0.0)}
    for kind, found in recovery.items():
        row = spread(found)
        values = [*(str(row.get(name, "")) for name in ("count", "p50", "p99", "max")), f"{wall[kind]:.1f}"]
        table.add_row(kind, *values)
    return table


def _pairs(values: object) -> str:
    return ", ".join(f"{name} {count}" for name, count in dict(values).items())  # type: ignore[call-overload]
