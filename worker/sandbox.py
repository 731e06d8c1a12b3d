"""The sandbox: one HTTP server that plays every marketplace, with faults on demand and a record of its own.

Faults (`POST /_sandbox/faults`, or for one order's first create a suffix of its order_id, `SO-7~empty`):

timeout_before        nothing is executed; the connection is held without an answer, then closed
timeout_after_commit  executed; then held and closed in the same way
reset_after_commit    executed; then the connection is reset (RST)
http_500, http_503    nothing is executed; a plain-text answer with that status
throttle              nothing is executed; "too often", in the marketplace's own words
token_expired         nothing is executed; "token invalid", in the marketplace's own words
garbage               executed; the answer is an HTML page
empty                 executed; the answer is HTTP 200 without a body
slow                  executed; the answer comes after `latency_ms`
repeat_with_ids       a repeated create is told the ids of the first (a probability above 0 switches it on)
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import json
import random
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any, Literal, get_args

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.settings import Account, settings
from worker.errors import ConfigError, FulfilError
from worker.marketplaces.face import Answer, Call, Face, SandboxOrder
from worker.marketplaces.faces import FACES

FaultName = Literal[
    "timeout_before", "timeout_after_commit", "reset_after_commit", "http_500", "http_503", "throttle",
    "token_expired", "garbage", "empty", "slow", "repeat_with_ids",
]  # fmt: skip
FAULTS: frozenset[str] = frozenset(get_args(FaultName))
SLOW_MS = 2000
HANG_SECONDS = 120.0
_PLAIN = "text/plain;charset=UTF-8"
_GARBAGE = b"<!DOCTYPE html><html><body><h1>\xff Bad gateway</h1><p>{&quot;code&quot;: </body></html>"


class Fault(BaseModel):
    """One fault as `POST /_sandbox/faults` sets it; a probability of 0 takes it away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: FaultName
    marketplace: str | None = Field(None, description="unset: every marketplace")
    operation: Literal["create", "get", "any"] = Field("create", description="`get` is every call but a create")
    probability: float = Field(1, ge=0, le=1)
    latency_ms: float | None = Field(None, ge=0, description="waited before the answer; `slow` has 2000 unless told")
    seed: int | None = Field(None, description="makes the choice repeatable")

    @property
    def latency_seconds(self) -> float:
        """Return how long this fault delays an answer."""
        unset = SLOW_MS if self.fault == "slow" else 0
        return (unset if self.latency_ms is None else self.latency_ms) / 1000


class FaultPlan:
    """The faults that are on, and the orders that have already had the one they chose themselves."""

    def __init__(self) -> None:
        self.active: dict[tuple[str, str | None, str], tuple[Fault, random.Random]] = {}
        self._spent: set[tuple[str, str]] = set()

    def set(self, fault: Fault) -> None:
        """Put a fault in the place of its like; take it away where its probability is 0."""
        key = (fault.fault, fault.marketplace, fault.operation)
        if fault.probability > 0:
            self.active[key] = (fault, random.Random(fault.seed))
            return
        for known in [k for k in self.active if k[0] == fault.fault and fault.marketplace in (None, k[1])]:
            if "operation" not in fault.model_fields_set or known[2] == fault.operation:
                del self.active[known]

    def clear(self) -> None:
        """Forget every fault, also which orders have had theirs."""
        self.active.clear()
        self._spent.clear()

    def choose(self, face: Face, call: Call) -> tuple[str | None, float]:
        """Return the fault this call meets, if any, and the seconds its answer is delayed."""
        if not self.active and not _has_tilde(call):
            return None, 0  # the common case: no need to look into the body
        key = face.key_of(call)
        chosen, delay = self._own(face, key), 0.0
        if chosen == "slow":
            delay = SLOW_MS / 1000
        for fault, chance in self.active.values():
            meant = fault.operation in ("any", "get" if key is None else "create")
            if meant and fault.marketplace in (None, face.name) and chance.random() < fault.probability:
                delay += fault.latency_seconds
                if chosen is None and fault.fault not in ("slow", "repeat_with_ids"):
                    chosen = fault.fault
        return chosen, delay

    def _own(self, face: Face, key: str | None) -> str | None:
        """Return the fault an order chose by its suffix, once: a later create of it shows the recovery."""
        stem, _, fault = (key or "").rpartition("~")
        if not key or not stem or fault not in FAULTS or (face.name, key) in self._spent:
            return None
        self._spent.add((face.name, key))
        return fault


