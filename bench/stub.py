"""A marketplace that is not the bottleneck: bare HTTP/1.1 keep-alive, answers after a set latency, keeps times."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
import time
from typing import Any

_KEY = re.compile(rb"out_order_id%22%3A(?:\+|%20)?%22([^%&]+)")
_REFERENCE = re.compile(rb"order_id%22%3A(?:\+|%20)?%22?(\d+)")
_READ = json.dumps(
    {
        "aliexpress_trade_ds_order_get_response": {
            "result": {
                "gmt_create": "2024-09-09 21:00:03",
                "order_status": "PLACE_ORDER_SUCCESS",
                "logistics_status": "WAIT_SELLER_SEND_GOODS",
                "store_info": {"store_id": 1103800006, "store_name": "Kedi Bottles Store"},
                "user_order_amount": {"amount": "8.34", "currency_code": "USD"},
                "order_amount": {"amount": "8.34", "currency_code": "USD"},
                "child_order_list": {
                    "aeop_child_order_info": [
                        {
                            "product_count": 1,
                            "product_id": 1005004638293060,
                            "sku_id": "1200003702000037",
                            "product_name": "500ML Insulated Water Bottle",
                            "shipping_fee": {"amount": "0.93", "currency_code": "USD"},
                            "actual_fee": {"amount": "8.12", "currency_code": "USD"},
                            "product_price": {"amount": "7.41", "currency_code": "USD"},
                        }
                    ]
                },
            },
            "request_id": "2102e76417290680900002444",
        }
    }
).encode()
_CREATED = '{"aliexpress_ds_order_create_response":{"result":{"is_success":true,"order_list":{"number":[%d]}},'
_CREATED += '"request_id":"212a790f17395203524904964"}}'


class Record:
    """What arrived, and when (unix seconds)."""

    def __init__(self) -> None:
        self.latency = 0.0
        self.keys: dict[int, bytes] = {}
        self.creates: dict[bytes, list[float]] = {}
        self.gets: dict[bytes, float] = {}
        self.in_flight = self.most_in_flight = 0

    def public(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {
            "creates": sum(map(len, self.creates.values())),
            "orders": len(self.creates),
            "gets": len(self.gets),
            "most_in_flight": self.most_in_flight,
            "times": {key.decode(): [*times[:1], self.gets.get(key)] for key, times in self.creates.items()},
        }


record = Record()
_ids = itertools.count(8200000000000000)


class Stub(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: Any) -> None:
        """Begin with nothing received."""
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole by now."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        """Answer one request: a control path at once, an order or a read after the latency."""
        if b" /_" in head[:12]:
            self.write(_control(head))
            return
        record.in_flight += 1
        record.most_in_flight = max(record.most_in_flight, record.in_flight)
        answer = _create(body) if b"order.create" in body else _read(body)
        if record.latency:
            asyncio.get_running_loop().call_later(record.latency, self.done, answer)
        else:
            self.done(answer)

    def done(self, answer: bytes) -> None:
        """Send the answer that waited; its request is no longer in flight."""
        record.in_flight -= 1
        self.write(answer)

    def write(self, answer: bytes) -> None:
        """Send a body under a head of its length."""
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
        self.transport.write(head + answer)


def _create(body: bytes) -> bytes:
    found = _KEY.search(body)
    key, reference = found[1] if found else b"?", next(_ids)
    record.creates.setdefault(key, []).append(time.time())
    record.keys[reference] = key
    return (_CREATED % reference).encode()


def _read(body: bytes) -> bytes:
    found = _REFERENCE.search(body)
    if found:
        record.gets.setdefault(record.keys.get(int(found[1]), b"?"), time.time())
    return _READ


def _control(head: bytes) -> bytes:
    if b"/_reset" in head:
        latency = re.search(rb"latency=([\d.]+)", head)
        record.__init__()  # type: ignore[misc]
        record.latency = float(latency[1]) if latency else 0.0
        return b"{}"
    if b"/_count" in head:
        return json.dumps({"orders": len(record.creates), "gets": len(record.gets)}).encode()
    return json.dumps(record.public()).encode()


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", int(sys.argv[1]), backlog=2000)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
