"""After the drain: deadlines pass while every account is paused; then everything that lives on is read once more."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import Any

from tests.faults.campaign.calm import settle
from tests.faults.campaign.life_checks import TOLD_WITHIN_SECONDS
from tests.faults.campaign.life_facts import Played
from tests.faults.campaign.lives import DEADLINE_SECONDS, lives_on
from tests.faults.campaign.makers import accounts, make
from tests.faults.campaign.stage import Stage
from tests.faults.campaign.storm import Storm

FIRST_LAST = 950_000
LAST = (f"~unpaid:{DEADLINE_SECONDS}", "~shipped:20")
"""What the last orders of each account live."""
CONFIRMED_SECONDS = 40.0
PAUSED_SECONDS = 15.0
READ_SECONDS = 150.0
AT_ONCE = 200
SOON_SECONDS = 120.0
"""What comes later than this is no move of the campaign: the deadline of an order that nobody gave a life."""


@dataclass
class LastMile:
    """How it went. `paused`: from when to when every account was. `unread`: what was not read in the end."""

    paused: tuple[float, float] = (0.0, 0.0)
    unread: int = 0
    finished: bool = False
    """Whether everything was refreshed."""


def go_the_last_mile(stage: Stage, storm: Storm) -> LastMile:
    """Let deadlines pass while no account may be read; then have everything read, and wait until it is."""
    found = LastMile()
    orders = [
        make(FIRST_LAST + number, stage.options.seed, account, life=life)
        for number, (account, life) in enumerate(itertools.product(sorted(accounts()), LAST))
    ]
    ids = [order.order_id for order in orders]
    storm.hand_in_more(orders, FIRST_LAST)
    _until(stage, CONFIRMED_SECONDS, lambda: len(_followed(stage, ids)) == len(ids))
    found.paused = _while_paused(stage, ids)
    _until(stage, DEADLINE_SECONDS + 30.0, lambda: not _moves_to_come(stage))
    _change_numbers(stage)
    settle(stage)
    found.unread, found.finished = _refresh(stage, _living(stage)), True
    settle(stage)
    return found


def _while_paused(stage: Stage, ids: list[str]) -> tuple[float, float]:
    """Let every read tell that its token is not accepted until the deadlines are over; nobody resumes meanwhile."""
    stage.oracle.fault("token_expired", 1.0, operation="any")
    stage.desk.ask("refresh", ids=ids)
    _until(stage, PAUSED_SECONDS, lambda: len(stage.ledger.rows(_PAUSED)) == len(accounts()))
    begun = time.time()
    deadlines = [row.deadline_at for row in _followed(stage, ids) if row.deadline_at is not None]
    stage.wait(max(0.0, max(deadlines, default=0.0) + TOLD_WITHIN_SECONDS - begun))
    stage.oracle.fault("token_expired", 0, operation="any")
    ended = time.time()
    stage.resume()
    return begun, ended


_PAUSED = "SELECT account FROM account_pauses WHERE until IS NULL"


def _followed(stage: Stage, ids: list[str]) -> list[Any]:
    rows = stage.ledger.rows("SELECT order_id, deadline_at FROM supplier_orders")
    return [row for row in rows if row.order_id in set(ids)]


def _moves_to_come(stage: Stage) -> bool:
    now = time.time()
    played = (life for order in stage.oracle.orders() for life in order["lives"].values())
    return any(now < at < now + SOON_SECONDS for life in played for at, _ in life["phases"])


def _living(stage: Stage) -> list[str]:
    confirmed = stage.ledger.facts("SELECT order_id FROM orders WHERE state = 'confirmed'")
    return [row.order_id for row in confirmed if lives_on(row.order_id)]


def _change_numbers(stage: Stage) -> None:
    """Give every parcel that is on its way another number, once the first one is known."""
    living, now = set(_living(stage)), time.time()
    shipped = [
        (order["key"], reference)
        for order in stage.oracle.orders()
        for reference, life in order["lives"].items()
        if order["key"] in living and Played(**life).phase(now) == "shipped"
    ]
    _refresh(stage, sorted({key for key, _ in shipped}))
    for _, reference in shipped:
        stage.oracle.move(reference, "number_changes")


def _refresh(stage: Stage, ids: list[str]) -> int:
    """Have orders read now; return how many supplier orders were not."""
    begun = time.time()
    for start in range(0, len(ids), AT_ONCE):
        stage.desk.ask("refresh", ids=ids[start : start + AT_ONCE])

    wanted = set(ids)

    def unread() -> list[Any]:
        rows = stage.ledger.rows("SELECT order_id, read_at FROM supplier_orders")
        return [row for row in rows if row.order_id in wanted and row.read_at < begun]

    def all_read() -> bool:
        stage.resume()
        return not unread()

    _until(stage, READ_SECONDS, all_read)
    return len(unread())


def _until(stage: Stage, seconds: float, reached: Any) -> None:
    end = time.monotonic() + seconds
    while not reached() and time.monotonic() < end:
        stage.wait(1.0)
