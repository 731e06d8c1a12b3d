"""What a check of a file says: a verdict for each line, and what the orders that may pass would cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from worker.rules.foreseen import Finding, Standing, Verdict

REJECTED = "NOT_TAKEN"
"""Our word for a line that intake would not take, whatever a marketplace says."""
COLUMNS = ("source", "line", "order_id", "account", "verdict", "code", "field", "reason", "fix")
SHOWN = 200
"""Lines that are shown to a person; the CSV and JSON have all."""


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """One line and how its order would fare. `read_at`: when the oldest of what says so was read (unix seconds)."""

    line: int
    order_id: str | None
    account: str
    verdict: Verdict
    read_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the documented form."""
        money = self.verdict.forecast
        return {
            "line": self.line,
            "order_id": self.order_id,
            "account": self.account,
            "verdict": str(self.verdict.standing),
            "findings": [_found(one) for one in self.verdict.findings],
            "orders": self.verdict.orders or None,
            "forecast": None if money is None else f"{money.amount:f}",
            "currency": None if money is None else money.currency,
            "read_at": None if self.read_at is None else utc(self.read_at),
        }


@dataclass(slots=True)
class Total:
    """What orders of one account in one currency would cost."""

    orders: int = 0
    amount: Decimal = Decimal(0)


@dataclass(slots=True)
class Checked:
    """The result of one file. Totals leave out what is doomed: nobody would buy it."""

    source: str
    lines: list[CheckedLine] = field(default_factory=list)
    totals: dict[tuple[str, str], Total] = field(default_factory=dict)
    unpriced: dict[str, int] = field(default_factory=dict)
    """Orders of each account that may pass and whose price is not known."""

    def add(self, line: CheckedLine) -> None:
        """Count one more line."""
        self.lines.append(line)
        if line.verdict.standing is Standing.DOOMED:
            return
        money = line.verdict.forecast
        if money is None:
            self.unpriced[line.account] = self.unpriced.get(line.account, 0) + 1
            return
        total = self.totals.setdefault((line.account, money.currency), Total())
        total.orders += 1
        total.amount += money.amount

    def reject(self, line: int, order_id: str | None, where: str, reason: str) -> None:
        """Count a line that intake would not take."""
        found = Finding(REJECTED, where, reason, "mend the line")
        self.add(CheckedLine(line, order_id, "", Verdict(Standing.DOOMED, (found,))))

    @property
    def counts(self) -> dict[str, int]:
        """How many lines have each verdict."""
        found = dict.fromkeys(map(str, Standing), 0)
        for line in self.lines:
            found[str(line.verdict.standing)] += 1
        return found

    @property
    def is_doomed(self) -> bool:
        """Whether a line would be refused."""
        return any(line.verdict.standing is Standing.DOOMED for line in self.lines)

    @property
    def read_at(self) -> float | None:
        """When the oldest of what was told was read."""
        return min((line.read_at for line in self.lines if line.read_at is not None), default=None)

    def as_json(self) -> dict[str, Any]:
        """Return the form of `fulfil check --json`."""
        return {
            "source": self.source,
            "read_at": None if self.read_at is None else utc(self.read_at),
            "counts": self.counts,
            "totals": [
                {"account": account, "currency": currency, "orders": total.orders, "amount": f"{total.amount:f}"}
                for (account, currency), total in sorted(self.totals.items())
            ],
            "without_price": dict(sorted(self.unpriced.items())),
            "lines": [line.as_json() for line in self.lines],
        }

    def to_mend(self) -> Iterator[dict[str, Any]]:
        """Yield a row of `COLUMNS` for everything a person should mend or know."""
        for line in self.lines:
            for place, one in enumerate(line.verdict.findings):
                is_doom = place < len(line.verdict.dooms)
                yield {
                    "source": self.source,
                    "line": line.line,
                    "order_id": line.order_id,
                    "account": line.account,
                    "verdict": str(Standing.DOOMED if is_doom else Standing.WARNED),
                    **_found(one),
                }


def checked_lines(told: Checked) -> Iterator[str]:
    """Yield what a person sees of one file: the lines, all of few and of many those that are not good, and totals."""
    every = len(told.lines) <= SHOWN
    shown = [one for one in told.lines if every or one.verdict.standing in (Standing.DOOMED, Standing.WARNED)]
    for line in shown[:SHOWN]:
        yield from _told(line)
    if len(shown) > SHOWN:
        yield f"  … and {len(shown) - SHOWN} more; all of them: --csv FILE, --json"
    counts = ", ".join(f"{number} {word}" for word, number in told.counts.items() if number) or "no orders"
    yield f"{told.source}: {counts}; nothing was taken in"
    for (account, currency), total in sorted(told.totals.items()):
        yield f"  {account}: {total.orders} orders would cost {total.amount:f} {currency}"
    for account, number in sorted(told.unpriced.items()):
        yield f"  {account}: {number} orders whose price is not known"
    if told.read_at is not None:
        yield f"  read at {utc(told.read_at)} or later; stock and prices may have changed since"


def utc(at: float) -> str:
    """Return unix seconds as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _told(line: CheckedLine) -> Iterator[str]:
    verdict, money = line.verdict, line.verdict.forecast
    cost = f", {money.amount:f} {money.currency}" if money else ""
    split = f", {verdict.orders} orders of the marketplace" if verdict.orders > 1 else ""
    yield f"line {line.line} {line.order_id or '?'}: {verdict.standing}{cost}{split}"
    for one in verdict.findings:
        yield f"    {one.code} {one.field}: {one.reason} -> {one.fix}"


def _found(one: Finding) -> dict[str, str]:
    return {"code": one.code, "field": one.field, "reason": one.reason, "fix": one.fix}
