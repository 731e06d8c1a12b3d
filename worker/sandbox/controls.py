"""The sandbox's controls beside faults and pushes: the clock, the lives of orders, tokens, and the record of calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, ValidationError

from worker.sandbox.clock import Forward, SandboxClock, Ticker
from worker.sandbox.fake import Answer, Fake, SandboxOrder
from worker.sandbox.lives import Move
from worker.sandbox.stories import STORIES
from worker.sandbox.tokens import CodeAsked, TokenPlan

CONTROLS: dict[str, str] = {
    "GET /_sandbox/clock": "the sandbox's time (`now`, unix seconds), and how far ahead of the machine's it is",
    "POST /_sandbox/clock": "move it forward by `forward_seconds`; what is due by then happens at once",
    "GET /_sandbox/orders/{id}/life": "how an order stands; {id} is a marketplace's id or an order_id",
    "POST /_sandbox/orders/{id}/life": "let `event` happen now; 409 where it is not possible as the order stands: "
    + ", ".join(f"`{move.value}`" for move in Move),
    "GET /_sandbox/tokens": "what was granted and refreshed for each account, and when its tokens end",
    "POST /_sandbox/tokens": "how tokens live: " + ", ".join(f"`{name}`" for name in TokenPlan.model_fields),
    "POST /_sandbox/tokens/code": "a code as the grant page gives it, for `marketplace` and `account`, to `buyer`",
    "GET /_sandbox/calls": "how often each call came, and the most of each within a second",
    "GET /_sandbox/lives": "every life an order can choose by a suffix of its order_id, with what it plays",
}
"""Method and path of each control answered here, and what it does."""
Found = tuple[Fake, SandboxOrder, str]


class Lived(BaseModel):
    """What `POST /_sandbox/orders/{id}/life` asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event: Move


class Controls:
    """Answers the control paths that are named above."""

    def __init__(self, fakes: Mapping[str, Fake], clock: SandboxClock, ticker: Ticker) -> None:
        self._fakes = fakes
        self._clock = clock
        self._ticker = ticker

    def answer(self, method: str, path: str, body: bytes) -> Answer | None:
        """Answer one control; None: there is no such control."""
        try:
            return self._answer(method, path.removeprefix("/_sandbox/").split("/"), body)
        except ValidationError as error:
            return refused(error)

    def _answer(self, method: str, path: list[str], body: bytes) -> Answer | None:
        match method, path:
            case "GET", ["clock"]:
                return as_json(self._clock.public())
            case "POST", ["clock"]:
                self._clock.moved += Forward.model_validate_json(body).forward_seconds
                self._ticker.tick()
                return as_json(self._clock.public())
            case "GET", ["lives"]:
                return as_json({name: story.says for name, story in STORIES.items()})
            case "GET" | "POST", ["orders", *name, "life"] if name:
                event = Lived.model_validate_json(body).event if method == "POST" else None
                return self._life(unquote("/".join(name)), event)
            case "GET", ["calls"]:
                return as_json({name: fake.calls.public() for name, fake in self._fakes.items()})
            case _, ["tokens", *rest]:
                return self._tokens(method, rest, body)
        return None

    def _life(self, name: str, event: Move | None) -> Answer:
        found = self._find(name)
        if not found:
            return as_json({"error": f"the sandbox has no order {name!r}"}, 404)
        if event is not None:
            # Of several orders under one order_id those move that can.
            moved = [one for one in found if one[1].lives[one[2]].add(event, self._clock())]
            if not moved:
                phases = ", ".join(sorted({order.lives[of].at(self._clock()).phase for _, order, of in found}))
                return as_json({"error": f"{event.value!r} is not possible: the order is {phases}"}, 409)
            self._ticker.tick()
            for fake, order, reference in moved:
                self._ticker.follow(fake, order, [reference])
        return as_json({"lives": [self._shown(order, reference) for _, order, reference in found]})

    def _find(self, name: str) -> list[Found]:
        return [
            (fake, order, reference)
            for fake in self._fakes.values()
            for order in fake.orders
            if name == order.key or name in order.references
            for reference in order.lives
            if name in (order.key, reference)
        ]

    def _shown(self, order: SandboxOrder, reference: str) -> dict[str, Any]:
        life = order.lives[reference]
        now = self._clock()
        standing = life.at(now)
        return {
            "marketplace": order.marketplace,
            "account": order.account,
            "key": order.key,
            "reference": reference,
            "phase": standing.phase,
            "paid_at": standing.paid_at,
            "ended_at": standing.ended_at,
            "parcels": len(standing.boxes),
            "moves": [{"at": event.at, "event": event.move} for event in standing.moves],
            "to_come": [{"at": event.at, "event": event.move} for event in life.events if event.at > now],
        }

    def _tokens(self, method: str, path: list[str], body: bytes) -> Answer | None:
        desks = {name: fake.tokens for name, fake in self._fakes.items() if fake.tokens is not None}
        match method, path:
            case "GET", []:
                return as_json({name: desk.public(self._clock()) for name, desk in desks.items()})
            case "POST", []:
                plan = TokenPlan.model_validate_json(body)
                chosen = [desk for name, desk in desks.items() if plan.marketplace in (None, name)]
                for desk in chosen:
                    desk.set(plan, self._clock())
                return as_json(
                    {name: desk.public(self._clock()) for name, desk in desks.items()}, 200 if chosen else 400
                )
            case "POST", ["code"]:
                asked = CodeAsked.model_validate_json(body)
                found = desks.get(asked.marketplace)
                if found is None or asked.account not in found.accounts:
                    known = "; ".join(f"{name}: {', '.join(desk.accounts)}" for name, desk in desks.items())
                    return as_json({"error": f"there is no such account; there is {known}."}, 400)
                return as_json({"code": found.code(asked.account, self._clock(), asked.buyer)})
        return None


def as_json(value: object, status: int = 200) -> Answer:
    """Return a control's answer."""
    return Answer(json.dumps(value).encode(), status)


def refused(error: ValidationError) -> Answer:
    """Say what is wrong with a control's body, without repeating it."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the body"
    return as_json({"error": f"{where}: {first['msg']}."}, 400)
