"""The command `fulfil status`: whether anything is wrong, and how all orders, or one batch, stand."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from worker.cli.group import as_json, main, out, parts
from worker.cli.submit import tell_rejections
from worker.rules.health import Trouble, exit_code, pace, troubles, verdict
from worker.rules.rejected import reasons
from worker.rules.snapshot import Snapshot
from worker.terminal.screen import print_json

CLEAR = "\x1b[H\x1b[2J"


@dataclass(frozen=True, slots=True)
class _Look:
    """One look: what was seen, what is wrong, and the counts."""

    seen: Snapshot
    wrong: list[Trouble]
    states: Mapping[str, int]


@main.command()
@click.argument("batch", required=False)
@click.option("--watch", is_flag=True, help="Look again and again until Ctrl-C.")
@click.option(
    "--every", type=click.FloatRange(1, 3600), default=2, show_default=True, metavar="SECONDS", help="With --watch."
)
@as_json
def status(batch: str | None, watch: bool, every: float, json_: bool) -> None:
    """Say whether anything is wrong, then how many orders stand in each state: of one batch, or of all.

    Exit codes: 0 all well, 1 a person is needed, 2 usage or configuration, 3 something is away.
    """
    look = _look(batch)
    if not watch:
        _print(look, batch, json_)
        raise SystemExit(exit_code(look.wrong))
    previous: tuple[Snapshot, Mapping[str, int]] | None = None
    try:
        while True:
            if sys.stdout.isatty():
                click.echo(CLEAR, nl=False)
            _print(look, batch, json_, pace(look.seen, look.states, previous))
            if not json_ and not sys.stdout.isatty():
                out().print()
            sys.stdout.flush()
            time.sleep(every)
            previous, look = (look.seen, look.states), _look(batch)
    except KeyboardInterrupt:
        raise SystemExit(exit_code(look.wrong)) from None


def _look(batch: str | None) -> _Look:
    parts().queries.batches(batch, limit=1)  # says so where there is no such batch
    seen = parts().health.look(batch)
    return _Look(seen, troubles(seen), parts().queries.counts(batch))


def _print(look: _Look, batch: str | None, json_: bool, going: str | None = None) -> None:
    if json_:
        print_json(_answer(look, batch))
        return
    out().print(verdict(look.seen, look.wrong))
    for trouble in look.wrong:
        out().print(f"  {trouble.sentence} → {trouble.command}")
    out().print("  ".join(f"{state} {number}" for state, number in sorted(look.states.items())) or "no orders")
    if going:
        out().print(going)
    for row in parts().queries.batches(batch):
        taken = f"{row.accepted} accepted, {row.duplicates} duplicates, {row.rejected} rejected"
        out().print(f"{row.batch_id}  {row.source}: {taken}")
    if batch is not None:
        tell_rejections(batch)


def _answer(look: _Look, batch: str | None) -> dict[str, Any]:
    paused = parts().pauses.standing()
    return {
        "verdict": verdict(look.seen, look.wrong),
        "exit_code": exit_code(look.wrong),
        "troubles": [trouble.as_json() for trouble in look.wrong],
        "states": look.states,
        "attention": look.seen.needs_person + look.seen.overdue,
        "paused": {account: pause.as_json() for account, pause in paused.items()},
        "batches": [row.as_json() for row in parts().queries.batches(batch)],
        "rejections": [] if batch is None else [one.as_json() for one in reasons(parts().queries.rejections(batch))],
    }
