"""What `fulfil why` says of an order: how it stands, what will happen when, why that is safe, and a person's choice.

One table for every state; what a marketplace lets us do is told to it, so a further marketplace adds no sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from worker.rules.codes import Code, addressed, typed
from worker.rules.moments import moment
from worker.rules.reconcile import Ability
from worker.rules.states import State
from worker.rules.story import OrderStory, item_line
from worker.rules.troubles import PauseView
from worker.rules.views import OrderView
from worker.rules.words import MEANING, span


@dataclass(frozen=True, slots=True)
class Ways:
    """What a marketplace lets us do about an order, and how it is called in sentences.

    `ability` None: the account is not configured here. `look_up_by`: what a look-up finds an order by, in words.
    """

    title: str
    order_page: str
    ability: Ability | None
    look_up_by: str | None = None
    takes_pushes: bool = False

    @property
    def window_seconds(self) -> float | None:
        """How long after its first send an order may be sent again under its key; None: never."""
        return self.ability.resend_window_seconds if self.ability else None

    @property
    def can_look_up(self) -> bool:
        """Whether the account can find an order by our own key."""
        return self.ability is not None and self.ability.can_look_up


@dataclass(frozen=True, slots=True)
class _Case:
    """One order under the eyes of a person."""

    story: OrderStory
    ways: Ways
    pause: PauseView | None
    now: float

    @property
    def order(self) -> OrderView:
        return self.story.order

    @property
    def typed(self) -> str:
        return typed(self.order.order_id)

    @property
    def safe_until(self) -> float | None:
        """Until when it may be sent again under the same key; None: its marketplace has no such time."""
        if self.ways.window_seconds is None or self.order.first_sent_at is None:
            return None
        return self.order.first_sent_at + self.ways.window_seconds

    @property
    def window_is_open(self) -> bool:
        return self.safe_until is not None and self.now < self.safe_until

    def when(self) -> str:
        """Say when its next step is due, or that it is due already: a time gone by is no next step."""
        due_at = self.order.due_at
        if due_at is None:
            return "when a person says so"
        if due_at > self.now:
            return f"at {moment(due_at)}"
        return f"as soon as a worker takes it up (it is due since {moment(due_at)})"


def why(story: OrderStory, ways: Ways, pause: PauseView | None, now: float) -> str:
    """Return how an order stands, what happens next and why that is safe, a sentence or two a line.

    `pause`: its account's, if it is paused. `now`: unix seconds.
    """
    order = story.order
    told = [f"{order.order_id} is {order.state}: {MEANING[order.state]}"]
    if order.closed_at is not None:
        note = (order.reason or "").removeprefix("closed by a person: ")
        told.append(f"A person closed it at {moment(order.closed_at)}: {note}. Nothing more is done about it.")
        return "\n".join(told)
    if order.reason:
        told.append(f"{order.code or 'Reason'}: {order.reason}.")
    case = _Case(story, ways, pause, now)
    told += _NEXT[order.state](case)
    if order.fix and not _chooses(case):
        told.append(f"What to do: {addressed(order.fix, order.order_id, order.account)}.")
    return "\n".join(told)


def sought(story: OrderStory) -> str:
    """Return what a person looks for in the marketplace's order list: goods, country and time, never a person."""
    sent = [attempt.sent_at for attempt in story.attempts]
    times = list(dict.fromkeys(moment(at) for at in sent[:1] + sent[-1:]))
    told = [", ".join(map(item_line, story.items)), f"to {story.country}" if story.country else ""]
    told.append(f"sent at {' and last at '.join(times)}" if times else "never sent")
    return "; ".join(filter(None, told))


def _queued(case: _Case) -> Iterator[str]:
    order, title = case.order, case.ways.title
    if case.pause is not None:
        until = f"until {moment(case.pause.until)}" if case.pause.until else "until a person resumes it"
        yield f"Its account {order.account} is paused {until}, and nothing of it is sent before: {case.pause.reason}."
        if case.pause.fix:
            yield f"What to do: {addressed(case.pause.fix, order.order_id, order.account)}."
    if not order.in_doubt:
        sends = "It is sent" if case.pause is None else "Then it is sent"
        when = case.when() if case.pause is None else "when its turn comes"
        yield (
            f"{sends} {when}. That is safe: nothing of it stands at {title}, for whatever was sent before never arrived"
            " or was refused."
        )
    elif case.safe_until is None:
        yield f"It is sent {case.when()}, after an earlier send of it was settled."
    elif case.window_is_open:
        yield from _same_key(case)
    else:
        yield (
            f"It is not sent again: {title} told a repeat by its key until {moment(case.safe_until)}. A worker hands it"
            f" to a person {case.when()}."
        )


def _same_key(case: _Case) -> Iterator[str]:
    title, until = case.ways.title, moment(case.safe_until or 0.0)
    yield (
        f"An earlier send may have been accepted, so it is sent again under the same key {case.when()}. That is safe"
        f" until {until}: {title} makes one order of a key, so one that it has is answered as a repeat, and one that it"
        " lacks is made."
    )
    yield f"Later than that it is not sent any more, and a person decides: fulfil why {case.typed} says between what."


