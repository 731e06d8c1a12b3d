"""The file of a SQLite ledger: made only where that is wanted, and known again, so that no other takes its place."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Self
from urllib.parse import quote

from config.process import private_folder
from worker.errors import ConfigError, LedgerAway, LedgerMoved, NoLedger

FIRST_MADE_BY = (
    "go to the folder of your .env, or let FULFIL_HOME or FULFIL_DATABASE_URL name the place;"
    " a new one is made by fulfil submit, fulfil up and fulfil migrate"
)
_LEFT_OPEN = "-wal"
"""What SQLite keeps beside a ledger while a program has it open."""

Identity = tuple[int, int]
"""Device and inode: what a file keeps when it gets another name."""


class LedgerFile:
    """The file of one ledger in one process. `identity`: the file this process opened first; None before that."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.identity: Identity | None = None

    @classmethod
    def of(cls, database: str | None) -> Self:
        """Return the file an address names. Raises ConfigError for a ledger in memory."""
        if not database or database == ":memory:":
            raise ConfigError("the ledger must be a file: several processes share it")
        return cls(Path(os.path.abspath(database)))

    def require(self) -> None:
        """Raise NoLedger where there is none, LedgerMoved where a program at work has it open under another name."""
        if self._found() and (self.identity is not None or self.path.stat().st_size):
            return
        self._refuse_to_stand_in()
        raise NoLedger(f"there is no ledger at {self.path}; {FIRST_MADE_BY}")

    def is_there(self) -> bool:
        """Tell whether there is a file, or was one that this process opened."""
        return self.identity is not None or self._found() is not None

    def make(self) -> None:
        """Make an empty file, and its folder, where there is none. Raises LedgerAway, LedgerMoved."""
        if self.is_there():
            return
        self._refuse_to_stand_in()
        try:
            private_folder(self.path.parent)
        except OSError as error:
            raise LedgerAway(
                f"the folder of the ledger, {self.path.parent}, cannot be made: {error.strerror}"
            ) from None
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise LedgerAway(f"the ledger at {self.path} cannot be made: {error.strerror}") from None

    def connect(self, busy_seconds: float) -> sqlite3.Connection:
        """Open the file, which is there; SQLite would make an empty one in the place of one that was moved away."""
        self.check()
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode=rw",
            uri=True,
            timeout=busy_seconds,
            check_same_thread=False,
            isolation_level=None,
        )
        if self.identity is None:
            self.identity = self._found()
        return connection

    def check(self) -> None:
        """Raise LedgerMoved where the path leads to another file than the one this process opened first.

        Asked before every transaction: it takes a microsecond or two, and what is written into a file that has no name
        any more is lost.
        """
        if self.identity is None or (found := self._found()) == self.identity:
            return
        fate = "was replaced by another file" if found else "was moved away"
        raise LedgerMoved(
            f"the ledger at {self.path} {fate} under this program, which takes no work and writes nothing more:"
            " put the file back; or, if the new one is meant to be used, end everything and start it again: fulfil up"
        )

    def _found(self) -> Identity | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _refuse_to_stand_in(self) -> None:
        """Raise LedgerMoved where what SQLite keeps beside an open ledger is there without it.

        A new file beside it would be taken for the old one's, and get what was written last of that.
        """
        left = Path(f"{self.path}{_LEFT_OPEN}")
        if left.exists():
            raise LedgerMoved(
                f"the ledger at {self.path} was moved away while it was open: {left.name} is still beside it;"
                f" put {self.path.name} back to where it was; where it is gone for good, remove {left.name} too"
            )
