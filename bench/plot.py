"""Draws the bench's figures: FILE.json FILE.png."""

from __future__ import annotations

import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

OURS = "#2a7f62"
PEERS = "#9aa5b1"
LIMIT = "#d9b44a"


def main(source: str, target: str) -> None:
    """Draw a panel for each column, a bar for each contender."""
    figures: dict[str, dict[str, list[Any]]] = json.loads(Path(source).read_text())["figures"]
    names = list(next(iter(figures.values())))
    across = 4
    down = math.ceil(len(names) / across)
    sheet, panels = pyplot.subplots(down, across, figsize=(4.2 * across, 3.2 * down), squeeze=False)
    for panel in panels.flat[len(names) :]:
        panel.axis("off")
    for panel, name in zip(panels.flat, names, strict=False):
        rows = {row: _median(columns[name]) for row, columns in figures.items()}
        colours = [OURS if "fulfil" in row else LIMIT if row == "bare loop" else PEERS for row in rows]
        bars = panel.barh(list(rows), [0 if math.isnan(v) else v for v in rows.values()], color=colours)
        panel.bar_label(bars, ["-" if math.isnan(v) else f"{v:,.2f}" if v < 10 else f"{v:,.0f}" for v in rows.values()])
        panel.set_title(name.replace("p50/p99", "p99"))
        panel.invert_yaxis()
        panel.margins(x=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    sheet.tight_layout()
    sheet.savefig(target, dpi=90)


def _median(rounds: list[Any]) -> float:
    last = [figure[-1] if isinstance(figure, list) else figure for figure in rounds]
    known = [figure for figure in last if not math.isnan(figure)]
    return statistics.median(known) if known else math.nan


if __name__ == "__main__":
    main(*sys.argv[1:])
