"""Opens what Template sent back: any bytes in, an answer or garbage out; never an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.marketplaces.replies import Garbage, id_of, read_object, text_of


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply: the id it shows, or its code and words. `document`: the whole of it."""

    reference: str
    code: str
    text: str
    document: Mapping[str, Any]


def open_body(body: bytes) -> Answer | Garbage:
    """Read one reply body."""
    read = read_object(body)
    if isinstance(read, str):
        return Garbage(read)
    return Answer(id_of(read.get("id")), text_of(read.get("code")), text_of(read.get("message")), read)
