"""What one campaign is told: sizes, seed, ledger, and what is switched off on purpose."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

CALM_SECONDS = 400
"""Kept of `--minutes` for what comes after the storm."""
ALONE_ORDERS = 40
"""Handed in before each fault whose recovery is measured by itself."""
FULL_FAULTS = 500
FULL_HITS = 20
"""How often a full run must die at every crash point."""


@dataclass(frozen=True, slots=True)
class Options:
    """One campaign's size and seed. `sabotage` names the guard a negative control switches off."""

    orders: int = 5000
    faults: int = FULL_FAULTS
    seed: int = 1
    minutes: float = 14.5
    ledger: str = "sqlite"
    smoke: bool = False
    sabotage: str | None = None
    only: tuple[str, ...] = ()
    """The kinds of faults; (): all."""
    crash_points: bool = True
    markets: tuple[str, ...] = ("aliexpress", "xportcn", "shoplazza")
    place_workers: int = 3
    read_workers: int = 2
    late_seconds: tuple[float, float] = (72.0, 85.0)
    """How late a commit, how far behind a list: longer than it takes to look an order up three times in a minute."""
    lease_seconds: float = 6.0
    request_seconds: float = 2.0
    json_file: Path | None = None
    folder: Path | None = None

    @property
    def storm_seconds(self) -> float:
        """How long faults are injected."""
        whole = self.minutes * 60
        return max(22.0, min(whole - min(CALM_SECONDS, whole / 2), self.faults * 0.9))

    @property
    def hits(self) -> int:
        """How often every crash point is to be hit."""
        return max(1, min(FULL_HITS, round(FULL_HITS * self.faults / FULL_FAULTS)))

    @property
    def full(self) -> bool:
        """Tell whether every dangerous path must have happened."""
        return self.faults >= FULL_FAULTS and self.sabotage is None

    @property
    def measures_alone(self) -> bool:
        """Tell whether recovery is also measured fault by fault, after the storm."""
        return self.faults >= FULL_FAULTS // 5 and self.sabotage is None

    def but(self, **changes: object) -> Options:
        """Return these options with some changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


SMOKE = Options(orders=500, faults=24, minutes=4, smoke=True, markets=("aliexpress",), late_seconds=(2.0, 8.0))
SMALL = Options(orders=200, faults=24, minutes=4, place_workers=2, markets=("aliexpress",))
"""For negative controls and for a developer's own look."""


BASELINES = ("keyed", "keyless")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    options: Options
    negatives: bool = False
    baselines: tuple[str, ...] = ()


def parse(arguments: list[str] | None = None) -> Asked:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description="Run the fault campaign.")
    parser.add_argument("--smoke", action="store_true", help=f"the small tier of `make test`: {SMOKE.orders} orders")
    for name, kind in (("orders", int), ("faults", int), ("seed", int), ("minutes", float)):
        parser.add_argument(f"--{name}", type=kind)
    parser.add_argument("--markets", type=lambda text: tuple(text.split(",")), help="comma-separated (default: all)")
    parser.add_argument("--ledger", choices=("sqlite", "postgres"))
    parser.add_argument("--json-file", type=Path, help="where the table goes as JSON")
    parser.add_argument("--folder", type=Path, help="keep homes and logs here (default: a folder under /tmp)")
    parser.add_argument("--negative", metavar="NAME", dest="sabotage", help="run with one guard switched off")
    parser.add_argument("--negatives", action="store_true", help="run every negative control; each must fail")
    parser.add_argument(
        "--baseline", nargs="?", const="both", choices=("both", *BASELINES), help="a plain Celery worker instead"
    )
    given = vars(parser.parse_args(arguments))
    negatives, smoke, plain = given.pop("negatives"), given.pop("smoke"), given.pop("baseline")
    baselines = BASELINES if plain == "both" else (plain,) if plain else ()
    start = SMOKE if smoke else SMALL if negatives or given["sabotage"] else Options()
    return Asked(start.but(**{name: value for name, value in given.items() if value is not None}), negatives, baselines)
