"""The negative controls: each guard switched off in turn; the campaign must fail, and for the right reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.faults.campaign.campaign import run
from tests.faults.campaign.makers import use
from tests.faults.campaign.options import Options
from tests.faults.campaign.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Control:
    """One guard, and the checkers of which at least one must fail without it; none: the run must pass."""

    guard: str
    must_fail: tuple[str, ...]
    only: tuple[str, ...] = ()
    """The kinds of faults that bring it out; (): all."""
    markets: tuple[str, ...] = ()
    """The marketplaces where it matters; (): those of the run."""


_QUIET = ("worker_term", "market_reads_fail")
"""Little of the storm is needed where the guard is about what comes after it."""
CONTROLS = (
    Control("attempt-first", ("sent without a lease",)),
    Control("fencing", ("sent without a lease",), ("worker_freeze", "market_slow", "operator_retry")),
    Control("stable-key", ("duplicates", "keys that changed")),
    Control("unknown", ("duplicates", "keys that changed")),
    Control("window", ("duplicates",)),
    Control("window-held", ()),
    Control(
        "made-anew",
        ("duplicates", "made anew without a word"),
        ("market_late_commit", "market_lagging_list", "sender_freeze", "wrong_clock"),
        ("xportcn", "shoplazza"),
    ),
    Control("acts-resumed", ("acts and their verdicts",), ("operator_acts", "worker_term")),
    Control(
        "amended-body",
        ("amended, and made as before",),
        ("operator_acts", "market_throttle", "market_token_expired"),
    ),
    Control("announce", ("deadlines unannounced",), _QUIET),
    Control("life-events", ("stages and their events",), _QUIET),
    Control("marketplaces-word", ("paid or delivered without a word", "stages and their events"), _QUIET),
    Control("parcel-changes", ("parcels not told",), _QUIET),
    Control("sweep", ("stuck",)),
)


def run_all(options: Options, console: Console) -> tuple[bool, list[dict[str, Any]]]:
    """Run every control; return whether all came out as they must, and what each came to."""
    table = Table(title="negative controls", title_justify="left", pad_edge=False)
    for name in ("guard switched off", "as it must", "what failed", "the first of it"):
        table.add_column(name, overflow="fold")
    documents, well = [], True
    for control in CONTROLS:
        verdict = run(options_of(control, options))
        right = _right(control, verdict)
        well = well and right
        broken = ", ".join(f"{name} {count}" for name, count in verdict.broken.items()) or "nothing"
        table.add_row(control.guard, "yes" if right else "[red]NO[/]", broken, _first(control, verdict))
        documents.append(verdict.as_json() | {"as_it_must": right})
        console.print(f"{control.guard}: {broken}", markup=False)
    console.print(table)
    return well, documents


def options_of(control: Control, options: Options) -> Options:
    """Return the size and the faults of one control."""
    options = options.but(sabotage=control.guard, only=control.only, markets=control.markets or options.markets)
    use(options.markets)
    # Where only some faults bring it out, nothing else may get in their way.
    return options.but(crash_points=False, place_workers=2, faults=45) if control.only else options


def _right(control: Control, verdict: Verdict) -> bool:
    if not control.must_fail:
        return not verdict.broken
    return all(verdict.violations[name] for name in control.must_fail)


def _first(control: Control, verdict: Verdict) -> str:
    for name in (*control.must_fail, *verdict.broken):
        if verdict.violations[name]:
            return verdict.violations[name][0]
    return ""
