"""The programs of a campaign: started, watched, restarted when they die, and stopped by their own ids."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.campaign.keeper import Keeper
from tests.running import start, stop

RESTART_SECONDS = 0.3
STOP_SECONDS = 20.0


@dataclass(slots=True)
class Program:
    """One program. `environment` is asked at every start, so that a restart may get other crash points."""

    name: str
    role: str
    command: list[str]
    environment: Callable[[], Mapping[str, str]]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    died_at: float = 0.0
    wanted: bool = True
    exits: list[int] = field(default_factory=list)

    @property
    def alive(self) -> subprocess.Popen[bytes] | None:
        """Return the process if it runs."""
        return self.process if self.process is not None and self.process.poll() is None else None


class Fleet:
    """Supervises programs on one thread, as systemd or docker would."""

    def __init__(self, folder: Path, keeper: Keeper) -> None:
        self._folder, self._keeper = folder, keeper
        self.programs: dict[str, Program] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="fleet", daemon=True)
        self._begun = False

    def add(self, program: Program) -> None:
        """Start a program and keep it running."""
        self._start(program)
        self.programs[program.name] = program
        if not self._begun:
            self._begun = True
            self._thread.start()

    def of(self, *roles: str) -> list[Program]:
        """Return the programs with one of these roles."""
        return [program for program in self.programs.values() if program.role in roles]

    def signal(self, name: str, number: int) -> subprocess.Popen[bytes] | None:
        """Send a signal to a program that runs; return the process it went to."""
        process = self.programs[name].alive
        if process is not None:
            process.send_signal(number)
        return process

    def restart(self, *roles: str) -> None:
        """Stop every program of these roles cleanly; the supervisor starts each again."""
        self._end(self.of(*roles))

    def end(self, *roles: str) -> list[str]:
        """Stop the programs of these roles for good; return what had to be killed."""
        ending = self.of(*roles)
        for program in ending:
            program.wanted = False
        return self._end(ending)

    def stop(self) -> None:
        """Stop everything."""
        self._stopping.set()
        if self._begun:
            self._thread.join()
        self.end(*{program.role for program in self.programs.values()})

    def _end(self, programs: list[Program]) -> list[str]:
        running = {program.name: process for program in programs if (process := program.alive) is not None}
        stubborn = stop(running, STOP_SECONDS)
        for process in running.values():
            self._keeper.ended(process.pid)
        return stubborn

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            for program in list(self.programs.values()):
                if program.alive is not None or not program.wanted:
                    continue
                if not program.died_at:
                    assert program.process is not None
                    program.died_at = time.monotonic()
                    program.exits.append(program.process.returncode)
                    self._keeper.ended(program.process.pid)
                elif time.monotonic() - program.died_at > RESTART_SECONDS:
                    self._start(program)

    def _start(self, program: Program) -> None:
        log = self._folder / f"{program.name}.log"
        program.process = start(program.command, folder=self._folder, environment=program.environment(), log=log)
        self._keeper.started(program.process.pid)
        program.starts += 1
        program.died_at = 0.0
