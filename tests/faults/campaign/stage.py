"""The stage of one campaign: home, Redis, ledger, oracle, workers, beats, clients, each a process of its own."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import Settings
from tests.faults.campaign.broker import Broker
from tests.faults.campaign.crashes import Crashes
from tests.faults.campaign.desk import Desk
from tests.faults.campaign.hosts import HOSTS, Freezer, HostClock
from tests.faults.campaign.keeper import Keeper
from tests.faults.campaign.ledgers import LedgerUnderTest, ledger_under_test
from tests.faults.campaign.makers import MARKETS, accounts
from tests.faults.campaign.options import Options
from tests.faults.campaign.oracle import KEY_SECONDS, Oracle
from tests.faults.campaign.programs import Fleet, Program
from tests.running import free_port, until
from worker.programs import commands

ROOT = Path(__file__).resolve().parents[3]
WINDOW_KEY_SECONDS = 5.0
"""How long the marketplace remembers a key in the control of the window check."""
PUSHES_ARRIVE = 0.8
"""The rest of the messages about orders' moves is lost."""
FLOWER_LOGIN = ("fulfil", "a-password-for-the-campaign")


@dataclass
class Stage:
    """Everything that runs, and what was seen of it."""

    options: Options
    folder: Path
    keeper: Keeper
    fleet: Fleet
    broker: Broker
    ledger: LedgerUnderTest
    oracle: Oracle
    desk: Desk
    crashes: Crashes
    environment: dict[str, str]
    flower_port: int
    stop: threading.Event = field(default_factory=threading.Event)
    seen: Counter[str] = field(default_factory=Counter)
    """What was seen to happen, by a word of its own."""
    clocks: dict[str, HostClock] = field(default_factory=dict)
    """Role -> the clock of the host its programs run on."""
    freezer: Freezer | None = None
    frozen: set[str] = field(default_factory=set)
    """Programs under SIGSTOP; they are left to it."""
    wrong_clocks: list[tuple[float, float]] = field(default_factory=list)
    """From when to when a host's clock was wrong."""
    frozen_sends: list[tuple[float, float]] = field(default_factory=list)
    """When a program was stopped at the moment of a send, and when it went on."""
    trouble: list[str] = field(default_factory=list)
    """What went wrong in the rig itself."""

    @property
    def logs(self) -> Path:
        """Where the programs' output goes."""
        return self.folder / "logs"

    def note(self, what: str, count: int = 1) -> None:
        """Count something that was seen."""
        self.seen[what] += count

    def resume(self) -> None:
        """Let every account that is held go on, as a person does who has mended the cause."""
        self.desk.ask("resume", ids=[row.account for row in self.ledger.rows("SELECT account FROM account_pauses")])

    def wait(self, seconds: float) -> None:
        """Wait, unless the campaign ends before."""
        self.stop.wait(seconds)


def environment_of(options: Options, home: Path, broker: Broker, ledger_url: str) -> dict[str, str]:
    """Return the environment of every program: small timings, and nothing of the machine's own settings."""
    kept = {n: os.environ[n] for n in ("PATH", "HOME", "LANG", "TMPDIR", "USER", "LOGNAME") if n in os.environ}
    settings = {
        "home": home,
        "redis_url": broker.url,
        "database_url": ledger_url,
        "lease_seconds": options.lease_seconds,
        "request_timeout_seconds": options.request_seconds,
        "connect_timeout_seconds": 2,
        "confirm_delay_seconds": 10,
        "sweep_seconds": 1,
        "retry_base_seconds": 0.3,
        "retry_cap_seconds": 4,
        "chunk": 10,
        # Few at once and a modest rate: there are always orders that are claimed and wait for their turn.
        "in_flight": 8,
        "log_level": "INFO",
        "flower_basic_auth": ":".join(FLOWER_LOGIN),
        "hooks_port": free_port(),
        "test_crash_log": home.parent / "crashes.log",
    }
    found = {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore::RuntimeWarning:celery.platforms",
        "FLOWER_BASIC_AUTH": ":".join(FLOWER_LOGIN),
        **{f"FULFIL_{name.upper()}": str(value) for name, value in settings.items()},
    }
    for account, marketplace in accounts().items():
        values = {"marketplace": marketplace, "rate_per_second": "30", "rate_burst": "5"}
        for name, value in (values | MARKETS[marketplace].keys(account)).items():
            found[_variable(account, name)] = value
    if options.sabotage in ("window", "window-held"):
        found[KEY_SECONDS] = str(WINDOW_KEY_SECONDS)
    return found


