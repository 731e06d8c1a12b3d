"""What a process has one of: made at its first use, once, each part handed the others it needs.

Celery, the HTTP client and the modules that need them take a third of a second to import. They are imported when a part
needs them, so that a command that only reads does not wait for them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

import redis

from config.settings import BadSettingError, Settings, settings
from worker.broker.embedded import EmbeddedRedis, answers, connect
from worker.broker.signs import Signs
from worker.broker.troubles import check as check_redis
from worker.broker.troubles import trouble
from worker.errors import ConfigError
from worker.ledger.operators import Operator
from worker.once import part
from worker.stores import Stores

if TYPE_CHECKING:
    from worker.broker.bell import Bell
    from worker.broker.watchdog import Watchdog
    from worker.health import Health
    from worker.intake import Intake
    from worker.operations import Operations
    from worker.preflight import Preflights
    from worker.sending.asking import Asking
    from worker.sending.limits import Limits
    from worker.sending.loop import Loop
    from worker.sending.reads import Reads
    from worker.sending.recorder import Recorder
    from worker.sending.renewals import Renewals
    from worker.sending.turns import Turns
    from worker.steps.act import Act
    from worker.steps.adopt import Adopt
    from worker.steps.confirm import Confirm
    from worker.steps.follow import Follow
    from worker.steps.logins import Logins
    from worker.steps.match import MatchPushes
    from worker.steps.place import Place
    from worker.steps.reach import Reach
    from worker.steps.reconcile import Reconcile
    from worker.steps.refresh import Refresh
    from worker.steps.suspects import Suspects
    from worker.steps.sweep import Sweep


class Parts(Stores):
    """The parts of one process. To read one may raise what making it raises: ConfigError, LedgerAway."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.draining = threading.Event()
        """Set when the worker is told to stop: nothing new is sent, what is under way ends."""

    def check(self) -> None:
        """Open the ledger and every account, look at Redis: what must be right before anything starts.

        Raises ConfigError, LedgerAway.
        """
        self.accounts.check_all()
        check_redis(self.settings)
        _ = self.ledger

    def warm(self) -> None:
        """Make what a worker needs for its first order."""
        _ = self.place, self.confirm

    @part
    def embedded(self) -> EmbeddedRedis:
        """The embedded Redis; to ask for it does not start it."""
        return EmbeddedRedis(self.settings)

    @part
    def signs(self) -> Signs:
        """Leaves and reads signs of life."""
        return Signs(connect(self.settings))

    @part
    def bell(self) -> Bell:
        """Rings for orders."""
        from worker.app import app
        from worker.broker.bell import Bell

        return Bell(app, self.accounts, self.settings)

    def stuck(self, queues: Sequence[str]) -> list[str]:
        """Return the queues through which no message came for long. Raises RedisAway, ConfigError."""
        from worker.broker.passage import Passage

        try:
            return Passage(connect(self.settings)).stuck(queues, self._patience())
        except redis.RedisError as error:
            raise trouble(error) from None

    @part
    def watchdog(self) -> Watchdog:
        """Ends a worker that gets no messages; the worker starts it."""
        from worker.app import app
        from worker.broker.passage import Passage
        from worker.broker.watchdog import Watchdog

        # Longer than the longest task, or a worker with much to do would count as stuck.
        return Watchdog(
            app, partial(answers, self.settings), self._patience(), Passage(connect(self.settings)), self.signs
        )

    def _patience(self) -> float:
        return self.settings.lease_seconds * 2 + 60

    @part
    def limits(self) -> Limits:
        """Books slots."""
        from worker.sending.limits import PACE, Limits

        return Limits(connect(self.settings), PACE)

    @part
    def loop(self) -> Loop:
        """Runs sends and reads; it works as soon as it is made."""
        from worker.sending.loop import Loop

        return Loop(self.settings)

    @part
    def turns(self) -> Turns:
        """Lets orders leave at their account's rate."""
        from worker.sending.turns import Turns

        return Turns(self.accounts, self.limits, self.due, self.loop)

    @part
    def reads(self) -> Reads:
        """Runs reads."""
        from worker.sending.reads import Reads

        return Reads(self.turns, self.loop, self.renewals, self.settings.lease_seconds / 2)

    @part
    def renewals(self) -> Renewals:
        """Has tokens renewed that a call refused."""
        from worker.sending.renewals import Renewals

        return Renewals(self.accounts, self.tokens)

    @part
    def asking(self) -> Asking:
        """Asks marketplaces before orders."""
        from worker.sending.asking import Asking

        return Asking(self.settings, self.accounts, self.limits, self.loop)

    def preflights(self) -> Preflights:
        """Make what looks at orders before they are placed: one for each file or submission, whose answers it keeps."""
        from worker.broker.answers import Answers
        from worker.preflight import Preflights

        kept = Answers(connect(self.settings), self.settings.preflight_keep_seconds)
        return Preflights(self.accounts, lambda: self.asking, kept)

    @part
    def recorder(self) -> Recorder:
        """Records answers; it works as soon as it is made."""
        from worker.sending.fallback import Fallback
        from worker.sending.recorder import Recorder

        fallback = Fallback(self.records, self.spool, self.draining, self.watchdog.heard)
        made = Recorder(
            self.records, fallback, self.pauses, self.marks, self.bell, self.limits, self.policy, self.renewals
        )
        made.start()
        return made

    @part
    def intake(self) -> Intake:
        """Takes jobs in. What is wrong with Redis' address is told before the first is taken."""
        from worker.intake import Intake

        check_redis(self.settings)
        return Intake(self.ledger, self.accounts, self.bell, self.settings.preflight, self.preflights)

    @part
    def operations(self) -> Operations:
        """Carries out a person's commands."""
        from worker.operations import Operations

        return Operations(
            *(self.ledger, self.accounts, self.graves, self.bell, self.acts, self.act, self.lives),
            adopting=lambda: self.adopt,
        )

    @part
    def health(self) -> Health:
        """Says whether anything is wrong."""
        from worker.health import Health

        return Health(self.settings, self.ledger, self.accounts, lambda: self.signs)

    @part
    def act(self) -> Act:
        """Works off what a person orders of many."""
        from worker.steps.act import Act

        return Act(self.ledger, self.acts, self.accounts, self.graves, self.bell)

    @part
    def adopt(self) -> Adopt:
        """Gives an order the id a person found."""
        from worker.steps.adopt import Adopt

        return Adopt(self.ledger, self.accounts, self.turns, self.claims, self.reads, self.bell)

    @part
    def reach(self) -> Reach:
        """Sees whether a marketplace answers and accepts us."""
        from worker.steps.reach import Reach

        return Reach(self.accounts, self.turns, self.reads)

    @part
    def suspects(self) -> Suspects:
        """Rings for orders whose worker died."""
        from worker.steps.suspects import Suspects

        return Suspects(self.due, self.bell)

    @part
    def place(self) -> Place:
        """Places orders."""
        from worker.steps.place import Place

        return Place(
            settings=self.settings,
            accounts=self.accounts,
            turns=self.turns,
            claims=self.claims,
            due=self.due,
            marks=self.marks,
            spool=self.spool,
            loop=self.loop,
            recorder=self.recorder,
            bell=self.bell,
            suspects=self.suspects,
            draining=self.draining,
        )

    @part
    def confirm(self) -> Confirm:
        """Reads placed orders back."""
        from worker.steps.confirm import Confirm

        return Confirm(
            accounts=self.accounts,
            turns=self.turns,
            claims=self.claims,
            reads=self.reads,
            records=self.records,
            bell=self.bell,
            policy=self.policy,
            lease_seconds=self.settings.lease_seconds,
        )

    @part
    def reconcile(self) -> Reconcile:
        """Settles unknown orders."""
        from worker.steps.reconcile import Reconcile

        return Reconcile(
            accounts=self.accounts,
            turns=self.turns,
            ledger=self.ledger,
            claims=self.claims,
            graves=self.graves,
            reads=self.reads,
            records=self.records,
            bell=self.bell,
            policy=self.policy,
            lease_seconds=self.settings.lease_seconds,
        )

    @part
    def match(self) -> MatchPushes:
        """Settles push messages."""
        from worker.steps.match import MatchPushes

        return MatchPushes(
            accounts=self.accounts,
            turns=self.turns,
            reads=self.reads,
            pushes=self.pushes,
            pauses=self.pauses,
            lives=self.lives,
            operator=Operator(self.ledger, "push"),
            bell=self.bell,
            policy=self.policy,
            lease_seconds=self.settings.lease_seconds,
        )

    @part
    def follow(self) -> Follow:
        """Reads supplier orders after they were confirmed."""
        from worker.steps.follow import Follow

        return Follow(
            accounts=self.accounts,
            turns=self.turns,
            reads=self.reads,
            lives=self.lives,
            writer=self.life_writer,
            pauses=self.pauses,
            bell=self.bell,
            policy=self.policy,
            lease_seconds=self.settings.lease_seconds,
        )

    @part
    def refresh(self) -> Refresh:
        """Renews tokens."""
        from worker.steps.refresh import Refresh

        return Refresh(self.accounts, self.tokens, self.loop, self.settings.answer_seconds)

    @part
    def logins(self) -> Logins:
        """Stores what a person granted."""
        from worker.steps.logins import Logins

        return Logins(self.accounts, self.tokens, self.pauses, self.loop, self.settings.answer_seconds)

    @part
    def sweep(self) -> Sweep:
        """Rings for what stands still."""
        from worker.app import app
        from worker.broker.listeners import Listeners, Watch, expected
        from worker.steps.sweep import Sweep

        return Sweep(
            settings=self.settings,
            accounts=self.accounts,
            ledger=self.ledger,
            due=self.due,
            pauses=self.pauses,
            pushes=self.pushes,
            records=self.records,
            spool=self.spool,
            graves=self.graves,
            limits=self.limits,
            lives=self.lives,
            writer=self.life_writer,
            acts=self.acts,
            tokens=self.tokens,
            bell=self.bell,
            suspects=self.suspects,
            broker=connect(self.settings),
            signs=self.signs,
            deaf=Watch(self.settings, partial(Listeners.ask, app), partial(self.stuck, expected(self.settings))),
        )


_asking = threading.Lock()


def parts() -> Parts:
    """Return the process's parts. Raises ConfigError when a setting is wrong."""
    with _asking:
        try:
            return _process()
        except BadSettingError as error:
            raise ConfigError(str(error)) from None


@cache
def _process() -> Parts:
    made = Parts(settings())
    made.accounts.check_names()
    return made


def forget() -> None:
    """Begin anew at the next call: the settings have changed."""
    settings.cache_clear()
    _process.cache_clear()
