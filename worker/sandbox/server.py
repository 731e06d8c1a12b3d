"""The sandbox: one HTTP server that plays every marketplace, with faults on demand and a record of its own.

What it can be told is in `worker/sandbox/guide.py`: the faults, the suffixes of an order_id, the paths of its control.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import json
import shlex
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from config.settings import Account, settings
from worker.errors import ConfigError, FulfilError
from worker.sandbox.answers import PLAIN, dated, drip, response, spoiled
from worker.sandbox.clock import SandboxClock, Ticker
from worker.sandbox.controls import Controls, as_json, refused
from worker.sandbox.fake import Answer, Call, Fake, SandboxOrder
from worker.sandbox.fakes import ACCOUNTS, FAKES
from worker.sandbox.faults import Fault, FaultPlan, Met
from worker.sandbox.guide import CONTROLS
from worker.sandbox.late import LateCommits
from worker.sandbox.lives import Event
from worker.sandbox.pushes import Pusher, PushPlan

HANG_SECONDS = 120.0
SANDBOX_HOME = ".fulfil/sandbox"
AND_THEN = """
Paste the lines above, all at once, into another terminal, then: fulfil up
In a third one, paste them too, then: fulfil submit examples/aliexpress.jsonl --wait
fulfil sandbox --help tells which faults and refusals an order can choose."""
KEPT_ALIVE_SECONDS = 600.0
"""How long a connection stays open unused: a client that stood still for a while may still send on it."""


class Sandbox:
    """Sends each request to the fake it belongs to, and the chosen faults with it."""

    def __init__(
        self,
        fakes: Sequence[Fake],
        *,
        clock: Callable[[], float] = time.time,
        hang_seconds: float = HANG_SECONDS,
        record: Path | None = None,
    ) -> None:
        """`record`: a file that gets one JSON line for every commit, appended before the answer leaves."""
        self.fakes = {fake.name: fake for fake in fakes}
        self.faults = FaultPlan()
        self.clock = SandboxClock(clock)
        self.hang_seconds = hang_seconds
        self._paths = {path: fake for fake in fakes for path in fake.paths}
        self._record = None if record is None else _open_record(record)
        self.pusher = Pusher()
        self.late = LateCommits(self.clock)
        self.ticker = Ticker(self.clock, self._moved)
        self.controls = Controls(self.fakes, self.clock, self.ticker)
        for fake in fakes:
            fake.on_commit = self._committed
            fake.stamp = self.clock.stamp

    def _committed(self, order: SandboxOrder) -> None:
        if self._record is not None:
            self._record.write(json.dumps(order.public()).encode() + b"\n")
        fake = self.fakes[order.marketplace]
        self.pusher.offer(fake, order)
        if order.lives:
            self.ticker.follow(fake, order)

    def _moved(self, fake: Fake, order: SandboxOrder, reference: str, event: Event) -> None:
        self.pusher.offer(fake, order, reference, event)

    def close(self) -> None:
        """Let nothing more be made or moved, and close the record."""
        self.late.clear()
        self.ticker.clear()
        if self._record is not None:
            self._record.close()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path = request.path
        if path.startswith("/_sandbox/"):
            return response(await self._control(request))
        fake = self._paths.get(path) or self._fake_above(path)
        if fake is None:
            return response(Answer(b"the sandbox has no marketplace here", 404, PLAIN))
        body = await request.read()
        call = Call(request.method, path, request.query, request.headers, body, self.clock(), self.clock.moved)
        met = self.faults.choose(fake, call)
        answer = self._execute(fake, call, met)
        if met.delay:
            await asyncio.sleep(met.delay)
        if answer is None:
            return await self._cut(request, hang=met.fault != "reset_after_commit")
        if met.date:
            answer = dated(answer, self.clock.real() + met.date)
        return await drip(request, answer, self.hang_seconds) if met.fault == "drip" else response(answer)

    def _fake_above(self, path: str) -> Fake | None:
        above = [known for known in self._paths if path.startswith(known.rstrip("/") + "/")]
        return self._paths[max(above, key=len)] if above else None

    def _execute(self, fake: Fake, call: Call, met: Met) -> Answer | None:
        """Let the fake execute the call unless the fault comes before; None: the call gets no answer."""
        fault = met.fault
        if fault == "timeout_before":
            return None
        if fault in ("http_500", "http_503"):
            return Answer(b"upstream error", int(fault.removeprefix("http_")), PLAIN)
        if fault in ("throttle", "token_expired"):
            return fake.fault_answer(fault, call)
        before, fake.lag_seconds, fake.tracking_form = len(fake.orders), met.lag, met.form
        if fault == "late_commit":
            held = fake.take_in(call)
            _hide(held, met.lag)
            self.late.hold(fake, held, met.late)
            return None
        answer = fake.handle(call)
        made = fake.orders[before:]
        _hide(made, met.lag)
        if fault in ("timeout_after_commit", "reset_after_commit"):
            return None
        return spoiled(answer, fault, fake, made)

    async def _cut(self, request: web.BaseRequest, hang: bool) -> web.StreamResponse:
        if hang:
            await asyncio.sleep(self.hang_seconds)
        transport = request.transport
        if transport is not None:
            if not hang:
                # Without lingering, closing sends RST instead of FIN.
                connection = transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        return web.Response()  # never leaves: the connection is gone

    async def _control(self, request: web.BaseRequest) -> Answer:
        asked = f"{request.method} {request.path}"
        match request.method, request.path.removeprefix("/_sandbox/"):
            case "GET", "health":
                return as_json({"ok": True})
            case "GET", "orders":
                return await self._orders()
            case "GET", "late":
                return as_json({"late": self.late.public()})
            case "GET", "faults":
                return self._active_faults()
            case "POST", "faults":
                return self._set_fault(await request.read())
            case "GET", "pushes":
                return as_json(self.pusher.public())
            case "POST", "pushes":
                return self._set_pushes(await request.read())
            case "POST", "reset":
                self.reset()
                return as_json({"ok": True})
        answer = self.controls.answer(request.method, request.path, await request.read())
        return answer or as_json({"error": f"the sandbox has no {asked}; there is {', '.join(CONTROLS)}"}, 404)

    async def _orders(self) -> Answer:
        orders = [order for fake in self.fakes.values() for order in fake.orders]
        parts = []
        for start in range(0, len(orders), 1000):
            parts.append(json.dumps([order.public() for order in orders[start : start + 1000]])[1:-1])
            await asyncio.sleep(0)  # a long record must not hold up the marketplaces
        return Answer(f"[{', '.join(parts)}]".encode())

    def reset(self) -> None:
        """Forget every order and every fault, and what was still to be made; the clock is the machine's again."""
        self.faults.clear()
        self.late.clear()
        self.ticker.clear()
        self.clock.moved = 0.0
        self.pusher.clear()
        for fake in self.fakes.values():
            fake.repeat_with_ids = False
            fake.reset()

    def _active_faults(self) -> Answer:
        return as_json({"faults": [fault.model_dump() for fault, _ in self.faults.active.values()]})

    def _set_fault(self, body: bytes) -> Answer:
        try:
            fault = Fault.model_validate_json(body)
        except ValidationError as error:
            return refused(error)
        if fault.marketplace is not None and fault.marketplace not in self.fakes:
            known = ", ".join(self.fakes)
            return as_json({"error": f"marketplace: {fault.marketplace!r} is unknown; there is {known}."}, 400)
        self.faults.set(fault)
        if fault.fault == "repeat_with_ids":
            on = {k[1] for k in self.faults.active if k[0] == "repeat_with_ids"}
            for fake in self.fakes.values():
                fake.repeat_with_ids = not on.isdisjoint((None, fake.name))
        return self._active_faults()

    def _set_pushes(self, body: bytes) -> Answer:
        try:
            self.pusher.set(PushPlan.model_validate_json(body))
        except ValidationError as error:
            return refused(error)
        return as_json(self.pusher.public())


