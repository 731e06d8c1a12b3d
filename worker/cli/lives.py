"""The commands of `fulfil` for an order's second life: track, unpaid, refresh."""

from __future__ import annotations

import time

import click

from worker.cli.group import as_json, main, out, parts
from worker.cli.selection import check_account
from worker.terminal.screen import print_json


@main.command()
@click.argument("order")
@as_json
def track(order: str, json_: bool) -> None:
    """Show an order's way after it was placed: payment, parcels, delivery, and what happened when."""
    from worker.rules.life_words import track_lines

    tracked = parts().life_queries.tracked(order)
    if json_:
        print_json(tracked.as_json())
    else:
        for line in track_lines(tracked, time.time()):
            out().print(line, markup=False)
    raise SystemExit(1 if any(one.alarms for one in tracked.lives) else 0)


@main.command()
@click.option("--account", help="Only orders of this account.")
@as_json
def unpaid(account: str | None, json_: bool) -> None:
    """List orders that wait for a person to pay: unknown deadlines first, then the soonest."""
    from worker.marketplaces import REGISTRY
    from worker.terminal.lives import unpaid_table

    check_account(account)
    found = parts().life_queries.unpaid(account)
    if json_:
        print_json([one.as_json() for one in found])
    elif found:
        out().print(unpaid_table(found, time.time()))
        for name in sorted({one.marketplace for one in found} & set(REGISTRY)):
            out().print(
                f"{REGISTRY[name].title}: pay on {REGISTRY[name].pay_page}; nothing here ever pays", markup=False
            )
    else:
        out().print("no order waits to be paid")
    raise SystemExit(1 if any(one.alarms for one in found) else 0)


@main.command()
@click.argument("orders", nargs=-1, required=True, metavar="ORDER...")
@as_json
def refresh(orders: tuple[str, ...], json_: bool) -> None:
    """Have confirmed orders read at the marketplace now, instead of at their next time."""
    found = parts().operations.refresh(orders)
    if json_:
        print_json({"woken": found})
    else:
        out().print(f"{found} of {len(orders)} are read now; fulfil track ORDER shows what was read")
    raise SystemExit(0 if found == len(orders) else 1)
