"""What an answer may be packed in: nothing, or one gzip, inflated no further than any documented answer."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from tests.client_kit import Server, never_left, send
from worker.marketplaces.calls import Lost, Reply
from worker.sending.bodies import BODY_LIMIT_BYTES

INFLATED_BYTES = 256 << 20


def packed(body: bytes, *encodings: str) -> bytes:
    lines = "".join(f"Content-Encoding: {encoding}\r\n" for encoding in encodings)
    return f"HTTP/1.1 200 OK\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def answering(answer: bytes) -> Callable[[socket.socket, int], None]:
    return lambda connection, _: connection.sendall(answer)


def bomb() -> bytes:
    """Zeros under one gzip."""
    deflate, zeros = zlib.compressobj(9, wbits=31), bytes(1 << 20)
    return b"".join([deflate.compress(zeros) for _ in range(INFLATED_BYTES >> 20)] + [deflate.flush()])


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
def test_one_gzip_is_read(encoding: str, serve: Callable[..., Server]) -> None:
    server = serve(answering(packed(gzip.compress(b'{"result": 1}'), encoding)))
    came = send(server.url)
    assert isinstance(came, Reply)
    assert came.body == b'{"result": 1}'


def test_nothing_but_gzip_is_asked_for(serve: Callable[..., Server]) -> None:
    server = serve(answering(packed(b"{}")))
    send(server.url)
    (asked,) = [line for line in server.requests[0].split(b"\r\n") if line.lower().startswith(b"accept-encoding")]
    assert b"gzip" in asked
    assert not any(other in asked for other in (b"deflate", b"br", b"zstd"))


@pytest.mark.parametrize("encodings", [("gzip, gzip",), ("gzip", "gzip"), ("gzip,gzip,gzip",), ("deflate",), ("br",)])
def test_layers_and_other_ways_are_refused_unread(encodings: tuple[str, ...], serve: Callable[..., Server]) -> None:
    """The create may have been executed all the same, so it is never a no."""
    body = gzip.compress(bomb())
    assert len(body) < 4096
    server = serve(answering(packed(body, *encodings)))
    tracemalloc.start()
    begun = time.monotonic()
    came = send(server.url, answer_seconds=5)
    took, peak = time.monotonic() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not never_left(came)
    assert "one gzip" in came.cause
    assert (took < 2, peak < 8 << 20) == (True, True), (took, peak)


def test_one_gzip_is_inflated_no_further_than_an_answer_may_be_long(serve: Callable[..., Server]) -> None:
    body = bomb()
    assert len(body) < BODY_LIMIT_BYTES
    server = serve(answering(packed(body, "gzip")))
    tracemalloc.start()
    came = send(server.url, answer_seconds=5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not never_left(came)
    assert peak < 8 * BODY_LIMIT_BYTES


@pytest.mark.parametrize(
    "body", [b"no gzip at all", gzip.compress(b"{}" * 1000, mtime=0)[:-12]], ids=["no gzip", "cut short"]
)
def test_a_damaged_gzip_is_no_answer(body: bytes, serve: Callable[..., Server]) -> None:
    came = send(serve(answering(packed(body, "gzip"))).url)
    assert isinstance(came, Lost)
    assert came.may_have_arrived
