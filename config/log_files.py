"""The logs of `fulfil up` in the home: where each program's is, how long it may grow, how it is read."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from config.process import private_folder

MOST_BYTES = 10 << 20
"""A log that grew longer is moved to `NAME.log.1`, whose content before that is forgotten."""
LOOK_SECONDS = 0.3
_TAIL_BYTES = 1 << 20
"""So much of a log's end is looked through for its last lines."""


class Line(NamedTuple):
    """A line of a program's log."""

    program: str
    text: str


def folder(home: Path) -> Path:
    """Return where the logs of a home are."""
    return home / "logs"


def open_log(logs: Path, program: str) -> BinaryIO:
    """Open a program's log to be written at its end, whoever shortens it meanwhile. Raises OSError."""
    return (private_folder(logs) / f"{program}.log").open("ab", buffering=0)


def note(logs: Path, program: str, text: str) -> None:
    """Write one line with the time, in the form of `config/logs.py`. A log that cannot be written is passed over."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    with suppress(OSError), open_log(logs, program) as file:
        file.write(f"{at}Z WARNING fulfil: {text}\n".encode())


def shorten(logs: Path, most_bytes: int = MOST_BYTES) -> None:
    """Move what is too long aside. Its program goes on in the same file: it is copied and emptied, never renamed."""
    for path in logs.glob("*.log"):
        with suppress(OSError):
            if path.stat().st_size > most_bytes:
                shutil.copyfile(path, path.with_suffix(".log.1"))
                path.with_suffix(".log.1").chmod(0o600)
                with path.open("r+b") as file:
                    file.truncate(0)


def programs(home: Path) -> dict[str, Path]:
    """Return the programs that have a log in this home, and where it is; the embedded Redis writes its own."""
    found = {path.stem: path for path in sorted(folder(home).glob("*.log"))}
    redis = home / "redis" / "redis.log"
    return found | ({"redis": redis} if redis.exists() else {})


def last(paths: dict[str, Path], number: int) -> list[Line]:
    """Return the last lines of several logs together, in the order of their times."""
    told = [(at, Line(program, text)) for program, path in paths.items() for at, text in _timed(_end_of(path))]
    told.sort(key=lambda pair: pair[0])  # stable: lines of one time keep their order
    return [line for _, line in told[len(told) - number :]] if number else []


def ends(paths: dict[str, Path]) -> dict[str, int]:
    """Return how long each log is now: where `follow` is to go on."""
    return {program: _size(path) for program, path in paths.items()}


def follow(paths: dict[str, Path], places: dict[str, int], stopped: Callable[[], bool]) -> Iterator[Line]:
    """Yield what is written behind these places, until `stopped` says so."""
    read_to = dict(places)
    while not stopped():
        for program, path in paths.items():
            size = _size(path)
            if size < read_to[program]:  # it was shortened
                read_to[program] = 0
            if size > read_to[program]:
                whole = _whole_lines(path, read_to[program])
                read_to[program] += len(whole)
                yield from (Line(program, text) for text in whole.decode(errors="replace").splitlines())
        time.sleep(LOOK_SECONDS)


def _whole_lines(path: Path, place: int) -> bytes:
    """Return what stands there up to the last line's end; as it is where no line ends within much text."""
    with suppress(OSError), path.open("rb") as file:
        file.seek(place)
        found = file.read(_TAIL_BYTES)
        return found if len(found) == _TAIL_BYTES and b"\n" not in found else found[: found.rfind(b"\n") + 1]
    return b""


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _end_of(path: Path) -> list[str]:
    """Return the lines at a log's end; those of the one before it too, where this one is short."""
    told = b""
    for one in (path.with_suffix(".log.1"), path):
        with suppress(OSError), one.open("rb") as file:
            file.seek(max(0, _size(one) - _TAIL_BYTES))
            told += file.read()
    return told.decode(errors="replace").splitlines()


def _timed(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each line with its time, as text that sorts; a line without one belongs to the line before it."""
    at = ""
    for text in lines:
        at = _time_of(text) or at
        yield at, text


def _time_of(text: str) -> str | None:
    """Return the time a line of our own logs begins with, or Redis's own: `1:M 26 Nov 2026 16:57:14.123 * …`."""
    with suppress(ValueError):
        return datetime.strptime(text[:20], "%Y-%m-%dT%H:%M:%SZ").isoformat()
    parts = text.split(" ", 5)
    with suppress(ValueError, IndexError):
        read = datetime.strptime(" ".join(parts[1:5])[:20], "%d %b %Y %H:%M:%S")
        return read.astimezone(UTC).replace(tzinfo=None).isoformat()
    return None
