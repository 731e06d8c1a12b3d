"""The states a Template order can be in, in words; unknown ones are kept as they come."""

from __future__ import annotations

MEANINGS = {"open": "created", "sent": "on its way", "done": "delivered"}
