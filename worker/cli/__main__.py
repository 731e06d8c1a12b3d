"""`python -m worker.cli`: the command `fulfil`."""

from __future__ import annotations

from worker.cli.main import main

main(prog_name="fulfil")
