"""A stream that can be read twice: a file by itself, a pipe by way of a copy that has no name."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import BinaryIO

from worker.errors import InputError

_PIECE_BYTES = 1 << 16


def rewindable(stream: BinaryIO, name: str, opened: ExitStack) -> BinaryIO:
    """Return the stream, or where it cannot go back a copy of what is left of it, which `opened` closes.

    The copy lies in the system's temporary folder without a name there: nothing of it stays when it is closed, or when
    the program dies. Raises InputError where there is no room for it, OSError where the stream cannot be read.
    """
    if stream.seekable():
        return stream
    try:
        copy = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (`opened` closes it)
        while piece := _read(stream):
            copy.write(piece)
        copy.seek(0)
    except _UnreadableError as error:
        raise error.cause from None
    except OSError as error:
        raise InputError(
            f"{name} is read twice, and its copy cannot be kept in {tempfile.gettempdir()}: {error.strerror};"
            " set TMPDIR to a folder with room, or submit a file"
        ) from None
    return copy


class _UnreadableError(Exception):
    """The stream failed, not the copy; never leaves this module."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(_PIECE_BYTES)
    except OSError as error:
        raise _UnreadableError(error) from None