class Sandbox:
    """Sends each request to the face it belongs to, and the chosen faults with it."""

    def __init__(
        self,
        faces: Sequence[Face],
        *,
        clock: Callable[[], float] = time.time,
        hang_seconds: float = HANG_SECONDS,
        record: Path | None = None,
    ) -> None:
        """`record`: a file that gets one JSON line for every commit, appended before the answer leaves."""
        self.faces = {face.name: face for face in faces}
        self.faults = FaultPlan()
        self.clock = clock
        self.hang_seconds = hang_seconds
        self._paths = {path: face for face in faces for path in face.paths}
        self._record = None if record is None else _open_record(record)
        if self._record is not None:
            for face in faces:
                face.on_commit = self._write_line

    def _write_line(self, order: SandboxOrder) -> None:
        if self._record is not None:
            self._record.write(json.dumps(order.public()).encode() + b"\n")

    def close(self) -> None:
        """Close the record."""
        if self._record is not None:
            self._record.close()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path = request.path
        if path.startswith("/_sandbox/"):
            return _response(await self._control(request))
        face = self._paths.get(path) or self._face_above(path)
        if face is None:
            return _response(Answer(b"the sandbox has no marketplace here", 404, _PLAIN))
        body = await request.read()
        call = Call(request.method, path, request.query, request.headers, body, self.clock())
        fault, delay = self.faults.choose(face, call)
        answer = self._execute(face, call, fault)
        if delay:
            await asyncio.sleep(delay)
        if answer is None:
            return await self._cut(request, hang=fault != "reset_after_commit")
        return _response(answer)

    def _face_above(self, path: str) -> Face | None:
        above = [known for known in self._paths if path.startswith(known.rstrip("/") + "/")]
        return self._paths[max(above, key=len)] if above else None

    def _execute(self, face: Face, call: Call, fault: str | None) -> Answer | None:
        """Let the face execute the call unless the fault comes before; None: the call gets no answer."""
        if fault == "timeout_before":
            return None
        if fault in ("http_500", "http_503"):
            return Answer(b"upstream error", int(fault.removeprefix("http_")), _PLAIN)
        if fault in ("throttle", "token_expired"):
            return face.fault_answer(fault, call)
        answer = face.handle(call)
        if fault in ("timeout_after_commit", "reset_after_commit"):
            return None
        if fault == "garbage":
            return Answer(_GARBAGE, content_type="text/html;charset=UTF-8")
        return Answer(b"") if fault == "empty" else answer

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
        match request.method, request.path.removeprefix("/_sandbox/"):
            case "GET", "health":
                return _json({"ok": True})
            case "GET", "orders":
                return await self._orders()
            case "GET", "faults":
                return self._active_faults()
            case "POST", "faults":
                return self._set_fault(await request.read())
            case "POST", "reset":
                self.reset()
                return _json({"ok": True})
        return _json({"error": f"the sandbox has no {request.method} {request.path}"}, 404)

    async def _orders(self) -> Answer:
        orders = [order for face in self.faces.values() for order in face.orders]
        parts = []
        for start in range(0, len(orders), 1000):
            parts.append(json.dumps([order.public() for order in orders[start : start + 1000]])[1:-1])
            await asyncio.sleep(0)  # a long record must not hold up the marketplaces
        return Answer(f"[{', '.join(parts)}]".encode())

    def reset(self) -> None:
        """Forget every order and every fault."""
        self.faults.clear()
        for face in self.faces.values():
            face.repeat_with_ids = False
            face.reset()

    def _active_faults(self) -> Answer:
        return _json({"faults": [fault.model_dump() for fault, _ in self.faults.active.values()]})

    def _set_fault(self, body: bytes) -> Answer:
        try:
            fault = Fault.model_validate_json(body)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the body"
            return _json({"error": f"{where}: {first['msg']}."}, 400)
        if fault.marketplace is not None and fault.marketplace not in self.faces:
            known = ", ".join(self.faces)
            return _json({"error": f"marketplace: {fault.marketplace!r} is unknown; there is {known}."}, 400)
        self.faults.set(fault)
        if fault.fault == "repeat_with_ids":
            on = {k[1] for k in self.faults.active if k[0] == "repeat_with_ids"}
            for face in self.faces.values():
                face.repeat_with_ids = not on.isdisjoint((None, face.name))
        return self._active_faults()


