"""The commands of `fulfil` that show orders: list, show, why, failures, orphans."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from worker.cli.group import PAGE, as_json, main, out, parts
from worker.cli.selection import filter_of, selection
from worker.rules.sorting import Sort
from worker.rules.words import advice
from worker.terminal.screen import print_json, print_json_list

if TYPE_CHECKING:
    from worker.rules.views import OrderView


@main.command("list")
@selection
@click.option("--limit", type=click.IntRange(min=1), metavar="NUMBER", help="At most so many orders.")
@click.option(
    "--sort",
    type=click.Choice([one.value for one in Sort]),
    default=Sort.SUBMITTED.value,
    show_default=True,
    help="submitted: batch by batch; age: the youngest first; id; state; account;"
    " updated: what moved last first; where these agree, SO-2 before SO-10.",
)
@click.option("--reverse", is_flag=True, help="The other way round.")
@as_json
def list_(limit: int | None, sort: str, reverse: bool, json_: bool, **asked: Any) -> None:
    """List orders."""
    orders = parts().queries.orders(filter_of(asked), Sort(sort), reverse, limit)
    if json_:
        print_json_list(order.as_json() for order in orders)
    elif not print_orders(orders):
        out().print("no order matches")


@main.command()
@click.argument("order")
@as_json
def show(order: str, json_: bool) -> None:
    """Show one order: goods, amounts, times, how it stands, every attempt, move and manual act, what was read back."""
    from worker.rules.audit import audit_line
    from worker.rules.life_words import life_lines
    from worker.rules.story import attempt_line, facts
    from worker.terminal.grid import Indented
    from worker.terminal.tables import history

    story = parts().queries.order(order)
    tracked = parts().life_queries.tracked(story.order.order_id)
    if json_:
        print_json(story.as_json() | {"life": tracked.as_json() if tracked.lives else None})
        return
    out().print(f"{story.order.order_id}  {story.order.state}")
    out().print(Indented([f"{name}: {value}" for name, value in facts(story)] + advice(story.order)))
    for title, lines in (
        ("after the confirm", life_lines(tracked, time.time())),
        ("sent", [attempt_line(attempt) for attempt in story.attempts]),
        ("by hand", [audit_line(act) for act in story.acts]),
    ):
        if lines:
            out().print("", title, sep="\n")
            out().print(Indented(lines))
    if story.events:
        out().print()
        out().print(history(story))


@main.command()
@click.argument("order")
@as_json
def why(order: str, json_: bool) -> None:
    """Say in plain words how an order stands, what happens next, and what a person can do."""
    from worker.rules.life_words import life_lines
    from worker.rules.why import why as sentences

    story = parts().queries.order(order)
    found = story.order
    pause = parts().pauses.standing().get(found.account)
    text = sentences(story, parts().accounts.ways(found.account, found.marketplace), pause, time.time())
    text = "\n".join([text, *life_lines(parts().life_queries.tracked(found.order_id), time.time())])
    if json_:
        print_json({"order_id": found.order_id, "why": text})
    else:
        out().print(text, soft_wrap=True)  # a command that is broken over two lines cannot be pasted


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


def print_orders(orders: Iterable[OrderView]) -> int:
    """Print orders as one table, page by page, with what was read back of each; return how many there were."""
    from worker.terminal.tables import order_rows, orders_grid

    grid, rest, now, number = orders_grid(), iter(orders), time.time(), 0
    while page := list(islice(rest, PAGE)):
        results = parts().queries.results([order.order_id for order in page])
        out().print(grid.page(order_rows(page, results, now)))
        number += len(page)
    return number
