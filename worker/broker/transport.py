"""kombu's Redis transport, made safe: a message that is none is dropped, and a connection gone silent is noticed.

Whoever can write to Redis can push anything on a queue. kombu takes it off the list, fails to read it and lets the
error end the worker. Here it is dropped and counted, in every queue, before Celery sees it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from queue import Empty
from typing import Any

import redis
from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.transport import redis as kombu_redis

from worker.broker.dropped import dropped

INFLATED_LIMIT_BYTES = 16 << 20
"""Longest body a compressed message may have once inflated; ours are never compressed, a producer's may be."""
_GZIP = ("application/x-gzip", "gzip", "zlib")
"""kombu's names for the one compression that is read."""
_OUTAGES = (OSError, redis.ConnectionError, redis.TimeoutError, redis.ResponseError)
"""What Redis or the way to it fails with; every other failure to take a message is the message's own.

kombu's own list has KeyError in it, which a message without a property causes.
"""


class UnreadableMessageError(ValueError):
    """A message has a form that is not read; the text says which and repeats nothing of it."""


class Message(virtual.Message):
    """A message whose body is inflated up to a limit: two megabytes can be made to hold three thousand."""

    def __init__(self, payload: Any, channel: Any = None, **options: Any) -> None:
        super().__init__(_inflated(payload, channel), channel, **options)  # type: ignore[no-untyped-call]


class QoS(kombu_redis.QoS):
    """Keeps what was taken and not acknowledged; an entry that is no message does not hold up the others."""

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Put a message back on its queue."""
        try:
            super().restore_by_tag(tag, client, leftmost)  # type: ignore[no-untyped-call]
        except _OUTAGES:
            raise
        except Exception as error:
            dropped.add(f"kept by {self.unacked_key}: {type(error).__name__}")
            with self.channel.conn_or_acquire(client) as connection:
                connection.zrem(self.unacked_index_key, tag)
                connection.hdel(self.unacked_key, tag)


class Channel(kombu_redis.Channel):
    """Reads queues and what is broadcast."""

    Message = Message
    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        return self._read(super()._brpop_read, "of a queue", **options)

    def _receive(self) -> Any:
        return self._read(super()._receive, "broadcast")

    def _read(self, read: Callable[..., Any], which: str, **options: Any) -> Any:
        """Read a message, which Redis has let go by then: there is nothing to put back."""
        try:
            return read(**options)
        except (Empty, *_OUTAGES):
            raise
        except Exception as error:
            told = str(error) if isinstance(error, UnreadableMessageError) else type(error).__name__
            dropped.add(f"{which}: {told}")
            return True


class _Poller(kombu_redis.MultiChannelPoller):
    """Waits for messages without Celery's event loop, as Flower does."""

    def get(self, callback: Any, timeout: float | None = None) -> Any:
        # The event loop has a timer for this. Without one a subscription whose connection was dropped on the way, and
        # says nothing for ever, looks like a quiet day.
        self.maybe_check_subclient_health()  # type: ignore[no-untyped-call]
        return super().get(callback, timeout)  # type: ignore[no-untyped-call]


class Transport(kombu_redis.Transport):
    """What `redis://`, `rediss://` and `redis+socket://` stand for in our programs."""

    Channel = Channel

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self.cycle: Any = _Poller()  # type: ignore[no-untyped-call]


def use() -> None:
    """Have kombu take this transport for every Redis address; before the first connection is made."""
    ours = f"{__name__}:{Transport.__name__}"
    TRANSPORT_ALIASES.update(redis=ours, rediss=ours)


def _inflated(payload: Any, channel: Any) -> Any:
    """Return a message's payload with its body inflated; as it is where it is not compressed."""
    headers = payload.get("headers")
    compression = headers.get("compression") if headers else None
    if not compression:
        return payload
    if compression not in _GZIP:
        raise UnreadableMessageError("compressed in another way than gzip")
    properties = payload["properties"]
    body = channel.decode_body(payload["body"], properties.get("body_encoding"))
    inflater = zlib.decompressobj()
    plain = inflater.decompress(body, INFLATED_LIMIT_BYTES)
    if inflater.unconsumed_tail or not inflater.eof:
        raise UnreadableMessageError(f"more than {INFLATED_LIMIT_BYTES >> 20} MiB, or not whole, once inflated")
    body, encoding = channel.encode_body(plain, "base64")
    others = {name: value for name, value in headers.items() if name != "compression"}
    return {**payload, "body": body, "headers": others, "properties": {**properties, "body_encoding": encoding}}
