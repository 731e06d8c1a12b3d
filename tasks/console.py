"""What a person sees: tables, one order's story, and the live view of a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from worker.ledger import reports
from worker.ledger.engine import Ledger
from worker.ledger.states import FINAL, State

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


def orders_table(orders: Iterable[Mapping[str, Any]], results: Mapping[str, list[dict[str, Any]]]) -> Table:
    """Return a table of orders: state, the marketplace's ids, its status and amount, or the code and what to do."""
    table = Table(header_style="bold", expand=True)
    for name, options in {
        "order": {"no_wrap": True},
        "state": {"no_wrap": True},
        "marketplace ids": {"overflow": "fold"},
        "order status": {"overflow": "fold"},
        "amount": {"justify": "right", "no_wrap": True},
        "code and what to do": {"ratio": 1},
    }.items():
        table.add_column(name, **options)  # type: ignore[arg-type]
    for order in orders:
        read = results.get(order["order_id"], [])
        table.add_row(
            order["order_id"],
            Text(order["state"], COLOURS[State(order["state"])]),
            "\n".join(order["references"]),
            "\n".join(entry["status"] for entry in read),
            "\n".join(f"{entry['amount'] or '-'} {entry['currency'] or ''}" for entry in read),
            advice(order),
        )
    return table


def advice(order: Mapping[str, Any]) -> str:
    """Return code, reason and what to do, as far as the order has them."""
    parts = [order.get("code"), order.get("reason"), order.get("fix") and f"→ {order['fix']}"]
    return "\n".join(str(part) for part in parts if part)


def rejections_table(rejected: Iterable[Mapping[str, Any]]) -> Table:
    """Return a table of what the intake did not take."""
    table = Table(title="not taken", header_style="bold", expand=True)
    table.add_column("line", justify="right")
    table.add_column("field", overflow="fold")
    table.add_column("reason", ratio=1)
    for entry in rejected:
        table.add_row(str(entry["line"]), entry["field"], entry["reason"])
    return table


def watch_batch(
    console: Console, ledger: Ledger, batch: str, timeout_seconds: float | None, hint: Callable[[], str | None]
) -> bool:
    """Show a batch live until nothing moves by itself any more; tell whether it came to that in time."""
    started = time.monotonic()
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while True:
            elapsed = time.monotonic() - started
            live.update(_progress(reports.counts(ledger, batch), elapsed, hint() if elapsed > 8 else None))
            if reports.moving_count(ledger, batch) == 0:
                return True
            if timeout_seconds is not None and elapsed > timeout_seconds:
                return False
            time.sleep(REFRESH_SECONDS)


def _progress(counts: Mapping[str, int], elapsed: float, hint: str | None) -> Group:
    total = max(1, sum(counts.values()))
    done = sum(counts.get(state, 0) for state in FINAL)
    line = Text(f"{elapsed:5.1f} s  {done}/{total}  ")
    for state, colour in COLOURS.items():
        if counts.get(state):
            line.append(f"{state} {counts[state]}  ", colour)
    return Group(ProgressBar(total=total, completed=done), line, Text(hint or "", "dim"))


def story(order: Mapping[str, Any]) -> Table:
    """Return one order's history as a table."""
    table = Table(title=f"{order['order_id']}  {order['state']}", header_style="bold")
    for name in ("when (UTC)", "move", "by", "note"):
        table.add_column(name)
    for event in order["events"]:
        table.add_row(event["at"][11:23], f"{event['from']} → {event['to']}", event["actor"], event["note"] or "")
    return table


def why(order: Mapping[str, Any], pauses: Mapping[str, Mapping[str, Any]]) -> str:
    """Return in a few sentences how an order stands and what happens next."""
    told = [f"{order['order_id']} is {order['state']}: {_MEANING[State(order['state'])]}"]
    if order["reason"]:
        told.append(f"{order['code'] or 'Reason'}: {order['reason']}.")
    if order["fix"]:
        told.append(f"What to do: {order['fix']}.")
    pause = pauses.get(order["account"])
    if pause and order["state"] == State.QUEUED:
        until = f"until {reports.utc(pause['until'])}" if pause["until"] else "until a person resumes it"
        told.append(f"Its account {order['account']} is held {until}: {pause['reason']}.")
        if pause["fix"]:
            told.append(f"What to do: {pause['fix']}.")
    elif order["due_at"]:
        told.append(f"Next step at {order['due_at']} by itself.")
    if order["in_doubt"]:
        told.append("An earlier send of it may have been accepted, so it is never sent again without a check.")
    return "\n".join(told)


_MEANING = {
    State.QUEUED: "it waits to be sent.",
    State.PLACING: "a worker is sending it.",
    State.UNKNOWN: "it may or may not exist at the marketplace; that is settled before anything else happens to it.",
    State.UNMATCHED: "the marketplace has it but told us no id. It is never sent again.",
    State.PLACED: "the marketplace gave its ids; it is to be read back.",
    State.CONFIRMED: "it was read back from the marketplace.",
    State.REFUSED: "the marketplace said no, nothing was created.",
    State.DEAD: "it never arrived at the marketplace.",
    State.CANCELLED: "it was called off before it existed at the marketplace.",
}
