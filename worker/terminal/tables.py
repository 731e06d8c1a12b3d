"""What a person sees: tables, one order's story, and the live view of a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from worker.ledger.queries import Queries
from worker.rules.states import FINAL, State
from worker.rules.story import OrderStory
from worker.rules.troubles import FailureView, OrphanView, RejectionView
from worker.rules.views import OrderView, ResultView, utc
from worker.rules.words import advice, day

COLOURS = {
    State.QUEUED: "cyan",
    State.PLACING: "blue",
    State.UNKNOWN: "magenta",
    State.UNMATCHED: "magenta",
    State.PLACED: "yellow",
    State.CONFIRMED: "green",
    State.REFUSED: "red",
    State.DEAD: "red",
    State.CANCELLED: "white",
}
REFRESH_SECONDS = 0.5
LINE_SECONDS = 5.0
"""Between two lines of progress where there is no terminal to draw on."""
ADVICE_COLUMNS = 38
"""Least width of the column that is read as text; the order ids fold before it gets narrower."""

ORDER_COLUMNS = 10
"""Least width of the ids' column: an everyday id stays on one line."""

_ADVICE = {"ratio": 1, "width": ADVICE_COLUMNS, "overflow": "fold"}
Progress = Callable[[Mapping[str, int], float, str | None], None]


def orders_table(orders: Iterable[OrderView], results: Mapping[str, Sequence[ResultView]]) -> Table:
    """Return a table of orders: state, the marketplace's ids, its status and amount, or the code and what to do."""
    read = _read_lines(results)
    rows = [
        (
            order.order_id,
            Text(order.state, COLOURS[order.state]),
            "\n".join(order.references),
            "\n".join([*read.get(order.order_id, []), *advice(order)]),
        )
        for order in orders
    ]
    return table(
        {
            "order": {"overflow": "fold", "min_width": ORDER_COLUMNS},
            "state": {"no_wrap": True},
            "marketplace ids": {"no_wrap": True},
            "order status and amount, or the code and what to do": _ADVICE,
        },
        rows,
    )


def _read_lines(results: Mapping[str, Sequence[ResultView]]) -> dict[str, list[str]]:
    """Return a line for each id that was read back: statuses and amounts stand under each other."""
    entries = [entry for read in results.values() for entry in read]
    status_width = max((len(entry.status or "-") for entry in entries), default=0)
    amount_width = max((len(entry.amount or "-") for entry in entries), default=0)

    def line(entry: ResultView) -> str:
        status, amount = entry.status or "-", entry.amount or "-"
        return f"{status:<{status_width}}  {amount:>{amount_width}} {entry.currency or ''}".rstrip()

    return {order_id: list(map(line, read)) for order_id, read in results.items()}


def table(columns: Mapping[str, Mapping[str, Any]], rows: Iterable[tuple[str | Text, ...]]) -> Table:
    """Return a table without the columns that are empty in every row."""
    cells = list(rows)
    kept = [index for index in range(len(columns)) if not cells or any(str(row[index]) for row in cells)]
    made = Table(header_style="bold", box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), expand=True)
    for index, (name, options) in enumerate(columns.items()):
        if index in kept:
            made.add_column(name, **options)
    for row in cells:
        made.add_row(*(row[index] for index in kept))
    return made


def failures_table(failures: Iterable[FailureView]) -> Table:
    """Return a table of what keeps orders from going on."""
    rows = [
        (
            str(failure.count),
            failure.account,
            failure.code or failure.state,
            f"{day(failure.first_at)}\n{day(failure.last_at)}",
            "\n".join(part for part in (failure.reason, failure.fix and f"→ {failure.fix}") if part),
            failure.example,
        )
        for failure in failures
    ]
    columns: dict[str, Mapping[str, Any]] = {
        "orders": {"justify": "right"},
        "account": {"overflow": "fold"},
        "code": {"overflow": "fold"},
        "first, last (UTC)": {"no_wrap": True},
        "why, and what to do": _ADVICE,
        "for example": {"overflow": "fold", "min_width": ORDER_COLUMNS},
    }
    return table(columns, rows)


def rejections_table(rejected: Iterable[RejectionView]) -> Table:
    """Return a table of what the intake did not take."""
    found = table(
        {
            "line": {"justify": "right", "no_wrap": True},
            "order": {"overflow": "fold"},
            "field": {"overflow": "fold"},
            "reason": _ADVICE,
        },
        [(str(entry.line), entry.order_id or "", entry.field, entry.reason) for entry in rejected],
    )
    found.title, found.title_style, found.title_justify = "not taken", "bold", "left"
    return found


def orphans_table(orphans: Iterable[OrphanView]) -> Table:
    """Return a table of the marketplace's orders that nobody could match."""
    return table(
        {
            "account": {"no_wrap": True},
            "reference": {"no_wrap": True},
            "status": {"no_wrap": True},
            "when (UTC)": {"no_wrap": True},
            "note": {"ratio": 1, "width": ADVICE_COLUMNS},
        },
        [(row.account, row.reference, row.status, (utc(row.at) or "")[:19], row.note or "") for row in orphans],
    )


def watch_batch(
    console: Console,
    queries: Queries,
    batch: str | None,
    timeout_seconds: float | None,
    hint: Callable[[], str | None],
    tick: Callable[[], None] = lambda: None,
) -> bool:
    """Show a batch, or every order, live until nothing moves by itself any more; tell whether it came to that in time.

    `tick` is called twice a second; what it raises ends the watch.
    """
    started = time.monotonic()
    with _progress(console) as show:
        while True:
            tick()
            elapsed = time.monotonic() - started
            show(queries.counts(batch), elapsed, hint() if elapsed > 8 else None)
            if queries.moving_count(batch) == 0:
                return True
            if timeout_seconds is not None and elapsed > timeout_seconds:
                return False
            time.sleep(REFRESH_SECONDS)


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    """Give a way to show progress: a bar that moves on a terminal, a line every few seconds elsewhere."""
    if console.is_interactive:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield lambda counts, elapsed, hint: live.update(_bar(counts, elapsed, hint))
        return
    next_line = 0.0

    def line(counts: Mapping[str, int], elapsed: float, hint: str | None) -> None:
        nonlocal next_line
        if elapsed >= next_line:
            next_line = elapsed + LINE_SECONDS
            console.print(_counts_line(counts, elapsed), *filter(None, [hint]))

    yield line


def _bar(counts: Mapping[str, int], elapsed: float, hint: str | None) -> Table:
    done = sum(counts.get(state, 0) for state in FINAL)
    view = Table.grid(expand=True)  # a bar ends its line in a table only
    view.add_row(ProgressBar(total=max(1, sum(counts.values())), completed=done))
    view.add_row(_counts_line(counts, elapsed))
    if hint:
        view.add_row(Text(hint, "dim"))
    return view


def _counts_line(counts: Mapping[str, int], elapsed: float) -> Text:
    done = sum(counts.get(state, 0) for state in FINAL)
    line = Text(f"{elapsed:5.1f} s  {done}/{sum(counts.values())}  ")
    for state, colour in COLOURS.items():
        if counts.get(state):
            line.append(f"{state} {counts[state]}  ", colour)
    return line


def history(story: OrderStory) -> Table:
    """Return one order's moves as a table."""
    table = Table(title=f"{story.order.order_id}  {story.order.state}", header_style="bold")
    for name in ("when (UTC)", "move", "by", "note"):
        table.add_column(name)
    for event in story.events:
        at = (utc(event.at) or "")[11:23]
        table.add_row(at, f"{event.from_state} → {event.to_state}", event.actor, event.note or "")
    return table
