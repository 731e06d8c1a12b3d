"""The states a Template order can be in, in words and as stages; unknown ones are kept as they come."""

from __future__ import annotations

from worker.rules.life import PAID, Life, Stage

_STATUSES = {
    "open": ("created", Stage.AWAITING_PAYMENT),
    "sent": ("on its way", Stage.SHIPPED),
    "done": ("delivered", Stage.DELIVERED),
}
MEANINGS = {status: meant for status, (meant, _) in _STATUSES.items()}


def life(status: str) -> Life:
    """Return what a status says of the order's second life; one that is documented nowhere says nothing."""
    _, stage = _STATUSES.get(status, ("", None))
    if stage is None:
        return Life()
    return Life(stage, stage in PAID)