@contextlib.contextmanager
def stage(options: Options, folder: Path) -> Iterator[Stage]:
    """Build everything, yield it, and end everything, whatever happens in between."""
    home, logs = folder / "home", folder / "logs"
    for made in (home, logs):
        made.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        keeper = Keeper()
        stack.callback(keeper.close)
        broker = Broker(folder / "redis", keeper)
        stack.callback(broker.stop)
        broker.start()
        ledger = stack.enter_context(ledger_under_test(options.ledger, folder))
        environment = environment_of(options, home, broker, ledger.url)
        fleet = Fleet(logs, keeper)
        stack.callback(fleet.stop)
        oracle = start_oracle(fleet, folder, environment)
        stack.callback(oracle.close)
        for account, marketplace in accounts().items():
            environment[_variable(account, "base_url")] = oracle.url + MARKETS[marketplace].path
        desk = Desk(logs, environment, keeper)
        stack.callback(desk.close)
        crashes = Crashes(folder / "crashes.log", options)
        parts = (keeper, fleet, broker, ledger, oracle, desk, crashes, environment)
        found = Stage(options, folder, *parts, flower_port=free_port())
        found.clocks = {role: HostClock(folder / f"{role}-clock") for role in HOSTS}
        found.freezer = Freezer(folder / "freezer")
        stack.callback(found.stop.set)
        yield found


def start_workers(built: Stage) -> None:
    """Start the workers and both beats, with the commands `fulfil up` has for them."""
    known = commands(Settings(_env_file=None, home=built.folder / "home", flower_port=built.flower_port))
    for role, kind, count in (
        ("place", "place", built.options.place_workers),
        ("read", "confirm", built.options.read_workers),
        ("beat", "beat", 0 if built.options.sabotage == "sweep" else 2),
    ):
        for index in range(count):
            name = f"{role}{index + 1}"
            command = [part.replace(f"{kind}@", f"{name}@") for part in known[kind]]
            if role == "beat":
                command += ["-s", str(built.folder / f"{name}-schedule")]
            _add(built, name, role, command)
    _add(built, "hooks", "hooks", [sys.executable, "-m", "worker.cli", "hooks"])
    _push_moves(built)
    if built.options.full:
        _add(built, "flower", "flower", known["flower"])


def _push_moves(built: Stage) -> None:
    """Have orders' moves told by messages of which some are lost, each comes twice, and their order is mixed up."""
    base = f"http://127.0.0.1:{built.environment['FULFIL_HOOKS_PORT']}/push/{{account}}"
    urls = {"aliexpress": base, "shoplazza": base, "xportcn": f"{base}/{{secret}}"}
    built.oracle.push(urls, probability=PUSHES_ARRIVE, repeat=2, spread_seconds=4)


def _add(built: Stage, name: str, role: str, command: list[str]) -> None:
    if built.options.sabotage is not None and role != "hooks":
        at = command.index("celery")
        command = [*command[:at], "tests.faults.campaign.sabotage", built.options.sabotage, *command[at + 1 :]]

    def environment() -> Mapping[str, str]:
        plain, clock = built.environment, built.clocks.get(role)
        found = {**plain, **built.crashes.environment(name, role)}
        if clock is not None:
            found |= clock.environment(plain)
        if role == "place" and built.freezer is not None:
            found |= built.freezer.environment
        return found

    built.fleet.add(Program(name, role, command, environment))


def start_oracle(fleet: Fleet, folder: Path, environment: Mapping[str, str]) -> Oracle:
    """Start the sandbox and wait until it listens."""
    record = folder / "oracle.jsonl"
    command = [sys.executable, "-m", "tests.faults.campaign.oracle", "--port", "0", "--sync-seconds", "1"]
    command += ["--hang-seconds", "3", "--record", str(record)]
    fleet.add(Program("oracle", "oracle", command, lambda: dict(environment)))
    log = fleet._folder / "oracle.log"

    def told() -> str | None:
        return next((line for line in log.read_text().splitlines() if "listening on " in line), None)

    return Oracle(until(f"the oracle to listen; see {log}", told, 30).rpartition(" ")[2], record)


def _variable(account: str, name: str) -> str:
    return f"FULFIL_ACCOUNTS__{account.upper()}__{name.upper()}"
