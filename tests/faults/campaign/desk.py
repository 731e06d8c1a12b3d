"""Where the rig hands in what clients and operators do, and waits for what became of it."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.campaign.keeper import Keeper
from tests.running import kill, start


class Desk:
    """The rig's end of the client process."""

    def __init__(self, folder: Path, environment: Mapping[str, str], keeper: Keeper) -> None:
        self._keeper = keeper
        command = [sys.executable, "-m", "tests.faults.campaign.clients"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
        self._process = start(command, folder=folder, environment=environment, log=folder / "clients.log", **pipes)
        keeper.started(self._process.pid)
        self._answers: dict[int, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        threading.Thread(target=self._listen, name="desk", daemon=True).start()

    def ask(self, do: str, seconds: float = 90, **what: Any) -> dict[str, Any]:
        """Do something in a process of its own; return its answer, `exit` in it: 0, or a signal's negative number."""
        number = next(self._numbers)
        line = json.dumps({"id": number, "do": do, **what}).encode() + b"\n"
        with self._changed:
            assert self._process.stdin is not None
            self._process.stdin.write(line)
            self._changed.wait_for(lambda: "exit" in self._answers.get(number, {}), seconds)
            return self._answers.pop(number, {"error": f"no answer in {seconds} s"})

    def close(self) -> None:
        """End the process, and with it whatever hangs in it."""
        kill(self._process)
        self._keeper.ended(self._process.pid)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        buffer = b""
        while part := self._process.stdout.read(1 << 16):
            *lines, buffer = (buffer + part).split(b"\n")
            with self._changed:
                for line in lines:
                    answer = json.loads(line)
                    self._answers.setdefault(answer["id"], {}).update(answer)
                self._changed.notify_all()
