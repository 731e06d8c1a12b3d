"""What a person sees: tables, one order's story, and the live view of a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from worker.ledger.queries import Queries
from worker.rules.life_words import ago
from worker.rules.rejected import Reason
from worker.rules.spending import COLUMNS, By, Spent
from worker.rules.states import FINAL, State
from worker.rules.story import OrderStory
from worker.rules.troubles import FailureView, OrphanView, RejectionView
from worker.rules.views import OrderView, ResultView, utc
from worker.rules.words import advice, age, day
from worker.terminal.grid import Cell, Column, Grid, Page

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
ADVICE_COLUMNS = 30
"""Least width of the column that is read as text."""
ORDER_COLUMNS = 10
"""Least width of the ids' column: an everyday id stays on one line."""
REFERENCE_COLUMNS = 16
"""An everyday id of a marketplace."""

Progress = Callable[[Mapping[str, int], float, str | None], None]


def orders_grid(keep: bool = True) -> Grid:
    """Return the columns of a list of orders. `keep`: it may go on after the first page."""
    return Grid(
        (
            Column("order", ORDER_COLUMNS, folds=True),
            Column("state", max(map(len, State)) if keep else 0),
            Column("age", 3 if keep else 0, right=True),
            Column("marketplace ids", REFERENCE_COLUMNS if keep else 0, folds=True, label="ids"),
            Column("order status and amount, or the code and what to do", ADVICE_COLUMNS, text=True, label=""),
        ),
        keep=keep,
    )


def order_rows(
    orders: Iterable[OrderView], results: Mapping[str, Sequence[ResultView]], now: float | None = None
) -> list[tuple[Cell, ...]]:
    """Return a row for each order: state, age, ids, status and amount, or the code and what to do.

    `now` (unix seconds): when the age is taken, and how long ago a status was read; None: both are left out.
    """
    read = _read_lines(results, now)
    return [
        (
            order.order_id,
            Text(order.state, COLOURS[order.state]),
            "" if now is None else age(now - order.created_at),
            "\n".join(order.references),
            "\n".join([*read.get(order.order_id, []), *advice(order)]),
        )
        for order in orders
    ]


def orders_table(orders: Iterable[OrderView], results: Mapping[str, Sequence[ResultView]]) -> Page:
    """Return one table of orders."""
    return orders_grid(keep=False).page(order_rows(orders, results))


def _read_lines(results: Mapping[str, Sequence[ResultView]], now: float | None) -> dict[str, list[str]]:
    """Return a line for each id that was read back: statuses and amounts stand under each other."""
    entries = [entry for read in results.values() for entry in read]
    status_width = max((cell_len(entry.status or "-") for entry in entries), default=0)
    amount_width = max((len(entry.amount or "-") for entry in entries), default=0)

    def line(entry: ResultView) -> str:
        status, amount = set_cell_size(entry.status or "-", status_width), entry.amount or "-"
        when = "" if now is None else f"  read {ago(entry.read_at, now)}"
        return f"{status}  {amount:>{amount_width}} {entry.currency or ''}".rstrip() + when

    return {order_id: list(map(line, read)) for order_id, read in results.items()}


def failures_table(failures: Iterable[FailureView]) -> Page:
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
    columns = (
        Column("orders", right=True, label="orders"),
        Column("account", 8, folds=True),
        Column("code", 12, folds=True),
        Column("first, last (UTC)", 10, folds=True),
        Column("why, and what to do", ADVICE_COLUMNS, text=True, label=""),
        Column("for example", ORDER_COLUMNS, folds=True),
    )
    return Grid(columns).page(rows)


def reasons_table(reasons: Iterable[Reason]) -> Page:
    """Return a table of what the intake did not take: each reason once, with how many and which lines and orders."""
    rows = [(str(reason.count), reason.lines, reason.orders, reason.field, reason.reason) for reason in reasons]
    columns = (
        Column("orders", right=True, label="orders"),
        Column("lines", 6, folds=True),
        Column("order", ORDER_COLUMNS, folds=True),
        Column("field", 16, folds=True),
        Column("reason", ADVICE_COLUMNS, text=True),
    )
    return Grid(columns, title="not taken").page(rows)


def rejections_grid() -> Grid:
    """Return the columns of a list of all that the intake did not take; a row for each, of `rejection_row`."""
    columns = (
        Column("line", 4, right=True, label="line"),
        Column("order", ORDER_COLUMNS, folds=True),
        Column("field", 16, folds=True),
        Column("reason", ADVICE_COLUMNS, text=True),
    )
    return Grid(columns, keep=True)


def rejection_row(rejection: RejectionView) -> tuple[Cell, ...]:
    """Return one row of `rejections_grid`."""
    return str(rejection.line), rejection.order_id or "", rejection.field, rejection.reason


def orphans_table(orphans: Iterable[OrphanView]) -> Page:
    """Return a table of the marketplace's orders that nobody could match."""
    columns = (
        Column("account"),
        Column("reference"),
        Column("status", 10, folds=True),
        Column("when (UTC)", 10, folds=True),
        Column("note", ADVICE_COLUMNS, text=True),
    )
    rows = [(row.account, row.reference, row.status, (utc(row.at) or "")[:19], row.note or "") for row in orphans]
    return Grid(columns).page(rows)


def watch_batch(
    console: Console,
    queries: Queries,
    batch: str | None,
    timeout_seconds: float | None,
    hint: Callable[[], str | None],
    tick: Callable[[], None] = lambda: None,
    ids: Sequence[str] | None = None,
) -> bool:
    """Show a batch, these orders or all, live until nothing moves by itself; tell whether it came to that in time.

    `tick` is called twice a second; what it raises ends the watch.
    """
    started = time.monotonic()
    with _progress(console) as show:
        while True:
            tick()
            elapsed = time.monotonic() - started
            show(queries.counts(batch, ids), elapsed, hint() if elapsed > 8 else None)
            if queries.moving_count(batch, ids) == 0:
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


def history(story: OrderStory) -> Page:
    """Return one order's moves as a table."""
    columns = (Column("when"), Column("move"), Column("by", 8, folds=True), Column("note", ADVICE_COLUMNS, text=True))
    rows = [
        (utc(event.at) or "", f"{event.from_state} → {event.to_state}", event.actor, event.note or "")
        for event in story.events
    ]
    return Grid(columns).page(rows)


def spending_table(spent: Iterable[Spent], by: By) -> Page:
    """Return a table of what was spent."""
    names = [by.value, *([] if by is By.CURRENCY else ["currency"]), *COLUMNS]
    rows = [
        (
            line.key or "not told",
            *(() if by is By.CURRENCY else (line.currency or "not told",)),
            str(line.orders),
            *(f"{amount:f}" if line.currency else "" for amount in (line.ordered, line.confirmed, line.paid)),
            str(line.untold or ""),
            str(line.in_doubt or ""),
        )
        for line in spent
    ]
    return Grid([Column(name, right=name in COLUMNS) for name in names]).page(rows)
