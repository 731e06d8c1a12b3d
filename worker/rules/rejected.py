"""What intake did not take, told once for each reason: how many orders, on which lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from worker.rules.troubles import RejectionView

PLACES = 12
"""Lines, or runs of lines, and orders that are named of a reason."""
_ORDER = "ORDER"


@dataclass(slots=True)
class Reason:
    """The same fault of several orders."""

    field: str
    reason: str
    count: int = 0
    order_ids: list[str] = dataclasses.field(default_factory=list)
    """The first `PLACES`."""
    runs: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    """First and last of lines in a row."""

    @property
    def lines(self) -> str:
        """The lines in words: `3, 5-9`; many are not all named."""
        told = [str(first) if first == last else f"{first}-{last}" for first, last in self.runs]
        more = f" and {len(told) - PLACES} more places" if len(told) > PLACES else ""
        return ", ".join(told[:PLACES]) + more

    @property
    def orders(self) -> str:
        """The first order of those that have an id, and how many more there are."""
        if not self.order_ids:
            return ""
        return self.order_ids[0] + (f" and {self.count - 1} more" if self.count > 1 else "")

    def as_json(self) -> dict[str, Any]:
        """Return the documented form."""
        told = asdict(self)
        del told["runs"]
        return told | {"lines": self.lines}

    def add(self, rejection: RejectionView) -> None:
        """Count one more."""
        self.count += 1
        if rejection.order_id and len(self.order_ids) < PLACES:
            self.order_ids.append(rejection.order_id)
        if self.runs and self.runs[-1][1] + 1 == rejection.line:
            self.runs[-1] = (self.runs[-1][0], rejection.line)
        else:
            self.runs.append((rejection.line, rejection.line))


def reasons(rejected: Iterable[RejectionView]) -> list[Reason]:
    """Return each reason once, the most frequent first; an order's own id in it counts as no difference."""
    found: dict[tuple[str, str], Reason] = {}
    for one in rejected:
        alike = one.reason.replace(one.order_id, _ORDER) if one.order_id else one.reason
        reason = found.setdefault((one.field, alike), Reason(one.field, one.reason))
        reason.add(one)
    return sorted(found.values(), key=lambda reason: (-reason.count, reason.runs[0]))


def mending(batch: str) -> str:
    """Return how the rejected lines of a batch's file are mended and submitted again."""
    return f"to mend them: fulfil export --rejected --batch {batch} --from FILE --output mend.csv, then submit that"