class Running:
    """A sandbox that listens."""

    def __init__(self, sandbox: Sandbox, runner: web.ServerRunner) -> None:
        self.sandbox = sandbox
        self._runner = runner
        self.host, self.port = runner.addresses[0][:2]
        self.url = f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    async def close(self) -> None:
        """Stop listening and drop every connection, also the held ones."""
        await self._runner.cleanup()
        self.sandbox.close()


async def serve(
    faces: Sequence[Face],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    clock: Callable[[], float] = time.time,
    hang_seconds: float = HANG_SECONDS,
    record: Path | None = None,
) -> Running:
    """Start a sandbox in the running loop; port 0 picks a free one."""
    sandbox = Sandbox(faces, clock=clock, hang_seconds=hang_seconds, record=record)
    server = web.Server(sandbox.answer, access_log=None, handler_cancellation=True)
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
    return Running(sandbox, runner)


def faces_for(accounts: Mapping[str, Account], sync_seconds: float = 3.0) -> list[Face]:
    """Make every face, each with the accounts of its marketplace (and the built-in one)."""
    return [
        face({name: a.extras() for name, a in accounts.items() if a.marketplace == marketplace}, sync_seconds)
        for marketplace, face in FACES.items()
    ]


@contextlib.contextmanager
def background(faces: Sequence[Face], host: str = "127.0.0.1", port: int = 0, **options: Any) -> Iterator[Running]:
    """Run a sandbox on a thread of this process for as long as the block lasts; `options` as for `serve`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox", daemon=True)
    thread.start()
    try:
        running = asyncio.run_coroutine_threadsafe(serve(faces, host, port, **options), loop).result()
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
) -> None:
    """Run the sandbox for the configured accounts until SIGTERM or SIGINT; blocks. Says where it listens."""
    current = settings()
    faces = faces_for(current.accounts, sync_seconds)

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        wanted = current.sandbox_port if port is None else port
        running = await serve(faces, host, wanted, hang_seconds=hang_seconds, record=record)
        print(f"sandbox listening on {running.url}", flush=True)
        await stop.wait()
        await running.close()

    asyncio.run(until_stopped())


def _has_tilde(call: Call) -> bool:
    """Tell whether the call may carry an order_id that chooses its own fault."""
    in_body = any(sign in call.body for sign in (b"~", b"%7E", b"%7e"))
    return in_body or any("~" in value for value in call.query.values())


def _response(answer: Answer) -> web.Response:
    headers = {"Content-Type": answer.content_type, **answer.headers}
    return web.Response(body=answer.body, status=answer.status, headers=headers)


def _json(value: object, status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode(), status)


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
    parser.add_argument("--hang-seconds", type=float, default=HANG_SECONDS, help="how long a timeout is held")
    parser.add_argument("--record", type=Path, help="file that gets one JSON line for every commit")
    given = parser.parse_args(arguments)
    try:
        run(**vars(given))
    except FulfilError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
