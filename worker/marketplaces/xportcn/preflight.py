"""Asks Xportcn for a preview of an order that is not placed yet, and judges the order by it.

It is the call that every create makes first ("needs to be called before creating an order", vendor page), so one more
does nothing that a create's own does not. It goes without outOrderId, so that nothing there knows of an order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from worker.marketplaces.asks import Answer, Priced
from worker.marketplaces.calls import Lost, Reply
from worker.marketplaces.codes import Clean
from worker.marketplaces.xportcn.create import OURS, create_body
from worker.marketplaces.xportcn.preview import PREVIEWED, Preview, ceiling, read_preview
from worker.rules.foreseen import Finding, Verdict
from worker.rules.outcomes import Accepted, Refused, Unknown
from worker.rules.preflight import judged, too_dear, unheld, unread


def preview_body(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a preview without a key."""
    body = create_body(order)
    return {name: body[name] for name in PREVIEWED if name in body}


def read_forecast(came: Reply | Lost, success: Sequence[str], clean: Clean) -> Answer:
    """Return what an order would cost, the refusal its create would earn, or why neither is known."""
    read = read_preview(came, success, clean)
    if isinstance(read, Preview):
        return Priced(read.forecast)
    return Unknown("the preview speaks of an order that exists") if isinstance(read, Accepted) else read


def judge(order: Mapping[str, Any], answer: Answer | None, most: Decimal | None, limit: Decimal | None) -> Verdict:
    """Return how an order stands. `most`: its job's ceiling; `limit`: the account's; in yuan both."""
    if isinstance(answer, Refused):
        return judged([_finding(answer)], (), None)
    if not isinstance(answer, Priced):
        cause = getattr(answer, "cause", "") or getattr(answer, "reason", "") or "it was not asked for"
        return judged((), [unread("order", "the preview", cause)], None)
    fen = None if answer.forecast is None else int(answer.forecast.amount * 100)
    held = ceiling(Preview(fen, None), order.get(OURS), limit)
    dooms = [_finding(held)] if held else [*too_dear(answer.forecast, most, None)]
    return judged(dooms, () if dooms else unheld(answer.forecast, most, None), answer.forecast)


def _finding(refused: Refused) -> Finding:
    return Finding(refused.code, "order", refused.reason, refused.fix)
