"""What is personal in a test order, and where it must not be found."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

import redis
from harness import BUYER

PERSONAL = (*BUYER.values(), "Philippa", "Quillfeather", "Larkspur", "Zanesville")
"""Texts of the buyer that may stand in the ledger and on the wire to the marketplace, and nowhere else."""


def redis_texts(client: redis.Redis) -> dict[str, str]:
    """Return everything a Redis holds, by key, as text."""
    read: dict[bytes, Callable[[bytes], Any]] = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
    }
    found = {}
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        # A message's body is base64, which would hide what it holds.
        found[key.decode()] = _plain(str(read[kind](key))) if kind in read else ""
    return found


def _plain(text: str) -> str:
    bodies = re.findall(r'"body": "([A-Za-z0-9+/=]+)"', text)
    return " ".join([text, *(base64.b64decode(body).decode(errors="replace") for body in bodies)])


def personal(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Return which of these texts hold something of the buyer, and what."""
    found = {name: [word for word in PERSONAL if word.lower() in text.lower()] for name, text in texts.items()}
    return {name: words for name, words in found.items() if words}
