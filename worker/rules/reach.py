"""What the answer to a harmless read says of an account and its marketplace, in words."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from worker.errors import ConfigError, FulfilError, Unavailable
from worker.rules.codes import Code
from worker.rules.outcomes import Absent, Decline, Declined, Found, NotSent, ReadOutcome, Unknown

_DECLINED = {
    Decline.TOKEN: "does not accept the account's access token, which has ended or is wrong",
    Decline.CLOCK: "does not accept the time of this machine's clock",
    Decline.SETUP: "does not accept the account's keys, signature or set-up",
}
_BOOKED = "was not asked: the account's calls of the next moments are all booked; it is being called"


def said(outcome: ReadOutcome | None, title: str, url: str) -> str:
    """Return what the answer says where it says nothing against the account; raise what is wrong otherwise.

    `outcome` None: there was no room for a call. Raises ConfigError for what a person corrects, Unavailable for a
    marketplace that is away.
    """
    where = f"{title} at {url}"
    match outcome:
        case None:
            return f"{where} {_BOOKED}"
        case Declined(code=Code.NOT_SENT):
            return f"{where} {_BOOKED}"
        case Found() | Absent():
            return f"{where} answers and accepts the account"
        case Declined():
            raise _declined(outcome, where)
        case NotSent(cause=cause):
            raise Unavailable(f"{where} cannot be reached: {cause}; check the network and the account's BASE_URL")
        case Unknown(cause=cause, code=code):
            return _unknown(outcome, where, cause, code)


def _declined(outcome: Declined, where: str) -> FulfilError:
    if outcome.kind is Decline.RATE:
        return Unavailable(f"{where} takes no more calls for now: {outcome.reason}; it ends by itself")
    fix = f"; {outcome.fix}" if outcome.fix else ""
    return ConfigError(f"{where} {_DECLINED[outcome.kind]}: {outcome.reason} ({outcome.code}){fix}")


def _unknown(outcome: Unknown, where: str, cause: str, code: str | None) -> str:
    if not outcome.is_answer:
        raise Unavailable(f"{where} does not answer as it should: {cause}")
    if code is not None and code.startswith("HTTP_"):
        raise ConfigError(f"{where} answers {code.replace('_', ' ')}: {cause}; check the account's BASE_URL")
    return f"{where} answers ({code}), and says nothing against the account"


def heard(found: Sequence[tuple[str, str]], account: str, title: str) -> str:
    """Return what a marketplace's subscriptions, each a topic and an address, say where one of them leads to us.

    Raises ConfigError where none does: the marketplace deletes one that is not answered for long, without a word.
    """
    ours = [topic for topic, address in found if urlsplit(address).path.rstrip("/") == f"/push/{account}"]
    orders = sorted(topic for topic in ours if topic.startswith("orders/"))
    if not orders:
        raise ConfigError(
            f"none of {len(found)} webhooks at {title} tells of orders at …/push/{account}: make one there for each of"
            " orders/paid, orders/fulfilled, orders/cancelled and orders/updated"
        )
    return f"{title} tells {', '.join(orders)} at …/push/{account}"
