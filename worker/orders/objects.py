"""JSON lines in which an object may also stand over several lines, as a program that prints it prettily writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from worker.orders.jobs import MAX_JOB_BYTES, Rejection
from worker.orders.records import Lines

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BEGINS_A_JOB = re.compile(rb'\{\s*"[^{]*"order_id"\s*:|\{\s*"order_id"\s*:')
_TOO_LONG = "an object over several lines that is longer than 1 MiB"


def goes_on(line: bytes) -> bool:
    """Tell whether a line begins an object without an error, and does not end it."""
    text = line.decode(errors="replace").rstrip()
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return text.startswith("{") and error.pos >= len(text)
    except (RecursionError, ValueError):
        return False
    return False


def objects(lines: Lines) -> Iterator[tuple[int, bytes | Rejection]]:
    """Yield each object with the number of its first line, flat in memory.

    An object that does not end on its line goes on until it does, until a line begins another job, or until the file
    ends: where a line was cut off, it alone is lost, not the jobs behind it.
    """
    begun: _Begun | None = None
    for number, piece in lines:
        if isinstance(piece, str):
            yield from _given(begun)
            begun = None
            yield number, Rejection(number, None, "job", piece)
            continue
        piece = piece.strip()
        if begun is not None and _BEGINS_A_JOB.match(piece):
            yield from _given(begun)
            begun = None
        if begun is not None:
            begun.add(piece)
        elif _may_go_on(piece) and goes_on(piece):
            begun = _Begun(number, piece)
        elif piece:
            yield number, piece
        if begun is not None and begun.ended:
            yield from _given(begun)
            begun = None
    yield from _given(begun)


class _Begun:
    """An object whose end is still to come."""

    def __init__(self, number: int, piece: bytes) -> None:
        self._number = number
        self._pieces: list[bytes] = []
        self._depth = self._length = 0
        self.add(piece)

    def add(self, piece: bytes) -> None:
        # No text of JSON goes over a line's end, so that each line can be looked at by itself.
        bare = _STRING.sub(b"", piece)
        self._depth += sum(bare.count(sign) for sign in (b"{", b"[")) - sum(bare.count(sign) for sign in (b"}", b"]"))
        self._length += len(piece) + 1
        if self._length <= MAX_JOB_BYTES:
            self._pieces.append(piece)

    @property
    def ended(self) -> bool:
        return self._depth <= 0 or self._length > MAX_JOB_BYTES

    def given(self) -> tuple[int, bytes | Rejection]:
        if self._length > MAX_JOB_BYTES:
            return self._number, Rejection(self._number, None, "job", _TOO_LONG)
        return self._number, b"\n".join(self._pieces)


def _given(begun: _Begun | None) -> Iterator[tuple[int, bytes | Rejection]]:
    if begun is not None:
        yield begun.given()


def _may_go_on(piece: bytes) -> bool:
    """Tell, at next to no cost, whether a line is worth being looked at: nearly every one is an object of its own."""
    return piece.startswith(b"{") and (not piece.endswith(b"}") or piece.count(b"{") != piece.count(b"}"))
