"""`make chaos`: runs a campaign, prints its table, exits 1 when a promise broke."""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from rich.console import Console

from tests.faults.campaign.baseline import run_baseline, show_baselines
from tests.faults.campaign.campaign import folder_of, run
from tests.faults.campaign.makers import use
from tests.faults.campaign.negatives import CONTROLS, options_of, run_all
from tests.faults.campaign.options import Asked, parse
from tests.faults.campaign.table import show


def main() -> int:
    """Do what the command line asks for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked, console = parse(), Console(width=None if sys.stdout.isatty() else 160)
    use(asked.options.markets)
    if asked.baselines:
        found = []
        for kind in asked.baselines:
            with folder_of(asked.options.but(sabotage=f"plain-{kind}")) as folder:
                found.append(run_baseline(asked.options, kind, folder))
        show_baselines(found, console)
        _write(asked, found)
        return 0
    if asked.negatives:
        well, documents = run_all(asked.options, console)
        _write(asked, documents)
        return 0 if well else 1
    return _one(asked, console)


def _one(asked: Asked, console: Console) -> int:
    options = asked.options
    for control in CONTROLS:
        if control.guard == options.sabotage:
            options = options_of(control, options)
    verdict = run(options)
    show(verdict, console)
    _write(asked, verdict.as_json())
    return 0 if verdict.passed else 1


def _write(asked: Asked, document: Any) -> None:
    if asked.options.json_file is not None:
        asked.options.json_file.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
