"""A whole shop for tests: a home, a real Redis, the sandbox, workers, beat and Flower, each a process of its own."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import redis
from sqlalchemy import select

from config.queues import for_celery
from config.settings import Settings
from tests.running import free_port, kill, start, stop, until
from worker.broker.embedded import EmbeddedRedis, redis_url
from worker.errors import FulfilError, RedisAway
from worker.ledger.engine import Ledger
from worker.ledger.queries import Queries
from worker.ledger.tables import orders
from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.aliexpress.credentials import AliExpressCredentials
from worker.marketplaces.aliexpress.models import AliExpressOrder
from worker.marketplaces.calls import Reply
from worker.programs import commands
from worker.rules.outcomes import PlaceOutcome

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 20
FLOWER_LOGIN = ("fulfil", "a-password-for-tests")

NOWHERE = "http://127.0.0.1:1/sync"
"""Nobody listens there: without a sandbox no test can ever reach a real marketplace."""

BUYER = {"contact_person": "Philippa Quillfeather", "address": "1742 Larkspur Hollow", "mobile_no": "6505550142"}


def job(order_id: str, account: str = "main", *, memo: str | None = None, **address: Any) -> dict[str, Any]:
    """Return a valid AliExpress order to the United States, with some address fields changed; None takes one out."""
    place = {"city": "Zanesville", "province": "Ohio", "zip": "43701", "country": "US", "phone_country": "+1"}
    merged = {**BUYER, "full_name": BUYER["contact_person"], **place, **address}
    item = {"product_id": 1005004638293060, "product_count": 1, "sku_attr": "14:365458#Brown"}
    order = {
        "logistics_address": {name: value for name, value in merged.items() if value is not None},
        "product_items": [item | ({"order_memo": memo} if memo else {})],
    }
    return {"order_id": order_id, "account": account, "order": order}


def keys(account: str) -> dict[str, str]:
    """Return an account's credentials, told apart by its name."""
    return {name: f"{account}-{name}".replace("_", "-") for name in ("app_key", "app_secret", "access_token")}