def _placing(case: _Case) -> Iterator[str]:
    yield (
        "Nobody else sends it meanwhile. Its answer moves it on; if its worker dies, it is settled before anything is"
        " sent again."
    )


def _unknown(case: _Case) -> Iterator[str]:
    order, ways = case.order, case.ways
    if ways.ability is None:
        yield f"Its account {order.account} is not configured here: nothing happens to it until it is."
    elif order.code == Code.ACCOUNT_CHANGED:
        yield f"Until its account has its settings back, it is neither sent nor looked up; it is tried {case.when()}."
    elif ways.can_look_up:
        yield from _looked_up(case)
    elif order.due_at is not None and case.window_is_open:
        yield from _same_key(case)
    elif case.window_is_open:
        yield (
            f"Nothing happens by itself. fulfil retry {case.typed} sends it again under the same key, which is safe"
            f" until {moment(case.safe_until or 0.0)}: {ways.title} makes one order of a key."
        )
    elif case.safe_until is not None:
        yield (
            f"It is not sent again by itself: {ways.title} told a repeat by its key until {moment(case.safe_until)},"
            " and a send after that could make a second order."
        )
    else:
        yield f"It is not sent again by itself: {ways.title} tells no repeat by its key and cannot be asked for it."
    if _chooses(case):
        yield from _choice(case)


def _looked_up(case: _Case) -> Iterator[str]:
    if case.order.due_at is None:
        yield "It is not looked up any more by itself, and nothing is sent without your word."
        return
    ability = case.ways.ability
    anew = ability.recreate_after_seconds if ability else None
    without = (
        f"; after {span(anew)} of look-ups without a gap it is made anew, as the account's RECREATE_AFTER_SECONDS asks"
        if anew is not None
        else ", for that it is not found proves nothing: nothing is sent without your word"
    )
    yield (
        f"It is looked up at {case.ways.title} (by {case.ways.look_up_by}) {case.when()}. If it is found, it takes its"
        f" id and is read back. If not, it is looked up again, ever more seldom{without}."
    )


def _chooses(case: _Case) -> bool:
    """Tell whether a person has to choose between what may exist and what does not."""
    order = case.order
    if order.state is not State.UNKNOWN or order.code in (Code.ACCOUNT_CHANGED, Code.OVERDUE):
        return False
    return order.attention or (order.due_at is None and not case.ways.can_look_up)


def _choice(case: _Case) -> Iterator[str]:
    ways = case.ways
    yield f"What to do: look at {ways.order_page} for {sought(case.story)}."
    yield f"- It is there: fulfil adopt {case.typed} --reference ID. The id is read first, and nothing is sent."
    looks = "is looked up once more, and if it is not found, made anew" if ways.can_look_up else "is made anew"
    yield (
        f"- It surely is not there and will not come: fulfil retry {case.typed} --absent. It {looks} under its own"
        " order_id; your word is what keeps it from being a second one."
    )
    yield f"- You dealt with it elsewhere, or nobody wants it: fulfil close {case.typed} --note TEXT. It rests then."


def _unmatched(case: _Case) -> Iterator[str]:
    ways = case.ways
    yield f"It is never sent again: {ways.title} has it, and told no id that is its own."
    if ways.takes_pushes:
        yield (
            "Where fulfil hooks runs, a push message can settle it without you; fulfil orphans lists the messages that"
            " fit no order."
        )
    yield f"What to look for at {ways.order_page}: {sought(case.story)}."


def _placed(case: _Case) -> Iterator[str]:
    ids = " ".join(case.order.references)
    yield f"It is read back {case.when()}. It is not sent again: {case.ways.title} has it under {ids or 'an id'}."


def _confirmed(case: _Case) -> Iterator[str]:
    yield "Nothing more happens by itself."
    if case.order.attention:
        yield f"When you have dealt with what it says: fulfil close {case.typed} --note TEXT."


def _refused(case: _Case) -> Iterator[str]:
    yield (
        f"Nothing happens by itself. Nothing of it stands at {case.ways.title}, so each of these is safe, however long"
        " ago it was sent:"
    )
    yield from _again(case)


def _dead(case: _Case) -> Iterator[str]:
    yield f"Nothing happens by itself. Nothing of it arrived at {case.ways.title}, so each of these is safe:"
    yield from _again(case)


def _again(case: _Case) -> Iterator[str]:
    yield f"- change it and send it, under its own order_id: fulfil amend {case.typed} --set FIELD=VALUE"
    yield f"- send it as it is: fulfil retry {case.typed}"
    yield f"- call it off: fulfil cancel {case.typed}"


def _cancelled(case: _Case) -> Iterator[str]:
    yield "Nothing more happens."


_NEXT: dict[State, Callable[[_Case], Iterator[str]]] = {
    State.QUEUED: _queued,
    State.PLACING: _placing,
    State.UNKNOWN: _unknown,
    State.UNMATCHED: _unmatched,
    State.PLACED: _placed,
    State.CONFIRMED: _confirmed,
    State.REFUSED: _refused,
    State.DEAD: _dead,
    State.CANCELLED: _cancelled,
}
"""What follows from each state; a test holds that none is missing."""
