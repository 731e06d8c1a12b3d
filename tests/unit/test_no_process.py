"""The promise that a unit starts no process is kept by a hook: here it is seen at work."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_a_unit_cannot_start_a_process() -> None:
    with pytest.raises(AssertionError, match="starts a process"):
        subprocess.run([sys.executable, "-V"], check=False)
