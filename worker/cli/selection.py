"""The options that choose orders: the same for lists, exports and what is done to many."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from worker.cli.group import parts
from worker.errors import InputError, UnknownOrder

if TYPE_CHECKING:
    from worker.ledger.selection import Filter
    from worker.rules.views import OrderView

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

OPTIONS = (
    click.option("--state", help="Only orders in this state."),
    click.option("--stage", help="Only confirmed orders of which a part stands in this stage."),
    click.option("--account", help="Only orders of this account."),
    click.option("--batch", help="Only orders of this batch."),
    click.option("--attention", is_flag=True, help="Only orders that need a person."),
    click.option("--code", help="Only orders with this code."),
    click.option("--since", metavar="TIME", help="Only orders submitted since then: 2026-11-26, …T14:00Z, or 2h ago."),
    click.option("--older-than", metavar="AGE", help="Only orders submitted longer ago: 90m, 2h, 3d."),
    click.option("--text", help="Only orders with this text in their id, code or reason."),
)


def selection(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that choose orders."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def filter_of(asked: dict[str, Any]) -> Filter:
    """Return the filter that the options ask for.

    Raises InputError for a state or a time nobody knows, UnknownOrder and UnknownAccount for a batch and an account.
    """
    from worker.ledger.selection import Filter
    from worker.rules.life import Stage
    from worker.rules.states import State

    given = dict(asked)
    since, older_than, state = given.pop("since"), given.pop("older_than"), given["state"]
    if state is not None and state not in list(State):
        raise InputError(f"no state {state!r}; there are {', '.join(State)}")
    if given["stage"] is not None and given["stage"] not in list(Stage):
        raise InputError(f"no stage {given['stage']!r}; there are {', '.join(Stage)}")
    check_account(given["account"])
    if given["batch"] is not None:
        parts().queries.batches(given["batch"])
    return Filter(
        **given,
        since=None if since is None else moment(since),
        until=None if older_than is None else time.time() - _age(older_than),
    )


def check_account(account: str | None) -> None:
    """Raise UnknownAccount for an account that is neither configured nor named by an order."""
    if account is not None and not parts().queries.has_account(account):
        parts().accounts.check(account)


def chosen(orders: tuple[str, ...], asked: dict[str, Any]) -> tuple[Filter, dict[str, str]]:
    """Return the filter of named orders and options together, and what is said of ids the ledger does not hold.

    Raises InputError where nothing was chosen, and as `filter_of` does.
    """
    wanted = filter_of(asked)
    if not orders:
        if not any(asked.values()):
            raise InputError("name orders, or choose them: --state, --account, --batch, --code, --since, --text …")
        return wanted, {}
    known, missing = parts().queries.known(orders)
    if not known:
        raise UnknownOrder("; ".join(missing.values()))
    return replace(wanted, ids=tuple(known)), missing


def moment(text: str) -> float:
    """Return unix seconds of a date, a date and time (UTC unless it says otherwise), or an age. Raises InputError."""
    if re.fullmatch(r"\d+[smhd](?: ago)?", text):
        return time.time() - _age(text.removesuffix(" ago"))
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no time; write 2026-11-26, 2026-11-26T14:00Z, or 2h") from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _age(text: str) -> float:
    if not re.fullmatch(r"\d+[smhd]", text):
        raise InputError(f"{text!r} is no age; write 90m, 2h or 3d")
    return float(int(text[:-1]) * _UNITS[text[-1]])


def select(**asked: Any) -> Iterator[OrderView]:
    """Yield the orders that the options choose. Raises what filter_of raises."""
    return parts().queries.orders(filter_of(asked))
