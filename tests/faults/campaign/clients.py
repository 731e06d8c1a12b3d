"""Clients and operators: one process with everything imported that forks a process for each thing somebody does.

Reads orders as JSON lines, writes answers as JSON lines. A fork is as good as a process of its own: it opens its own
connections and may die by itself, for instance at a crash point.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
from collections.abc import Callable
from typing import Any

from tests.faults.campaign.makers import ACTOR
from worker import crashpoints
from worker.app import app
from worker.errors import FulfilError, InputError
from worker.ledger.selection import Filter
from worker.parts import parts
from worker.rules.acts import ActKind
from worker.steps import act as act_step


def _submit(told: dict[str, Any]) -> dict[str, Any]:
    batch = parts().intake.submit_file(told["file"])
    answer = {"batch": batch.batch, "accepted": batch.accepted, "duplicates": batch.duplicates_number}
    return answer | {"rejected": batch.rejected_number, "unrung": bool(batch.unrung)}


def _by_message(told: dict[str, Any]) -> dict[str, Any]:
    with open(told["file"]) as lines:
        jobs = [json.loads(line) for line in lines]
    app.send_task("orders.submit", kwargs={"jobs": jobs}, retry=False)
    return {}


def _ring(told: dict[str, Any]) -> dict[str, Any]:
    """Put a message into a queue by hand, as often as told."""
    for _ in range(told["times"]):
        app.send_task(told["task"], args=told["args"], queue=told["queue"], retry=False)
    return {}


def _each(do: Callable[[str], object]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def run(told: dict[str, Any]) -> dict[str, Any]:
        done = 0
        for one in told["ids"]:
            with contextlib.suppress(FulfilError):
                do(one)
                done += 1
        return {"done": done}

    return run


def _adopt(told: dict[str, Any]) -> dict[str, Any]:
    refused = []
    for order_id, reference in told["pairs"]:
        try:
            parts().operations.adopt(order_id, reference, ACTOR)
        except FulfilError as error:
            refused.append(str(error))
    return {"refused": refused}


def _act(told: dict[str, Any]) -> dict[str, Any]:
    """Do one thing to many orders, a few at a time, so that there is a middle to die in."""
    act_step.GROUP = 3
    operations, wanted = parts().operations, Filter(ids=tuple(told["ids"]))
    act_id = operations.freeze(ActKind(told["kind"]), wanted, told["actor"], "in the storm", told["changes"])
    operations.forecast(act_id)
    return {"act": act_id, "done": operations.begin(act_id).done}


ACTIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "submit": _submit,
    "by_message": _by_message,
    "ring": _ring,
    "retry": _each(lambda order_id: parts().operations.do(ActKind.RETRY, order_id, ACTOR)),
    "cancel": _each(lambda order_id: parts().operations.do(ActKind.CANCEL, order_id, ACTOR)),
    "reconcile": _each(lambda order_id: parts().operations.do(ActKind.RECONCILE, order_id, ACTOR)),
    "resume": _each(lambda account: parts().operations.resume(account, ACTOR)),
    "refresh": lambda told: {"done": parts().operations.refresh(told["ids"])},
    "adopt": _adopt,
    "act": _act,
    "absent": _each(lambda order_id: parts().operations.do(ActKind.ABSENT, order_id, ACTOR)),
}


def _say(answer: dict[str, Any]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")  # short enough to arrive whole


def _do(told: dict[str, Any]) -> None:
    crashpoints.plan().chances = told.get("crash") or {}
    try:
        answer = ACTIONS[told["do"]](told)
    except InputError:
        raise
    except Exception as error:
        # What a person would see as a failed command, and try again.
        answer = {"error": f"{type(error).__name__}: {error}"[:300]}
    _say({"id": told["id"], **answer})
    parts().bell.stop()


def main() -> None:
    """Fork for every line until the rig closes our input."""
    running: dict[int, int] = {}
    buffer = b""
    while True:
        ready, _, _ = select.select([0], [], [], 0.02 if running else 1.0)
        if ready:
            part = os.read(0, 1 << 16)
            if not part and not running:
                return
            *lines, buffer = (buffer + part).split(b"\n")
            for line in lines:
                told = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    status = 70
                    try:
                        _do(told)
                        status = 0
                    finally:
                        sys.stderr.flush()
                        os._exit(status)
                running[pid] = told["id"]
        _reap(running)


def _reap(running: dict[int, int]) -> None:
    for pid in list(running):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            _say({"id": running.pop(pid), "exit": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    main()
