"""The HTTP client against real sockets: what surely never left is told from what may have arrived."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import select
import socket
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from tests.client_kit import ANSWER_SECONDS, OK, Server, client, never_left, post, reset, send
from worker.marketplaces.calls import Lost, Reply
from worker.sending.bodies import BODY_LIMIT_BYTES

# What surely never left


def test_a_closed_port_means_nothing_left(closed_port: int) -> None:
    came = send(f"http://127.0.0.1:{closed_port}/sync")
    assert came == Lost("no connection (ClientConnectorError)", may_have_arrived=False)


def test_a_name_nobody_knows_means_nothing_left() -> None:
    assert never_left(send("http://marketplace.invalid/sync"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/sync",
        "127.0.0.1:80/sync",
        "ftp://127.0.0.1/",
        "http://",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "http://\x00/",
    ],
)
def test_an_address_that_is_none_means_nothing_left(url: str) -> None:
    assert never_left(send(url))


def test_a_server_that_speaks_no_tls_means_nothing_left() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_speak_plainly, args=(listener,), daemon=True).start()
    came = send(f"https://127.0.0.1:{listener.getsockname()[1]}/sync")
    listener.close()
    assert never_left(came)


def _speak_plainly(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()


def test_a_server_that_takes_no_connection_in_time_means_nothing_left() -> None:
    # A queue of one, filled: further connections hang in the handshake.
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    waiting = []
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        waiting.append(one)
    try:
        _, connected, _ = select.select([], waiting[:1], [], 5)
        assert connected, "the queue is full"
        assert never_left(send(f"http://127.0.0.1:{port}/sync", connect_seconds=0.2))
    finally:
        for one in [*waiting, listener]:
            one.close()


def test_a_client_without_a_free_connection_sends_nothing(serve: Callable[..., Server]) -> None:
    came, may_answer = threading.Event(), threading.Event()

    def slow(connection: socket.socket, _: int) -> None:
        came.set()
        may_answer.wait(10)
        connection.sendall(OK)

    server = serve(slow)

    async def run() -> list[Reply | Lost]:
        sender = client(connections=1, connect_seconds=0.1, answer_seconds=10)
        try:
            first = asyncio.create_task(sender.send(post(server.url)))
            assert await asyncio.to_thread(came.wait, 5)
            second = await sender.send(post(server.url))
            may_answer.set()
            return [await first, second]
        finally:
            await sender.aclose()

    first, second = asyncio.run(run())
    assert isinstance(first, Reply)
    assert never_left(second)
    assert server.posts == 1


# What may have arrived


def test_an_answer_is_handed_on_whole_with_lower_case_names(serve: Callable[..., Server]) -> None:
    head = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nX-Odd: a\r\nContent-Length: 4\r\n\r\n"
    server = serve(lambda connection, _: connection.sendall(head + b"\xff\x00{}"))
    came = send(server.url)
    assert (came.status, came.body, came.headers["retry-after"]) == (503, b"\xff\x00{}", "7")
    assert server.requests[0].endswith(b"\r\n\r\nmethod=create")


def test_a_connection_closed_after_the_request_may_have_been_executed(serve: Callable[..., Server]) -> None:
    server = serve(lambda connection, _: connection.close())
    came = send(server.url)
    assert not never_left(came)
    assert server.posts == 1


def test_a_connection_reset_after_the_request_may_have_been_executed(serve: Callable[..., Server]) -> None:
    server = serve(lambda connection, _: reset(connection))
    assert not never_left(send(server.url))
    assert server.posts == 1


def test_a_connection_reset_in_the_middle_of_the_answer_may_have_been_executed(serve: Callable[..., Server]) -> None:
    def half(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        reset(connection)

    server = serve(half)
    assert not never_left(send(server.url))


def test_an_answer_that_ends_early_is_no_answer(serve: Callable[..., Server]) -> None:
    def half(connection: socket.socket, _: int) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"order_list": {"number": [819')
        connection.close()

    assert not never_left(send(serve(half).url))


def test_no_answer_in_time_may_have_been_executed(serve: Callable[..., Server]) -> None:
    server = serve(lambda connection, _: None)
    begun = time.monotonic()
    came = send(server.url)
    assert not never_left(came)
    assert time.monotonic() - begun < ANSWER_SECONDS + 0.5
    assert server.posts == 1


def test_an_answer_that_drips_is_given_up_after_the_whole_time(serve: Callable[..., Server]) -> None:
    """Each byte comes in time; only a deadline over all of them ends it."""

    def drip(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.05)  # real time is the subject: each byte comes long before the answer's time is over

    server = serve(drip)
    begun = time.monotonic()
    came = send(server.url)
    assert came == Lost("no complete answer in time", may_have_arrived=True)
    assert time.monotonic() - begun < ANSWER_SECONDS + 0.5


def test_a_head_that_drips_is_given_up_too(serve: Callable[..., Server]) -> None:
    def drip(connection: socket.socket, _: int) -> None:
        for byte in OK * 10:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)  # as above

    begun = time.monotonic()
    assert not never_left(send(serve(drip).url))
    assert time.monotonic() - begun < ANSWER_SECONDS + 0.5


def test_a_body_of_ten_megabytes_is_not_read_to_its_end(serve: Callable[..., Server]) -> None:
    sent: list[int] = []

    def flood(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n")
        for _ in range(160):
            sent.append(connection.send(b"x" * 65536))

    came = send(serve(flood).url, answer_seconds=5)
    assert came == Lost("the answer was longer than any documented one", may_have_arrived=True)
    assert sum(sent) < 10485760


def test_the_longest_allowed_body_is_read(serve: Callable[..., Server]) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {BODY_LIMIT_BYTES}\r\n\r\n".encode()
    server = serve(lambda connection, _: connection.sendall(head + b"x" * BODY_LIMIT_BYTES))
    assert len(send(server.url, answer_seconds=5).body) == BODY_LIMIT_BYTES


def test_a_small_body_that_unpacks_to_a_huge_one_is_given_up(serve: Callable[..., Server]) -> None:
    bomb = gzip.compress(b"\x00" * (BODY_LIMIT_BYTES * 8))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    server = serve(lambda connection, _: connection.sendall(head + bomb))
    assert not never_left(send(server.url, answer_seconds=5))


def test_a_packed_body_is_unpacked(serve: Callable[..., Server]) -> None:
    packed = gzip.compress(b'{"a":1}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    server = serve(lambda connection, _: connection.sendall(head + packed))
    assert send(server.url).body == b'{"a":1}'


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\x03 this is no HTTP\r\n\r\n",
        b"HTTP/1.1 banana OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: banana\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 \xff\xfe\r\nContent-Length: 2\r\n\r\n{}",
        b"220 mail.example ESMTP\r\n",
        b"",
    ],
)
def test_an_answer_that_is_no_http_may_have_been_executed_and_raises_nothing(
    serve: Callable[..., Server], garbage: bytes
) -> None:
    def answer(connection: socket.socket, _: int) -> None:
        connection.sendall(garbage)
        connection.close()

    server = serve(answer)
    came = send(server.url)
    assert isinstance(came, Reply) or came.may_have_arrived
    assert server.posts == 1


def test_a_redirect_is_an_answer_and_not_followed(serve: Callable[..., Server]) -> None:
    target = serve(lambda connection, _: connection.sendall(OK))
    answer = f"HTTP/1.1 307 Elsewhere\r\nLocation: {target.url}\r\nContent-Length: 0\r\n\r\n".encode()
    server = serve(lambda connection, _: connection.sendall(answer))
    assert send(server.url).status == 307
    assert target.posts == 0


# Units over a transport of our own


@pytest.mark.parametrize(
    ("error", "arrived"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.UnsupportedProtocol("ftp"), False),
        (httpx.ConnectTimeout("a cut after the request looks like this too"), True),
        (httpx.ReadTimeout("slow"), True),
        (httpx.WriteError("broken pipe"), True),
        (httpx.ReadError("reset"), True),
        (httpx.RemoteProtocolError("garbage"), True),
        (httpx.PoolTimeout("no room"), True),
        (httpx.DecodingError("gzip"), True),
        (OSError("anything"), True),
        (TimeoutError(), True),
        (ConnectionResetError(), True),
    ],
)
def test_without_proof_that_nothing_left_a_request_may_have_arrived(error: Exception, arrived: bool) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    came = send("http://shop.test/", transport=httpx.MockTransport(fail))
    assert came.may_have_arrived is arrived
    assert came.cause


def test_a_request_is_sent_as_the_adapter_wrote_it() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, content=b"made", headers={"X-Request-Id": "req-1"})

    came = send("http://shop.test/sync?a=%20b", transport=httpx.MockTransport(answer))
    assert came == Reply(201, came.headers, b"made")
    assert came.headers["x-request-id"] == "req-1"
    (request,) = seen
    assert (request.method, str(request.url), request.content) == (
        "POST",
        "http://shop.test/sync?a=%20b",
        b"method=create",
    )
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_no_cause_holds_what_was_sent() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"while sending {request.content!r} to {request.url}")

    came = send("http://shop.test/?token=geheim", transport=httpx.MockTransport(fail))
    assert "geheim" not in came.cause
    assert "method=create" not in came.cause
