"""The commands of `fulfil` by which a person acts on orders and accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import click

from worker.cli.accounts import accounts
from worker.cli.group import as_json, doorbell, main, out, parts, person
from worker.cli.selection import chosen, selection
from worker.errors import InputError, UnknownOrder, UnusableId
from worker.rules.acts import ActKind
from worker.terminal.screen import print_json


class _Said(NamedTuple):
    """What every act on orders may be told."""

    note: str | None
    yes: bool
    json_: bool


def _as_json(moved: Any) -> dict[str, Any]:
    return {"order_id": moved.order_id, "state": moved.state, "references": list(moved.references)}


def _tell_moved(do: Callable[[], Any], json_: bool) -> None:
    from worker.rules.words import lines

    with doorbell():
        moved = do()
    if json_:
        print_json(_as_json(moved))
    else:
        out().print(lines([moved]))


def _do(
    kind: ActKind, orders: tuple[str, ...], asked: dict[str, Any], said: _Said, changes: tuple[str, ...] = ()
) -> None:
    """Do one thing to one order at once, or forecast what it does to many; `yes` does that too."""
    note, yes, json_ = said
    if len(orders) == 1 and not any(asked.values()):
        _tell_moved(lambda: parts().operations.do(kind, orders[0], person(), note or "", changes), json_)
        return
    wanted, missing = chosen(orders, asked)
    with doorbell():
        act_id = parts().operations.freeze(kind, wanted, person(), note, changes)
        if yes:
            _tell_act(parts().operations.begin(act_id, person()), missing, json_)
    _tell_forecast(parts().operations.forecast(act_id), missing, json_)


def _tell_forecast(forecast: Any, missing: dict[str, str], json_: bool) -> None:
    from worker.rules.words import forecast_lines

    if json_:
        print_json({"act": forecast.act.as_json(), "forecast": forecast_lines(forecast), "missing": missing})
    else:
        out().print(*forecast_lines(forecast), *missing.values(), sep="\n")
        out().print(f"nothing is done yet. To do it: fulfil act {forecast.act.act_id} --yes")
    raise SystemExit(1 if missing else 0)


def _tell_act(act: Any, missing: dict[str, str], json_: bool) -> None:
    from worker.rules.words import act_line, left_out_lines

    left_out = parts().acts.left_out(act.act_id)
    if json_:
        told = [{"order_id": order, "outcome": outcome, "reason": reason} for order, outcome, reason in left_out]
        print_json(act.as_json() | {"left_out": told, "missing": missing})
    else:
        out().print(act_line(act), *left_out_lines(left_out), *missing.values(), sep="\n")
    raise SystemExit(1 if act.skipped or act.changed or missing else 0)


_note = click.option("--note", metavar="TEXT", help="Why; it is kept with the act.")
_yes = click.option("--yes", is_flag=True, help="Do it to all of them; without it only what would happen is told.")
_orders = click.argument("orders", nargs=-1, metavar="[ORDER...]")


def _order_command(name: str, text: str) -> None:
    @main.command(name, help=text)
    @_orders
    @selection
    @_note
    @_yes
    @as_json
    def command(orders: tuple[str, ...], note: str | None, yes: bool, json_: bool, **asked: Any) -> None:
        _do(ActKind(name), orders, asked, _Said(note, yes, json_))


_order_command("cancel", "Call off orders that surely do not exist at the marketplace.")
_order_command("reconcile", "Settle unknown orders now.")


@main.command()
@_orders
@selection
@click.option("--absent", is_flag=True, help="You looked: they do not exist at the marketplace and are made anew.")
@_note
@_yes
@as_json
def retry(orders: tuple[str, ...], absent: bool, note: str | None, yes: bool, json_: bool, **asked: Any) -> None:
    """Let orders go again now: sent, settled or read back, whatever the state of each allows."""
    _do(ActKind.ABSENT if absent else ActKind.RETRY, orders, asked, _Said(note, yes, json_))


@main.command()
@_orders
@selection
@click.option("--orphan", is_flag=True, help="ORDER is the marketplace's id of an orphan that is none of yours.")
@click.option("--note", required=True, metavar="TEXT", help="What you did about it; it is kept with the order.")
@_yes
@as_json
def close(orders: tuple[str, ...], orphan: bool, note: str, yes: bool, json_: bool, **asked: Any) -> None:
    """End what you have dealt with elsewhere: nothing more is done about these orders, and they need nobody."""
    note = note.strip()
    if not note:
        raise InputError("--note is empty: say what you did, for whoever reads it in a year")
    if not orphan:
        with _orphans_named(orders):
            _do(ActKind.CLOSE, orders, asked, _Said(note, yes, json_))
        return
    if not orders or any(asked.values()):
        raise InputError("--orphan needs ids of orphans and no filter; fulfil orphans lists them")
    closed, missing = parts().operations.close_orphans(orders, note, person())
    if json_:
        print_json({"closed": closed, "missing": missing})
    else:
        out().print(*(f"{one} closed: it is none of yours" for one in closed), *missing.values(), sep="\n")
    raise SystemExit(1 if missing else 0)


@contextmanager
def _orphans_named(orders: tuple[str, ...]) -> Iterator[None]:
    """Where an id is no order's but an orphan's, say how that one is closed."""
    try:
        yield
    except (UnknownOrder, UnusableId) as error:
        known = {orphan.reference for orphan in parts().pushes.orphans()}
        meant = [one for one in orders if one in known]
        if not meant:
            raise
        raise UnknownOrder(
            f"{error}; an orphan is closed so: fulfil close --orphan {' '.join(meant)} --note TEXT"
        ) from None


@main.command()
@_orders
@selection
@click.option(
    "--set", "changes", multiple=True, required=True, metavar="FIELD=VALUE", help="A field's new value; often."
)
@_note
@_yes
@as_json
def amend(
    orders: tuple[str, ...], changes: tuple[str, ...], note: str | None, yes: bool, json_: bool, **asked: Any
) -> None:
    """Change orders that surely do not exist at the marketplace, under their own ids, and let them go again.

    FIELD is as in the order's body: logistics_address.city, product_items[0].product_count; an empty VALUE takes the
    field out. What an order was before is kept.
    """
    _do(ActKind.AMEND, orders, asked, _Said(note, yes, json_), changes)


@main.command("act")
@click.argument("act_id", metavar="ACT")
@click.option("--yes", is_flag=True, help="Do it, or go on with it where it was broken off.")
@as_json
def act_(act_id: str, yes: bool, json_: bool) -> None:
    """Show an act on many orders: what it would do, or what it did; with --yes do it."""
    with doorbell():
        if yes:
            _tell_act(parts().operations.begin(act_id, person()), {}, json_)
        elif parts().acts.find(act_id).begun_at is not None:
            _tell_act(parts().acts.find(act_id), {}, json_)
    _tell_forecast(parts().operations.forecast(act_id), {}, json_)


@main.command()
@as_json
def acts(json_: bool) -> None:
    """List what people did to many orders, the newest first."""
    from worker.rules.words import act_line

    found = parts().acts.newest()
    if json_:
        print_json([act.as_json() for act in found])
    else:
        out().print(*([act_line(act) for act in found] or ["nobody has acted on many orders yet"]), sep="\n")


@main.command()
@click.argument("order")
@click.option("--reference", required=True, metavar="ID", help="The marketplace's order id you found.")
@as_json
def adopt(order: str, reference: str, json_: bool) -> None:
    """Give an order the marketplace's id that you found for it.

    The id is read at the marketplace first. Where it does not show this order under it, nothing is changed. Until the
    order is confirmed, another id can be told the same way.
    """
    from worker.rules.words import lines, read_lines

    with doorbell():
        adopted = parts().operations.adopt(order, reference, person())
    if json_:
        print_json(_as_json(adopted.moved) | {"read": [record.as_json() for record in adopted.found.records]})
    else:
        out().print(lines([adopted.moved]), *read_lines(adopted.found), sep="\n")


def _account_command(group: click.Group, name: str, text: str, *options: Callable[..., Any]) -> None:
    @group.command(name, help=text)
    @click.argument("account")
    @as_json
    def command(account: str, json_: bool, **note: str | None) -> None:
        said = {name: text for name, text in note.items() if text}
        with doorbell():
            told = getattr(parts().operations, name.replace("-", "_"))(account, person(), **said)
        print_json({"account": account, "said": told}) if json_ else out().print(told)

    for option in options:
        option(command)


_account_command(main, "pause", "Stop an account's sends; placed orders are still read back.", _note)
_account_command(
    main,
    "resume",
    "Let an account's orders be sent again; after a day's limit, as many as that limit once more.",
    _note,
)
_account_command(accounts, "pause", "Stop an account's sends: the same as fulfil pause.", _note)
_account_command(accounts, "resume", "Let an account's orders be sent again: the same as fulfil resume.", _note)
_account_command(accounts, "same-buyer", "Say that an account's new token belongs to the buyer it had before.")
