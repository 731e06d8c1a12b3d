"""What is said of an order: a task's result line, so what Flower shows, and the sentences of `fulfil why`.

A result line holds ids, codes and times only.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from worker.rules.acts import Forecast
from worker.rules.codes import Code
from worker.rules.outcomes import Found
from worker.rules.states import State
from worker.rules.values import Moved
from worker.rules.views import ActView, OrderView, utc

RESULT_CHARACTERS = 8000
"""How much of an answer Celery's events carry."""


def lines(moved: Iterable[Moved], *notes: str) -> str:
    """Return a line for each order, then the notes; above them how many need a person, where any does.

    Celery counts such a task as succeeded: it did its work, so that Flower's *failed* never counts orders.
    """
    told = list(moved)
    waiting = sum(map(_needs_a_person, told))
    first = [f"{waiting} of {len(told)} need a person: fulfil list --attention"] if waiting else []
    return "\n".join([*first, *map(_line, told), *notes]) or "nothing was due"


def _needs_a_person(order: Moved) -> bool:
    parked = order.state is State.UNKNOWN and order.due_at is None
    return parked or order.state in (State.REFUSED, State.DEAD, State.UNMATCHED) or order.code in _WRONG


def _line(order: Moved) -> str:
    if order.state in (State.PLACED, State.CONFIRMED):
        waits = f" (not shown yet, again {clock(order.due_at)})" if order.code in _WAITS else ""
        wrong = _WRONG.get(order.code or "", "")
        return f"{order.order_id} {order.state} {' '.join(order.references)}{waits}{wrong}"
    if order.state is State.QUEUED:
        return f"{order.order_id} due {clock(order.due_at)} {_why(order)}"
    return f"{order.order_id} {order.state} {order.code or ''}".rstrip()


_WRONG: dict[str, str] = {
    Code.FOREIGN_ORDER: " (another order: fulfil why)",
    Code.GOODS_DIFFER: " (not what was ordered: fulfil why)",
}
_WAITS = frozenset({Code.NOT_SHOWN_YET, "isv.insufficient-permission"})


def day(at: float) -> str:
    """Return a date and a time of day in UTC."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at))


def age(seconds: float) -> str:
    """Return how long ago something was, in its largest unit, as an option takes it: 40s, 5m, 3h, 12d."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds / length)}{unit}"
    return f"{max(0, int(seconds))}s"


def clock(at: float | None) -> str:
    """Return a time of day in UTC."""
    return "never" if at is None else time.strftime("%H:%M:%S", time.gmtime(at))


def _why(order: Moved) -> str:
    if order.declined is not None:
        return f"declined ({order.declined}) {order.code or ''}".rstrip()
    return order.code or "retry"


MEANING = {
    State.QUEUED: "it waits to be sent.",
    State.PLACING: "a worker is sending it.",
    State.UNKNOWN: "it may or may not exist at the marketplace; that is settled before anything else happens to it.",
    State.UNMATCHED: "the marketplace has it but did not say under which id. It is never sent again.",
    State.PLACED: "the marketplace gave its ids; it is to be read back.",
    State.CONFIRMED: "it was read back from the marketplace.",
    State.REFUSED: "the marketplace said no, nothing was created.",
    State.DEAD: "it never arrived at the marketplace.",
    State.CANCELLED: "it was called off before it existed at the marketplace.",
}
"""What each state means, in words for a person."""


def forecast_lines(told: Forecast) -> list[str]:
    """Return what an act would do, a line for each thing and account, then how long and for how much."""
    if not told.act.total:
        return ["no order matches: nothing would be done"]
    said = [f"{number} of {account}: {will}" for (will, account), number in sorted(told.counts.items())]
    if told.seconds >= 1:
        said.append(f"at the accounts' present limits that takes about {span(told.seconds)}")
    amounts = [f"{amount:f} {currency}" for currency, amount in sorted(told.amounts.items())]
    if told.unpriced:
        amounts.append(f"what {told.unpriced} orders cost that no preview told")
    if amounts:
        said.append(f"what is sent may cost {', and '.join(amounts)}")
    return said


def span(seconds: float) -> str:
    """Return a duration in its largest unit."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{round(seconds / length)} {unit}"
    return f"{round(seconds)} seconds"


def read_lines(found: Found) -> list[str]:
    """Return what a marketplace showed of an order: ids, states, amounts, and how it is not what was ordered."""
    said = [
        f"read under {record.reference}: {record.status}"
        + (f", {record.amount.amount:f} {record.amount.currency}" if record.amount else "")
        + (f"; {record.alert}" if record.alert else "")
        for record in found.records
    ]
    return said + ([f"it is not as ordered: {found.differs.reason}"] if found.differs else [])


def act_line(act: ActView) -> str:
    """Return in a line who ordered what of how many, and how far it is."""
    who = f"{act.act_id} {act.kind} of {act.total} orders by {act.actor} on {act.host} at {utc(act.created_at)}"
    note = f" ({act.note})" if act.note else ""
    if act.begun_at is None:
        return f"{who}{note}: not begun; to do it: fulfil act {act.act_id} --yes"
    counts = f"{act.done} done, {act.skipped} skipped, {act.changed} changed meanwhile"
    left = act.total - act.done - act.skipped - act.changed
    return f"{who}{note}: {counts}" + (f", {left} to go: it goes on by itself" if left else "")


def left_out_lines(left_out: Iterable[tuple[str, str, str | None]]) -> list[str]:
    """Return why orders of an act were left alone: the same reason once, with how many and an example."""
    reasons: dict[str, list[str]] = {}
    for order_id, _, reason in left_out:
        reasons.setdefault((reason or "").replace(order_id, "ORDER"), []).append(order_id)
    return [
        f"{len(orders)} left alone: {reason.replace('ORDER', orders[0])}"
        + (f" (and {len(orders) - 1} more)" if len(orders) > 1 else "")
        for reason, orders in reasons.items()
    ]


def advice(order: OrderView) -> list[str]:
    """Return code and reason in a line, what to do in another, as far as the order has them."""
    told = ": ".join(dict.fromkeys(part for part in (order.code, order.reason) if part))
    return [line for line in (told, order.fix and f"→ {order.fix}") if line]
