"""What a process keeps and reads: its accounts, its ledger, its files. Parts that need no Redis and no network."""

from __future__ import annotations

from pathlib import Path

from config.settings import Settings
from worker.accounts import Accounts
from worker.ledger.accounts import Tokens
from worker.ledger.acts import Acts
from worker.ledger.audit import Audit
from worker.ledger.claims import Claims
from worker.ledger.due import Due
from worker.ledger.engine import Ledger
from worker.ledger.keyring import KeyRing
from worker.ledger.life_queries import LifeQueries
from worker.ledger.life_writer import LifeWriter
from worker.ledger.lives import Lives
from worker.ledger.marks import Graves, Marks
from worker.ledger.pauses import Pauses
from worker.ledger.pushes import Pushes
from worker.ledger.queries import Queries
from worker.ledger.records import Records
from worker.ledger.spool import Spool
from worker.once import Lazy, part
from worker.rules.decision import Policy


class Stores(Lazy):
    """The parts of a process that hold something. To read one may raise ConfigError and LedgerAway."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.makes_ledger = True
        """Whether a ledger is made where there is none; a command that only looks never makes one."""

    @part
    def accounts(self) -> Accounts:
        """The configured accounts."""
        return Accounts(self.settings.accounts, lambda: self.tokens)

    @part
    def tokens(self) -> Tokens:
        """Keeps the tokens of accounts."""
        return Tokens(self.ledger, KeyRing(self.settings.token_key_list))

    @part
    def ledger(self) -> Ledger:
        """The ledger, its schema up to date. Raises NoLedger where there is none and none may be made."""
        opened = Ledger(self.settings.database())
        if not self.makes_ledger:
            opened.require()
        opened.migrate()
        return opened

    @part
    def queries(self) -> Queries:
        """Reads the ledger for people."""
        return Queries(self.ledger)

    @part
    def audit(self) -> Audit:
        """Knows who did what by hand."""
        return Audit(self.ledger)

    @part
    def claims(self) -> Claims:
        """Takes orders for this process."""
        return Claims(self.ledger, sender=self.marks.sender)

    @part
    def records(self) -> Records:
        """Writes the outcomes of sends and reads."""
        return Records(self.ledger, limited=self.accounts.limited(), patience=self.accounts.patience())

    @part
    def due(self) -> Due:
        """Knows what is due."""
        return Due(self.ledger)

    @part
    def pauses(self) -> Pauses:
        """Pauses accounts."""
        return Pauses(self.ledger)

    @part
    def pushes(self) -> Pushes:
        """Keeps push messages."""
        return Pushes(self.ledger)

    @part
    def lives(self) -> Lives:
        """Knows which supplier orders are due."""
        return Lives(self.ledger)

    @part
    def life_queries(self) -> LifeQueries:
        """Reads the second life of orders for people."""
        return LifeQueries(self.ledger)

    @part
    def life_writer(self) -> LifeWriter:
        """Writes the second life of orders."""
        return LifeWriter(self.ledger, self.accounts.patience())

    @part
    def acts(self) -> Acts:
        """Keeps what a person orders of many."""
        return Acts(self.ledger)

    @part
    def spool(self) -> Spool:
        """Keeps on disk what the ledger would not take; an older version's folder `journal` is replayed as well."""
        return Spool(self.settings.home / "spool", self.settings.home / "journal")

    @part
    def marks(self) -> Marks:
        """Notes what this process sends."""
        return Marks(self._marks_folder())

    @part
    def graves(self) -> Graves:
        """The marks that dead processes of this home left."""
        return Graves(self._marks_folder())

    def _marks_folder(self) -> Path:
        return self.settings.home / "sending"

    @part
    def policy(self) -> Policy:
        """What the settings say about retries."""
        return Policy(
            max_attempts=self.settings.max_attempts,
            base_seconds=self.settings.retry_base_seconds,
            cap_seconds=self.settings.retry_cap_seconds,
            confirm_delay_seconds=self.settings.confirm_delay_seconds,
        )
