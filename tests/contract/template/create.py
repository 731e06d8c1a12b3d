"""What is sent to create an order, and what the answer means: only an id is a yes, only a documented code is a no."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from worker.marketplaces.template.codes import of_create
from worker.marketplaces.template.envelope import open_body

from worker.marketplaces.calls import Lost, Reply
from worker.marketplaces.codes import outcome, storable_code, unknown
from worker.marketplaces.doubts import Words, texts_in
from worker.marketplaces.replies import Garbage, lost
from worker.rules.outcomes import Accepted, PlaceOutcome, Unknown


def create_body(order: Mapping[str, Any]) -> bytes:
    """Return the body of a create."""
    return json.dumps(order, ensure_ascii=False).encode()


def read_create(came: Reply | Lost, words: Words) -> PlaceOutcome:
    """Return what one create came to. Anything that cannot be read for certain is Unknown, never a refusal."""
    if isinstance(came, Lost):
        return lost(came)
    opened = open_body(came.body)
    if isinstance(opened, Garbage):
        return Unknown(f"HTTP {came.status}: {opened.cause}", f"HTTP_{came.status}")
    if opened.reference:
        return Accepted((opened.reference,))
    entry, text = of_create(came.status, opened.code), words.clean(opened.text)
    doubt = words.doubts(texts_in(opened.document), entry.topics) if entry else "neither an id nor a known code"
    if entry is None or doubt is not None:
        code = storable_code(opened.code, entry is not None, words.clean)
        return unknown(doubt or "", text, code or f"HTTP_{came.status}")
    return outcome(entry, text)
