"""The commands of `fulfil` by which a person acts on orders and accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import click

from worker.cli.group import as_json, doorbell, main, out, parts, person
from worker.errors import FulfilError
from worker.terminal.screen import print_json


def _act(do: Callable[[], Any], json_: bool) -> None:
    from worker.rules.words import lines

    with doorbell():
        moved = do()
    if json_:
        print_json(_as_json(moved))
    else:
        out().print(lines([moved]))


def _as_json(moved: Any) -> dict[str, Any]:
    return {"order_id": moved.order_id, "state": moved.state, "references": list(moved.references)}


def _order_command(name: str, text: str) -> None:
    @main.command(name, help=text)
    @click.argument("order")
    @as_json
    def command(order: str, json_: bool) -> None:
        _act(lambda: getattr(parts().operations, name)(order, person()), json_)


_order_command("cancel", "Call off an order that surely does not exist at the marketplace.")
_order_command("reconcile", "Settle an unknown order now.")


@main.command()
@click.argument("orders", nargs=-1, required=True, metavar="ORDER...")
@click.option(
    "--absent", is_flag=True, help="You looked: the order does not exist at the marketplace. It is made anew."
)
@click.option("--yes", is_flag=True, help="Act on several orders; without it fulfil only says what would happen.")
@as_json
def retry(orders: tuple[str, ...], absent: bool, yes: bool, json_: bool) -> None:
    """Send, settle or read back orders now, whichever the state of each allows."""
    actor = person()
    if len(orders) == 1:
        _act(lambda: parts().operations.retry(orders[0], actor, absent), json_)
    elif yes:
        _act_on_each(orders, lambda order: parts().operations.retry(order, actor, absent), json_)
    else:
        told = _forecast(orders, absent)
        print_json({"forecast": told}) if json_ else out().print(*told, "nothing is done yet: add --yes", sep="\n")


def _act_on_each(orders: Sequence[str], do: Callable[[str], Any], json_: bool) -> None:
    """Act on orders one by one; an order that forbids it is reported and does not stop the others."""
    from worker.rules.words import lines

    moved, refused = [], {}
    with doorbell():
        for order in dict.fromkeys(orders):
            try:
                moved.append(do(order))
            except FulfilError as error:
                refused[order] = str(error)
    if json_:
        print_json([*map(_as_json, moved), *({"order_id": order, "said": said} for order, said in refused.items())])
    else:
        out().print(lines(moved, *refused.values()))
    raise SystemExit(1 if refused else 0)


def _forecast(orders: Sequence[str], absent: bool) -> list[str]:
    """Say what would happen to these orders, a line for each account and state."""
    found = parts().queries.states_of(list(orders))
    counts = Counter((account, state) for account, state in found.values())
    told = [f"{number} {state} of {account}: {_will(state, absent)}" for (account, state), number in counts.items()]
    missing = [order for order in orders if order not in found]
    return told + [f"{order}: no such order in the ledger" for order in missing]


def _will(state: str, absent: bool) -> str:
    if state == "unknown":
        return "looked up once more where that can be done, and made anew if not found" if absent else "settled now"
    if absent:
        return "left alone: --absent is for unknown orders only"
    return {
        "queued": "sent now",
        "refused": "sent again",
        "dead": "sent again",
        "placed": "read back now",
    }.get(state, "left alone: there is nothing to retry")


@main.command()
@click.argument("order")
@click.option("--reference", required=True, metavar="ID", help="The marketplace's order id you found.")
@as_json
def adopt(order: str, reference: str, json_: bool) -> None:
    """Give an order the marketplace's id that a person found for it; it is read back next."""
    _act(lambda: parts().operations.adopt(order, reference, person()), json_)


def _account_command(group: click.Group, name: str, text: str) -> None:
    @group.command(name, help=text)
    @click.argument("account")
    @as_json
    def command(account: str, json_: bool) -> None:
        with doorbell():
            told = getattr(parts().operations, name.replace("-", "_"))(account, person())
        print_json({"account": account, "said": told}) if json_ else out().print(told)


@main.group()
def accounts() -> None:
    """Tell fulfil what you know about an account."""


_account_command(main, "pause", "Stop an account's sends; placed orders are still read back.")
_account_command(
    main, "resume", "Let an account's orders be sent again; after a day's limit, as many as that limit once more."
)
_account_command(accounts, "same-buyer", "Say that an account's new token belongs to the buyer it had before.")
