"""The send mark: noted on disk before the first byte of what may make an order, and of nothing else."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Generator
from dataclasses import replace

from tests.client_kit import OK, Server, client, post
from worker.marketplaces.calls import Lost, Reply, Request

FOR_EVER = float("inf")


def preview_and_create(url: str) -> Generator[Request, Reply | Lost, list[Reply | Lost]]:
    preview = yield post(url)
    create = yield replace(post(url), creates=True)
    return [preview, create]


def drive(url: str, note: Callable[[], None], deadline: float = FOR_EVER) -> list[Reply | Lost]:
    async def run() -> list[Reply | Lost]:
        sender = client()
        try:
            return await sender.drive(preview_and_create(url), deadline, note)
        finally:
            await sender.aclose()

    return asyncio.run(run())


def test_a_create_is_noted_before_its_first_byte_and_a_preview_is_not(serve: Callable[..., Server]) -> None:
    server = serve(lambda connection, _: connection.sendall(OK))
    arrived: list[int] = []
    drive(server.url, lambda: arrived.append(server.posts))
    assert arrived == [1], "noted once, when the preview had arrived and the create had not"
    assert server.posts == 2


def test_what_cannot_be_noted_does_not_leave(serve: Callable[..., Server]) -> None:
    server = serve(lambda connection, _: connection.sendall(OK))

    def full() -> None:
        raise OSError(28, "No space left on device")

    preview, create = drive(server.url, full)
    assert isinstance(preview, Reply)
    assert create == Lost("its send mark cannot be written (No space left on device)", may_have_arrived=False)
    assert server.posts == 1


def test_what_finds_no_connection_is_not_noted(closed_port: int) -> None:
    noted: list[float] = []
    drive(f"http://127.0.0.1:{closed_port}/sync", lambda: noted.append(time.time()))
    assert noted == []


def test_a_note_that_takes_longer_than_the_deadline_holds_the_request_back(serve: Callable[..., Server]) -> None:
    """The clock is looked at after the note: a disk that stalls must not let a request leave under a lost lease."""

    def answer(connection: socket.socket, _: int) -> None:
        connection.sendall(OK)

    server = serve(answer)
    preview, create = drive(server.url, lambda: time.sleep(0.6), time.time() + 0.5)
    assert isinstance(preview, Reply)
    assert create == Lost("its time ran out before it was sent", may_have_arrived=False)
    assert server.posts == 1
