"""Files and streams of jobs, read one job at a time: JSON lines, JSON, CSV."""

from __future__ import annotations

import json
import re
import sys
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from worker.errors import InputError
from worker.orders.columns import fold, template
from worker.orders.jobs import MAX_JOB_BYTES, Accounts, Job, Rejection, validate
from worker.orders.objects import goes_on, objects
from worker.orders.records import Lines, Sheet, separator
from worker.orders.rewind import rewindable
from worker.orders.sheets import rows

__all__ = ["MAX_DOCUMENT_BYTES", "Entry", "jobs", "read", "template"]

MAX_DOCUMENT_BYTES = 64 << 20
"""Longest file in JSON form, which is one document and has to be held; JSON lines have no limit."""

Entry = tuple[int, bytes | dict[str, Any] | Rejection]
"""A line number (from 1) and what stands there, not yet validated, or why it could not even be read."""

_LINE_FORMS = (".jsonl", ".ndjson")
_SHEET_FORMS = (".csv", ".tsv")
_MARK = b"\xef\xbb\xbf"
"""UTF-8's byte order mark."""
_BLANK = re.compile(r"[ \t\r\n]*")


def jobs(source: str | Path | BinaryIO, accounts: Accounts, name: str | None = None) -> Iterator[Job | Rejection]:
    """Read and validate: one `Job` or `Rejection` for each order, in the file's order, flat in memory.

    Takes and raises what `read` does, before the first job or not at all.
    """
    return _validated(read(source, accounts, name), accounts)


def read(source: str | Path | BinaryIO, accounts: Accounts, name: str | None = None) -> Iterator[Entry]:
    """Open a file (a path, `-` for standard input, or a binary stream) and return its entries as a stream.

    The form is CSV by `.csv`/`.tsv` or by a first line that names the column `order_id`, or what stands between the
    cells (`sep=;`); JSON where the first
    character is `[`, or `{` begins an object of several lines and the name does not end in `.jsonl`; otherwise JSON
    lines, in which an object may stand over several lines too. `name` is used in errors.
    Raises InputError for a file that cannot be read as a whole, and only here: what goes wrong later in the
    file is a `Rejection` and the rest goes on.
    """
    with ExitStack() as opened:
        stream, name = _open(source, name, opened)
        try:
            number, first = _first_line(stream, name)
            entries = _entries(number, first, stream, name, accounts, opened)
        except OSError as error:
            raise InputError(f"{name} cannot be read: {error.strerror or 'the stream failed'}") from None
        return _closing(opened.pop_all(), entries)


@contextmanager
def sheet(source: str | Path, name: str | None = None) -> Iterator[Sheet | None]:
    """Open a file as a sheet, to go through its rows as they are; None: it has another form. Raises InputError."""
    with ExitStack() as opened:
        stream, name = _open(source, name, opened)
        number, first = _first_line(stream, name)
        yield Sheet(_lines(number, first, stream), name) if _is_sheet(first, name) else None


def _validated(entries: Iterator[Entry], accounts: Accounts) -> Iterator[Job | Rejection]:
    for line, raw in entries:
        yield raw if isinstance(raw, Rejection) else validate(raw, line, accounts)


def _open(source: str | Path | BinaryIO, name: str | None, opened: ExitStack) -> tuple[BinaryIO, str]:
    if not isinstance(source, str | Path):
        return source, name or "the stream"
    if source == "-":
        if sys.stdin is None:
            raise InputError("standard input is closed")
        return sys.stdin.buffer, name or "standard input"
    name = name or str(source)
    try:
        return opened.enter_context(Path(source).open("rb")), name
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a directory, not a file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be opened: {getattr(error, 'strerror', None) or error}") from None


def _closing(opened: ExitStack, entries: Iterator[Entry]) -> Iterator[Entry]:
    with opened:
        yield from entries


def _first_line(stream: BinaryIO, name: str) -> tuple[int, bytes]:
    """Return number and bytes of the first line that holds anything, without a byte order mark."""
    number, piece = 1, stream.readline(MAX_JOB_BYTES + 1)
    if piece.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in piece[:4096]:
        raise InputError(f"{name} is not UTF-8 text (UTF-16, or not text at all); save it as UTF-8")
    while piece.startswith(_MARK):  # two programs, each of which put one
        piece = piece.removeprefix(_MARK)
    while piece.isspace():
        number += piece.endswith(b"\n")
        piece = stream.readline(MAX_JOB_BYTES + 1)
    if not piece:
        raise InputError(f"{name} is empty")
    try:
        piece.decode()
    except UnicodeDecodeError as error:
        # a character may be cut in two where the line is longer than what was read of it
        if len(piece) <= MAX_JOB_BYTES or error.start < len(piece) - 3:
            raise InputError(f"{name} is not UTF-8 text (line {number}); save it as UTF-8") from None
    return number, piece


