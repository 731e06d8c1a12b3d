"""Our own codes, beside those of the marketplaces: what each means, and what a person does about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote

FIND_AND_ADOPT = "find it in the buyer's order list, then: fulfil adopt ORDER --reference ID"
ADOPT_OR_ABSENT = (
    "look for it in the buyer's order list (fulfil why ORDER says what to look for); it is there: fulfil adopt ORDER"
    " --reference ID; it surely is not and will not come: fulfil retry ORDER --absent; you dealt with it elsewhere:"
    " fulfil close ORDER --note TEXT"
)
ASK_WHAT = (
    f"ask the marketplace what it means by this code (fulfil show ORDER has the request ids), or {FIND_AND_ADOPT}"
)
OR_CLOSE = "when you have dealt with it: fulfil close ORDER"
PAY_OR_CLOSE = f"pay it on the order's page (fulfil unpaid lists them); {OR_CLOSE}"
STILL_WANTED = f"submit a new order if the goods are still wanted; {OR_CLOSE}"
GRANT_ANEW = "fulfil accounts login ACCOUNT"
ASK_THE_SELLER = "ask the seller on the order's page"


def typed(order_id: str) -> str:
    """Return an order_id as it is typed behind a command in a shell."""
    return f"-- {quote(order_id)}" if order_id.startswith("-") else quote(order_id)


def addressed(text: str, order_id: str, account: str) -> str:
    """Return advice with the order and the account it is about, so that its commands work as they stand."""
    return _NAMES.sub(lambda name: typed(order_id) if name[0] == "ORDER" else account, text)


_NAMES = re.compile(r"\b(?:ORDER|ACCOUNT)\b")


def amending(change: str = "FIELD=VALUE") -> str:
    """Return the command that changes an order under its own id and lets it go again."""
    return f"fulfil amend ORDER --set {quote(change)}"


class Code(StrEnum):
    """A code of ours, as the ledger keeps it and Flower and every list show it."""

    NOT_SENT = "NOT_SENT"
    LEASE_RAN_OUT = "LEASE_RAN_OUT"
    QUARANTINED = "QUARANTINED"
    WINDOW_CLOSED = "WINDOW_CLOSED"
    CANNOT_TELL = "CANNOT_TELL"
    NOT_FOUND_YET = "NOT_FOUND_YET"
    NOT_FOUND = "NOT_FOUND"
    LOOK_UP_FAILED = "LOOK_UP_FAILED"
    SEVERAL_FOUND = "SEVERAL_FOUND"
    NOT_SHOWN_YET = "NOT_SHOWN_YET"
    UNREADABLE = "UNREADABLE"
    FOREIGN_ID = "FOREIGN_ID"
    FOREIGN_ORDER = "FOREIGN_ORDER"
    GOODS_DIFFER = "GOODS_DIFFER"
    ALERT = "ALERT"
    ACCOUNT_CHANGED = "ACCOUNT_CHANGED"
    DAY_LIMIT = "DAY_LIMIT"
    BREAKER_OPEN = "BREAKER_OPEN"
    PAUSED = "PAUSED"
    OVERDUE = "OVERDUE"
    UNPAID_SOON = "UNPAID_SOON"
    UNPAID_LAPSED = "UNPAID_LAPSED"
    UNPAID_UNKNOWN = "UNPAID_UNKNOWN"
    CLOSED_UNPAID = "CLOSED_UNPAID"
    CLOSED_AFTER_PAYMENT = "CLOSED_AFTER_PAYMENT"
    HELD_LONG = "HELD_LONG"
    DISPUTED = "DISPUTED"
    NO_PARCEL = "NO_PARCEL"
    PARCEL_STILL = "PARCEL_STILL"
    PARCEL_LATE = "PARCEL_LATE"
    TOKEN_RENEWAL = "TOKEN_RENEWAL"  # noqa: S105 (a code, no secret)
    TOKEN_FAILS = "TOKEN_FAILS"  # noqa: S105
    TOKEN_ENDS_SOON = "TOKEN_ENDS_SOON"  # noqa: S105
    TOKEN_ENDED = "TOKEN_ENDED"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Entry:
    """What a code means, and what a person does; `fix` None: nothing, or the order's own text says it."""

    meaning: str
    fix: str | None = None


