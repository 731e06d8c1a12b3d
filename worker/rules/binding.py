"""What an order was sent with: under another account, address or buyer its key protects nothing and a look-up is blind.

So an order that may exist at the marketplace goes on only under what it was first sent with. A renewed token of the
same buyer is no change; where the account does not say who the buyer is, a person does, once for each account.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from worker.rules.codes import Code
from worker.rules.decision import Decision
from worker.rules.states import Event

AGAIN_SECONDS = 900.0
"""How often an order that waits for its account to be set back is looked at."""
BUYER = "buyer"
READING = ("marketplace", "address")
"""The parts a read-back needs to be as they were; an id that is read shows whose it is by itself."""
_SHOWN = {"marketplace": "marketplace", "address": "address", "app": "app", "shop": "shop", "tag_prefix": "tag prefix"}
"""The parts whose values may be told; a buyer is only ever told to be another."""


@dataclass(frozen=True)
class Binding:
    """What an account sends with: `parts` name marketplace, address, app or shop, buyer, tag prefix; no secret."""

    account: str
    parts: Mapping[str, str]

    @cached_property
    def id(self) -> str:
        """Return the fingerprint under which orders remember it."""
        return _fingerprint({"account": self.account, **self.parts})

    @cached_property
    def taken_for(self) -> str:
        """Return the fingerprint of where it sends: orders taken in for a test must never go out for real."""
        return _fingerprint({name: self.parts.get(name, "") for name in READING})


def _fingerprint(parts: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the parts that differ."""
    return tuple(name for name in sorted({*before, *now}) if before.get(name) != now.get(name))


def sent_otherwise(before: Mapping[str, str], now: Binding, event: Event) -> Decision:
    """Return what follows for an order that may exist and was sent with something else; it is looked at again later."""
    names = differing(before, now.parts)
    if names == (BUYER,):
        fix = (
            f"if the present token belongs to the same buyer: fulfil accounts same-buyer {now.account};"
            " else set the account's token back"
        )
    else:
        fix = (
            f"set the account {now.account} back to what the order was sent with; or look for it there by hand:"
            " fulfil adopt ORDER --reference ID, or where it is not: fulfil retry ORDER --absent"
        )
    reason = f"it was sent with another {_told(names, before, now.parts)}, so it is neither sent nor looked up"
    return Decision(event, AGAIN_SECONDS, attention=True, code=Code.ACCOUNT_CHANGED, reason=reason, fix=fix)


def taken_otherwise(now: Binding) -> Decision:
    """Return what follows for an order that was never sent and was taken in while its account pointed elsewhere."""
    return Decision(
        Event.SNOOZE,
        attention=True,
        code=Code.ACCOUNT_CHANGED,
        reason=f"it was taken in for another address than its account {now.account} has now"
        f" ({now.parts.get('address', '')}); it was never sent",
        fix="fulfil retry ORDER to send it to the present address, else: fulfil cancel ORDER",
    )


def other_marketplace(marketplace: str, in_doubt: bool, now: Binding) -> Decision:
    """Return what follows for an order whose account belongs to another marketplace by now: it cannot go there."""
    reason = (
        f"it is an order for {marketplace}, but its account {now.account} belongs to {now.parts['marketplace']} now"
    )
    fix = f"set the account {now.account} back to {marketplace}, then: fulfil retry ORDER"
    if in_doubt:
        return Decision(Event.PARK, AGAIN_SECONDS, attention=True, code=Code.ACCOUNT_CHANGED, reason=reason, fix=fix)
    fix += "; else: fulfil cancel ORDER"
    return Decision(Event.SNOOZE, attention=True, code=Code.ACCOUNT_CHANGED, reason=reason, fix=fix)


def _told(names: tuple[str, ...], before: Mapping[str, str], now: Mapping[str, str]) -> str:
    told = []
    for name in names:
        if name in _SHOWN:
            told.append(f"{_SHOWN[name]} ({before.get(name) or 'none'}, now {now.get(name) or 'none'})")
        else:
            told.append(name)
    return " and ".join(told)
