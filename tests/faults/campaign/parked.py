"""What a person does about parked orders: looks into the marketplace's order list, and then says what is so."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from tests.faults.campaign.checks import NOT_FOUND
from tests.faults.campaign.makers import KEYLESS
from tests.faults.campaign.stage import Stage
from worker.rules.codes import Code

AT_ONCE = 200
LONGER_SECONDS = 30.0


def waits_for_its_id(row: Any) -> bool:
    """Tell whether an order was read back as another one: reading goes on, but only a person gets it any further."""
    return bool(row.state == "placed" and row.code == Code.FOREIGN_ORDER)


def waits_for_a_word(row: Any) -> bool:
    """Tell whether no look-up finds an order, where no key protects: looking goes on slowly, a person may be faster."""
    return bool(row.state == "unknown" and row.code == NOT_FOUND)


def until_nothing_comes_late(stage: Stage) -> None:
    """Wait until every marketplace has made what it took in: a word about an order list is true only then."""
    end = time.monotonic() + stage.options.late_seconds[1] + LONGER_SECONDS
    while stage.oracle.late() and time.monotonic() < end:
        stage.wait(1.0)


class Person:
    """Somebody with the buyer's order lists before them. Counts what was done."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.adopted = 0
        self.told_absent = 0
        self.refused: list[str] = []

    def settle(self, rows: Sequence[Any]) -> None:
        """Give parked orders their ids, and say of those that no order list shows that they do not exist."""
        made: dict[tuple[str, str], list[str]] = defaultdict(list)
        for order in self._stage.oracle.orders():
            made[order["account"], order["key"]] += order["references"]
        doubtful = [row for row in rows if row.state == "unknown" and row.attention and row.marketplace in KEYLESS]
        # First where another order's id is in the place of it: somebody else may be waiting for that one.
        for waiting in (filter(waits_for_its_id, rows), (r for r in rows if r.state == "unmatched"), doubtful):
            self._adopt([(row.order_id, ids[0]) for row in waiting if (ids := made[row.account, row.order_id])])
        self._tell_absent([row.order_id for row in doubtful if not made[row.account, row.order_id]])

    def _adopt(self, pairs: list[tuple[str, str]]) -> None:
        for some in _in_parts(pairs):
            answer = self._stage.desk.ask("adopt", pairs=some)
            refused = answer.get("refused", [str(answer)])
            self.refused += refused
            self.adopted += len(some) - len(refused)

    def _tell_absent(self, ids: list[str]) -> None:
        for some in _in_parts(ids):
            self.told_absent += self._stage.desk.ask("absent", ids=some).get("done", 0)


def _in_parts(things: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(things), AT_ONCE):
        yield things[start : start + AT_ONCE]
