"""Reads an answer's body: no longer than any documented one, as it came and once inflated."""

from __future__ import annotations

import zlib
from typing import cast

import httpx

BODY_LIMIT_BYTES = 1 << 20
"""No documented answer comes near it; a longer one is not read to its end."""
ASKED = {"accept-encoding": "gzip, identity;q=0.5"}
"""What a request asks for, and all that is read."""

_PLAIN = ("", "identity")
_GZIP = ("gzip", "x-gzip")
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
"""zlib's sign for a gzip header before the data."""


class UnusableBodyError(Exception):
    """An answer is too long, or packed in a way that was not asked for; the text says which."""


async def whole_body(response: httpx.Response) -> bytes:
    """Return the body, inflated where it is packed with one gzip. Raises UnusableBodyError.

    The library inflates whatever layers an answer names, each to its end: 3,477 bytes under two gzips became four
    gigabytes, and the loop stood still for the time that took.
    """
    packing = ",".join(response.headers.get_list("content-encoding")).strip().lower()
    if packing not in (*_PLAIN, *_GZIP):
        raise UnusableBodyError("the answer was packed in another way than one gzip")
    body = bytearray()
    async for part in cast(httpx.AsyncByteStream, response.stream):
        body += part
        if len(body) > BODY_LIMIT_BYTES:
            raise UnusableBodyError("the answer was longer than any documented one")
    return bytes(body) if packing in _PLAIN or not body else _inflated(bytes(body))


def _inflated(packed: bytes) -> bytes:
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        body = inflater.decompress(packed, BODY_LIMIT_BYTES + 1)
    except zlib.error:
        raise UnusableBodyError("the answer was said to be gzip and is none") from None
    if len(body) > BODY_LIMIT_BYTES:
        raise UnusableBodyError("the answer was longer than any documented one")
    if not inflater.eof:
        raise UnusableBodyError("the answer ended before its gzip did")
    return body