class Running:
    """A sandbox that listens."""

    def __init__(self, sandbox: Sandbox, runner: web.ServerRunner) -> None:
        self.sandbox = sandbox
        self.loop = asyncio.get_running_loop()
        """The loop everything of the sandbox runs on."""
        self._runner = runner
        self.host, self.port = runner.addresses[0][:2]
        self.url = f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    async def close(self) -> None:
        """Stop listening and drop every connection, also the held ones."""
        await self._runner.cleanup()
        await self.sandbox.pusher.close()
        self.sandbox.close()


async def serve(
    fakes: Sequence[Fake],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    clock: Callable[[], float] = time.time,
    hang_seconds: float = HANG_SECONDS,
    record: Path | None = None,
    push_url: str | None = None,
) -> Running:
    """Start a sandbox in the running loop; port 0 picks a free one."""
    plan = _push_plan(push_url)
    sandbox = Sandbox(fakes, clock=clock, hang_seconds=hang_seconds, record=record)
    server = web.Server(
        sandbox.answer, access_log=None, handler_cancellation=True, keepalive_timeout=KEPT_ALIVE_SECONDS
    )
    runner = web.ServerRunner(server, shutdown_timeout=0.1)  # 0 would mean: wait for held connections
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
    except OSError as error:
        await runner.cleanup()
        sandbox.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(f"Port {port} on {host} is taken; choose another for the sandbox.") from None
        raise ConfigError(f"The sandbox cannot listen on {host}, port {port}: {error.strerror or error}.") from None
    sandbox.pusher.set(plan)
    return Running(sandbox, runner)


