"""What follows from reading an id that a person tells for an order: it is taken where nothing speaks against it."""

from __future__ import annotations

from worker.errors import MarketplaceAway, NotAllowed
from worker.rules.codes import Code
from worker.rules.outcomes import Absent, Declined, Found, NotSent, ReadOutcome, Unknown

OLDER_SECONDS = 86400.0
"""An order that was made so long before ours was first sent is another one.

So long that no clock and no undocumented time zone matters.
"""


def check_read(
    order_id: str,
    reference: str,
    title: str,
    outcome: ReadOutcome,
    made_between: tuple[float, float] | None,
    first_sent_at: float,
) -> Found:
    """Return what was read under an id that an order may take.

    `title`: the marketplace's name. `made_between`: between which unix times the record says its order was made.
    Raises NotAllowed for an id that the marketplace does not show, or shows as another order, and MarketplaceAway
    where it told neither. The order stays as it was then.
    """
    stays = f"{order_id} stays as it was"
    match outcome:
        case Found() if made_between is not None and made_between[1] < first_sent_at - OLDER_SECONDS:
            raise NotAllowed(
                f"{title} made the order {reference} more than a day before {order_id} was first sent: it is another"
                f" order; {stays}"
            )
        case Found():
            return outcome
        case Absent():
            raise NotAllowed(
                f"{title} shows this account no order {reference} ({outcome.cause}); {stays}. Check the id and the"
                " account; an order that was made just now is shown some 10 s later: then repeat the command"
            )
        case Unknown(code=Code.FOREIGN_ORDER):
            raise NotAllowed(
                f"{reference} is another order at {title}: its goods or its key are not those of {order_id}; {stays}"
            )
        case Declined(reason=told) | NotSent(cause=told) | Unknown(cause=told):
            raise MarketplaceAway(
                f"{reference} could not be read at {title} ({told}); {stays}. Repeat the command when it answers"
            )