class Shop:
    """One home with everything that runs in it. What it started, it stops: each process by its own id.

    `settings` are those of `config.settings`, by their names in lower case. `addresses` says where an account's
    marketplace answers, if that is not the sandbox.
    """

    def __init__(
        self,
        folder: Path,
        accounts: Iterable[str] = ("main",),
        addresses: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.sandbox_url = ""
        self.flower_port = free_port()
        self._ledger: Ledger | None = None
        self._redis: EmbeddedRedis | None = None
        self.environment = _bare_environment(self.home, {"flower_port": self.flower_port} | settings)
        for account in accounts:
            for name, value in {"marketplace": "aliexpress", "rate_per_second": "50", **keys(account)}.items():
                self.environment[_variable(account, name)] = value
            self.environment[_variable(account, "base_url")] = (addresses or {}).get(account, NOWHERE)

    # What runs

    def start_redis(self) -> None:
        """Start the embedded Redis, in the shop's home."""
        for attempt in range(3):
            self._redis = EmbeddedRedis(Settings(_env_file=None, home=self.home, redis_url=None))
            try:
                self._redis.start()
                break
            except RedisAway:
                if attempt == 2:
                    raise
                (self.home / "redis" / "port").unlink(missing_ok=True)  # taken by somebody else since it was chosen
        atexit.register(self.stop)

    @property
    def redis_url(self) -> str:
        """The broker's address, as Celery takes it."""
        return for_celery(redis_url(Settings(_env_file=None, home=self.home, redis_url=None)))[0]

    @contextlib.contextmanager
    def redis(self) -> Iterator[redis.Redis]:
        """Open a plain client of the broker's server."""
        address = redis_url(Settings(_env_file=None, home=self.home, redis_url=None))
        with redis.Redis.from_url(address, socket_timeout=60) as client:
            yield client

    def start_sandbox(self, sync_seconds: float = 1, hang_seconds: float = 5) -> None:
        """Start the sandbox on a free port and point every account at it that has no address yet."""
        timing = ["--sync-seconds", str(sync_seconds), "--hang-seconds", str(hang_seconds)]
        self.start_program("sandbox", [sys.executable, "-m", "worker.sandbox", "--port", "0", *timing])

        def listening() -> str | None:
            return next((line for line in self.log("sandbox").splitlines() if "listening on " in line), None)

        self.sandbox_url = self.until("the sandbox to listen", listening, 30).rpartition(" ")[2]
        for name, value in self.environment.items():
            if value == NOWHERE:
                self.environment[name] = f"{self.sandbox_url}/sync"

    def start(self, *names: str) -> None:
        """Start programs of `fulfil up`, with its own commands: place, confirm, beat, flower."""
        known = commands(Settings(_env_file=None, home=self.home, flower_port=self.flower_port))
        for name in names:
            self.start_program(name, known[name])

    def flower(self, **options: Any) -> httpx.Client:
        """Return a client of Flower that has its password; `auth=None` takes it away."""
        known: dict[str, Any] = {"auth": FLOWER_LOGIN, "timeout": 20, "trust_env": False}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.flower_port}", **(known | options))

    def start_program(self, name: str, command: list[str]) -> None:
        """Start a program in the shop's environment; what it says goes to `logs`."""
        log = self.logs / f"{name}.log"
        self.processes[name] = start(command, folder=self.folder, environment=self.environment, log=log)

    def flower_answers(self) -> bool:
        """Tell whether Flower listens."""
        try:
            with self.flower() as flower:
                return flower.get("/healthcheck").is_success
        except httpx.TransportError:
            return False

    def kill(self, name: str) -> None:
        """End a program at once, as a crash would."""
        kill(self.processes.pop(name))

    def stop(self) -> None:
        """Stop everything, Redis last; fails where a process does not end."""
        processes, self.processes = self.processes, {}
        stubborn = stop(processes, STOP_SECONDS)
        if self._redis is not None:
            self._redis.stop()
        if self._ledger is not None:
            self._ledger.engine.dispose()
        atexit.unregister(self.stop)
        assert not stubborn, f"did not stop within {STOP_SECONDS} s: {stubborn}"

    def __enter__(self) -> Shop:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What a user does

    def cli(self, *arguments: str, stdin: bytes = b"", seconds: float = 60, **settings: Any) -> Answer:
        """Run `fulfil` with these arguments and wait for its end; `settings` hold for this run only."""
        changed = {
            f"FULFIL_{name.upper()}": str(value) for name, value in ({"log_level": "WARNING"} | settings).items()
        }
        done = subprocess.run(
            [sys.executable, "-m", "worker.cli", *arguments],
            cwd=self.folder,
            env=self.environment | changed,
            input=stdin,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def pipe_to_nobody(self, *arguments: str) -> tuple[int, str]:
        """Run `fulfil` with an output nobody reads any more; return its exit code and what it complained of."""
        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, "-m", "worker.cli", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, stdout=writer, stderr=subprocess.PIPE, check=False
        )
        os.close(writer)
        return done.returncode, done.stderr.decode()

    def submit(self, jobs: Iterable[Mapping[str, Any]], **settings: Any) -> dict[str, Any]:
        """Hand jobs in as a file of JSON lines and return what `fulfil submit --json` answers."""
        lines = "".join(json.dumps(one) + "\n" for one in jobs)
        answer = self.cli("submit", "-", "--json", stdin=lines.encode(), **settings)
        assert answer.code in (0, 1, 3), answer
        return dict(answer.json())

    # What a user sees

    @property
    def ledger(self) -> Ledger:
        """The shop's ledger."""
        if self._ledger is None:
            self._ledger = Ledger(Settings(_env_file=None, home=self.home, database_url=None).database())
            self._ledger.migrate()
        return self._ledger

    def make_ledger(self) -> None:
        """Make the empty ledger, as the first `fulfil up` or `fulfil submit` does."""
        _ = self.ledger

    def show(self, order_id: str) -> dict[str, Any]:
        """Return what `fulfil show --json` tells of an order."""
        return Queries(self.ledger).order(order_id).as_json()

    def spent(self, order_id: str) -> int:
        """Return how many attempts of an order count against its limit."""
        with self.ledger.reading() as connection:
            return int(connection.execute(select(orders.c.spent).where(orders.c.order_id == order_id)).scalar_one())

    def wait_for(self, order_id: str, *states: str, seconds: float = 60) -> dict[str, Any]:
        """Wait until an order stands in one of these states, and return it."""

        def arrived() -> dict[str, Any] | None:
            with contextlib.suppress(FulfilError):
                found = self.show(order_id)
                return found if found["state"] in states else None
            return None

        try:
            return self.until(f"{order_id} to be {' or '.join(states)}", arrived, seconds)
        except AssertionError as error:
            with contextlib.suppress(FulfilError):
                error.add_note(json.dumps(self.show(order_id), indent=1))
            raise

    def until(self, what: str, check: Callable[[], T | None], seconds: float = 30) -> T:
        """Wait as `until` does, and tell what the programs said when it was in vain."""
        try:
            return until(what, check, seconds)
        except AssertionError as error:
            dead = [name for name, process in self.processes.items() if process.poll() is not None]
            error.add_note(f"ended meanwhile: {dead or 'nothing'}")
            for path in sorted(self.logs.glob("*.log")):
                error.add_note(f"{path.name}: {path.read_text(errors='replace')[-2000:]}")
            raise

    def log(self, name: str) -> str:
        """Return what a program has said."""
        return (self.logs / f"{name}.log").read_text(errors="replace")

    # The marketplace's side

    def fault(self, fault: str, **more: Any) -> None:
        """Switch a fault of the sandbox on; `probability=0` switches it off."""
        httpx.post(
            f"{self.sandbox_url}/_sandbox/faults", json={"fault": fault, **more}, trust_env=False
        ).raise_for_status()

    def sandbox_orders(self, key: str | None = None) -> list[dict[str, Any]]:
        """Return the marketplaces' own record: everything they made, or what they made for one order."""
        addresses = (value for name, value in self.environment.items() if name.endswith("__BASE_URL"))
        records = {httpx.URL(address).join("/_sandbox/orders") for address in addresses}
        found: list[dict[str, Any]] = []
        for record in records:
            found += httpx.get(record, timeout=30, trust_env=False).json()
        return [order for order in found if key in (None, order["key"])]

    def create_elsewhere(self, one: Mapping[str, Any]) -> PlaceOutcome:
        """Create an order as another program with the same credentials would: the ledger knows nothing of it."""
        account = one["account"]
        address = self.environment[_variable(account, "base_url")]
        seller = AliExpress(account, AliExpressCredentials(**keys(account)), address)
        order = AliExpressOrder.model_validate(one["order"]).model_dump(mode="json", exclude_none=True)
        steps = seller.place(order, one["order_id"])
        request = next(steps)
        came = httpx.post(request.url, headers=dict(request.headers), content=request.content, trust_env=False)
        try:
            steps.send(Reply(came.status_code, dict(came.headers), came.content))
        except StopIteration as stop:
            outcome: PlaceOutcome = stop.value
            return outcome
        raise AssertionError("an AliExpress create is one request")


class Answer:
    """How a command ended and what it said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self) -> Any:
        """Return the JSON document it printed."""
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out[-4000:]}\n--- stderr\n{self.err[-4000:]}"


def _bare_environment(home: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return an environment with our settings and nothing of the machine's that could change an outcome."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "USER", "LOGNAME") if name in os.environ
    }
    own = {
        "home": home,
        "sweep_seconds": 1,
        "request_timeout_seconds": 2,
        "confirm_delay_seconds": 10,
        "hooks_port": 0,
        **settings,
    }
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore::RuntimeWarning:celery.platforms",
        "FLOWER_BASIC_AUTH": ":".join(FLOWER_LOGIN),
        "FULFIL_RETRY_BASE_SECONDS": "0.2",
        "FULFIL_FLOWER_BASIC_AUTH": ":".join(FLOWER_LOGIN),
        **{f"FULFIL_{name.upper()}": str(value) for name, value in own.items()},
    }


def _variable(account: str, name: str) -> str:
    return f"FULFIL_ACCOUNTS__{account.upper()}__{name.upper()}"
