"""The commands of `fulfil` that show orders: list, show, why, failures, orphans."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from worker.cli.group import PAGE, as_json, main, out, parts
from worker.cli.selection import filter_of, select, selection
from worker.terminal.screen import print_json

if TYPE_CHECKING:
    from worker.rules.views import OrderView


@main.command("list")
@selection
@as_json
def list_(json_: bool, **asked: Any) -> None:
    """List orders."""
    orders = select(**asked)
    if json_:
        print_json([order.as_json() for order in orders])
        return
    while page := list(islice(orders, PAGE)):
        print_orders(page)


@main.command()
@click.argument("order")
@as_json
def show(order: str, json_: bool) -> None:
    """Show one order: how it stands, every attempt, every move, and what was read back."""
    from worker.terminal.tables import history

    story = parts().queries.order(order)
    if json_:
        print_json(story.as_json())
        return
    print_orders([story.order])
    out().print(history(story))
    for attempt in story.attempts:
        told = attempt.as_json()
        words = [told[name] for name in ("outcome", "code", "cause", "request_id") if told[name]]
        out().print(f"attempt {attempt.number} {told['sent_at']} {attempt.duration_ms} ms", *words)


@main.command()
@click.argument("order")
@as_json
def why(order: str, json_: bool) -> None:
    """Say in plain words how an order stands, what happens next, and what a person can do."""
    from worker.marketplaces import REGISTRY
    from worker.rules.words import why as sentences

    found = parts().queries.order(order).order
    known = REGISTRY.get(found.marketplace)
    pause = parts().pauses.standing().get(found.account)
    text = sentences(found, pause, takes_pushes=known is not None and known.takes_pushes)
    if json_:
        print_json({"order_id": found.order_id, "why": text})
    else:
        out().print(text)


@main.command()
@selection
@as_json
def failures(json_: bool, **asked: Any) -> None:
    """Say what keeps orders from going on: each trouble once, with how many, since when, what to do, an example."""
    from worker.terminal.tables import failures_table

    found = parts().queries.failures(filter_of(asked))
    if json_:
        print_json([failure.as_json() for failure in found])
    elif found:
        out().print(failures_table(found))
        out().print("all of a kind at once: fulfil retry --code CODE --account ACCOUNT, or close, or amend")
    else:
        out().print("nothing keeps any order from going on")
    raise SystemExit(1 if found else 0)


@main.command()
@as_json
def orphans(json_: bool) -> None:
    """List orders of the marketplace that push messages report and that fit none of your orders."""
    from worker.terminal.tables import orphans_table

    found = parts().pushes.orphans()
    if json_:
        print_json([orphan.as_json() for orphan in found])
    elif found:
        out().print(orphans_table(found))
        out().print("if you know which order it belongs to: fulfil adopt ORDER --reference REFERENCE")
        out().print("if it is none of yours: fulfil close --orphan REFERENCE --note TEXT")
    else:
        out().print("no orphans: every push message has found its order")
    raise SystemExit(1 if found else 0)


def print_orders(page: list[OrderView]) -> None:
    """Print orders as a table, with what was read back of each."""
    from worker.terminal.tables import orders_table

    out().print(orders_table(page, parts().queries.results([order.order_id for order in page])))
