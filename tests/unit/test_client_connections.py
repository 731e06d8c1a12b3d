"""The HTTP client against real sockets: connections kept from one request to the next, and calls under a deadline."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import aiohttp
import pytest
import time_machine

from tests.client_kit import FOR_EVER, OK, Server, client, never_left, post, reset, send
from worker.marketplaces.calls import Lost, Reply, Request
from worker.sending.client import TOO_LATE

# Connections that are kept


def test_connections_are_kept_and_used_again(serve: Callable[..., Server]) -> None:
    server = serve(lambda connection, _: connection.sendall(OK))
    came = send(server.url, post(server.url), post(server.url))
    assert [one.status for one in came] == [200, 200, 200]
    assert (server.connections, server.posts) == (1, 3)


def test_a_kept_connection_that_is_cut_under_the_next_request_is_not_tried_again(serve: Callable[..., Server]) -> None:
    """A POST that went out on it may have been executed; a silent second one would be a second order."""
    answered: list[int] = []

    def answer(connection: socket.socket, _: int) -> None:
        if answered:
            reset(connection)
        else:
            answered.append(1)
            connection.sendall(OK)

    server = serve(answer)
    first, second = send(server.url, post(server.url))
    assert isinstance(first, Reply)
    assert not never_left(second)
    assert (server.connections, server.posts) == (1, 2)


@pytest.mark.parametrize("rounds", range(10))
def test_a_kept_connection_the_server_closed_just_before_costs_no_second_order(
    serve: Callable[..., Server], rounds: int
) -> None:
    """The race every keep-alive has: the close and the next request meet on the way."""

    def once(connection: socket.socket, _: int) -> None:
        connection.sendall(OK)
        time.sleep(rounds / 5000)  # real time is the subject: the close comes a little later in each round
        connection.close()

    server = serve(once)

    async def run() -> tuple[Reply | Lost, int]:
        sender = client()
        try:
            assert isinstance(await sender.send(post(server.url)), Reply)
            time.sleep(rounds / 5000)  # not asyncio's: the loop must not see the close before it sends
            return await sender.send(post(server.url)), server.posts
        finally:
            await sender.aclose()

    came, _ = asyncio.run(run())
    server.wait_for_its_connections()
    assert server.posts <= 2, "one POST a request at the very most"
    if isinstance(came, Reply):
        assert server.posts == 2
    elif not came.may_have_arrived:
        assert server.posts == 1


def test_cookies_of_one_account_are_not_sent_for_another(serve: Callable[..., Server]) -> None:
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: session=anna; Path=/\r\nContent-Length: 2\r\n\r\n{}"
    server = serve(lambda connection, _: connection.sendall(answer))
    send(server.url, post(server.url))
    assert not any(b"cookie:" in request.lower() for request in server.requests)


def test_a_proxy_of_the_environment_is_not_used(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(lambda connection, _: connection.sendall(OK))
    server = serve(lambda connection, _: connection.sendall(OK))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    send(server.url)
    assert (proxy.connections, server.posts) == (0, 1)


def test_many_requests_at_once_each_get_their_own_answer(serve: Callable[..., Server]) -> None:
    """None is answered before all are there, so a client that sent them one after another would never end."""
    all_there = threading.Barrier(50)

    def echo(connection: socket.socket, _: int) -> None:
        number = server.bodies[connection].rpartition(b"=")[2]
        all_there.wait(60)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + number)

    server = serve(echo)
    requests = [Request("POST", server.url, {}, b"number=%02d" % number) for number in range(50)]

    async def run() -> list[Reply | Lost]:
        sender = client(connections=50, connect_seconds=60, answer_seconds=60)
        try:
            return list(await asyncio.gather(*map(sender.send, requests)))
        finally:
            await sender.aclose()

    came = [one.body for one in asyncio.run(run()) if isinstance(one, Reply)]
    assert came == [b"%02d" % number for number in range(50)]
    assert server.posts == 50


# Driving an adapter's call


def two_steps(url: str) -> Generator[Request, Reply | Lost, list[Reply | Lost]]:
    first = yield post(url)
    second = yield post(url)
    return [first, second]


def drive(url: str, deadline: float, **options: Any) -> list[Reply | Lost]:
    async def run() -> list[Reply | Lost]:
        sender = client(**options)
        try:
            return await sender.drive(two_steps(url), deadline)
        finally:
            await sender.aclose()

    return asyncio.run(run())


def test_a_call_of_several_requests_is_given_each_answer(serve: Callable[..., Server]) -> None:
    server = serve(lambda connection, _: connection.sendall(OK))
    assert [one.status for one in drive(server.url, FOR_EVER) if isinstance(one, Reply)] == [200, 200]


def test_past_its_deadline_a_call_sends_nothing(serve: Callable[..., Server]) -> None:
    server = serve(lambda connection, _: connection.sendall(OK))
    assert drive(server.url, time.time() - 0.001) == [Lost(TOO_LATE, may_have_arrived=False)] * 2
    assert server.connections == 0


def test_a_deadline_that_passes_between_two_requests_holds_the_second_back(
    serve: Callable[..., Server], clock: time_machine.Traveller
) -> None:
    def slow(connection: socket.socket, _: int) -> None:
        clock.shift(6.0)
        connection.sendall(OK)

    server = serve(slow)
    first, second = drive(server.url, time.time() + 5.0)
    assert isinstance(first, Reply), "what is out already is waited for"
    assert second == Lost(TOO_LATE, may_have_arrived=False)
    assert server.posts == 1


def test_a_deadline_that_passes_while_a_connection_is_made_holds_the_request_back(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, clock: time_machine.Traveller
) -> None:
    """A process that was frozen in the middle of connecting must not send under a lease it has lost."""
    server = serve(lambda connection, _: connection.sendall(OK))

    async def slow_connect(*args: Any, **options: Any) -> Any:
        clock.shift(6.0)
        return await connect(*args, **options)

    connect = aiohttp.TCPConnector._create_connection
    monkeypatch.setattr(aiohttp.TCPConnector, "_create_connection", slow_connect)
    came = drive(server.url, time.time() + 5.0)
    assert [never_left(one) for one in came] == [True, True]
    assert server.posts == 0


def test_the_point_before_the_first_byte_is_told_what_is_sent_and_not_reached_by_what_is_too_late(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda connection, _: connection.sendall(OK))
    seen: list[tuple[str, str, int]] = []

    def look(point: str, over: object = "") -> None:
        seen.append((point, str(over), server.posts))

    monkeypatch.setattr("worker.sending.client.reached", look)
    drive(server.url, FOR_EVER)
    assert [one for one in seen if one[0] == "sending"] == [("sending", server.url, 0), ("sending", server.url, 1)]
    seen.clear()
    drive(server.url, time.time() - 0.001)
    assert seen == []


def test_the_deadline_of_one_call_is_not_anothers(serve: Callable[..., Server]) -> None:
    server = serve(lambda connection, _: connection.sendall(OK))

    async def run() -> Any:
        sender = client()
        try:
            return await asyncio.gather(
                *(sender.drive(two_steps(server.url), deadline) for deadline in (0.0, FOR_EVER, 0.0))
            )
        finally:
            await sender.aclose()

    late, good, late_too = asyncio.run(run())
    assert [never_left(one) for one in (*late, *late_too)] == [True] * 4
    assert [type(one) for one in good] == [Reply, Reply]
    assert server.posts == 2
