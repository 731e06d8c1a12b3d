"""What a campaign came to, as values: printed by `table.py`, written as JSON, and 0 or 1 as an exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.faults.campaign.options import Options

SHOWN = 8


@dataclass
class Verdict:
    """One campaign's result."""

    options: Options
    seconds: dict[str, float]
    states: Counter[str]
    injected: Counter[str]
    crash_points: dict[str, int]
    violations: dict[str, list[str]]
    missing: list[str]
    """What should have happened and did not."""
    paths: dict[str, int]
    parked: Counter[str]
    left: Counter[str]
    recovery: dict[str, list[float]]
    longest: dict[str, float]
    numbers: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def broken(self) -> dict[str, int]:
        """Return the checkers that failed, with how many violations each."""
        return {name: len(found) for name, found in self.violations.items() if found}

    @property
    def passed(self) -> bool:
        """Tell whether every promise held and everything dangerous happened."""
        return not self.broken and not self.missing

    def as_json(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "passed": self.passed,
            "seed": self.options.seed,
            "ledger": self.options.ledger,
            "sabotage": self.options.sabotage,
            "seconds": {name: round(value, 1) for name, value in self.seconds.items()},
            "numbers": self.numbers,
            "states": dict(self.states),
            "faults": dict(sorted(self.injected.items())),
            "crash_points": self.crash_points,
            "checkers": {name: len(found) for name, found in self.violations.items()},
            "violations": {name: found[:SHOWN] for name, found in self.violations.items() if found},
            "missing": self.missing,
            "paths": self.paths,
            "parked": dict(self.parked),
            "left": dict(self.left),
            "recovery_seconds": {
                kind: spread(found) | {"wall_max": round(self.longest[kind], 1)}
                for kind, found in sorted(self.recovery.items())
            },
            "notes": self.notes,
        }


def spread(values: list[float]) -> dict[str, float]:
    """Return how many, the median, the 99th percentile and the most."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0}
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99)]
    return {"count": len(ordered), "p50": round(at[0], 1), "p99": round(at[1], 1), "max": round(ordered[-1], 1)}