CODES: dict[Code, Entry] = {
    Code.NOT_SENT: Entry(
        "no byte of the request left, or it never arrived",
        "check the account's address and the network, then: fulfil retry ORDER",
    ),
    Code.LEASE_RAN_OUT: Entry("its worker did not come back; what it sent is settled first"),
    Code.QUARANTINED: Entry(
        "its worker died several times in a row while it handled this order",
        "report the order's id to the maintainers; then: fulfil reconcile ORDER, adopt or retry it",
    ),
    Code.WINDOW_CLOSED: Entry("the time in which it may safely be sent again has passed", ADOPT_OR_ABSENT),
    Code.CANNOT_TELL: Entry("the marketplace may have accepted it, and there is no way to ask", ADOPT_OR_ABSENT),
    Code.NOT_FOUND_YET: Entry("the look-up did not find it yet; it is looked up again"),
    Code.NOT_FOUND: Entry(
        "it was looked up several times and not found, which proves nothing",
        ADOPT_OR_ABSENT,
    ),
    Code.LOOK_UP_FAILED: Entry(
        "the look-up failed; it is tried again",
        "look for it in the marketplace's own order list; looking goes on by itself",
    ),
    Code.SEVERAL_FOUND: Entry(
        "several orders of the marketplace carry this order's key",
        "cancel at the marketplace what is too many; fulfil show ORDER has every id",
    ),
    Code.NOT_SHOWN_YET: Entry("it is placed, and the marketplace does not show it yet"),
    Code.UNREADABLE: Entry(
        "it is placed, and what the marketplace shows of it cannot be read",
        "look the id up in the buyer's order list; reading goes on every 15 minutes by itself",
    ),
    Code.FOREIGN_ID: Entry("an answer had an id that belongs to another of your orders", FIND_AND_ADOPT),
    Code.FOREIGN_ORDER: Entry(
        "the marketplace shows another order under its id",
        "find its right id in the buyer's order list, then: fulfil adopt ORDER --reference ID",
    ),
    Code.GOODS_DIFFER: Entry("what the marketplace shows is not what was ordered, or costs more than it may"),
    Code.ALERT: Entry("the marketplace says something of the order that a person should know"),
    Code.ACCOUNT_CHANGED: Entry("its account has other settings than when the order was taken in or sent"),
    Code.DAY_LIMIT: Entry(
        "the account reached what it may spend in a day", "fulfil resume ACCOUNT allows as much again"
    ),
    Code.BREAKER_OPEN: Entry("the marketplace does not answer; one order goes ahead when the pause ends"),
    Code.PAUSED: Entry("a person paused the account", "fulfil resume ACCOUNT"),
    Code.OVERDUE: Entry(
        "it is due for long, nothing holds it, and no worker takes it up",
        "fulfil doctor says which part is missing: a worker, a queue's listener, Redis; the order goes on by itself",
    ),
    Code.UNPAID_SOON: Entry("it is not paid, and the marketplace cancels it soon", PAY_OR_CLOSE),
    Code.UNPAID_LAPSED: Entry(
        "its payment deadline has passed, and the marketplace has not shown its end yet",
        "look at the order's page; it is read again until its end is seen",
    ),
    Code.UNPAID_UNKNOWN: Entry("it is not paid, and the marketplace tells no deadline", PAY_OR_CLOSE),
    Code.CLOSED_UNPAID: Entry("the marketplace cancelled it unpaid", STILL_WANTED),
    Code.CLOSED_AFTER_PAYMENT: Entry(
        "it was paid and then cancelled", f"check on the order's page that the money comes back; {STILL_WANTED}"
    ),
    Code.HELD_LONG: Entry(
        "the marketplace holds it for long", f"look at the order's page for what the marketplace asks; {OR_CLOSE}"
    ),
    Code.DISPUTED: Entry("a dispute or a return is open", f"answer it on the order's page; {OR_CLOSE}"),
    Code.NO_PARCEL: Entry("it is paid for long, and no parcel has a number", f"{ASK_THE_SELLER}; {OR_CLOSE}"),
    Code.PARCEL_STILL: Entry("a parcel has not moved for long", f"{ASK_THE_SELLER}; {OR_CLOSE}"),
    Code.PARCEL_LATE: Entry("a parcel is later than estimated", f"{ASK_THE_SELLER}; {OR_CLOSE}"),
    Code.TOKEN_RENEWAL: Entry("the account's access token was not accepted and is being renewed"),
    Code.TOKEN_FAILS: Entry("renewing the account's tokens fails again and again; it is tried on", GRANT_ANEW),
    Code.TOKEN_ENDS_SOON: Entry(
        "the account's tokens end soon, and only a person's grant begins their time anew", GRANT_ANEW
    ),
    Code.TOKEN_ENDED: Entry("the account's tokens have ended and nothing renews them", GRANT_ANEW),
}
"""Each code once; a test holds that every one is written somewhere and none is written past this table."""