def _entries(
    number: int, first: bytes, stream: BinaryIO, name: str, accounts: Accounts, opened: ExitStack
) -> Iterator[Entry]:
    suffix = Path(name).suffix.lower()
    start = first.lstrip()
    if _is_sheet(first, name):
        return _sheet(number, first, rewindable(stream, name, opened), name, accounts)
    if start.startswith(b"[") or (suffix not in _LINE_FORMS and goes_on(start)):
        return _document(number, first, stream, name)
    return objects(_lines(number, first, stream))


def _is_sheet(first: bytes, name: str) -> bool:
    suffix, start = Path(name).suffix.lower(), first.lstrip()
    return suffix in _SHEET_FORMS or (suffix not in _LINE_FORMS and start[:1] not in b"[{" and _heads_a_sheet(start))


def _heads_a_sheet(line: bytes) -> bool:
    text = line.decode(errors="replace")
    return any("order_id" in one for one in fold(text)) or separator(text) is not None


def _sheet(number: int, first: bytes, stream: BinaryIO, name: str, accounts: Accounts) -> Iterator[Entry]:
    behind_first = stream.tell()

    def from_its_first_line() -> Lines:
        stream.seek(behind_first)
        return _lines(number, first, stream)

    return rows(from_its_first_line, accounts, name)


def _lines(number: int, piece: bytes, stream: BinaryIO) -> Lines:
    """Yield number and bytes of every line; a string instead says why a line is not given.

    A line that is too long is skipped without being held.
    """
    try:
        while piece:
            if len(piece) > MAX_JOB_BYTES and not piece.endswith(b"\n"):
                while piece and not piece.endswith(b"\n"):
                    piece = stream.readline(MAX_JOB_BYTES)
                yield number, "line longer than 1 MiB"
            else:
                yield number, piece
            number += 1
            piece = stream.readline(MAX_JOB_BYTES + 1)
    except OSError as error:
        yield number, f"reading stopped here: {error.strerror or 'the stream failed'}"


def _document(number: int, first: bytes, stream: BinaryIO, name: str) -> Iterator[Entry]:
    """Read a JSON array of jobs, or objects one after another, and check the whole before the first is given."""
    data = first + stream.read(max(0, MAX_DOCUMENT_BYTES + 1 - len(first)))
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InputError(f"{name} is longer than 64 MiB; submit JSON lines (one job a line), which have no limit")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = number + data.count(b"\n", 0, error.start)
        raise InputError(f"{name} is not UTF-8 text (line {line}); save it as UTF-8") from None
    try:
        spans = array("Q", (place for span in _spans(text) for place in span))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno + number - 1} column {error.colno}"
        raise InputError(f"{name} is not JSON: {error.msg.split(':', 1)[0]} at {where}") from None
    except RecursionError:
        raise InputError(f"{name} is nested too deeply") from None
    except ValueError:
        raise InputError(f"{name} is not JSON: a number is too long") from None
    return _elements(number, text, spans)


def _elements(number: int, text: str, spans: array[int]) -> Iterator[Entry]:
    before = 0
    for start, end in zip(spans[::2], spans[1::2], strict=True):
        number += text.count("\n", before, start)
        before = start
        yield number, text[start:end].encode()


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each job begins and ends, parsed one at a time so that the whole is never built."""
    scan = json.JSONDecoder().raw_decode
    place = _skip(text, 0)
    in_array = text.startswith("[", place)
    place = _skip(text, place + in_array)
    if in_array and text.startswith("]", place):
        _end(text, place + 1)
        return
    while place < len(text) or in_array:
        _, end = scan(text, place)
        yield place, end
        place = _skip(text, end)
        if in_array and not text.startswith(",", place):
            if not text.startswith("]", place):
                raise json.JSONDecodeError("Expecting ',' delimiter", text, place)
            _end(text, place + 1)
            return
        place = _skip(text, place + in_array)


def _skip(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    return found.end() if found else place


def _end(text: str, place: int) -> None:
    if _skip(text, place) < len(text):
        raise json.JSONDecodeError("Extra data", text, _skip(text, place))
