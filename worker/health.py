"""Looks at every part and says whether anything is wrong: for the command line, HTTP and a board alike."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import redis

from config.queues import ADMIN_QUEUE, CONFIRM_QUEUE, place_queue
from config.settings import Settings
from worker.accounts import Accounts
from worker.broker.embedded import answers
from worker.broker.signs import Sign, Signs
from worker.broker.troubles import probe, trouble
from worker.errors import FulfilError
from worker.ledger.accounts import Tokens
from worker.ledger.engine import Ledger
from worker.ledger.health import LedgerHealth, Waiting
from worker.ledger.keyring import KeyRing
from worker.ledger.pushes import Pushes
from worker.rules.snapshot import Disk, Snapshot
from worker.rules.states import State
from worker.rules.tokens import TokenTrouble

_READ_STATES = frozenset({State.PLACED, State.UNKNOWN})


class Health:
    """Takes snapshots; makes no call to a marketplace and changes nothing. `signs` is asked for where Redis answers."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        accounts: Accounts,
        signs: Callable[[], Signs],
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._accounts = accounts
        self._signs = signs

    def look(self, batch: str | None = None) -> Snapshot:
        """Return how everything stands now; of a batch: only what its orders wait for. Raises LedgerAway."""
        told, now = LedgerHealth(self._ledger), time.time()
        waiting = told.waiting(batch, now)
        moving = sum(one.number for one in waiting)
        needs_person, overdue = told.attention(batch)
        acts = () if batch else tuple(told.acts())
        said, ages, deaf = self._broker(waiting, bool(acts), needed=moving > 0 or bool(acts), ask_always=batch is None)
        return Snapshot(
            now=now,
            batch=batch,
            moving=moving,
            waiting_since=min((one.due_since for one in waiting if one.due_since is not None), default=None),
            oldest=min((one.oldest for one in waiting), default=None),
            redis=said,
            redis_is_ours=not self._settings.redis_url,
            ledger_moved_age=ages.get(Sign.LEDGER_MOVED),
            sweep_age=ages.get(Sign.SWEEP),
            deaf=deaf,
            hooks_expected=self._pushed(told.pushes_due(batch)),
            hooks_age=ages.get(Sign.HOOKS),
            unreached=tuple(told.unreached(batch)),
            held=tuple(told.held(batch, now)),
            not_configured=self._not_configured(waiting),
            needs_person=needs_person,
            overdue=overdue,
            orphans=0 if batch else len(Pushes(self._ledger).orphans()),
            acts=acts,
            tokens=() if batch else tuple(self._tokens(now)),
            disks=() if batch else tuple(self._disks()),
        )

    def _broker(
        self, waiting: Iterable[Waiting], acts: bool, needed: bool, ask_always: bool
    ) -> tuple[str | None, dict[Sign, float], dict[str, int]]:
        """Return what is said of Redis, the signs in it, and the queues nobody takes from.

        An embedded server that nothing waits for is started with the workers, and its absence is no trouble.
        """
        try:
            if not self._settings.redis_url and not self._embedded_answers():
                return ("the embedded Redis does not run" if needed else None), {}, {}
            if needed or ask_always:
                probe(self._settings)
            queues = self._queues(waiting, acts)
            deaf = self._unheard(queues) if queues else []
            return None, self._signs().ages(), {name: queues[name] for name in deaf}
        except FulfilError as error:
            return (str(error) if needed or ask_always else None), {}, {}
        except redis.RedisError as error:
            return str(trouble(error)), {}, {}

    def _unheard(self, queues: Iterable[str]) -> list[str]:
        """Return which of these queues no worker listens to. Raises RedisAway, ConfigError, RedisError."""
        # Celery takes a third of a second to import: only where there is somebody to ask.
        from worker.app import app
        from worker.broker.listeners import unheard

        return unheard(app, queues, self._signs().workers())

    def _embedded_answers(self) -> bool:
        return (self._settings.home / "redis").is_dir() and answers(self._settings)

    def _queues(self, waiting: Iterable[Waiting], acts: bool) -> Counter[str]:
        """Return the queues that are waited in, with how many orders."""
        found: Counter[str] = Counter()
        for one in waiting:
            if one.account not in self._accounts.configured:
                continue
            if one.state is State.QUEUED:
                found[place_queue(one.account)] += one.number
            elif one.state in _READ_STATES:
                found[CONFIRM_QUEUE] += one.number
        if acts:
            found[ADMIN_QUEUE] += 0
        return found

    def _pushed(self, accounts: Iterable[str]) -> tuple[str, ...]:
        kinds = self._accounts.marketplaces
        return tuple(sorted(name for name in accounts if name in kinds and kinds[name].takes_pushes))

    def _not_configured(self, waiting: Iterable[Waiting]) -> dict[str, int]:
        found: Counter[str] = Counter()
        for one in waiting:
            if one.account not in self._accounts.configured:
                found[one.account] += one.number
        return dict(found)

    def _tokens(self, now: float) -> Iterable[TokenTrouble]:
        for view in Tokens(self._ledger, KeyRing(())).views():
            told = view.trouble(now) if view.account in self._accounts.configured else None
            if told is not None:
                yield told

    def _disks(self) -> Iterable[Disk]:
        folders = [self._settings.home, *([self._ledger.file.path.parent] if self._ledger.file else [])]
        devices: dict[int, Path] = {}
        for folder in (one.resolve() for one in folders if one.is_dir()):
            devices.setdefault(folder.stat().st_dev, folder)
        for folder in devices.values():
            total, _, free = shutil.disk_usage(folder)
            yield Disk(str(folder), free, total)
