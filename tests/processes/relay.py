"""A relay before a server: what passes through can go silent, as behind a firewall that forgot the connection."""

from __future__ import annotations

import contextlib
import select
import socket
import threading


class Relay:
    """Passes bytes between clients and a server on loopback, until `go_silent`: then those connections hang."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._silences: list[threading.Event] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def go_silent(self) -> int:
        """Let nothing more through on the connections there are, without closing one; return how many."""
        silenced, self._silences = self._silences, []
        for silence in silenced:
            silence.set()
        return len(silenced)

    def close(self) -> None:
        """End everything."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                silence = threading.Event()
                self._ends += [client, server]
                self._silences.append(silence)
                threading.Thread(target=_pass, args=(client, server, silence), daemon=True).start()


def _pass(client: socket.socket, server: socket.socket, silence: threading.Event) -> None:
    other = {client: server, server: client}
    with contextlib.suppress(OSError, ValueError):
        while True:
            for end in select.select([client, server], [], [], 0.5)[0]:
                data = end.recv(65536)
                if silence.is_set():
                    continue  # swallowed; the kernel goes on acknowledging
                if not data:
                    for one in other:
                        one.shutdown(socket.SHUT_RDWR)
                    return
                other[end].sendall(data)
