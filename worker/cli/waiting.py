"""The command `fulfil wait`, and how every command waits for orders and ends at Ctrl-C."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

from worker.cli.group import as_json, main, out, parts
from worker.cli.orders import print_orders
from worker.errors import FulfilError
from worker.terminal.screen import console, print_json

INTERRUPTED = 130
"""What a shell calls the end of a program by Ctrl-C."""


@main.command()
@click.argument("batch")
@click.option("--timeout", type=float, metavar="SECONDS", help="Longest wait; ends with 1 if orders still move then.")
@as_json
def wait(batch: str, timeout: float | None, json_: bool) -> None:
    """Wait until every order of a batch is final or needs a person.

    Exit codes: 0 all are final and need nobody, 1 some need a person or the time is over, 130 Ctrl-C.
    """
    from worker.ledger.selection import Filter

    queries = parts().queries
    queries.batches(batch)
    finished = watched([(batch, None)], timeout, json_)
    attention = queries.attention_count(batch)
    if json_:
        told = {"batch": batch, "finished": finished, "states": queries.counts(batch), "attention": attention}
        print_json(told)
    else:
        states = "  ".join(f"{state} {number}" for state, number in sorted(queries.counts(batch).items()))
        out().print(f"batch {batch}: {states or 'no orders'}" + ("" if finished else "; the time is over, some move"))
        if attention:
            print_orders(queries.orders(Filter(batch=batch, attention=True)))
    raise SystemExit(int(bool(attention) or not finished))


def watched(
    what: Sequence[tuple[str | None, Sequence[str] | None]], timeout_seconds: float | None, quiet: bool
) -> bool:
    """Show batches, or orders by their ids, until nothing moves by itself; tell whether it came to that in time.

    Ctrl-C ends the program with 130 and says how to go on.
    """
    from worker.terminal.tables import watch_batch

    end = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    shown, hint, finished = console(stderr=True, quiet=quiet), _hint(), True
    batches = [batch for batch, _ in what if batch]
    with interrupted(lambda: _how_to_go_on(batches)):
        for batch, ids in what:
            left = None if end is None else max(0.0, end - time.monotonic())
            finished &= watch_batch(shown, parts().queries, batch, left, hint, ids=ids)
    return finished


@contextmanager
def interrupted(told: Callable[[], str]) -> Iterator[None]:
    """Say at Ctrl-C how to go on, and end with 130."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nfulfil: {told()}", err=True)
        raise SystemExit(INTERRUPTED) from None


def _how_to_go_on(batches: Sequence[str]) -> str:
    goes_on = "; ".join(f"fulfil wait {batch}" for batch in batches)
    return f"no longer waiting; the orders are kept and go on without it. To wait again: {goes_on}"


def _hint() -> Callable[[], str | None]:
    from worker.app import app
    from worker.broker.listeners import pinged

    @functools.cache
    def hint() -> str | None:
        try:
            return None if pinged(app) else "no worker answers; start one: fulfil up"
        except FulfilError as error:
            return str(error)

    return hint
