"""What the client's tests share: a server that answers as the test says, and one request to send to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from worker.marketplaces.calls import Lost, Reply, Request
from worker.sending.client import Client

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
ANSWER_SECONDS = 0.6
FOR_EVER = float("inf")


class Server:
    """A socket on loopback that counts whole requests and answers as the test says, a connection a thread."""

    def __init__(self, answer: Callable[[socket.socket, int], None]) -> None:
        self.requests: list[bytes] = []
        self.bodies: dict[socket.socket, bytes] = {}
        self.connections = 0
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/sync"
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    @property
    def posts(self) -> int:
        """Whole POSTs that arrived: each of them could be an order."""
        return sum(request.startswith(b"POST ") for request in self.requests)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError):
            while request := _whole_request(connection):
                self.requests.append(request)
                self.bodies[connection] = request
                self._answer(connection, number)

    def close(self) -> None:
        # A thread that waits in accept() keeps the port open through close() alone.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _whole_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields.get(b"content-length", b"0")):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def post(url: str, **headers: str) -> Request:
    return Request("POST", url, {"content-type": "application/x-www-form-urlencoded", **headers}, b"method=create")


def client(**options: Any) -> Client:
    return Client(**{"connections": 10, "connect_seconds": 0.4, "answer_seconds": ANSWER_SECONDS, **options})


def send(url: str, *more: Request, **options: Any) -> Any:
    """Send one request, and more over the same client; return what came back."""

    async def run() -> Any:
        sender = client(**options)
        try:
            came = [await sender.send(request) for request in (post(url), *more)]
        finally:
            await sender.aclose()
        return came if more else came[0]

    return asyncio.run(run())


def never_left(came: Reply | Lost) -> bool:
    assert isinstance(came, Lost), came
    return not came.may_have_arrived


def reset(connection: socket.socket) -> None:
    """Cut a connection the hard way: the peer gets an RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