def fakes_for(accounts: Mapping[str, Account], sync_seconds: float = 3.0) -> list[Fake]:
    """Make every fake, each with the accounts of its marketplace (and the built-in one)."""
    return [
        fake({name: a.extras() for name, a in accounts.items() if a.marketplace == marketplace}, sync_seconds)
        for marketplace, fake in FAKES.items()
    ]


def _offered() -> dict[str, Account]:
    """Return the accounts of the lines to paste, so that the record has their orders under their names."""
    return {
        name: Account.model_validate({"marketplace": marketplace, **FAKES[marketplace].built_in})
        for name, marketplace in ACCOUNTS.items()
    }


@contextlib.contextmanager
def background(fakes: Sequence[Fake], host: str = "127.0.0.1", port: int = 0, **options: Any) -> Iterator[Running]:
    """Run a sandbox on a thread of this process for as long as the block lasts; `options` as for `serve`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox", daemon=True)
    thread.start()
    try:
        running = asyncio.run_coroutine_threadsafe(serve(fakes, host, port, **options), loop).result()
        try:
            yield running
        finally:
            asyncio.run_coroutine_threadsafe(running.close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def run(
    port: int | None = None,
    host: str = "127.0.0.1",
    *,
    sync_seconds: float = 3.0,
    hang_seconds: float = HANG_SECONDS,
    record: Path | None = None,
    push_url: str | None = None,
) -> None:
    """Run the sandbox for the configured accounts until SIGTERM or SIGINT; blocks. Says where it listens."""
    current = settings()
    fakes = fakes_for(_offered() | current.accounts, sync_seconds)

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        wanted = current.sandbox_port if port is None else port
        running = await serve(fakes, host, wanted, hang_seconds=hang_seconds, record=record, push_url=push_url)
        print(f"# sandbox listening on {running.url}", *lines_to_paste(running), sep="\n", flush=True)
        if sys.stdout.isatty():
            print(AND_THEN)
        await stop.wait()
        await running.close()

    asyncio.run(until_stopped())


def lines_to_paste(running: Running) -> Iterator[str]:
    """Yield what makes a shell's programs use an account at each marketplace here, with the keys every sandbox knows.

    The home is one of its own: rehearsed orders do not belong among real ones.
    """
    yield f"export FULFIL_HOME={SANDBOX_HOME}"
    names = {marketplace: account for account, marketplace in ACCOUNTS.items()}
    for fake in running.sandbox.fakes.values():
        prefix = f"FULFIL_ACCOUNTS__{names.get(fake.name, fake.name).upper()}"
        account = {"marketplace": fake.name, "base_url": f"{running.url}{fake.paths[0]}", **fake.built_in}
        for name, value in account.items():
            yield f"export {prefix}__{name.upper()}={shlex.quote(value)}"


def _hide(orders: Sequence[SandboxOrder], seconds: float) -> None:
    for order in orders:
        order.hidden_seconds = seconds


def _push_plan(url: str | None) -> PushPlan:
    try:
        return PushPlan(url=url)
    except ValidationError:
        raise ConfigError(f"The sandbox cannot send push messages to {url!r}; give an http address.") from None


def _open_record(record: Path) -> FileIO:
    try:
        return record.open("ab", buffering=0)  # unbuffered: what a killed sandbox had committed is in the file
    except OSError as error:
        raise ConfigError(f"The sandbox cannot write its record {record}: {error.strerror}.") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox from a command line."""
    parser = argparse.ArgumentParser(prog="python -m worker.sandbox", description="Run the sandbox marketplaces.")
    parser.add_argument("--port", type=int, help="0 picks a free one (default: FULFIL_SANDBOX_PORT)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--sync-seconds", type=float, default=3.0, help="until reads show a new order")
    parser.add_argument(
        "--hang-seconds", type=float, default=HANG_SECONDS, help="how long a connection without an answer stays open"
    )
    parser.add_argument("--record", type=Path, help="file that gets one JSON line for every commit")
    parser.add_argument("--push-url", help="send push messages there; {account} stands for the order's account")
    given = parser.parse_args(arguments)
    try:
        run(**vars(given))
    except FulfilError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0
