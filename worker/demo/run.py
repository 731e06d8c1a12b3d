"""The main job on embedded parts, from nothing: a file of orders to a confirmed record, against the sandbox."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from config.settings import Account, settings
from worker.demo.end import Facts, document, excerpt, print_end, stopped
from worker.demo.home import FOLDER, own_home, set_environment
from worker.demo.lives import live_on, tell
from worker.demo.story import REFUSED, SAMPLES, witness
from worker.errors import FulfilError
from worker.ledger.selection import Filter
from worker.parts import parts
from worker.programs import flower_login
from worker.rules.follow import Whole
from worker.sandbox.fakes import ACCOUNTS, FAKES
from worker.sandbox.server import background, fakes_for
from worker.supervisor import Services, stopper
from worker.terminal.screen import Screen, print_json
from worker.terminal.tables import watch_batch

LIMIT_SECONDS = 75.0
"""Longest wait for the orders; it takes about 30 s."""


class DemoBroken(FulfilError):
    """The demo could not go to its end; everything it started is stopped."""

    exit_code = 1


class _Stopped(Exception):
    """A person said stop."""


@dataclass(slots=True)
class _Run:
    """What the demo works with, and what it found."""

    screen: Screen
    sandbox: str
    services: Services
    told_to_stop: threading.Event
    pids: dict[str, int] = field(default_factory=dict)
    flower: dict[str, str] = field(default_factory=dict)
    batches: dict[str, str] = field(default_factory=dict)
    """By the name of the file."""
    adopted: dict[str, str] = field(default_factory=dict)
    lives: dict[str, Whole] = field(default_factory=dict)


def run_demo(keep: bool, as_json: bool, svg: Path | None = None) -> int:
    """Run the demo; return 0 when every order ended as announced and the sandbox's record agrees, else 1.

    `svg`: a file for a picture of the end. Raises FulfilError when it cannot go to its end.
    """
    started, told_to_stop, screen = time.monotonic(), stopper(), Screen(quiet=as_json)
    picture = svg.absolute() if svg else None
    accounts = {
        name: Account.model_validate({"marketplace": marketplace, **FAKES[marketplace].built_in})
        for name, marketplace in ACCOUNTS.items()
    }
    with own_home(keep) as home, background(fakes_for(accounts)) as sandbox:
        set_environment(home.folder, sandbox.url)
        run = _Run(screen, sandbox.url, Services(settings()), told_to_stop)
        try:
            record = _perform(run)
        finally:
            run.services.stop()
        if record is None:
            screen.print("Told to stop.", *stopped(_left(run)))
            return 1
        facts = _facts(run, record, started)
        home.keep = keep or not facts.good
        print_end(screen, facts, home.keep)
    if picture:
        excerpt(facts).picture(picture, "fulfil demo")
    if as_json:
        print_json(document(facts))
    return 0 if facts.good else 1


def _perform(run: _Run) -> list[dict[str, Any]] | None:
    """Start everything and see the orders through; return the sandbox's record, None when told to stop."""
    try:
        _start(run)
        _work(run)
        return _record(run)
    except _Stopped:
        return None


def _start(run: _Run) -> None:
    configured = settings()
    parts().check()
    run.services.start()
    run.pids = run.services.pids()
    run.flower = {
        "url": f"http://{configured.flower_address}:{configured.flower_port}",
        "user": flower_login(configured).partition(":")[0],
        "password_file": str(FOLDER / "flower-login"),
    }
    run.screen.print(
        f"Started: {', '.join(f'{name} {pid}' for name, pid in run.pids.items())}, and a sandbox of"
        f" {len(ACCOUNTS)} marketplaces at {run.sandbox}. Your own settings and accounts are not touched.",
        f"Flower, while it runs: {run.flower['url']}, user {run.flower['user']},"
        f" password in {run.flower['password_file']}",
    )


def _work(run: _Run) -> None:
    """Submit the samples and watch them to their end, playing the person where one is needed."""
    accepted = 0
    for path in SAMPLES:
        batch = parts().intake.submit_file(path)
        run.batches[path.name] = batch.batch
        accepted += batch.accepted
        taken = f"{batch.accepted} orders accepted, {batch.rejected_number} rejected at the door"
        notices = [f"  {notice} ({number} order)" for notice, number in batch.notices.items()]
        run.screen.print(f"Submitted {path.name}: {taken}.", *notices)
    run.screen.print(f"Announced: {accepted - len(REFUSED)} confirmed, {len(REFUSED)} refused.")

    def tick() -> None:
        _check(run)
        _play_the_person(run)

    end = time.monotonic() + LIMIT_SECONDS
    while watch_batch(run.screen.console, parts().queries, None, end - time.monotonic(), lambda: None, tick):
        if not _play_the_person(run):  # the last move may be one that waits for a person
            break
    run.lives = live_on(
        lambda order_id, event: _happen(run, order_id, event),
        *(parts().operations, parts().life_queries),
        lambda: _check(run),
    )
    tell(run.screen, parts().life_queries, time.time())


def _check(run: _Run) -> None:
    if run.told_to_stop.is_set():
        raise _Stopped
    for name in run.services.dead():
        raise DemoBroken(f"{name} ended by itself; what it said last is in {FOLDER / 'logs' / name}.log")


def _play_the_person(run: _Run) -> bool:
    """Adopt the orders AliExpress has without having told us their ids; tell whether there was one."""
    unmatched = list(parts().queries.orders(Filter(state="unmatched")))
    made = {entry["key"]: entry["references"] for entry in _record(run)} if unmatched else {}
    for order in unmatched:
        order_id = order.order_id
        if not made.get(order_id):
            raise DemoBroken(f"{order_id} is unmatched, but the sandbox has no such order")
        reference = made[order_id][0]
        parts().operations.adopt(order_id, reference, "demo:person")
        run.adopted[order_id] = reference
        run.screen.print(
            f"{order_id}: its reply was lost and AliExpress says {order.code} without an id."
            f" A person finds it in the buyer's order list: fulfil adopt {order_id} --reference {reference}"
        )
    return bool(unmatched)


def _happen(run: _Run, order_id: str, event: str) -> None:
    """Let something happen to an order at the sandbox, as its seller, its carrier or its buyer would."""
    address = f"{run.sandbox}/_sandbox/orders/{order_id}/life"
    httpx.post(address, json={"event": event}, trust_env=False).raise_for_status()


def _record(run: _Run) -> list[dict[str, Any]]:
    """Return the sandbox's own record; to the person, it is the buyer's order list."""
    reply = httpx.get(f"{run.sandbox}/_sandbox/orders", trust_env=False)
    reply.raise_for_status()
    found: list[dict[str, Any]] = reply.json()
    return found


def _facts(run: _Run, record: list[dict[str, Any]], started: float) -> Facts:
    queries = parts().queries
    orders = list(queries.orders(Filter()))
    return Facts(
        batches=run.batches,
        orders=orders,
        results=queries.results([order.order_id for order in orders]),
        rejected=[row for batch in run.batches.values() for row in queries.rejections(batch)],
        adopted=run.adopted,
        record=witness(record, orders),
        flower=run.flower,
        processes=run.pids,
        left_running=_left(run),
        lives=run.lives,
        seconds=round(time.monotonic() - started, 1),
    )


def _left(run: _Run) -> list[str]:
    return [name for name, pid in run.pids.items() if _alive(pid)]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
